"""`verified_claims` and `certification`, in ID tokens and at UserInfo, on both databases."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto import jwt
from idp.domain.client import ClaimUse, Encryption
from idp.storage.models import account_attributes, franceconnect_links
from tests.support.certified import (
    ANGELA,
    BORN,
    CONTRACT,
    DEMANDING_CONTRACT,
    a_certified_account,
    asked_in,
    verified,
)
from tests.support.jwe import a_key_to_encrypt_to, decrypted
from tests.support.provider import answer_of
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

SIMPLE = {"verification": {"trust_framework": "eidas"}, "claims": {"family_name": "DUBOIS"}}
ENCRYPTION = Encryption("ECDH-ES", "A256GCM")


def id_token_of(provider: Provider, tokens: dict[str, Any]) -> dict[str, Any]:
    """Read the ID token of an answer, verified."""
    return jwt.verified_claims(tokens["id_token"], provider.context.keys.keyring().public_keys())


def a_service(provider: Provider, **fields: Any) -> Service:
    """Register a service whose contract has all that can be verified."""
    return provider.a_client(**({"claims": CONTRACT} | fields))


def told(provider: Provider, service: Service, claims: str, **changes: str) -> dict[str, Any]:
    """Go the whole way as a certified person; gives what UserInfo says."""
    browser = provider.signed_in(a_certified_account(provider))
    tokens = provider.tokens(browser, service, claims=claims, **changes)
    answer = provider.userinfo(tokens["access_token"])
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json or {}
    return body


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "element",
    [
        None,
        [],
        {"claims": {"family_name": None}},
        {"verification": {"trust_framework": None}, "claims": {}},
        {"verification": {"trust_framework": None}, "claims": {"family_name": {"purpose": "x" * 301}}},
    ],
    ids=json.dumps,
)
def test_request_that_can_not_be_read_goes_back_to_the_service(
    lasting_provider: Provider, element: object
) -> None:
    """invalid_request, before any page; an empty array asks for nothing."""
    service = a_service(lasting_provider)

    answer = lasting_provider.authorize(
        lasting_provider.signed_in(), service, claims=asked_in("userinfo", element)
    )

    assert answer_of(answer).get("error") == (None if element == [] else "invalid_request")


@pytest.mark.rule("FC-6")
def test_claims_that_nobody_certified_are_never_told_as_verified(lasting_provider: Provider) -> None:
    """A name that its owner typed is told plainly, and not as verified; nor is the address."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(lasting_provider.an_account(family_name="DUBOIS"))
    claims = asked_in("userinfo", verified("family_name", "email"), family_name=None, email=None)

    tokens = lasting_provider.tokens(browser, service, claims=claims)

    found = lasting_provider.userinfo(tokens["access_token"]).json
    assert found["family_name"] == "DUBOIS"
    assert "verified_claims" not in found


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize("place", ["userinfo", "id_token"])
def test_verified_claims_are_told_where_they_were_asked_for(lasting_provider: Provider, place: str) -> None:
    """In one place, and not in the other."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(a_certified_account(lasting_provider))

    tokens = lasting_provider.tokens(browser, service, claims=asked_in(place, verified("family_name")))

    places = {
        "userinfo": lasting_provider.userinfo(tokens["access_token"]).json,
        "id_token": id_token_of(lasting_provider, tokens),
    }
    assert places.pop(place)["verified_claims"] == SIMPLE
    assert all("verified_claims" not in other and "family_name" not in other for other in places.values())


@pytest.mark.rule("FC-6")
def test_everything_that_is_certified_can_be_told(lasting_provider: Provider) -> None:
    """With place of birth in words, level, time and evidence."""
    evidence = [{"type": {"value": "electronic_record"}, "record": {"type": None, "source": {"name": None}}}]
    element = verified(*ANGELA, "place_of_birth", assurance_level=None, time=None, evidence=evidence)

    found = told(lasting_provider, a_service(lasting_provider), asked_in("userinfo", element))

    assert found["verified_claims"] == {
        "verification": {
            "trust_framework": "eidas",
            "assurance_level": "low",
            "time": lasting_provider.clock().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "evidence": [
                {
                    "type": "electronic_record",
                    "record": {"type": "population_register", "source": {"name": "RNIPP (Insee)"}},
                }
            ],
        },
        "claims": ANGELA | {"place_of_birth": BORN},
    }


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize("level, told_", [("eidas2", "substantial"), ("eidas3", "high")])
def test_level_is_that_of_the_link(lasting_provider: Provider, level: str, told_: str) -> None:
    """What FranceConnect+ answered at the latest login."""
    service = a_service(lasting_provider)
    person = a_certified_account(lasting_provider, level=level, provider_name="franceconnect_plus")
    claims = asked_in("userinfo", verified("gender", assurance_level={"values": ["substantial", "high"]}))

    tokens = lasting_provider.tokens(lasting_provider.signed_in(person), service, claims=claims)

    found = lasting_provider.userinfo(tokens["access_token"]).json["verified_claims"]
    assert found["verification"]["assurance_level"] == told_


@pytest.mark.rule("FC-3", "FC-5", "FC-6")
def test_what_is_true_at_userinfo_is_told(provider: Provider, clock: SettableClock) -> None:
    """A changed name and the date of its proof at the next UserInfo; nothing once the link has ended."""
    service = a_service(provider, claims=DEMANDING_CONTRACT)
    person = a_certified_account(provider)
    claims = asked_in("userinfo", verified("family_name", time=None))
    tokens = provider.tokens(
        provider.signed_in(person), service, scope="openid offline_access", claims=claims
    )
    clock.advance(hours=2)
    with provider.context.database.write() as connection:
        connection.execute(
            account_attributes.update()
            .where(account_attributes.c.account_id == person.account_id)
            .values(recorded_at=clock())
        )
        connection.execute(
            account_attributes.update()
            .where(account_attributes.c.account_id == person.account_id)
            .where(account_attributes.c.name == "family_name")
            .values(value="DURAND")
        )

    again = provider.refresh(service, tokens["refresh_token"]).json
    changed = provider.userinfo(again["access_token"]).json["verified_claims"]
    with provider.context.database.write() as connection:
        connection.execute(franceconnect_links.update().values(ended_at=clock()))
    ended = provider.userinfo(again["access_token"]).json

    assert changed["claims"] == {"family_name": "DURAND"}
    assert changed["verification"]["time"] == clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "verified_claims" not in ended


@pytest.mark.rule("FC-6")
def test_refreshed_id_token_says_the_same_of_the_identity(lasting_provider: Provider) -> None:
    """The family keeps what was asked for, with every demand."""
    service = a_service(lasting_provider, claims=DEMANDING_CONTRACT)
    browser = lasting_provider.signed_in(a_certified_account(lasting_provider))
    elements = [
        verified("family_name", trust_framework={"values": ["eidas", "other"]}),
        verified("gender", assurance_level={"value": "high"}),
        {"verification": {"trust_framework": None}, "claims": {"birthdate": {"value": "1962-08-24"}}},
    ]

    tokens = lasting_provider.tokens(
        browser, service, scope="openid offline_access", claims=asked_in("id_token", elements)
    )
    again = lasting_provider.refresh(service, tokens["refresh_token"]).json

    first, second = id_token_of(lasting_provider, tokens), id_token_of(lasting_provider, again)
    assert first["verified_claims"] == second["verified_claims"]
    assert [one["claims"] for one in second["verified_claims"]] == [
        {"family_name": "DUBOIS"},
        {"birthdate": "1962-08-24"},
    ]


@pytest.mark.rule("FC-6")
def test_max_age_counts_to_the_request(provider: Provider, clock: SettableClock) -> None:
    """An identity that was fresh then stays told; one that was too old never is, and it is no error."""
    service = a_service(provider, claims=DEMANDING_CONTRACT)
    person = a_certified_account(provider)
    fresh = asked_in("userinfo", verified("family_name", time={"max_age": 60}))
    early = provider.tokens(provider.signed_in(person), service, scope="openid offline_access", claims=fresh)
    clock.advance(minutes=2)

    late = provider.tokens(provider.signed_in(person), service, claims=fresh)
    refreshed = provider.refresh(service, early["refresh_token"]).json

    assert "verified_claims" not in provider.userinfo(late["access_token"]).json
    assert "verified_claims" in provider.userinfo(refreshed["access_token"]).json


@pytest.mark.rule("CON-1", "CON-2", "FC-6")
def test_verified_claims_are_asked_of_the_person_one_by_one(lasting_provider: Provider) -> None:
    """The consent page names each; what is not ticked is not told, what the contract lacks is not shown."""
    service = a_service(
        lasting_provider,
        consent_required=True,
        claims=tuple(use for use in CONTRACT if use.name in {"family_name", "gender"}),
    )
    browser = lasting_provider.signed_in(a_certified_account(lasting_provider))
    claims = asked_in("userinfo", verified("family_name", "gender", "birthdate"))
    asked = lasting_provider.authorize(browser, service, claims=claims)

    shown = browser.get(asked.location).text
    answer = lasting_provider.consent(browser, asked.location, claims=("family_name",))

    assert 'value="family_name"' in shown
    assert 'value="gender"' in shown
    assert "1962" not in shown
    tokens = lasting_provider.redeem(service, answer_of(answer)["code"]).json
    assert lasting_provider.userinfo(tokens["access_token"]).json["verified_claims"] == SIMPLE


@pytest.mark.rule("CON-1", "FC-6")
def test_contract_that_shrank_is_held_to_at_the_next_request(lasting_provider: Provider) -> None:
    """An old consent gives nothing that the contract has lost."""
    service = a_service(lasting_provider, consent_required=True)
    browser = lasting_provider.signed_in(a_certified_account(lasting_provider))
    claims = asked_in("userinfo", verified("family_name", "gender"))
    asked = lasting_provider.authorize(browser, service, claims=claims)
    lasting_provider.consent(browser, asked.location, claims=("family_name", "gender"))

    shrunk = lasting_provider.change(
        service, claims=tuple(use for use in CONTRACT if use.name == "family_name")
    )
    tokens = lasting_provider.tokens(browser, shrunk, claims=claims)

    assert lasting_provider.userinfo(tokens["access_token"]).json["verified_claims"] == SIMPLE


@pytest.mark.rule("FC-6")
def test_signed_and_encrypted_answers_have_verified_claims_too(lasting_provider: Provider) -> None:
    """At UserInfo and in the ID token."""
    key, jwks = a_key_to_encrypt_to()
    service = a_service(
        lasting_provider,
        userinfo_signed_response_alg="ES256",
        userinfo_encryption=ENCRYPTION,
        id_token_encryption=ENCRYPTION,
        jwks=jwks,
    )
    browser = lasting_provider.signed_in(a_certified_account(lasting_provider))
    element = {"verified_claims": verified("family_name")}
    claims = json.dumps({"userinfo": element, "id_token": element})

    tokens = lasting_provider.tokens(browser, service, claims=claims)

    answer = lasting_provider.userinfo(tokens["access_token"])
    keys = lasting_provider.context.keys.keyring().public_keys()
    for token in (answer.text, tokens["id_token"]):
        inner = jwt.verified_claims(decrypted(token, key, ENCRYPTION), keys)
        assert inner["verified_claims"] == SIMPLE


@pytest.mark.rule("FC-6")
def test_answer_through_the_browser_has_verified_claims_too(lasting_provider: Provider) -> None:
    """The ID token of the hybrid flow is made like any other."""
    service = a_service(lasting_provider, response_types=frozenset({"code", "code id_token"}))
    browser = lasting_provider.signed_in(a_certified_account(lasting_provider))

    answer = lasting_provider.authorize(
        browser,
        service,
        response_type="code id_token",
        claims=asked_in("id_token", verified("family_name")),
    )

    assert id_token_of(lasting_provider, answer_of(answer))["verified_claims"] == SIMPLE


@pytest.mark.rule("FC-6")
def test_pushed_request_keeps_verified_claims(lasting_provider: Provider) -> None:
    """However the request comes."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(a_certified_account(lasting_provider))
    parameters = lasting_provider.parameters(service, claims=asked_in("userinfo", verified("family_name")))
    pushed = lasting_provider.post("/par", service, **parameters).json

    answer = browser.get(
        "/authorize", query_string={"client_id": service.client_id, "request_uri": pushed["request_uri"]}
    )

    tokens = lasting_provider.redeem(service, answer_of(answer)["code"]).json
    assert lasting_provider.userinfo(tokens["access_token"]).json["verified_claims"] == SIMPLE


