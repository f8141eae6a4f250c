"""Certificates of clients: read from a proxy's header, checked against authorities, named (RFC 8705, RFC 9440)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import unquote

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.utils import base64url_encode

from idp.crypto.jwt import JWTRefused, jwk_thumbprint

if TYPE_CHECKING:
    from collections.abc import Callable

_MAX_LENGTH: Final = 16_384
_RSA_BITS: Final = 2048
_CURVES: Final = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_PEM: Final = re.compile(
    r"\s*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*", re.ASCII
)
_CLIENT_USES: Final = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})
#: Short names of attributes: those of RFC 4514 section 3, and others as OpenSSL writes them.
_ATTRIBUTES: Final = {
    "emailAddress": NameOID.EMAIL_ADDRESS,
    "E": NameOID.EMAIL_ADDRESS,
    "serialNumber": NameOID.SERIAL_NUMBER,
    "SN": NameOID.SURNAME,
    "GN": NameOID.GIVEN_NAME,
    "title": NameOID.TITLE,
    "postalCode": NameOID.POSTAL_CODE,
    "organizationIdentifier": NameOID.ORGANIZATION_IDENTIFIER,
    "businessCategory": NameOID.BUSINESS_CATEGORY,
    "jurisdictionC": NameOID.JURISDICTION_COUNTRY_NAME,
    "CN": NameOID.COMMON_NAME,
    "L": NameOID.LOCALITY_NAME,
    "ST": NameOID.STATE_OR_PROVINCE_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "C": NameOID.COUNTRY_NAME,
    "STREET": NameOID.STREET_ADDRESS,
    "DC": NameOID.DOMAIN_COMPONENT,
    "UID": NameOID.USER_ID,
}
# RFC 4512 section 1.4: a short name is the same in any case.
# A comma or a plus that stands between names, and what follows it; an escaped one belongs to a value.
_SPACES: Final = re.compile(r"(?<!\\)([,+]) +")
_SHORT_NAMES: Final = {
    spelling: oid for name, oid in _ATTRIBUTES.items() for spelling in (name, name.lower(), name.upper())
}
_NormalisedName = tuple[frozenset[tuple[str, str]], ...]
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)


class CertificateRefused(Exception):
    """What should be a certificate is none, or none that may be trusted; the text is for the log."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a client showed in the handshake of TLS; that it holds the private key, the handshake has proven.

    Attributes:
        der: The certificate itself.
        thumbprint: SHA-256 of it, base64url: `x5t#S256` (RFC 8705 section 3.1).
        subject_dn: Its subject, as RFC 4514 writes it.
        san_dns: Host names among the subject's alternative names.
        san_uri: Addresses among them.
        san_ip: IP addresses among them, as RFC 5952 writes them.
        san_email: Mail addresses among them.
        not_before: From when it may be used.
        not_after: Until when.
    """

    der: bytes
    thumbprint: str
    subject_dn: str
    san_dns: tuple[str, ...]
    san_uri: tuple[str, ...]
    san_ip: tuple[str, ...]
    san_email: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    def is_valid_at(self, now: datetime) -> bool:
        """Tell whether the moment is within the dates of the certificate."""
        return self.not_before <= now <= self.not_after


def from_header(value: str) -> Certificate:
    """Read the certificate that a TLS proxy hands over, however it writes it.

    Args:
        value: PEM, with its line ends or with spaces or tabs in their place (Apache, HAProxy); PEM escaped as in
            an address (nginx: `$ssl_client_escaped_cert`); `:base64:` (RFC 9440 section 2.1); base64 of the DER.

    Raises:
        CertificateRefused: Anything else, more than one certificate, or one with a weak key.
    """
    if len(value) > _MAX_LENGTH:
        raise CertificateRefused("too long")
    if "%" in value:
        value = unquote(value)
    return from_der(_decoded(value))


def from_der(der: bytes) -> Certificate:
    """Read a certificate.

    Raises:
        CertificateRefused: It can't be read, or has a weak key.
    """
    try:
        read = x509.load_der_x509_certificate(der)
        _fit_key(read)
        names = _alternative_names(read)
        return Certificate(
            der,
            thumbprint=base64url_encode(hashlib.sha256(der).digest()).decode(),
            subject_dn=read.subject.rfc4514_string(),
            san_dns=tuple(names.get_values_for_type(x509.DNSName)),
            san_uri=tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
            san_ip=tuple(str(address) for address in names.get_values_for_type(x509.IPAddress)),
            san_email=tuple(names.get_values_for_type(x509.RFC822Name)),
            not_before=read.not_valid_before_utc,
            not_after=read.not_valid_after_utc,
        )
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        raise CertificateRefused(f"not readable: {type(error).__name__}") from error


def is_issued_by(certificate: Certificate, authorities_pem: str, now: datetime) -> bool:
    """Tell whether one of our authorities made a certificate for a TLS client (RFC 5280 section 6).

    Each certificate of the bundle is an authority by itself, intermediate ones too. Signatures, dates, constraints
    and unknown critical extensions are the library's; no alternative name is asked for, as a client has often none.

    Args:
        certificate: As received.
        authorities_pem: The bundle, as one text; none may be trusted when it is empty.
        now: The moment.

    Raises:
        CertificateRefused: The bundle itself can't be read.
    """
    if not authorities_pem:
        return False
    verifier = (
        PolicyBuilder()
        .store(_store(authorities_pem))
        .time(now.astimezone(UTC))
        .extension_policies(ca_policy=_AUTHORITY, ee_policy=_CLIENT)
        .build_client_verifier()
    )
    try:
        verified = verifier.verify(x509.load_der_x509_certificate(certificate.der), [])
    except (VerificationError, ValueError):
        return False
    # An authority that shows its own certificate is not a client of its own.
    return len(verified.chain) > 1


def check_authorities(authorities_pem: str) -> None:
    """Read a bundle before anybody depends on it; an empty one is none.

    Raises:
        CertificateRefused: It holds no certificate, or one that can't be read.
    """
    if authorities_pem:
        _store(authorities_pem)


def matches_jwk(certificate: Certificate, jwk: dict[str, Any]) -> bool:
    """Tell whether a registered key stands for this self-signed certificate (RFC 8705 section 2.2.2).

    With `x5c`, it is that very certificate; without, one of that very public key.
    """
    if jwk.get("use", "sig") != "sig":
        return False
    if "x5c" in jwk:
        chain = jwk["x5c"]
        first = chain[0] if isinstance(chain, list) and chain else None
        # RFC 7517 section 4.7: base64, not base64url.
        return isinstance(first, str) and first == base64.b64encode(certificate.der).decode()
    try:
        return jwk_thumbprint(jwk) == jwk_thumbprint(_jwk_of(certificate))
    except JWTRefused:
        return False


def matches_subject(certificate: Certificate, kind: str, value: str) -> bool:
    """Tell whether a certificate bears the one name by which a client is known (RFC 8705 section 2.1.2).

    Args:
        certificate: As received; its issuer is trusted already.
        kind: "subject_dn", "san_dns", "san_uri", "san_ip" or "san_email".
        value: The name, as registered.
    """
    compare = _COMPARISONS.get(kind)
    return bool(value) and compare is not None and compare(certificate, value)


def _decoded(text: str) -> bytes:
    pem = _PEM.fullmatch(text)
    if pem is not None:
        body = "".join(pem[1].split())
    elif len(text) > 1 and text[0] == text[-1] == ":":
        body = text[1:-1]
    else:
        body = text.strip()
    try:
        return base64.b64decode(body.encode("ascii"), validate=True)
    except (binascii.Error, ValueError) as error:
        raise CertificateRefused("neither PEM nor base64") from error


def _fit_key(
    read: x509.Certificate,
) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey:
    key = read.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS:
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    raise CertificateRefused("a weak or unknown kind of key")


def _alternative_names(read: x509.Certificate) -> x509.SubjectAlternativeName:
    try:
        return read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return x509.SubjectAlternativeName([])


@lru_cache(maxsize=8)
def _store(authorities_pem: str) -> Store:
    try:
        return Store(x509.load_pem_x509_certificates(authorities_pem.encode()))
    except ValueError as error:
        raise CertificateRefused("the bundle of authorities can't be read") from error


def _must_sign_certificates(_: Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("the issuer may not sign certificates")


def _must_be_no_authority(_: Policy, __: x509.Certificate, basic: x509.BasicConstraints | None) -> None:
    if basic is not None and basic.ca:
        raise ValueError("an authority is no client")


def _must_serve_clients(_: Policy, __: x509.Certificate, uses: x509.ExtendedKeyUsage | None) -> None:
    if uses is not None and _CLIENT_USES.isdisjoint(uses):
        raise ValueError("not for TLS clients")


def _when_present(
    policy: ExtensionPolicy,
    extension: type[_Extension],
    check: Callable[[Policy, x509.Certificate, _Extension | None], None],
) -> ExtensionPolicy:
    return policy.may_be_present(extension, Criticality.AGNOSTIC, check)


# The library's own policies are those of the public web: they demand alternative names and key identifiers, which
# the authorities of closed circles leave out. What makes an authority one is demanded all the same.
_AUTHORITY: Final = _when_present(
    ExtensionPolicy.permit_all().require_present(x509.BasicConstraints, Criticality.AGNOSTIC, None),
    x509.KeyUsage,
    _must_sign_certificates,
)
_CLIENT: Final = _when_present(
    _when_present(ExtensionPolicy.permit_all(), x509.BasicConstraints, _must_be_no_authority),
    x509.ExtendedKeyUsage,
    _must_serve_clients,
)


def _jwk_of(certificate: Certificate) -> dict[str, Any]:
    key = _fit_key(x509.load_der_x509_certificate(certificate.der))
    match key:
        case rsa.RSAPublicKey():
            return dict(RSAAlgorithm.to_jwk(key, as_dict=True))
        case ec.EllipticCurvePublicKey():
            return dict(ECAlgorithm.to_jwk(key, as_dict=True))
        case _:
            return dict(OKPAlgorithm.to_jwk(key, as_dict=True))


def _has_subject(certificate: Certificate, value: str) -> bool:
    try:
        # RFC 2253 section 4 had them read with spaces, and many tools still write a space after each comma.
        wanted = x509.Name.from_rfc4514_string(_SPACES.sub(r"\1", value), _SHORT_NAMES)
    except ValueError:
        return False
    subject = x509.load_der_x509_certificate(certificate.der).subject
    return _normalised(wanted) == _normalised(subject)


def _normalised(name: x509.Name) -> _NormalisedName:
    """Bring a name to the form in which equal names are the same (RFC 5280 section 7.1, RFC 4518)."""
    return tuple(
        frozenset((attribute.oid.dotted_string, _prepared(attribute.value)) for attribute in rdn)
        for rdn in name.rdns
    )


def _prepared(value: str | bytes) -> str:
    if isinstance(value, bytes):
        return f"#{value.hex()}"
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _has_host(certificate: Certificate, value: str) -> bool:
    # RFC 5280 section 7.2: letters of any case. Compared as they stand: a `*` is only a `*`.
    return value.lower() in (name.lower() for name in certificate.san_dns)


def _has_uri(certificate: Certificate, value: str) -> bool:
    return value in certificate.san_uri


def _has_address(certificate: Certificate, value: str) -> bool:
    # RFC 8705 section 2.1.2: "the IP address comparison [...] is to be done in binary format".
    try:
        wanted = ipaddress.ip_address(value)
    except ValueError:
        return False
    return wanted in (ipaddress.ip_address(address) for address in certificate.san_ip)


def _has_email(certificate: Certificate, value: str) -> bool:
    return _mailbox(value) in (_mailbox(address) for address in certificate.san_email)


def _mailbox(address: str) -> tuple[str, str]:
    # RFC 5280 section 7.5: the host in any case, what stands before it exactly.
    local, _, host = address.rpartition("@")
    return local, host.lower()


_COMPARISONS: Final[dict[str, Callable[[Certificate, str], bool]]] = {
    "subject_dn": _has_subject,
    "san_dns": _has_host,
    "san_uri": _has_uri,
    "san_ip": _has_address,
    "san_email": _has_email,
}
