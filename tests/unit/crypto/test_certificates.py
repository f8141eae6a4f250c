"""Certificates of clients: what a proxy writes, whose they are, who vouches for them (RFC 8705, RFC 9440)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from idp.crypto.certificates import (
    Certificate,
    CertificateRefused,
    check_authorities,
    from_der,
    from_header,
    is_issued_by,
    matches_jwk,
    matches_subject,
)
from tests.support.clock import A_MONDAY_MORNING as NOW

pytestmark = pytest.mark.rule("OID-4")

DAY = timedelta(days=1)
KEY_USES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
            "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip


def a_name(**parts: str) -> x509.Name:
    """Write a name, from the country down."""
    return x509.Name([x509.NameAttribute(getattr(NameOID, part), value) for part, value in parts.items()])


def a_key() -> ec.EllipticCurvePrivateKey:
    """Make a key."""
    return ec.generate_private_key(ec.SECP256R1())


def is_authority(*, ca: bool = True, path_length: int | None = None) -> x509.BasicConstraints:
    """Say whether a certificate is an authority's."""
    return x509.BasicConstraints(ca=ca, path_length=path_length)


def for_uses(*uses: str) -> x509.KeyUsage:
    """Say what a key is for."""
    return x509.KeyUsage(**{use: use in uses for use in KEY_USES})


@dataclass
class Holder:
    """A name with a key."""

    name: x509.Name
    key: Any = field(default_factory=a_key)


@dataclass
class Issued:
    """A certificate, and everything that tests need of it."""

    x509: x509.Certificate

    @property
    def der(self) -> bytes:
        """The bytes."""
        return self.x509.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        """The text."""
        return self.x509.public_bytes(Encoding.PEM).decode()

    @property
    def base64(self) -> str:
        """The bytes in base64."""
        return base64.b64encode(self.der).decode()

    @property
    def read(self) -> Certificate:
        """As we read it."""
        return from_der(self.der)


def issue(
    subject: Holder,
    issuer: Holder,
    *extensions: x509.ExtensionType,
    critical: bool = False,
    since: timedelta = -DAY,
    until: timedelta = 30 * DAY,
) -> Issued:
    """Make a certificate."""
    builder = x509.CertificateBuilder(
        issuer.name, subject.name, subject.key.public_key(), 7, NOW + since, NOW + until
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical)
    is_ed = isinstance(issuer.key, ed25519.Ed25519PrivateKey)
    return Issued(builder.sign(issuer.key, None if is_ed else SHA256()))


ROOT = Holder(a_name(COMMON_NAME="Racine"))
MIDDLE = Holder(a_name(COMMON_NAME="Intermédiaire"))
CLIENT = Holder(a_name(COUNTRY_NAME="FR", ORGANIZATION_NAME="Ville", COMMON_NAME="parking"))
AUTHORITY = issue(ROOT, ROOT, is_authority())
LEAF = issue(CLIENT, ROOT)
RSA_KEY = rsa.generate_private_key(65537, 2048)


def spellings() -> dict[str, str]:
    """The ways in which proxies write one certificate."""
    pem = LEAF.pem
    return {
        "PEM": pem,
        "PEM without a last line end": pem.strip(),
        "PEM with spaces (Apache)": pem.replace("\n", " "),
        "PEM with tabs after line ends (nginx of old)": pem.replace("\n", "\n\t"),
        "PEM with tabs": pem.replace("\n", "\t"),
        "PEM of Windows": pem.replace("\n", "\r\n"),
        "escaped PEM (nginx)": quote(pem, safe=""),
        "escaped PEM that spares some signs (load balancers)": quote(pem, safe="+=/"),
        "Client-Cert (RFC 9440)": f":{LEAF.base64}:",
        "base64 (HAProxy)": LEAF.base64,
        "escaped base64 (Traefik)": quote(LEAF.base64, safe=""),
    }


@pytest.mark.spec("RFC 9440", "2.1", "MUST")
@pytest.mark.parametrize("value", spellings().values(), ids=spellings())
def test_certificate_is_the_same_however_the_proxy_writes_it(value: str) -> None:
    """Each spelling gives the same bytes, and so the same thumbprint."""
    assert from_header(value) == LEAF.read


