"""Checks of DPoP proofs, without a signature (RFC 9449 section 4.3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.tokens.dpop import Expected, ProofUse, check_claims, normalised, public_jwk, token_hash

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECONDS = int(NOW.timestamp())
ADDRESS = "https://compte.example.org/token"
EXPECTED = Expected("POST", (ADDRESS, "https://mtls.example.org/token"), None, NOW, timedelta(seconds=60))
CLAIMS: dict[str, Any] = {"jti": "j-1", "htm": "POST", "htu": ADDRESS, "iat": SECONDS}
HEADER: dict[str, Any] = {"typ": "dpop+jwt", "alg": "ES256", "jwk": {"kty": "EC"}}


@pytest.mark.spec("RFC 9449", "4.3", "MUST")
@pytest.mark.parametrize(
    "changes",
    [
        {"typ": None},
        {"typ": "JWT"},
        {"typ": "at+jwt"},
        {"typ": ["dpop+jwt"]},
        {"alg": "none"},
        {"alg": "HS256"},
        {"alg": "RS256"},
        {"alg": None},
        {"alg": ["ES256"]},
        {"jwk": None},
        {"jwk": "kty"},
        {"jwk": [{"kty": "EC"}]},
        {"crit": ["exp"]},
    ],
    ids=str,
)
def test_header_of_anything_else_is_refused(changes: dict[str, Any]) -> None:
    """Another kind of JWT, a symmetric or absent algorithm, no key, members we don't understand."""
    with pytest.raises(EndpointError) as refused:
        public_jwk(HEADER | changes)

    assert refused.value.code is ErrorCode.INVALID_DPOP_PROOF
    assert refused.value.status == 400


@pytest.mark.parametrize("alg", ["ES256", "PS256", "EdDSA"])
def test_header_of_a_proof_gives_its_key(alg: str) -> None:
    """As it stands: whether it is a fit key is said where keys are read."""
    assert public_jwk(HEADER | {"alg": alg}) == {"kty": "EC"}


@pytest.mark.spec("RFC 9449", "4.3", "MUST")
@pytest.mark.parametrize(
    "changes",
    [
        {"htm": None},
        {"htm": "GET"},
        {"htm": "post"},
        {"htm": ["POST"]},
        {"htu": None},
        {"htu": ""},
        {"htu": [ADDRESS]},
        {"htu": "https://compte.example.org/userinfo"},
        {"htu": "https://compte.example.org/token/"},
        {"htu": "https://compte.example.org/TOKEN"},
        {"htu": "http://compte.example.org/token"},
        {"htu": "https://other.example.org/token"},
        {"htu": "https://compte.example.org:8443/token"},
        {"htu": "/token"},
        {"jti": None},
        {"jti": ""},
        {"jti": 7},
        {"jti": "j" * 256},
        {"jti": "j\n"},
        {"jti": "\ud800"},
        {"iat": None},
        {"iat": str(SECONDS)},
        {"iat": True},
        {"iat": float("nan")},
        {"iat": float("inf")},
        {"iat": 10**400},
        {"iat": -(10**400)},
        {"iat": SECONDS - 61},
        {"iat": SECONDS + 31},
        {"nonce": 7},
        {"nonce": ["n"]},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_proof_of_another_request_is_refused(changes: dict[str, Any]) -> None:
    """Another method, address or moment, or none; a name that can't be remembered."""
    with pytest.raises(EndpointError) as refused:
        check_claims(CLAIMS | changes, EXPECTED)

    assert refused.value.code is ErrorCode.INVALID_DPOP_PROOF


@pytest.mark.spec("RFC 9449", "4.3", "MUST")
@pytest.mark.parametrize("ath", [None, "", "token", 7, token_hash("another")], ids=str)
def test_proof_without_the_hash_of_its_token_is_refused(ath: object) -> None:
    """A proof that was made for one token serves no other."""
    with pytest.raises(EndpointError):
        check_claims(CLAIMS | {"ath": ath}, replace(EXPECTED, access_token="token"))


@pytest.mark.spec("RFC 9449", "4.2", "MUST")
def test_hash_of_a_token_is_that_of_the_rfc() -> None:
    """The example of RFC 9449 section 7.1."""
    token = "Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU"

    assert token_hash(token) == "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
    use = check_claims(CLAIMS | {"ath": token_hash(token)}, replace(EXPECTED, access_token=token))
    assert use.jti == "j-1"


@pytest.mark.parametrize("iat", [SECONDS, SECONDS - 60, SECONDS + 30, SECONDS + 0.5])
def test_proof_within_its_time_is_remembered_until_it_can_serve_no_more(iat: float) -> None:
    """A clock may be half a minute ahead; what is forgotten too early could be used again."""
    use = check_claims(CLAIMS | {"iat": iat, "nonce": "n-1"}, EXPECTED)

    assert use == ProofUse("j-1", "n-1", datetime.fromtimestamp(iat, UTC) + timedelta(seconds=90))


@pytest.mark.parametrize("htu", [ADDRESS, "https://mtls.example.org/token", ADDRESS + "?a=b#c"])
def test_proof_for_any_address_of_the_endpoint_is_taken(htu: str) -> None:
    """The one where certificates are asked for too (RFC 8705 section 5); query and fragment don't count."""
    assert check_claims(CLAIMS | {"htu": htu}, EXPECTED).jti == "j-1"


@pytest.mark.spec("RFC 9449", "4.3", "SHOULD")
@pytest.mark.parametrize(
    "written",
    [
        "HTTPS://compte.example.org/token",
        "https://COMPTE.Example.ORG/token",
        "https://compte.example.org:443/token",
        "https://compte.example.org:/token",
        "https://compte.example.org/%74oken",
        "https://compte.example.org/t%6Fken",
        "https://compte.example.org/./token",
        "https://compte.example.org/a/../token",
        "https://compte.example.org/../token",
        "https://compte.example.org/token?query",
        "https://compte.example.org/token#fragment",
    ],
)
def test_same_address_written_otherwise_is_the_same(written: str) -> None:
    """Syntax-based and scheme-based normalization (RFC 3986 sections 6.2.2, 6.2.3)."""
    assert normalised(written) == ADDRESS


@pytest.mark.parametrize(
    "written, same",
    [
        ("https://a.example", "https://a.example/"),
        ("http://a.example:80/", "http://a.example/"),
        ("http://a.example:443/", "http://a.example:443/"),
        ("https://[2001:DB8::1]:8443/a", "https://[2001:db8::1]:8443/a"),
        ("https://a.example/%2f%e9", "https://a.example/%2F%E9"),
        ("https://a.example/a/b/..", "https://a.example/a/"),
        ("https://a.example/a/.", "https://a.example/a/"),
        ("https://a.example/a//b", "https://a.example/a//b"),
    ],
)
def test_address_keeps_what_makes_a_difference(written: str, same: str) -> None:
    """A reserved character that is escaped is another one; so is a port, or an empty segment."""
    assert normalised(written) == same


@pytest.mark.parametrize(
    "written",
    [
        "",
        "token",
        "//compte.example.org/token",
        "ftp://compte.example.org/token",
        "https:///token",
        "https://user@compte.example.org/token",
        "https://compte.example.org:65536/token",
        "https://compte.example.org:x/token",
        "https://[::1/token",
        "https://compte.example.org/to ken",
        "https://compte.example.org/token\n",
        "https://compté.example.org/token",
        "https://compte.example.org/" + "a" * 2000,
    ],
    ids=lambda written: written[:40],
)
def test_what_is_no_address_is_none(written: str) -> None:
    """Neither http nor https, or not an address at all."""
    assert normalised(written) is None
