"""Public keys that come from outside: what may verify, how a key is named by what it is."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from idp.crypto.jwt import JWTRefused, jwk_thumbprint, public_key_of, public_keys

#: The example of RFC 7638 section 3.1.
EXAMPLE = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiF"
    "V4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zg"
    "dAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-"
    "kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
ED = ed25519.Ed25519PrivateKey.generate()
EC = ec.generate_private_key(ec.SECP256R1())


def of_ec(key: Any) -> dict[str, Any]:
    """Write an EC key."""
    return dict(ECAlgorithm.to_jwk(key, as_dict=True))


def of_rsa(key: Any) -> dict[str, Any]:
    """Write an RSA key."""
    return dict(RSAAlgorithm.to_jwk(key, as_dict=True))


def of_okp(key: Any) -> dict[str, Any]:
    """Write an OKP key."""
    return dict(OKPAlgorithm.to_jwk(key, as_dict=True))


def number(value: int) -> str:
    """Write a number as JWKs do."""
    return base64.urlsafe_b64encode(value.to_bytes((value.bit_length() + 7) // 8)).rstrip(b"=").decode()


def refusals() -> dict[str, object]:
    """What may not verify anything."""
    good = of_ec(EC.public_key())
    return {
        "nothing": None,
        "a text": "AQAB",
        "a list": [good],
        "no member": {},
        "a private EC key": of_ec(EC),
        "a private Ed25519 key": of_okp(ED),
        "a private member of another kind": good | {"k": "AAAA"},
        "a private member that is null": good | {"d": None},
        "a secret": {"kty": "oct", "k": "A" * 43},
        "a type that is a list": good | {"kty": ["EC"]},
        "a type of other letters": good | {"kty": "ec"},
        "another curve": of_ec(ec.generate_private_key(ec.SECP384R1()).public_key()),
        "the curve of bitcoin": of_ec(ec.generate_private_key(ec.SECP256K1()).public_key()),
        "Ed448": of_okp(ed448.Ed448PrivateKey.generate().public_key()),
        "X25519": {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        "a curve that is a number": good | {"crv": 256},
        "a point that is not on the curve": good | {"y": good["x"]},
        "a point at infinity": good | {"x": "A" * 43, "y": "A" * 43},
        "half a point": {name: good[name] for name in ("kty", "crv", "x")},
        "a coordinate that is too short": good | {"x": "AAAA"},
        "a coordinate that is a number": good | {"x": 5},
        "a coordinate with a line end": good | {"x": good["x"] + "\n"},
        "RSA of 1024 bits": of_rsa(rsa.generate_private_key(65537, 1024).public_key()),  # noqa: S505 - it is refused
        "RSA of 9000 bits": EXAMPLE | {"n": number(2**9000 - 1)},
        "RSA that never ends": EXAMPLE | {"n": "_" * 5000},
        "RSA with a huge exponent": EXAMPLE | {"e": number(2**200 + 1)},
        "RSA with an even exponent": EXAMPLE | {"e": "Ag"},
        "RSA with the exponent 1": EXAMPLE | {"e": "AQ"},
        "RSA without an exponent": {name: EXAMPLE[name] for name in ("kty", "n")},
    }


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 8725", "3.5", "MUST")
@pytest.mark.parametrize("jwk", refusals().values(), ids=refusals())
def test_key_that_is_private_weak_or_none_is_refused(jwk: object) -> None:
    """One class of refusal, whatever stands in the header of a proof."""
    with pytest.raises(JWTRefused):
        public_key_of(jwk)


@pytest.mark.rule("OID-4")
def test_weak_key_of_a_client_verifies_nothing() -> None:
    """Those among its published keys that may not be used are passed over."""
    weak = [jwk | {"kid": "weak"} for jwk in refusals().values() if isinstance(jwk, dict)]

    assert set(public_keys({"keys": [*weak, of_ec(EC.public_key()) | {"kid": "good"}]})) == {"good"}


@pytest.mark.parametrize(
    "jwk", [of_ec(EC.public_key()), of_okp(ED.public_key()), EXAMPLE], ids=["EC", "OKP", "RSA"]
)
def test_public_key_is_read_whatever_stands_beside_it(jwk: dict[str, Any]) -> None:
    """Members that are not known are ignored (RFC 7517 section 4)."""
    assert public_key_of(jwk | {"use": "enc", "x5u": 5, "new": ["member"]}) == public_key_of(jwk)


@pytest.mark.spec("RFC 7638", "3.1", "MUST")
def test_thumbprint_of_the_example_is_that_of_the_specification() -> None:
    """Only the required members count, in one order, without whitespace."""
    assert jwk_thumbprint(EXAMPLE) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.spec("RFC 8037", "A.3", "MUST")
def test_thumbprint_of_an_octet_key_pair_is_that_of_the_specification() -> None:
    """`crv`, `kty` and `x`."""
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}

    assert jwk_thumbprint(jwk) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


@pytest.mark.parametrize(
    "jwk",
    [None, {}, {"kty": "oct", "k": "A" * 43}, of_ec(EC), EXAMPLE | {"e": 65537}, EXAMPLE | {"n": ""}, {"kty": "EC"}],
    ids=["nothing", "no member", "a secret", "private", "a number", "an empty member", "a lone type"],
)  # fmt: skip
def test_thumbprint_of_what_is_no_public_key_is_refused(jwk: object) -> None:
    """A private key is never named, for whoever sends it has lost it."""
    with pytest.raises(JWTRefused):
        jwk_thumbprint(jwk)