def header_refusals() -> dict[str, str]:
    """What is no certificate."""
    pem = LEAF.pem
    return {
        "nothing": "",
        "a dash": "-",
        "null, as Apache writes none": "(null)",
        "colons": "::",
        "a colon": ":",
        "a colon that is missing": f":{LEAF.base64}",
        "base64url": base64.urlsafe_b64encode(b"\xff" * 300).decode(),
        "base64 of something else": base64.b64encode(b"certificate").decode(),
        "base64 without its end": LEAF.base64[:-4],
        "base64 with spaces inside": LEAF.base64.replace("A", "A ", 1),
        "base64 with more behind it": base64.b64encode(LEAF.der + b"\0").decode(),
        "two certificates": pem + pem,
        "a list of RFC 9440": f":{LEAF.base64}:, :{LEAF.base64}:",
        "text before": f"x{pem}",
        "text after": f"{pem}x",
        "PEM of a key": pem.replace("CERTIFICATE", "PUBLIC KEY"),
        "PEM of nothing": "-----BEGIN CERTIFICATE----- -----END CERTIFICATE-----",
        "escaped twice": quote(quote(pem, safe=""), safe=""),
        "a percent sign": f"%{LEAF.base64}",
        "letters of another alphabet": "é" + LEAF.base64,
        "half a surrogate pair": "\ud800",
        "too much of it": LEAF.base64 + "A" * 20_000,
        "more line ends than a header holds": pem.replace("\n", "\n" * 2000),
    }


@pytest.mark.spec("RFC 9440", "2.1", "MUST")
@pytest.mark.parametrize("value", header_refusals().values(), ids=header_refusals())
def test_header_that_holds_no_single_certificate_is_refused(value: str) -> None:
    """One class of refusal, whatever came."""
    with pytest.raises(CertificateRefused):
        from_header(value)


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(65537, 1024),  # noqa: S505 - it is refused
        dsa.generate_private_key(2048),
        ec.generate_private_key(ec.SECP256K1()),
    ],
    ids=["RSA of 1024 bits", "DSA", "another curve"],
)  # fmt: skip
def test_certificate_of_a_weak_or_unknown_key_is_refused(key: Any) -> None:
    """Holding such a key proves little."""
    with pytest.raises(CertificateRefused):
        issue(Holder(CLIENT.name, key), ROOT).read  # noqa: B018 - reading it is what is refused


def test_certificate_with_two_lists_of_names_is_refused() -> None:
    """Nobody could say which one holds (RFC 5280 section 4.2)."""
    first, second = [x509.DNSName("a.example")], [x509.DNSName("b.example")]
    good = issue(CLIENT, ROOT, x509.SubjectAlternativeName(first), x509.IssuerAlternativeName(second))
    assert good.read.san_dns == ("a.example",)

    # The library makes no such thing: the identifier of the other extension, 2.5.29.18, is overwritten.
    twice = good.der.replace(bytes.fromhex("0603551d12"), bytes.fromhex("0603551d11"))

    with pytest.raises(CertificateRefused):
        from_der(twice)


@pytest.mark.spec("RFC 8705", "3.1", "MUST")
def test_thumbprint_is_the_hash_of_the_whole_certificate() -> None:
    """Base64url of the SHA-256 of the DER, without padding."""
    wanted = base64.urlsafe_b64encode(hashlib.sha256(LEAF.der).digest()).rstrip(b"=").decode()

    assert LEAF.read.thumbprint == wanted
    assert len(wanted) == 43
    assert issue(CLIENT, ROOT, until=31 * DAY).read.thumbprint != wanted


def test_certificate_is_valid_between_its_dates() -> None:
    """Both of them included."""
    read = LEAF.read

    assert [read.is_valid_at(NOW + moment) for moment in (-DAY, timedelta(), 30 * DAY)] == [True] * 3
    second = timedelta(seconds=1)
    assert not any(read.is_valid_at(NOW + moment) for moment in (-DAY - second, 30 * DAY + second))


def chains() -> dict[str, tuple[Issued, list[Issued]]]:
    """Certificates that our bundle vouches for."""
    middle = issue(MIDDLE, ROOT, is_authority(), for_uses("key_cert_sign"))
    namesake = Holder(ROOT.name)
    rsa_root = Holder(ROOT.name, RSA_KEY)
    client_use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
    any_use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE])
    return {
        "directly": (LEAF, [AUTHORITY]),
        "one of several authorities": (LEAF, [issue(MIDDLE, MIDDLE, is_authority()), AUTHORITY]),
        "two of one name": (LEAF, [issue(namesake, namesake, is_authority()), AUTHORITY]),
        "by one in between": (issue(CLIENT, MIDDLE), [AUTHORITY, middle]),
        "by one in between whose own authority is not in the bundle": (issue(CLIENT, MIDDLE), [middle]),
        "by an RSA key": (issue(CLIENT, rsa_root), [issue(rsa_root, rsa_root, is_authority())]),
        "of an Ed25519 key": (issue(Holder(CLIENT.name, ed25519.Ed25519PrivateKey.generate()), ROOT), [AUTHORITY]),
        "for clients": (issue(CLIENT, ROOT, client_use), [AUTHORITY]),
        "for any use": (issue(CLIENT, ROOT, any_use), [AUTHORITY]),
        "said to be no authority": (issue(CLIENT, ROOT, is_authority(ca=False)), [AUTHORITY]),
        "with a name that is critical": (
            issue(CLIENT, ROOT, x509.SubjectAlternativeName([x509.DNSName("a.example")]), critical=True), [AUTHORITY],
        ),
    }  # fmt: skip


