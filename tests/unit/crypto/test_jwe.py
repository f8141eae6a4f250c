"""Encryption for clients and to us: what is taken, and above all what is not (RFC 7516, RFC 7518)."""

from __future__ import annotations

import base64
import json
import warnings
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptojwt.jwe.jwe import JWE
from cryptojwt.jwk.jwk import key_from_jwk_dict
from joserfc import jwe as other_jwe
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from jwt.algorithms import RSAAlgorithm

from idp.crypto import jwe
from idp.crypto.jwe import CONTENT_ENCRYPTIONS, ENCRYPTION_ALGS, JWERefused
from idp.crypto.keyring import DecryptionKey, KeyState
from tests.support.client_keys import public_jwk
from tests.support.clock import A_MONDAY_MORNING

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.rule("OID-4")

RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
OTHER_EC = ec.generate_private_key(ec.SECP256R1())
TEXT = "un jeton signé".encode()
RSA_ALGS = tuple(alg for alg in ENCRYPTION_ALGS if alg.startswith("RSA"))


def a_key(alg: str, kid: str = "ours", private: Any = None) -> DecryptionKey:
    """Make a key of ours."""
    own = private or (RSA if alg in RSA_ALGS else EC)
    return DecryptionKey(kid, alg, KeyState.ACTIVE, A_MONDAY_MORNING, A_MONDAY_MORNING, own)


def every_pair(test: Callable[..., None]) -> Callable[..., None]:
    """Try each way to give the key with each way to encrypt."""
    by_alg = pytest.mark.parametrize("alg", ENCRYPTION_ALGS)
    return pytest.mark.parametrize("enc", CONTENT_ENCRYPTIONS)(by_alg(test))


@pytest.mark.spec("RFC 7516", "5.2", "MUST")
@every_pair
def test_what_is_encrypted_to_a_published_key_is_decrypted_by_it(alg: str, enc: str) -> None:
    """The header says how, for which key, and what is inside; the content comes back."""
    ours = a_key(alg)

    token = jwe.encrypt(TEXT, ours.public_jwk(), alg, enc, cty="JWT")

    header = jwe.protected_header(token)
    assert header.pop("epk", {}).keys() <= {"kty", "crv", "x", "y"}
    assert header == {"alg": alg, "enc": enc, "cty": "JWT", "kid": "ours"}
    assert TEXT not in base64.urlsafe_b64decode(token.split(".")[3] + "==")
    assert jwe.decrypt(token, [ours]) == TEXT


def their_key(alg: str) -> Any:
    """Hold our private key as another library does."""
    members = RSAKey.import_key(RSA) if alg in RSA_ALGS else ECKey.import_key(EC)
    return key_from_jwk_dict(members.as_dict(private=True) | {"kid": "ours"})


# cryptojwt derives wrapping keys in a way of its own: RFC 7518 section 4.6.2 names "ECDH-ES+A128KW", it "A128KW".
@pytest.mark.parametrize("enc", CONTENT_ENCRYPTIONS)
@pytest.mark.parametrize("alg", [*RSA_ALGS, "ECDH-ES"])
def test_another_library_reads_what_we_encrypt(alg: str, enc: str) -> None:
    """It does not depend on a habit of ours."""
    token = jwe.encrypt(TEXT, a_key(alg).public_jwk(), alg, enc)

    assert JWE().decrypt(token, [their_key(alg)]) == TEXT


# It makes vectors of 128 bits, also where RFC 7518 section 5.3 requires 96; with ECDH-ES it takes no other.
@pytest.mark.parametrize(
    "alg,enc",
    [
        *((alg, enc) for alg in RSA_ALGS for enc in CONTENT_ENCRYPTIONS),
        *(("ECDH-ES", enc) for enc in CONTENT_ENCRYPTIONS if "GCM" not in enc),
    ],
)
def test_what_another_library_encrypts_is_decrypted(alg: str, enc: str) -> None:
    """It does not depend on a habit of ours."""
    vector = bytes(12) if "GCM" in enc else bytes(16)

    token = JWE(TEXT.decode(), alg=alg, enc=enc).encrypt([their_key(alg)], iv=vector)

    assert jwe.decrypt(token, [a_key(alg)]) == TEXT


