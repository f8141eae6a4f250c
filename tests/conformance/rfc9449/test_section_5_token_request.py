"""RFC 9449 section 5: tokens are bound to the key that is proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.domain.client import ClientAuthenticationMethod
from tests.support.dpop import ProofMaker, a_code, redeem, refresh, userinfo, with_proof

if TYPE_CHECKING:
    from tests.support.provider import Provider

OFFLINE = "openid offline_access"


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "5.2", "MUST")
@pytest.mark.parametrize("is_public", [True, False], ids=["public", "confidential"])
def test_client_that_registered_for_proofs_gets_nothing_without(
    lasting_provider: Provider, key: ProofMaker, *, is_public: bool
) -> None:
    """At each grant; and the code it brought is still good with a proof."""
    service = lasting_provider.a_client(is_public=is_public, dpop_bound_access_tokens=True)
    code = a_code(lasting_provider, service, scope=OFFLINE)

    without = redeem(lasting_provider, service, code, None)
    proven = redeem(lasting_provider, service, code, key.proof())
    refreshed = refresh(lasting_provider, service, proven.json["refresh_token"], None)

    assert (without.status_code, without.json["error"]) == (400, "invalid_dpop_proof")
    assert proven.json["token_type"] == "DPoP"
    assert refreshed.json["error"] == "invalid_dpop_proof"


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "5", "MUST")
def test_refresh_token_of_a_public_client_serves_its_key_alone(
    lasting_provider: Provider, key: ProofMaker
) -> None:
    """Whoever steals it can neither use it nor use it up, and the family lives on."""
    service = lasting_provider.a_client(is_public=True)
    code = a_code(lasting_provider, service, scope=OFFLINE)
    first = redeem(lasting_provider, service, code, key.proof()).json["refresh_token"]

    without = refresh(lasting_provider, service, first, None)
    thief = refresh(lasting_provider, service, first, ProofMaker(lasting_provider.clock).proof())
    second = refresh(lasting_provider, service, first, key.proof())
    stolen_again = refresh(lasting_provider, service, first, None)
    third = refresh(lasting_provider, service, second.json["refresh_token"], key.proof())

    assert [answer.json.get("error") for answer in (without, thief, stolen_again)] == ["invalid_grant"] * 3
    assert [second.status_code, third.status_code] == [200, 200]


@pytest.mark.spec("RFC 9449", "5", "MUST")
def test_refresh_token_of_a_public_client_is_bound_by_the_first_proof(
    lasting_provider: Provider, key: ProofMaker
) -> None:
    """An app that learns to prove itself is held to it from then on."""
    service = lasting_provider.a_client(is_public=True)
    first = lasting_provider.tokens(lasting_provider.signed_in(), service, scope=OFFLINE)["refresh_token"]

    second = refresh(lasting_provider, service, first, key.proof())
    retry_without = refresh(lasting_provider, service, first, None)
    retry = refresh(lasting_provider, service, first, key.proof())
    without = refresh(lasting_provider, service, second.json["refresh_token"], None)

    assert second.json["token_type"] == "DPoP"
    assert retry.json["refresh_token"] == second.json["refresh_token"]
    assert [retry_without.json["error"], without.json["error"]] == ["invalid_grant"] * 2


@pytest.mark.spec("RFC 9449", "5", "MUST")
def test_refresh_token_of_a_confidential_client_is_bound_to_no_key(
    lasting_provider: Provider, key: ProofMaker
) -> None:
    """It proves itself otherwise, and may change its key; each access token is bound to the one proven."""
    service = lasting_provider.a_client()
    code = a_code(lasting_provider, service, scope=OFFLINE)
    token = redeem(lasting_provider, service, code, key.proof()).json["refresh_token"]
    other = ProofMaker(lasting_provider.clock)

    answer = refresh(lasting_provider, service, token, other.proof()).json
    plain = refresh(lasting_provider, service, token, None).json

    about = lasting_provider.introspect(service, answer["access_token"])
    assert about["cnf"] == {"jkt": other.jkt}
    assert plain["token_type"] == "Bearer"
    assert lasting_provider.userinfo(plain["access_token"]).status_code == 200


@pytest.mark.spec("RFC 9449", "5", "MUST")
def test_token_of_a_service_itself_is_bound_too(lasting_provider: Provider, key: ProofMaker) -> None:
    """Client credentials, whatever the client authenticates with."""
    service = lasting_provider.a_client(authentication_method=ClientAuthenticationMethod.SECRET_POST)

    answer = with_proof(lasting_provider, service, key.proof(), {"grant_type": "client_credentials"})

    about = lasting_provider.introspect(service, answer.json["access_token"])
    assert answer.json["token_type"] == "DPoP"
    assert (about["token_type"], about["cnf"]) == ("DPoP", {"jkt": key.jkt})


@pytest.mark.spec("RFC 9449", "5", "MUST")
def test_proof_that_is_wrong_uses_no_code_up(lasting_provider: Provider, key: ProofMaker) -> None:
    """The proof is checked first; who made a mistake may come again."""
    service = lasting_provider.a_client()
    code = a_code(lasting_provider, service)

    wrong = redeem(lasting_provider, service, code, key.proof("/userinfo"))
    right = redeem(lasting_provider, service, code, key.proof())

    assert wrong.json["error"] == "invalid_dpop_proof"
    assert (
        userinfo(
            lasting_provider,
            right.json["access_token"],
            key.proof("/userinfo", method="GET", access_token=right.json["access_token"]),
        ).status_code
        == 200
    )


@pytest.mark.spec("RFC 9449", "5", "MUST")
def test_id_token_of_a_bound_answer_hashes_its_access_token(
    lasting_provider: Provider, key: ProofMaker
) -> None:
    """The rest of the answer is as ever."""
    service = lasting_provider.a_client()
    code = a_code(lasting_provider, service)

    body = redeem(lasting_provider, service, code, key.proof()).json

    assert body.keys() == {"access_token", "token_type", "expires_in", "scope", "id_token"}