@pytest.mark.rule("FC-6", "PRI-3")
def test_two_services_see_nothing_that_joins_them(lasting_provider: Provider) -> None:
    """Beyond the identity that both asked for: no identifier of the verification or of its link."""
    person = a_certified_account(lasting_provider)
    element = verified(
        "gender",
        verification_process=None,
        assurance_process={"policy": None},
        evidence=[
            {
                "type": {"value": "electronic_record"},
                "check_details": [{"check_method": None, "check_id": None}],
                "record": {"type": None},
            }
        ],
    )
    answers = []
    for service in (a_service(lasting_provider), a_service(lasting_provider)):
        tokens = lasting_provider.tokens(
            lasting_provider.signed_in(person), service, claims=asked_in("userinfo", element)
        )
        answers.append(lasting_provider.userinfo(tokens["access_token"]).json["verified_claims"])

    assert answers[0] == answers[1]
    assert answers[0]["verification"].keys() == {"trust_framework", "evidence"}
    assert answers[0]["verification"]["evidence"] == [
        {"type": "electronic_record", "record": {"type": "population_register"}}
    ]


# certification


@pytest.mark.rule("FC-6")
def test_certification_says_how_sure_each_claim_is(lasting_provider: Provider) -> None:
    """Of the claims of its place, and of no other."""
    service = a_service(lasting_provider)
    claims = json.dumps(
        {"userinfo": {"family_name": None, "email": None, "birthdate": None, "certification": None}}
    )

    found = told(lasting_provider, service, claims)

    date = lasting_provider.clock().strftime("%Y-%m-%dT%H:%M:%SZ")
    assert found["certification"] == {
        "family_name": {"level": 600, "source": "franceconnect", "date": date},
        "birthdate": {"level": 600, "source": "franceconnect", "date": date},
        "email": {"level": 250, "source": "mail"},
    }