@pytest.mark.spec("RFC 7516", "A.1", "MUST")
def test_example_of_the_specification_is_decrypted() -> None:
    """RSA-OAEP and A256GCM."""
    n = (
        "oahUIoWw0K0usKNuOR6H4wkf4oBUXHTxRvgb48E-BVvxkeDNjbC4he8rUWcJoZmds2h7M70imEVhRU5djINXtqllXI4DFqcI1DgjT9Le"
        "wND8MW2Krf3Spsk_ZkoFnilakGygTwpZ3uesH-PFABNIUYpOiN15dsQRkgr0vEhxN92i2asbOenSZeyaxziK72UwxrrKoExv6kc5twXT"
        "q4h-QChLOln0_mtUZwfsRaMStPs6mS6XrgxnxbWhojf663tuEQueGC-FCMfra36C9knDFGzKsNa7LZK2djYgyD3JR_MB_4NUJW_TqOQt"
        "wHYbxevoJArm-L5StowjzGy-_bq6Gw"
    )
    d = (
        "kLdtIj6GbDks_ApCSTYQtelcNttlKiOyPzMrXHeI-yk1F7-kpDxY4-WY5NWV5KntaEeXS1j82E375xxhWMHXyvjYecPT9fpwR_M9gV8n"
        "9Hrh2anTpTD93Dt62ypW3yDsJzBnTnrYu1iwWRgBKrEYY46qAZIrA2xAwnm2X7uGR1hghkqDp0Vqj3kbSCz1XyfCs6_LehBwtxHIyh8R"
        "ipy40p24moOAbgxVw3rxT_vlt3UVe4WO3JkJOzlpUf-KTVI2Ptgm-dARxTEtE-id-4OJr0h-K-VFs3VSndVTIznSxfyrj8ILL6MG_Uv8"
        "YAu7VILSB3lOW085-4qE3DzgrTjgyQ"
    )
    token = (
        "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkEyNTZHQ00ifQ.OKOawDo13gRp2ojaHV7LFpZcgV7T6DVZKTyKOMTYUmKoTCVJRgckCL9ki"
        "MT03JGeipsEdY3mx_etLbbWSrFr05kLzcSr4qKAq7YN7e9jwQRb23nfa6c9d-StnImGyFDbSv04uVuxIp5Zms1gNxKKK2Da14B8S4rzV"
        "RltdYwam_lDp5XnZAYpQdb76FdIKLaVmqgfwX7XWRxv2322i-vDxRfqNzo_tETKzpVLzfiwQyeyPGLBIO56YJ7eObdv0je81860ppama"
        "vo35UgoRdbYaBcoh9QcfylQr66oc6vFWXRcZ_ZT2LawVCWTIy3brGPi6UklfCpIMfIjf7iGdXKHzg.48V1_ALb6US04U3b.5eym8TW_c"
        "8SuK0ltJ3rpYIzOeDQz7TALvtu6UG9oMo4vpzs9tX_EFShS8iB7j6jiSdiwkIr3ajwQzaBtQD_A.XFBoMYUZodetZdvTiFvSkQ"
    )
    private: Any = RSAAlgorithm.from_jwk({"kty": "RSA", "n": n, "e": "AQAB", "d": d})

    plaintext = jwe.decrypt(token, [a_key("RSA-OAEP", private=private)])

    assert plaintext == b"The true sign of intelligence is not knowledge but imagination."


EC_KEY, RSA_KEY = a_key("ECDH-ES", "ec"), a_key("RSA-OAEP-256", "rsa")
OURS = (EC_KEY, RSA_KEY, a_key("ECDH-ES+A256KW", "wrapped"))


def part(value: object) -> str:
    """Write one part of a token."""
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(header: dict[str, Any], key: Any, **without: Any) -> str:
    """Encrypt as somebody who does not care for our rules."""
    registry = other_jwe.JWERegistry(
        algorithms=[header["alg"], header["enc"], "DEF"], strict_check_header=False
    )
    for name, value in without.items():
        header = {**header, name: value}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return other_jwe.encrypt_compact(header, TEXT, key, registry=registry)


def with_header(token: str, **members: Any) -> str:
    """Change the header; None takes a member away."""
    head, rest = token.split(".", 1)
    header = json.loads(base64.urlsafe_b64decode(head + "==")) | members
    return f"{part({name: value for name, value in header.items() if value is not None})}.{rest}"


