"""JSON Web Tokens: what we sign, and what we refuse to believe (RFC 8725)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import TYPE_CHECKING, Any

import jwt as pyjwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from idp.crypto import jwt
from idp.crypto.jwt import JWTRefused
from idp.crypto.keyring import KeyState, SigningKey
from tests.support.clock import A_MONDAY_MORNING

if TYPE_CHECKING:
    from collections.abc import Callable

EC = ec.generate_private_key(ec.SECP256R1())
OTHER_EC = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
RSA = rsa.generate_private_key(65537, 2048)
ED = ed25519.Ed25519PrivateKey.generate()
CLAIMS = {"sub": "é", "exp": 1, "nested": {"a": [1, None, True]}}
KEYS: dict[str | None, Any] = {"ec": EC.public_key(), "rsa": RSA.public_key(), "ed": ED.public_key()}


def a_key(alg: str, private_key: Any) -> SigningKey:
    """Make a key of ours."""
    return SigningKey(alg.lower(), alg, KeyState.ACTIVE, A_MONDAY_MORNING, A_MONDAY_MORNING, private_key)


def encoded(part: object) -> str:
    """Write one part of a JWT."""
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize("alg,key", [("ES256", EC), ("RS256", RSA), ("PS256", RSA), ("EdDSA", ED)])
def test_signed_token_is_read_by_another_library_and_by_us(alg: str, key: Any) -> None:
    """The header names algorithm, key and type; the claims come back as they were."""
    signing = a_key(alg, key)

    token = jwt.sign(CLAIMS, signing, typ="logout+jwt")

    assert pyjwt.get_unverified_header(token) == {"alg": alg, "kid": alg.lower(), "typ": "logout+jwt"}
    options: Any = {"verify_exp": False}
    assert pyjwt.decode(token, key.public_key(), [alg], options=options) == CLAIMS
    assert jwt.verified_claims(token, {alg.lower(): key.public_key()}) == CLAIMS


def test_header_is_made_once_for_each_type() -> None:
    """And never mixed up between types."""
    signing = a_key("ES256", EC)

    headers = [pyjwt.get_unverified_header(jwt.sign({}, signing, typ=typ)) for typ in ("JWT", None, "JWT")]

    assert [header.get("typ") for header in headers] == ["JWT", None, "JWT"]


def refusals() -> dict[str, Callable[[], str]]:
    """Give tokens that must not be believed, by what is wrong with them."""
    good = pyjwt.encode(CLAIMS, EC, "ES256", headers={"kid": "ec"})
    head, body, signature = good.split(".")
    pem = EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    own_jwk = json.loads(ECAlgorithm.to_jwk(OTHER_EC.public_key()))
    detached = {"alg": "ES256", "kid": "ec", "b64": False, "crit": ["b64"]}
    critical = {"kid": "ec", "crit": ["x"], "x": 1}
    return {
        "another key": lambda: pyjwt.encode(CLAIMS, OTHER_EC, "ES256", headers={"kid": "ec"}),
        "an unknown kid": lambda: pyjwt.encode(CLAIMS, EC, "ES256", headers={"kid": "x"}),
        "no kid among several keys": lambda: pyjwt.encode(CLAIMS, EC, "ES256"),
        "the kid of another kind": lambda: pyjwt.encode(CLAIMS, EC, "ES256", headers={"kid": "rsa"}),
        "a kid that is a path": lambda: pyjwt.encode(CLAIMS, EC, "ES256", headers={"kid": "../ec"}),
        "a kid that is a number": lambda: f"{encoded({'alg': 'ES256', 'kid': 5})}.{body}.{signature}",
        "a kid that is a list": lambda: f"{encoded({'alg': 'ES256', 'kid': ['ec']})}.{body}.{signature}",
        "a kid that is null": lambda: f"{encoded({'alg': 'ES256', 'kid': None})}.{body}.{signature}",
        "a key in its header": lambda: pyjwt.encode(CLAIMS, OTHER_EC, "ES256", headers={"kid": "ec", "jwk": own_jwk}),
        "an address of keys": lambda: pyjwt.encode(CLAIMS, OTHER_EC, "ES256", headers={"kid": "ec", "jku": "https://a"}),
        "an unknown critical member": lambda: pyjwt.encode(CLAIMS, EC, "ES256", headers=critical),
        "no signature": lambda: f"{encoded({'alg': 'none', 'kid': 'ec'})}.{body}.",
        "no signature in other letters": lambda: f"{encoded({'alg': 'NoNe', 'kid': 'ec'})}.{body}.{signature}",
        "no algorithm": lambda: f"{encoded({'kid': 'ec'})}.{body}.{signature}",
        "an algorithm that is a list": lambda: f"{encoded({'alg': ['ES256'], 'kid': 'ec'})}.{body}.{signature}",
        "the public key as a secret": lambda: hmac_signed(pem, "ec"),
        "another hash": lambda: pyjwt.encode(CLAIMS, RSA, "RS512", headers={"kid": "rsa"}),
        "another curve": lambda: pyjwt.encode(CLAIMS, P384, "ES384", headers={"kid": "ec"}),
        "a changed body": lambda: f"{head}.{encoded({'sub': 'evil'})}.{signature}",
        "an empty signature": lambda: f"{head}.{body}.",
        "a signature of zeros": lambda: f"{head}.{body}.{'A' * 86}",
        "two parts": lambda: f"{head}.{body}",
        "four parts": lambda: f"{good}.{signature}",
        "claims that are a list": lambda: signed_body(b"[1]"),
        "claims that are no JSON": lambda: signed_body(b"{"),
        "claims that are no UTF-8": lambda: signed_body(b'{"sub": "\xff"}'),
        "claims too deep": lambda: signed_body(b'{"a":' + b"[" * 5000),
        "too much of it": lambda: good + "A" * 20_000,
        "a body outside of the token": lambda: f"{encoded(detached)}..{signature}",
        "nothing": str,
        "half a surrogate pair": lambda: "\ud800.a.b",
    }  # fmt: skip


def hmac_signed(secret: bytes, kid: str) -> str:
    """Sign with a shared secret, as PyJWT would refuse to with a public key."""
    signing_input = f"{encoded({'alg': 'HS256', 'kid': kid})}.{encoded(CLAIMS)}"
    proof = hmac.digest(secret, signing_input.encode(), hashlib.sha256)
    return f"{signing_input}.{base64.urlsafe_b64encode(proof).rstrip(b'=').decode()}"


def signed_body(body: bytes) -> str:
    """Sign bytes, whatever they are."""
    signing_input = f"{encoded({'alg': 'ES256', 'kid': 'ec'})}.".encode() + base64.urlsafe_b64encode(
        body
    ).rstrip(b"=")
    signature = ECAlgorithm(ECAlgorithm.SHA256).sign(signing_input, EC)
    return (signing_input + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


@pytest.mark.spec("RFC 8725", "3.1", "MUST")
@pytest.mark.parametrize("make", refusals().values(), ids=refusals())
def test_token_with_a_fault_is_refused(make: Callable[[], str]) -> None:
    """One class of refusal for each, and no other exception."""
    with pytest.raises(JWTRefused):
        jwt.verified_claims(make(), KEYS)


def test_token_outside_of_the_algorithms_of_its_place_is_refused() -> None:
    """What one context takes another does not."""
    token = pyjwt.encode(CLAIMS, RSA, "PS256", headers={"kid": "rsa"})

    assert jwt.verified_claims(token, KEYS, algorithms=("PS256",)) == CLAIMS
    with pytest.raises(JWTRefused):
        jwt.verified_claims(token, KEYS, algorithms=("ES256",))


def test_token_without_a_kid_is_read_by_a_sole_key() -> None:
    """A client with one key need not name it."""
    token = pyjwt.encode(CLAIMS, EC, "ES256")

    assert jwt.verified_claims(token, {None: EC.public_key()}) == CLAIMS
    assert jwt.verified_claims(token, {"ec": EC.public_key()}) == CLAIMS
    with pytest.raises(JWTRefused):
        jwt.verified_claims(token, {})


def test_keys_of_a_client_are_read_as_far_as_they_can_be() -> None:
    """Signing keys by name; a private, an encryption, a secret or a broken one is passed over."""
    good = json.loads(ECAlgorithm.to_jwk(EC.public_key()))
    document = {
        "keys": [
            good | {"kid": "good"},
            json.loads(OKPAlgorithm.to_jwk(ED.public_key())) | {"kid": "ed", "use": "sig"},
            json.loads(ECAlgorithm.to_jwk(EC)) | {"kid": "private"},
            good | {"kid": "for encryption", "use": "enc"},
            {"kty": "EC", "kid": "half"}, {"kty": "XX", "kid": "unknown"}, {}, 5, None, "x",
            json.loads(RSAAlgorithm.to_jwk(RSA.public_key())) | {"n": "!", "kid": "broken"},
        ]
    }  # fmt: skip

    found = jwt.public_keys(document)

    assert set(found) == {"good", "ed"}
    assert jwt.public_keys({}) == {}


def test_shared_secret_among_a_clients_keys_verifies_nothing() -> None:
    """A registered `oct` key, public as it is, signs for nobody."""
    secret = b"s" * 32
    keys = jwt.public_keys(
        {"keys": [{"kty": "oct", "k": base64.urlsafe_b64encode(secret).decode(), "kid": "s"}]}
    )

    with pytest.raises(JWTRefused):
        jwt.verified_claims(hmac_signed(secret, "s"), keys)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "\ud800", "A" * 20_000, "e30.W10.x"])
def test_claims_that_can_not_be_read_are_refused_before_any_key(token: str) -> None:
    """Looking for whose key to take breaks on nothing."""
    with pytest.raises(JWTRefused):
        jwt.unverified_claims(token)


@pytest.mark.spec("RFC 8725", "3.11", "MUST")
def test_header_is_given_with_the_claims_that_it_was_signed_with() -> None:
    """Callers tell kinds of tokens apart by `typ`."""
    token = pyjwt.encode(CLAIMS, EC, "ES256", headers={"kid": "ec", "typ": "dpop+jwt"})

    header, claims = jwt.verified_header_claims(token, KEYS, ("ES256",))

    assert header == {"alg": "ES256", "kid": "ec", "typ": "dpop+jwt"}
    assert claims == CLAIMS


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 8725", "3.10", "MUST")
@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_key_that_a_token_brings_along_is_not_believed(member: str) -> None:
    """The holder of another key can't vouch for himself."""
    own = json.loads(ECAlgorithm.to_jwk(OTHER_EC.public_key()))
    brought = {
        "jwk": own,
        "jku": "https://evil.example/jwks",
        "x5u": "https://evil.example/x",
        "x5c": ["AAAA"],
    }
    token = pyjwt.encode(CLAIMS, OTHER_EC, "ES256", headers={"kid": "ec", member: brought[member]})

    with pytest.raises(JWTRefused):
        jwt.verified_header_claims(token, KEYS, ("ES256",))