@pytest.mark.rule("FC-6", "CON-1")
def test_certification_alone_or_outside_of_the_contract_says_nothing(lasting_provider: Provider) -> None:
    """It goes with claims that are given; a scope never asks for it."""
    service = a_service(lasting_provider, claims=(ClaimUse("email", {"fr": "x"}, required=True),))
    alone = told(lasting_provider, service, json.dumps({"userinfo": {"certification": None, "gender": None}}))
    by_scope = told(lasting_provider, service, "{}", scope="openid email")
    in_id_token = json.dumps({"id_token": {"certification": None}, "userinfo": {"email": None}})

    assert alone.keys() == {"sub"}
    assert "certification" not in by_scope
    assert "certification" not in told(lasting_provider, service, in_id_token)


# Budgets


def cost(provider: Provider, service: Service, code: str, place: str) -> int:
    """Count the statements of the request that tells what was asked for in a place."""
    database = provider.context.database
    access_token = "" if place == "id_token" else provider.redeem(service, code).json["access_token"]
    with recorded_queries(database.reader) as reads, recorded_queries(database.writer) as writes:
        answer = provider.userinfo(access_token) if access_token else provider.redeem(service, code)
    assert answer.status_code == 200
    return len(reads) + len(writes)


@pytest.mark.rule("OID-2", "FC-6")
@pytest.mark.parametrize("place, most", [("userinfo", 3), ("id_token", 7)])
def test_verified_claims_cost_one_read_more(lasting_provider: Provider, place: str, most: int) -> None:
    """The level of the link; a token that has none costs what it did."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(a_certified_account(lasting_provider))
    claims = asked_in(place, verified("family_name"), gender=None)
    lasting_provider.tokens(browser, service, claims=claims)
    code = lasting_provider.code(browser, service, claims=claims)
    plain = lasting_provider.code(browser, service, claims=json.dumps({place: {"gender": None}}))

    costs = [cost(lasting_provider, service, one, place) for one in (plain, code)]

    assert costs[1] == costs[0] + 1
    assert costs[1] <= most
