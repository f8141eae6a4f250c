"""Clients that prove themselves by the certificate of their TLS connection (RFC 8705 section 2; OID-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.crypto.certificates import CertificateRefused, is_issued_by, matches_jwk, matches_subject
from idp.domain.client import ClientAuthenticationMethod
from idp.services.clients.key_sets import key_set_of

if TYPE_CHECKING:
    from idp.crypto.certificates import Certificate
    from idp.domain.client import Client
    from idp.outbound.key_sets import KeySet
    from idp.services.context import Context


def check_certificate(context: Context, client: Client, certificate: Certificate | None) -> None:
    """Check that a certificate is that of a client: trusted, or registered itself, by the client's method.

    Args:
        context: The parts of the use cases.
        client: Registered with tls_client_auth or self_signed_tls_client_auth.
        certificate: What the connection showed; None for nothing.

    Raises:
        CertificateRefused: It is another's, or nobody's.
        KeySetUnavailable: The registered certificates can't be had.
    """
    if certificate is None:
        raise CertificateRefused("no certificate")
    # Not left to the proxy: one that lets self-signed certificates through looks at no dates.
    if not certificate.is_valid_at(context.clock()):
        raise CertificateRefused("expired, or not valid yet")
    if client.authentication_method is ClientAuthenticationMethod.SELF_SIGNED_TLS:
        _check_registered(context, client, certificate)
    else:
        _check_issued(context, client, certificate)


def _check_issued(context: Context, client: Client, certificate: Certificate) -> None:
    """The PKI method (RFC 8705 section 2.1): a known authority vouches for the one name that was registered."""
    policy, subject = context.mutual_tls, client.certificate_subject
    if subject is None or not matches_subject(certificate, subject.kind, subject.value):
        raise CertificateRefused("another subject than registered")
    if not policy.verified_by_proxy and not is_issued_by(certificate, policy.authorities, context.clock()):
        raise CertificateRefused("issued by no authority of ours")


def _check_registered(context: Context, client: Client, certificate: Certificate) -> None:
    """The self-signed method (RFC 8705 section 2.2): the certificate, or its key, is among the client's keys."""

    def has(keys: KeySet) -> bool:
        return any(matches_jwk(certificate, jwk) for jwk in keys.keys)

    if not has(key_set_of(context, client, has=has)):
        raise CertificateRefused("not among the client's keys")