def test_assertion_signed_with_the_secret_of_a_client_is_read() -> None:
    """HS256 with the very secret."""
    token = pyjwt.encode(CLAIMS, "s" * 43, "HS256", headers={"kid": "whatever"})

    assert jwt.verified_hs256(token, "s" * 43) == CLAIMS


def hs256_refusals() -> dict[str, tuple[str, str]]:
    """Assertions that a secret does not prove, and the secret."""
    secret, pem = "s" * 43, EC.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    good = pyjwt.encode(CLAIMS, secret, "HS256")
    head, body, signature = good.split(".")
    return {
        "another secret": (good, "t" * 43),
        "no secret": (good, ""),
        "a short secret": (hmac_signed(b"short", "x"), "short"),
        "another hash": (pyjwt.encode(CLAIMS, secret * 2, "HS512"), secret * 2),
        "no signature": (f"{encoded({'alg': 'none'})}.{body}.", secret),
        "an empty signature": (f"{head}.{body}.", secret),
        "a changed body": (f"{head}.{encoded({'sub': 'evil'})}.{signature}", secret),
        "a public key of ours as a secret": (hmac_signed(pem, "ec"), pem.decode()),
        "a signature by a key": (pyjwt.encode(CLAIMS, EC, "ES256"), secret),
        "an unknown critical member": (
            pyjwt.encode(CLAIMS, secret, "HS256", headers={"crit": ["new"], "new": 1}), secret,
        ),
        "too much of it": (good + "A" * 20_000, secret),
        "nothing": ("", secret),
    }  # fmt: skip


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 8725", "3.1", "MUST")
@pytest.mark.parametrize("token,secret", hs256_refusals().values(), ids=hs256_refusals())
def test_assertion_that_the_secret_does_not_prove_is_refused(token: str, secret: str) -> None:
    """HS256 alone, by a whole secret, and never by what is public."""
    with pytest.raises(JWTRefused):
        jwt.verified_hs256(token, secret)


@pytest.mark.spec("RFC 8725", "2.1", "MUST")
def test_shared_secret_signs_nothing_that_a_public_key_should() -> None:
    """No list of this server's mixes the two."""
    assert not any(alg.startswith("HS") or alg == "none" for alg in jwt.ALGORITHMS)
    with pytest.raises(JWTRefused):
        jwt.verified_header_claims(
            pyjwt.encode(CLAIMS, "s" * 43, "HS256"), {None: EC.public_key()}, ("HS256",)
        )


def test_claims_are_read_before_any_key_to_find_whose_it_is() -> None:
    """They are nothing more than what somebody says."""
    assert jwt.unverified_claims(f"{encoded({'alg': 'ES256'})}.{encoded(CLAIMS)}.AAAA") == CLAIMS
    with pytest.raises(JWTRefused):
        jwt.unverified_claims(f"{encoded({'alg': 'ES256'})}.{encoded([1])}.AAAA")
