"""OIDC IDA 5.7: what can't be told is left out, and it is never an error."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from idp.domain.client import ClaimUse
from tests.support.certified import CONTRACT, a_certified_account, asked_in, verified
from tests.support.provider import answer_of

if TYPE_CHECKING:
    from tests.support.provider import Provider


def answered(provider: Provider, claims: dict[str, Any], **verification: Any) -> Any:
    """Ask for verified claims in both places as a certified person; gives UserInfo's, which are the same."""
    service = provider.a_client(claims=CONTRACT)
    browser = provider.signed_in(a_certified_account(provider))
    element = {"verified_claims": verified(**verification) | {"claims": claims}}
    asked = json.dumps({"userinfo": element, "id_token": element})
    tokens = provider.tokens(browser, service, claims=asked)
    return (provider.userinfo(tokens["access_token"]).json or {}).get("verified_claims")


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.7.2", "SHALL")
@pytest.mark.parametrize("asked", [None, {"essential": True}], ids=json.dumps)
@pytest.mark.parametrize(
    "name", ["NONEXISTING_CLAIM", "COMPLETE $ AND UTTER NONSENSE @? \U0001f600", "email"]
)
def test_claim_that_is_unknown_or_not_verified_is_left_out(
    lasting_provider: Provider, name: str, asked: object
) -> None:
    """The others are told; essential changes nothing."""
    found = answered(lasting_provider, {"family_name": None, name: asked})

    assert found["claims"] == {"family_name": "DUBOIS"}


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.7.2", "SHALL")
def test_birth_abroad_has_no_place_of_ours(lasting_provider: Provider) -> None:
    """A register that certifies no place: it is left out, and the country is told."""
    service = lasting_provider.a_client(claims=CONTRACT)
    person = a_certified_account(lasting_provider, birthplace="", birthcountry="99352")
    claims = asked_in("userinfo", verified("birthplace", "birthcountry", "place_of_birth"))

    tokens = lasting_provider.tokens(lasting_provider.signed_in(person), service, claims=claims)

    found = lasting_provider.userinfo(tokens["access_token"]).json["verified_claims"]
    assert found["claims"] == {"birthcountry": "99352", "place_of_birth": {"country": "DZ"}}


@pytest.mark.rule("FC-6", "CON-2")
@pytest.mark.spec("OIDC IDA", "5.7.3", "SHALL")
def test_claim_that_the_person_refused_is_left_out(lasting_provider: Provider) -> None:
    """And refusing everything is an error of OpenID Connect."""
    service = lasting_provider.a_client(claims=CONTRACT, consent_required=True)
    claims = asked_in("userinfo", verified("family_name", "gender"))
    browser = lasting_provider.signed_in(a_certified_account(lasting_provider))
    location = lasting_provider.authorize(browser, service, claims=claims).location

    answer = lasting_provider.consent(browser, location, claims=("gender",))
    tokens = lasting_provider.redeem(service, answer_of(answer)["code"]).json
    again = lasting_provider.authorize(browser, service, claims=claims, prompt="consent").location
    refused = lasting_provider.consent(browser, again, decision="deny")

    found = lasting_provider.userinfo(tokens["access_token"]).json["verified_claims"]
    assert found["claims"] == {"gender": "female"}
    assert answer_of(refused)["error"] == "access_denied"


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.7.4", "SHALL")
def test_demand_on_the_verification_that_is_not_met_leaves_the_element_out(
    lasting_provider: Provider,
) -> None:
    """The whole of it."""
    assert answered(lasting_provider, {"family_name": None}, assurance_level={"value": "high"}) is None


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.7.4", "SHALL")
def test_claim_with_another_value_is_left_out_alone(lasting_provider: Provider) -> None:
    """The other claims stay."""
    found = answered(lasting_provider, {"family_name": {"value": "5f0ab0b4-7a2a"}, "gender": None})

    assert found["claims"] == {"gender": "female"}


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.7.4", "SHALL NOT")
@pytest.mark.parametrize("prompt", [None, "none"])
def test_nothing_that_is_not_met_is_an_error(lasting_provider: Provider, prompt: str | None) -> None:
    """A person whom nobody certified, asked for everything as essential."""
    service = lasting_provider.a_client(
        claims=(ClaimUse("family_name", {"fr": "x"}, required=True), ClaimUse("gender", {"fr": "x"}))
    )
    element = verified(trust_framework={"value": "gold", "essential": True}) | {
        "claims": {"family_name": {"essential": True}, "gender": {"essential": True}}
    }

    answer = lasting_provider.authorize(
        lasting_provider.signed_in(), service, prompt=prompt, claims=asked_in("userinfo", element)
    )

    tokens = lasting_provider.redeem(service, answer_of(answer)["code"]).json
    assert lasting_provider.userinfo(tokens["access_token"]).json.keys() == {"sub"}


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.7.5", "SHALL")
def test_element_without_claims_is_left_out(lasting_provider: Provider) -> None:
    """It would be no valid answer; nor would a record without its type."""
    assert answered(lasting_provider, {"family_name": {"value": "5f0ab0b4-7a2a"}}) is None
    evidence = [{"type": {"value": "electronic_record"}, "record": {"source": {"name": None}}}]
    found = answered(lasting_provider, {"gender": None}, evidence=evidence)
    assert found["verification"]["evidence"] == [{"type": "electronic_record"}]


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.7.6", "SHALL")
def test_request_that_can_not_be_read_is_an_error_of_openid_connect(lasting_provider: Provider) -> None:
    """invalid_request, at the redirect URI."""
    service = lasting_provider.a_client(claims=CONTRACT)

    answer = lasting_provider.authorize(
        lasting_provider.signed_in(), service, claims=asked_in("id_token", {"claims": {"gender": None}})
    )

    assert answer.location.startswith(service.callback)
    assert answer_of(answer)["error"] == "invalid_request"