def bundle(authorities: Iterable[Issued]) -> str:
    """Write a file of authorities."""
    return "".join(
        f"# {authority.x509.subject.rfc4514_string()}\n{authority.pem}" for authority in authorities
    )


@pytest.mark.spec("RFC 8705", "2.1", "MUST")
@pytest.mark.parametrize("leaf,authorities", chains().values(), ids=chains())
def test_certificate_of_one_of_our_authorities_is_trusted(leaf: Issued, authorities: list[Issued]) -> None:
    """Directly, or by way of another authority of the bundle; a client has often no alternative name."""
    assert is_issued_by(leaf.read, bundle(authorities), NOW)


def broken_chains() -> dict[str, tuple[Issued, list[Issued]]]:
    """Certificates that nobody whom we know vouches for."""
    namesake = Holder(ROOT.name)
    middle = issue(MIDDLE, ROOT, is_authority())
    server_use = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    only_good = x509.NameConstraints([x509.DNSName("good.example")], None)
    bad_name = x509.SubjectAlternativeName([x509.DNSName("bad.example")])
    tampered = Issued(x509.load_der_x509_certificate(LEAF.der.replace(b"parking", b"portail")))
    return {
        "another authority of that name": (LEAF, [issue(namesake, namesake, is_authority())]),
        "another authority": (LEAF, [issue(MIDDLE, MIDDLE, is_authority())]),
        "a subject that was changed": (tampered, [AUTHORITY]),
        "self-signed": (issue(CLIENT, CLIENT), [AUTHORITY]),
        "self-signed, by an authority of its own making": (issue(CLIENT, CLIENT, is_authority()), [AUTHORITY]),
        "expired": (issue(CLIENT, ROOT, since=-2 * DAY, until=-DAY), [AUTHORITY]),
        "not valid yet": (issue(CLIENT, ROOT, since=DAY), [AUTHORITY]),
        "an authority that expired": (LEAF, [issue(ROOT, ROOT, is_authority(), since=-2 * DAY, until=-DAY)]),
        "an issuer that is no authority": (LEAF, [issue(ROOT, ROOT, is_authority(ca=False))]),
        "an issuer that does not say what it is": (LEAF, [issue(ROOT, ROOT)]),
        "an issuer that may not sign certificates": (
            LEAF, [issue(ROOT, ROOT, is_authority(), for_uses("digital_signature"))],
        ),
        "a client that issues for others": (issue(MIDDLE, CLIENT), [AUTHORITY]),
        "one in between that is not in the bundle": (issue(CLIENT, MIDDLE), [AUTHORITY]),
        "one in between that is no authority": (
            issue(CLIENT, MIDDLE), [AUTHORITY, issue(MIDDLE, ROOT, is_authority(ca=False))],
        ),
        "names that the authority may not give": (
            issue(CLIENT, ROOT, bad_name), [issue(ROOT, ROOT, is_authority(), only_good)],
        ),
        "for servers only": (issue(CLIENT, ROOT, server_use), [AUTHORITY]),
        "an unknown critical extension": (issue(CLIENT, ROOT, unknown, critical=True), [AUTHORITY]),
        "the authority itself": (AUTHORITY, [AUTHORITY]),
        "an authority below it": (middle, [AUTHORITY]),
        "one of the bundle that is no authority": (issue(CLIENT, CLIENT), [issue(CLIENT, CLIENT)]),
    }  # fmt: skip


@pytest.mark.spec("RFC 8705", "2.1", "MUST")
@pytest.mark.spec("RFC 5280", "6.1", "MUST")
@pytest.mark.parametrize("leaf,authorities", broken_chains().values(), ids=broken_chains())
def test_certificate_that_no_authority_vouches_for_is_not_trusted(
    leaf: Issued, authorities: list[Issued]
) -> None:
    """Signature, dates, what issuers may do, what the certificate is for."""
    assert not is_issued_by(leaf.read, bundle(authorities), NOW)


