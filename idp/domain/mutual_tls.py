"""How the certificate of a client reaches us, and who vouches for it (RFC 8705; OID-4)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MutualTLSPolicy:
    """What the proxy in front, which ends TLS, does about certificates of clients.

    Attributes:
        certificate_header: The header in which a trusted proxy hands the certificate over; empty when it doesn't.
        authorities: PEM text of the authorities whose certificates tls_client_auth takes; empty for none.
        verified_by_proxy: The proxy lets certificates of known authorities through only.
        origin: Where the endpoints are that ask for a certificate (section 5); empty when that is the issuer.
    """

    certificate_header: str = ""
    authorities: str = ""
    verified_by_proxy: bool = False
    origin: str = ""

    @property
    def is_on(self) -> bool:
        """Tell whether certificates are taken at all."""
        return bool(self.certificate_header)
