"""JWT Secured Authorization Response Mode (JARM) 2: the answer is a JWT for its client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.support.provider import CALLBACK, ISSUER, answer_of

if TYPE_CHECKING:
    from tests.support.provider import Provider

MODES = {"jwt": "?", "query.jwt": "?", "fragment.jwt": "#"}


def claims_of(provider: Provider, answer: str, client_id: str, alg: str = "ES256") -> dict[str, Any]:
    """Verify a signed answer as its client does."""
    keys = jwt.PyJWKSet.from_dict(provider.back_channel.get("/jwks.json").get_json())
    claims: dict[str, Any] = jwt.decode(
        answer,
        key=keys[jwt.get_unverified_header(answer)["kid"]].key,
        algorithms=[alg],
        audience=client_id,
        issuer=ISSUER,
        # The clock of the test stands elsewhere.
        options={"verify_exp": False, "require": ["iss", "aud", "exp"]},
    )
    return claims


@pytest.mark.spec("JARM", "2.1", "MUST")
@pytest.mark.parametrize("mode", MODES)
def test_code_comes_inside_a_jwt_for_the_client(lasting_provider: Provider, mode: str) -> None:
    """Nothing but `response` travels beside it; who answers, for whom and until when is signed."""
    service = lasting_provider.a_client()

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, response_mode=mode)

    assert answer.location.startswith(CALLBACK + MODES[mode])
    found = answer_of(answer)
    assert found.keys() == {"response"}
    claims = claims_of(lasting_provider, found["response"], service.client_id)
    assert claims["state"] == "s-1"
    assert 0 < claims["exp"] - lasting_provider.clock().timestamp() <= 600
    assert lasting_provider.redeem(service, claims["code"]).status_code == 200


@pytest.mark.spec("JARM", "2.3.3", "MUST")
def test_signed_answer_can_be_posted(lasting_provider: Provider) -> None:
    """`form_post.jwt`: one field."""
    service = lasting_provider.a_client()

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, response_mode="form_post.jwt")

    assert answer_of(answer).keys() == {"response"}


@pytest.mark.spec("JARM", "2.1", "MUST")
def test_error_is_signed_too(lasting_provider: Provider) -> None:
    """A refusal is an answer."""
    service = lasting_provider.a_client()

    answer = lasting_provider.authorize(
        lasting_provider.client(), service, response_mode="jwt", prompt="none"
    )

    claims = claims_of(lasting_provider, answer_of(answer)["response"], service.client_id)
    assert (claims["error"], claims["state"]) == ("login_required", "s-1")


@pytest.mark.spec("JARM", "3", "OPTIONAL")
def test_answer_is_signed_as_the_client_registered(lasting_provider: Provider) -> None:
    """`authorization_signed_response_alg` is its own choice."""
    service = lasting_provider.a_client(authorization_signed_response_alg="RS256")

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, response_mode="jwt")

    assert "code" in claims_of(
        lasting_provider, answer_of(answer)["response"], service.client_id, alg="RS256"
    )