def test_certificate_ends_with_the_clock() -> None:
    """The moment is the caller's, in any zone."""
    paris = NOW.astimezone(ZoneInfo("Europe/Paris"))

    assert is_issued_by(LEAF.read, AUTHORITY.pem, paris)
    assert not is_issued_by(LEAF.read, AUTHORITY.pem, paris + 31 * DAY)


def test_nobody_is_trusted_without_authorities() -> None:
    """An empty bundle vouches for none; one that can't be read says so, at the start already."""
    assert not is_issued_by(LEAF.read, "", NOW)
    check_authorities("")
    check_authorities(AUTHORITY.pem)
    for broken in ("nothing", AUTHORITY.pem[:100], AUTHORITY.pem.replace("M", "é", 1), " "):
        with pytest.raises(CertificateRefused):
            check_authorities(broken)
        with pytest.raises(CertificateRefused):
            is_issued_by(LEAF.read, broken, NOW)


def jwk_of(key: Any) -> dict[str, Any]:
    """Write the public half of a key."""
    public = key.public_key()
    match public:
        case rsa.RSAPublicKey():
            return dict(RSAAlgorithm.to_jwk(public, as_dict=True))
        case ec.EllipticCurvePublicKey():
            return dict(ECAlgorithm.to_jwk(public, as_dict=True))
        case _:
            return dict(OKPAlgorithm.to_jwk(public, as_dict=True))


@pytest.mark.spec("RFC 8705", "2.2.2", "MUST")
@pytest.mark.parametrize(
    "make",
    [a_key, lambda: ec.generate_private_key(ec.SECP384R1()), lambda: RSA_KEY, ed25519.Ed25519PrivateKey.generate],
    ids=["P-256", "P-384", "RSA", "Ed25519"],
)  # fmt: skip
def test_self_signed_certificate_is_known_by_its_key_or_as_a_whole(make: Callable[[], Any]) -> None:
    """`x5c` holds the certificate; without it, the key is the same."""
    holder = Holder(CLIENT.name, make())
    shown = issue(holder, holder)
    jwk = jwk_of(holder.key)

    assert matches_jwk(shown.read, jwk | {"kid": "tls"})
    assert matches_jwk(shown.read, jwk | {"x5c": [shown.base64]})
    assert matches_jwk(shown.read, jwk | {"x5c": [shown.base64, AUTHORITY.base64], "use": "sig"})


def foreign_jwks() -> dict[str, dict[str, Any]]:
    """Registered keys that stand for another certificate than `LEAF`."""
    own = jwk_of(CLIENT.key)
    return {
        "another key": jwk_of(a_key()),
        "a key for encryption": own | {"use": "enc"},
        "a key with its private half": own | {"d": "AAAA"},
        "no key": {},
        "a secret": {"kty": "oct", "k": "A" * 43},
        "another certificate of that key": own | {"x5c": [issue(CLIENT, ROOT, until=31 * DAY).base64]},
        "the certificate as an authority of another": own | {"x5c": [AUTHORITY.base64, LEAF.base64]},
        "an empty chain": own | {"x5c": []},
        "a chain that is a text": own | {"x5c": LEAF.base64},
        "a chain of numbers": own | {"x5c": [5]},
        "base64url": own | {"x5c": [LEAF.base64.replace("+", "-").replace("/", "_").rstrip("=") + "="]},
    }


@pytest.mark.spec("RFC 8705", "2.2.2", "MUST")
@pytest.mark.parametrize("jwk", foreign_jwks().values(), ids=foreign_jwks())
def test_self_signed_certificate_is_not_that_of_another_key(jwk: dict[str, Any]) -> None:
    """Nothing less than the key; and with `x5c`, nothing less than the certificate."""
    assert not matches_jwk(LEAF.read, jwk)


#: The last parts of the name of `NAMED`.
CITY = "O=Ville\\, Mairie,C=FR"
NAMED = issue(
    Holder(
        x509.Name(
            [
                x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Ville, Mairie"),
                x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "Stationnement  résidentiel"),
                x509.NameAttribute(NameOID.EMAIL_ADDRESS, "p@example.org"),
                x509.NameAttribute(NameOID.COMMON_NAME, "parking"),
            ]
        )
    ),
    ROOT,
    x509.SubjectAlternativeName(
        [
            x509.DNSName("Parking.example.org"),
            x509.DNSName("*.wild.example"),
            x509.UniformResourceIdentifier("urn:example:Parking"),
            x509.IPAddress(ip_address("192.0.2.7")),
            x509.IPAddress(ip_address("2001:db8::7")),
            x509.RFC822Name("Parking@Example.org"),
        ]
    ),
).read


