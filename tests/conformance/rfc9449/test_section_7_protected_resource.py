"""RFC 9449 section 7: UserInfo takes a bound token with a proof, and not without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.dpop import ProofMaker, a_code, redeem, userinfo

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider


@pytest.fixture
def token(lasting_provider: Provider, key: ProofMaker) -> str:
    """An access token that is bound to the key."""
    service = lasting_provider.a_client()
    code = a_code(lasting_provider, service)
    bound: str = redeem(lasting_provider, service, code, key.proof()).json["access_token"]
    return bound


def proof_for(key: ProofMaker, token: str, method: str = "GET", **changes: Any) -> str:
    """Make a proof for UserInfo."""
    return key.proof("/userinfo", method=method, access_token=token, **changes)


def assert_challenged(answer: TestResponse, error: str) -> None:
    """Say that the answer is a challenge of the scheme, with an error and the algorithms."""
    challenge = answer.headers["WWW-Authenticate"]
    assert answer.status_code == 401
    assert challenge.startswith("DPoP ")
    assert f'error="{error}"' in challenge
    assert 'algs="ES256 PS256 EdDSA"' in challenge
    assert answer.json["error"] == error


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "7.1", "MUST")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("scheme", ["DPoP", "dpop", "DPOP "])
def test_bound_token_is_taken_with_its_proof(
    lasting_provider: Provider, key: ProofMaker, token: str, method: str, scheme: str
) -> None:
    """By both methods, whatever the case of the scheme."""
    answer = userinfo(lasting_provider, token, proof_for(key, token, method), scheme=scheme, method=method)

    assert (answer.status_code, answer.json.keys()) == (200, {"sub"})


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "7.2", "MUST")
def test_bound_token_is_no_bearer_token(lasting_provider: Provider, key: ProofMaker, token: str) -> None:
    """With or without a proof, in a header or a form."""
    answers = [
        userinfo(lasting_provider, token, None, scheme="Bearer"),
        userinfo(lasting_provider, token, proof_for(key, token), scheme="Bearer"),
        lasting_provider.post("/userinfo", access_token=token),
    ]

    for answer in answers:
        assert_challenged(answer, "invalid_token")


@pytest.mark.spec("RFC 9449", "7.1", "MUST")
def test_bound_token_without_a_proof_is_refused(lasting_provider: Provider, token: str) -> None:
    """The scheme alone proves nothing."""
    assert_challenged(userinfo(lasting_provider, token, None), "invalid_dpop_proof")


@pytest.mark.spec("RFC 9449", "7.1", "MUST")
@pytest.mark.parametrize(
    "changes",
    [
        {"htm": "POST"},
        {"htu": "https://compte.example.org/token"},
        {"ath": "x"},
        {"without": ("ath",)},
        {"iat": 1},
        {"header": {"typ": "JWT"}},
    ],
    ids=str,
)
def test_proof_that_does_not_go_with_the_request_is_refused(
    lasting_provider: Provider, key: ProofMaker, token: str, changes: dict[str, Any]
) -> None:
    """Method, address, token and time."""
    answer = userinfo(lasting_provider, token, proof_for(key, token, **changes))

    assert_challenged(answer, "invalid_dpop_proof")


@pytest.mark.spec("RFC 9449", "7.1", "MUST")
def test_proof_by_another_key_is_refused(lasting_provider: Provider, token: str) -> None:
    """Whoever stole the token has a key of their own."""
    thief = ProofMaker(lasting_provider.clock)

    assert_challenged(userinfo(lasting_provider, token, proof_for(thief, token)), "invalid_token")


@pytest.mark.spec("RFC 9449", "11.1", "MUST")
def test_proof_serves_once(lasting_provider: Provider, key: ProofMaker, token: str) -> None:
    """Whoever listened can't ask again."""
    proof = proof_for(key, token)

    first, second = userinfo(lasting_provider, token, proof), userinfo(lasting_provider, token, proof)

    assert first.status_code == 200
    assert_challenged(second, "invalid_dpop_proof")


@pytest.mark.spec("RFC 9449", "7.1", "MUST")
def test_token_that_is_bound_to_no_key_is_none_of_the_scheme(
    lasting_provider: Provider, key: ProofMaker
) -> None:
    """A proof by any key would pass for it; as a bearer token it is taken, whatever comes along."""
    service = lasting_provider.a_client()
    token = lasting_provider.tokens(lasting_provider.signed_in(), service)["access_token"]

    as_bound = userinfo(lasting_provider, token, proof_for(key, token))
    as_bearer = userinfo(lasting_provider, token, proof_for(key, token), scheme="Bearer")

    assert_challenged(as_bound, "invalid_token")
    assert as_bearer.status_code == 200


@pytest.mark.spec("RFC 9449", "7.1", "MUST")
@pytest.mark.parametrize("forged", ["", "x", "mpa_" + "a" * 49])
def test_token_that_is_none_is_invalid_in_the_scheme(
    lasting_provider: Provider, key: ProofMaker, forged: str
) -> None:
    """One answer, whatever it looks like."""
    assert_challenged(userinfo(lasting_provider, forged, proof_for(key, forged)), "invalid_token")
