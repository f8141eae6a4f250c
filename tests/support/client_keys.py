"""What clients prove themselves with: keys that sign, certificates, and an authority that issues them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import quote

import jwt
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.support.clock import A_MONDAY_MORNING

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ClientKey:
    """A key that a client signs with, and what it publishes of it."""

    private: PrivateKey
    alg: str = "ES256"
    kid: str = "client-key"

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key, as it stands in a JWK Set."""
        return public_jwk(self.private) | {"kid": self.kid, "use": "sig", "alg": self.alg}

    def sign(self, claims: Mapping[str, Any], alg: str | None = None, **header: Any) -> str:
        """Sign claims.

        Args:
            claims: The payload.
            alg: Another algorithm than the key's own.
            header: Members of the header, beside or instead of the usual ones.

        Returns:
            The compact form.
        """
        return jwt.encode(dict(claims), self.private, alg or self.alg, headers={"kid": self.kid, **header})


def a_key(alg: str = "ES256", kid: str = "client-key") -> ClientKey:
    """Make a key; an RSA one is made once for each name, for it costs as much as twenty tests.

    Args:
        alg: What it signs with.
        kid: Its name.

    Returns:
        The key.
    """
    if alg in {"RS256", "PS256"}:
        return ClientKey(_rsa_key(kid), alg, kid)
    made: PrivateKey = (
        ed25519.Ed25519PrivateKey.generate() if alg == "EdDSA" else ec.generate_private_key(ec.SECP256R1())
    )
    return ClientKey(made, alg, kid)


def jwks(*keys: ClientKey) -> dict[str, Any]:
    """Put the public halves of keys into a JWK Set.

    Args:
        keys: Any number of keys.

    Returns:
        The document.
    """
    return {"keys": [key.jwk for key in keys]}


def public_jwk(private: PrivateKey) -> dict[str, Any]:
    """Write the public half of a key as a JWK, without a name.

    Args:
        private: The key.

    Returns:
        Its public members.
    """
    match private:
        case ec.EllipticCurvePrivateKey():
            members = ECAlgorithm.to_jwk(private.public_key())
        case ed25519.Ed25519PrivateKey():
            members = OKPAlgorithm.to_jwk(private.public_key())
        case rsa.RSAPrivateKey():
            members = RSAAlgorithm.to_jwk(private.public_key())
    jwk: dict[str, Any] = json.loads(members)
    return {name: value for name, value in jwk.items() if name != "key_ops"}


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate that a client shows in the handshake."""

    certificate: x509.Certificate
    private: PrivateKey

    @property
    def der(self) -> bytes:
        """The certificate itself."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        """The certificate as text."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def client_cert(self) -> str:
        """The value of the Client-Cert header (RFC 9440 section 2.1)."""
        return f":{base64.b64encode(self.der).decode()}:"

    @property
    def escaped(self) -> str:
        """The value of a header that nginx fills with `$ssl_client_escaped_cert`."""
        return quote(self.pem, safe="")

    @property
    def thumbprint(self) -> str:
        """What a token is bound to: `x5t#S256` (RFC 8705 section 3.1)."""
        return base64.urlsafe_b64encode(self.certificate.fingerprint(SHA256())).rstrip(b"=").decode()

    @property
    def subject(self) -> str:
        """Its subject, as RFC 4514 writes it."""
        return self.certificate.subject.rfc4514_string()

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key with the certificate, as a client of self_signed_tls_client_auth registers it."""
        return public_jwk(self.private) | {"kid": "tls", "x5c": [base64.b64encode(self.der).decode()]}


class Authority:
    """Issues certificates to clients.

    Args:
        name: Its common name.
    """

    def __init__(self, name: str = "Autorité de test") -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _subject(name)
        self._certificate = (
            _builder(
                self._name, self._name, self._key, A_MONDAY_MORNING - _DAY, A_MONDAY_MORNING + 365 * _DAY
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, SHA256())
        )

    @property
    def pem(self) -> str:
        """Its own certificate, as stands in a bundle."""
        return self._certificate.public_bytes(Encoding.PEM).decode()

    def issue(
        self,
        name: str = "parking",
        *,
        names: Mapping[str, str] | None = None,
        since: datetime = A_MONDAY_MORNING - _DAY,
        until: datetime = A_MONDAY_MORNING + 90 * _DAY,
    ) -> ClientCertificate:
        """Make a certificate for a client.

        Args:
            name: The common name of its subject.
            names: Alternative names: "dns", "uri", "ip" or "email" to its value.
            since: From when it may be used.
            until: Until when.

        Returns:
            The certificate with its key.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_subject(name), self._name, key, since, until).add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False
        )
        if names:
            alternative = [_alternative(kind, value) for kind, value in names.items()]
            builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
        return ClientCertificate(builder.sign(self._key, SHA256()), key)


def self_signed(
    name: str = "parking", *, until: datetime = A_MONDAY_MORNING + 90 * _DAY, key: PrivateKey | None = None
) -> ClientCertificate:
    """Make a certificate that nobody vouches for.

    Args:
        name: The common name of its subject.
        until: Until when it may be used.
        key: A key that the client has already.

    Returns:
        The certificate with its key.
    """
    private = key or ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_subject(name), _subject(name), private, A_MONDAY_MORNING - _DAY, until)
    algorithm = None if isinstance(private, ed25519.Ed25519PrivateKey) else SHA256()
    return ClientCertificate(builder.sign(private, algorithm), private)


@cache
def _rsa_key(kid: str) -> rsa.RSAPrivateKey:
    del kid
    return rsa.generate_private_key(65537, 2048)


def _subject(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ville de test"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: PrivateKey, since: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(until)
    )


def _alternative(kind: str, value: str) -> x509.GeneralName:
    match kind:
        case "dns":
            return x509.DNSName(value)
        case "uri":
            return x509.UniformResourceIdentifier(value)
        case "ip":
            return x509.IPAddress(ip_address(value))
        case _:
            return x509.RFC822Name(value)
