"""OIDC IDA 5.4 to 5.6: members of `verification`, demands on them, and several elements."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from idp.protocol.authorization.response_mode import RedirectedError
from tests.support.authorization_requests import read
from tests.support.certified import CONTRACT, a_certified_account, asked_in, verified

if TYPE_CHECKING:
    from tests.support.provider import Provider

OURS: dict[str, Any] = {"type": {"value": "electronic_record"}}
OTHER: dict[str, Any] = {"type": {"value": "document"}, "document_details": {"type": {"value": "idcard"}}}


def answered(provider: Provider, *elements: object) -> Any:
    """Ask for verified claims at UserInfo as a certified person."""
    service = provider.a_client(claims=CONTRACT)
    browser = provider.signed_in(a_certified_account(provider))
    asked = elements[0] if len(elements) == 1 else list(elements)
    tokens = provider.tokens(browser, service, claims=asked_in("userinfo", asked))
    return (provider.userinfo(tokens["access_token"]).json or {}).get("verified_claims")


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.4", "SHALL")
def test_members_of_verification_are_told_when_they_are_asked_for(lasting_provider: Provider) -> None:
    """And the trust framework always, which every request asks for."""
    found = answered(lasting_provider, verified("gender", time=None))["verification"]

    assert set(found) == {"trust_framework", "time"}


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.4", "SHALL NOT")
@pytest.mark.parametrize("kind", [None, {}, {"values": ["electronic_record"]}], ids=json.dumps)
def test_evidence_without_the_value_of_its_type_is_refused(kind: object) -> None:
    """`values` is not for it."""
    with pytest.raises(RedirectedError):
        read(claims=asked_in("userinfo", verified("given_name", evidence=[{"type": kind}])))


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.4", "SHALL")
@pytest.mark.parametrize(
    "evidence, told",
    [([OURS], True), ([OTHER, OURS], True), ([OURS, OTHER], True), ([OTHER], False)],
    ids=["ours", "other or ours", "ours or other", "other"],
)
def test_entries_of_evidence_are_linked_by_or(
    lasting_provider: Provider, evidence: list[dict[str, Any]], *, told: bool
) -> None:
    """One that matches is enough; without one the element goes."""
    found = answered(lasting_provider, verified("gender", evidence=evidence))

    assert (found is not None) is told
    if told:
        assert found["verification"]["evidence"] == [{"type": "electronic_record"}]


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.5.1", "SHALL NOT")
@pytest.mark.parametrize(
    "demand",
    [
        {"trust_framework": {"value": "de_aml"}},
        {"trust_framework": {"values": ["gold", "silver"]}},
        {"assurance_level": {"value": "high"}},
        {"evidence": [OURS | {"record": {"type": {"value": "birth_register"}}}]},
        {"evidence": [OURS | {"check_details": [{"check_method": {"values": ["vpip", "vdig"]}}]}]},
    ],
    ids=json.dumps,
)
def test_demand_on_a_value_is_never_ignored(lasting_provider: Provider, demand: dict[str, Any]) -> None:
    """Essential or not."""
    assert answered(lasting_provider, verified("gender", **demand)) is None


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.5.1", "MAY")
def test_one_of_several_values_is_enough(lasting_provider: Provider) -> None:
    """Ours is told."""
    found = answered(lasting_provider, verified("gender", trust_framework={"values": ["gold", "eidas"]}))

    assert found["verification"]["trust_framework"] == "eidas"


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.5.2", "OPTIONAL")
@pytest.mark.parametrize("max_age, told", [(63_113_852, True), (1000 * 31_557_600, True), (0, False)])
def test_max_age_bounds_how_old_the_verification_is(provider: Provider, max_age: int, *, told: bool) -> None:
    """In seconds, at the time of the request; a thousand years bound nothing."""
    service = provider.a_client(claims=CONTRACT)
    person = a_certified_account(provider)
    provider.clock.advance(seconds=1)
    claims = asked_in("userinfo", verified("gender", time={"max_age": max_age}))

    tokens = provider.tokens(provider.signed_in(person), service, claims=claims)

    assert ("verified_claims" in provider.userinfo(tokens["access_token"]).json) is told


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.6", "SHALL")
def test_elements_are_answered_independently(lasting_provider: Provider) -> None:
    """Each that can be fulfilled, the same claim in more than one."""
    found = answered(
        lasting_provider,
        verified("gender", "family_name", trust_framework={"value": "gold"}),
        verified("gender", trust_framework={"value": "eidas"}),
        verified("gender", "family_name", assurance_level={"value": "low"}),
    )

    assert [set(element["claims"]) for element in found] == [{"gender"}, {"gender", "family_name"}]