@pytest.mark.spec("RFC 8705", "2.1.2", "MUST")
@pytest.mark.parametrize(
    "kind,value",
    [
        ("subject_dn", f"CN=parking,emailAddress=p@example.org,OU=Stationnement  résidentiel,{CITY}"),
        ("subject_dn", f"CN=parking, emailAddress=p@example.org, OU=Stationnement résidentiel, {CITY}"),
        ("subject_dn", "cn=PARKING,EMAILADDRESS=P@example.org,ou=stationnement RÉSIDENTIEL,o=ville\\2C mairie,c=fr"),
        ("subject_dn", f"2.5.4.3=parking,1.2.840.113549.1.9.1=p@example.org,OU=Stationnement re\u0301sidentiel,{CITY}"),
        ("san_dns", "parking.example.org"),
        ("san_dns", "*.wild.example"),
        ("san_uri", "urn:example:Parking"),
        ("san_ip", "192.0.2.7"),
        ("san_ip", "2001:db8::7"),
        ("san_ip", "2001:0DB8:0:0:0:0:0:7"),
        ("san_email", "Parking@example.ORG"),
    ],
)  # fmt: skip
def test_certificate_is_known_by_the_name_that_was_registered(kind: str, value: str) -> None:
    """However the same name is spelt."""
    assert matches_subject(NAMED, kind, value)


@pytest.mark.spec("RFC 8705", "2.1.2", "MUST")
@pytest.mark.parametrize(
    "kind,value",
    [
        ("subject_dn", ""),
        ("subject_dn", "CN=parking"),
        ("subject_dn", f"CN=parking,OU=Stationnement résidentiel,{CITY}"),
        ("subject_dn", "C=FR,O=Ville\\, Mairie,OU=Stationnement résidentiel,E=p@example.org,CN=parking"),
        ("subject_dn", f"CN=parking+emailAddress=p@example.org,OU=Stationnement résidentiel,{CITY}"),
        ("subject_dn", f"CN=parking,emailAddress=p@example.org,OU=Stationnement residentiel,{CITY}"),
        ("subject_dn", "CN=parking,emailAddress=p@example.org,OU=Stationnement résidentiel,O=Ville, Mairie,C=FR"),
        ("subject_dn", "*"),
        ("subject_dn", "CN=*"),
        ("subject_dn", "XX=parking"),
        ("subject_dn", "CN=par\\zzking"),
        ("subject_dn", "C=" + "F" * 10_000),
        ("san_dns", "example.org"),
        ("san_dns", "any.wild.example"),
        ("san_dns", "parking.example.org."),
        ("san_dns", "urn:example:Parking"),
        ("san_uri", "urn:example:parking"),
        ("san_uri", "urn:example:Parking/"),
        ("san_ip", "192.0.2.8"),
        ("san_ip", "192.0.2.0/24"),
        ("san_ip", "::ffff:192.0.2.7"),
        ("san_ip", "3221225991"),
        ("san_ip", "parking"),
        ("san_email", "parking@example.org"),
        ("san_email", "Parking"),
        ("san_email", "@example.org"),
        ("dns", "parking.example.org"),
        ("", "parking"),
    ],
)  # fmt: skip
def test_certificate_is_not_known_by_another_name(kind: str, value: str) -> None:
    """Neither by a part of its name, nor by a pattern, nor by its name of another kind."""
    assert not matches_subject(NAMED, kind, value)


@pytest.mark.spec("RFC 8705", "2.1.2", "MUST")
@pytest.mark.parametrize("kind", ["subject_dn", "san_dns", "san_uri", "san_ip", "san_email"])
def test_certificate_without_a_name_is_nobodys(kind: str) -> None:
    """An empty name matches nothing, least of all another empty one."""
    nameless = issue(Holder(x509.Name([])), ROOT).read

    assert not matches_subject(nameless, kind, "")
    assert not matches_subject(nameless, kind, " ")


def test_name_with_a_part_in_bits_is_compared_too() -> None:
    """A unique identifier is no text; it is a part of the name like the others."""
    bits = x509.name._ASN1Type.BitString  # noqa: SLF001 - the library has no public name for it
    attribute = x509.NameAttribute(NameOID.X500_UNIQUE_IDENTIFIER, b"\x07", bits)
    plain, marked = (x509.Name([*CLIENT.name, *more]) for more in ([], [attribute]))

    assert matches_subject(issue(Holder(plain), ROOT).read, "subject_dn", "CN=parking,O=Ville,C=FR")
    assert not matches_subject(issue(Holder(marked), ROOT).read, "subject_dn", "CN=parking,O=Ville,C=FR")