def altered(token: str, index: int) -> str:
    """Change one bit in the middle of one part."""
    parts = token.split(".")
    raw = bytearray(base64.urlsafe_b64decode(parts[index] + "=="))
    raw[len(raw) // 2] ^= 1
    parts[index] = part(bytes(raw))
    return ".".join(parts)


def cut(token: str, index: int, length: int) -> str:
    """Leave only the beginning of one part."""
    parts = token.split(".")
    parts[index] = part(base64.urlsafe_b64decode(parts[index] + "==")[:length])
    return ".".join(parts)


def refusals() -> dict[str, Callable[[], str]]:
    """What is not decrypted, by a fault each."""
    by_ec = jwe.encrypt(TEXT, EC_KEY.public_jwk(), "ECDH-ES", "A128CBC-HS256")
    by_gcm = jwe.encrypt(TEXT, EC_KEY.public_jwk(), "ECDH-ES", "A256GCM")
    by_rsa = jwe.encrypt(TEXT, RSA_KEY.public_jwk(), "RSA-OAEP-256", "A256GCM")
    wrapped = jwe.encrypt(TEXT, OURS[2].public_jwk(), "ECDH-ES+A256KW", "A256CBC-HS512")
    rsa_public, ec_public = RSAKey.import_key(RSA.public_key()), ECKey.import_key(EC.public_key())
    secret, own = OctKey.import_key(b"s" * 32), ECKey.import_key(OTHER_EC.public_key())
    published = OctKey.import_key(public_jwk(EC)["x"].encode()[:32])
    parts, epk = by_ec.split("."), public_jwk(OTHER_EC)
    gcm = {"alg": "ECDH-ES", "enc": "A256GCM", "kid": "ec"}
    return {
        "a changed key": lambda: altered(by_rsa, 1),
        "a changed wrapped key": lambda: altered(wrapped, 1),
        "a changed vector": lambda: altered(by_gcm, 2),
        "a changed content": lambda: altered(by_ec, 3),
        "a changed content of GCM": lambda: altered(by_gcm, 3),
        "a changed tag": lambda: altered(by_ec, 4),
        "a changed tag of GCM": lambda: altered(by_gcm, 4),
        "a short tag": lambda: cut(by_ec, 4, 8),
        "a short tag of GCM": lambda: cut(by_gcm, 4, 4),
        "no tag": lambda: cut(by_ec, 4, 0),
        "no tag of GCM": lambda: cut(by_gcm, 4, 0),
        "no vector": lambda: cut(by_gcm, 2, 0),
        "no content": lambda: cut(by_ec, 3, 0),
        "a short wrapped key": lambda: cut(wrapped, 1, 8),
        "no key": lambda: cut(by_rsa, 1, 0),
        "a key where none is given": lambda: ".".join([parts[0], part(b"k" * 40), *parts[2:]]),
        "a header that was changed": lambda: with_header(by_gcm, cty="text"),
        "another content encryption": lambda: with_header(by_gcm, enc="A128GCM"),
        "another key's name": lambda: with_header(by_ec, kid="nobody"),
        "the name of a key of another kind": lambda: with_header(by_ec, kid="rsa"),
        "a name that is a list": lambda: with_header(by_ec, kid=["ec"]),
        "an algorithm of the same key, for which it is not published": lambda: forged(
            {"alg": "RSA-OAEP", "enc": "A256GCM", "kid": "rsa"}, rsa_public
        ),
        "wrapping by a key that is for agreement": lambda: forged(
            {"alg": "ECDH-ES+A128KW", "enc": "A256GCM", "kid": "ec"}, ec_public
        ),
        "RSA1_5": lambda: forged({"alg": "RSA1_5", "enc": "A256GCM", "kid": "rsa"}, rsa_public),
        "a shared secret": lambda: forged({"alg": "dir", "enc": "A256GCM", "kid": "ec"}, secret),
        "what is public as a secret": lambda: forged({"alg": "dir", "enc": "A256GCM", "kid": "ec"}, published),
        "a wrapping secret": lambda: forged({"alg": "A256KW", "enc": "A256GCM", "kid": "ec"}, secret),
        "a password": lambda: forged({"alg": "PBES2-HS256+A128KW", "enc": "A256GCM"}, secret),
        "a content encryption that is not taken": lambda: forged(gcm | {"enc": "A192GCM"}, ec_public),
        "compression": lambda: forged(gcm, ec_public, zip="DEF"),
        "a critical extension": lambda: forged(gcm, ec_public, crit=["cty"], cty="JWT"),
        "an empty list of critical extensions": lambda: forged(gcm, ec_public, crit=[]),
        "the sender's own key": lambda: forged(gcm, own, jwk=epk),
        "the sender's own key at an address": lambda: forged(gcm, own, jku="https://evil.example/jwks"),
        "the key of another": lambda: forged(gcm, own),
        "no algorithm": lambda: with_header(by_ec, alg=None),
        "no content encryption": lambda: with_header(by_ec, enc=None),
        "an algorithm that is a list": lambda: with_header(by_ec, alg=["ECDH-ES"]),
        "a content encryption that is an object": lambda: with_header(by_ec, enc={"A256GCM": 1}),
        "no ephemeral key": lambda: with_header(by_ec, epk=None),
        "an ephemeral key that is a text": lambda: with_header(by_ec, epk="x"),
        "an ephemeral key with its private half": lambda: with_header(by_ec, epk=epk | {"d": epk["x"]}),
        "an ephemeral key off the curve": lambda: with_header(by_ec, epk=epk | {"y": epk["x"]}),
        "an ephemeral key at infinity": lambda: with_header(by_ec, epk=epk | {"x": "A" * 43, "y": "A" * 43}),
        "an ephemeral key of another curve": lambda: with_header(
            by_ec, epk=ECKey.generate_key("P-384").as_dict(private=False)
        ),
        "an ephemeral key of another kind": lambda: with_header(by_ec, epk=public_jwk(RSA)),
        "another party's information": lambda: with_header(by_ec, apu="!"),
        "a header that is a list": lambda: ".".join([part([1]), *parts[1:]]),
        "a header that is no JSON": lambda: ".".join([part(b"{"), *parts[1:]]),
        "a header in another encoding": lambda: ".".join([part('{"alg":"ECDH-ES"}'.encode("utf-16")), *parts[1:]]),
        "a header too deep": lambda: ".".join([part(b'{"a":' + b"[" * 760), *parts[1:]]),
        "a header too long": lambda: with_header(by_ec, cty="x" * 2000),
        "no header": lambda: "." + by_ec.split(".", 1)[1],
        "padding": lambda: by_ec + "=",
        "a line end": lambda: by_ec + "\n",
        "four parts": lambda: ".".join(parts[:4]),
        "six parts": lambda: f"{by_ec}.AAAA",
        "a signed token": lambda: "e30.e30.AAAA",
        "too much of it": lambda: by_ec + "A" * 30_000,
        "letters of another alphabet": lambda: by_ec.replace("A", "À", 1),
        "half a surrogate pair": lambda: "\ud800" + by_ec,
        "nothing": str,
        "dots": lambda: "....",
    }  # fmt: skip


@pytest.mark.spec("RFC 7516", "5.2", "MUST")
@pytest.mark.parametrize("make", refusals().values(), ids=refusals())
def test_token_with_a_fault_is_not_decrypted(make: Callable[[], str]) -> None:
    """One class of refusal for each, and no other exception."""
    with pytest.raises(JWERefused):
        jwe.decrypt(make(), OURS)


@pytest.mark.spec("RFC 7516", "11.5", "MUST NOT")
def test_refusal_does_not_say_how_far_it_went() -> None:
    """A wrong key, a wrong padding and a wrong tag are one thing."""
    token = jwe.encrypt(TEXT, RSA_KEY.public_jwk(), "RSA-OAEP-256", "A128CBC-HS256")
    stranger = a_key("RSA-OAEP-256", "rsa", rsa.generate_private_key(65537, 2048))
    said = set()
    for keys, tried in [
        ([stranger], token),
        ([], token),
        *(([RSA_KEY], altered(token, n)) for n in (1, 3, 4)),
    ]:
        with pytest.raises(JWERefused) as refused:
            jwe.decrypt(tried, keys)
        said.add(str(refused.value))

    assert len(said) == 1


def test_token_without_a_name_is_tried_with_each_key_of_its_kind() -> None:
    """A client need not name the key that it read; who read it before a rotation named the one of then."""
    before = a_key("ECDH-ES", "before", OTHER_EC)
    nameless = {name: value for name, value in before.public_jwk().items() if name != "kid"}

    token = jwe.encrypt(TEXT, nameless, "ECDH-ES", "A256GCM")

    assert "kid" not in jwe.protected_header(token)
    assert jwe.decrypt(token, [*OURS, before]) == TEXT
    with pytest.raises(JWERefused):
        jwe.decrypt(token, OURS)


@pytest.mark.spec("RFC 7516", "4", "MUST")
def test_members_of_the_header_that_nobody_knows_are_ignored() -> None:
    """Some put the claims of the token beside (RFC 7519 section 5.3)."""
    header = {
        "alg": "ECDH-ES",
        "enc": "A256GCM",
        "kid": "ec",
        "iss": "parking",
        "aud": ["us"],
        "new": {"a": 1},
    }

    assert jwe.decrypt(forged(header, ECKey.import_key(EC.public_key())), OURS) == TEXT


@pytest.mark.parametrize("content", [b"", b"\x00\xff", b"a" * 16_000], ids=["nothing", "bytes", "much"])
def test_content_may_be_anything(content: bytes) -> None:
    """Of any length that a token has."""
    token = jwe.encrypt(content, EC_KEY.public_jwk(), "ECDH-ES", "A128CBC-HS256")

    assert jwe.decrypt(token, OURS) == content


@pytest.mark.parametrize("curve", ["P-384", "P-521", "X25519"])
@pytest.mark.parametrize("alg", ["ECDH-ES", "ECDH-ES+A128KW"])
def test_client_may_have_a_key_of_another_curve(curve: str, alg: str) -> None:
    """For its own answers; to us one encrypts by P-256."""
    key: Any = OKPKey.generate_key("X25519") if curve == "X25519" else ECKey.generate_key(curve)

    token = jwe.encrypt(TEXT, key.as_dict(private=False), alg, "A256GCM", kid="theirs")

    assert jwe.protected_header(token)["kid"] == "theirs"
    assert other_jwe.decrypt_compact(token, key, algorithms=[alg, "A256GCM"]).plaintext == TEXT


def unfit_keys() -> dict[str, tuple[dict[str, Any], str, str]]:
    """Keys and algorithms by which nothing is encrypted."""
    on_ec, on_rsa = public_jwk(EC), public_jwk(RSA)
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is refused
    x = OKPKey.import_key(x25519.X25519PrivateKey.generate()).as_dict(private=True)
    return {
        "an EC key for RSA": (on_ec, "RSA-OAEP", "A256GCM"),
        "an RSA key for agreement": (on_rsa, "ECDH-ES", "A256GCM"),
        "a key for signatures": (on_ec | {"use": "sig"}, "ECDH-ES", "A256GCM"),
        "a key for another algorithm": (on_ec | {"alg": "ES256"}, "ECDH-ES", "A256GCM"),
        "a curve for signatures": (public_jwk(ed25519.Ed25519PrivateKey.generate()), "ECDH-ES", "A256GCM"),
        "the curve of bitcoin": (on_ec | {"crv": "secp256k1"}, "ECDH-ES", "A256GCM"),
        "a point off the curve": (on_ec | {"y": on_ec["x"]}, "ECDH-ES", "A256GCM"),
        "a private key": (on_ec | {"d": "AAAA"}, "ECDH-ES", "A256GCM"),
        "another private key": ({**x}, "ECDH-ES", "A256GCM"),
        "a weak key": (public_jwk(weak), "RSA-OAEP-256", "A256GCM"),
        "a secret": ({"kty": "oct", "k": "A" * 43}, "dir", "A256GCM"),
        "a wrapping secret": ({"kty": "oct", "k": "A" * 43}, "A256KW", "A256GCM"),
        "RSA1_5": (on_rsa, "RSA1_5", "A256GCM"),
        "no algorithm": (on_ec, "", "A256GCM"),
        "a content encryption that is not taken": (on_ec, "ECDH-ES", "A192GCM"),
        "a name that is no text": (on_ec | {"kid": 5}, "ECDH-ES", "A256GCM"),
        "no key": ({}, "ECDH-ES", "A256GCM"),
    }


@pytest.mark.spec("RFC 8725", "3.2", "MUST")
@pytest.mark.parametrize("jwk,alg,enc", unfit_keys().values(), ids=unfit_keys())
def test_nothing_is_encrypted_by_an_unfit_key_or_algorithm(jwk: dict[str, Any], alg: str, enc: str) -> None:
    """The key fits the algorithm, is public and strong, and is for that."""
    with pytest.raises(JWERefused):
        jwe.encrypt(TEXT, jwk, alg, enc)
