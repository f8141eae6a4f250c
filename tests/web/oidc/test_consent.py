"""Consent: asked with reasons, remembered, refused in part and whole, withdrawn at once (CON-2, CON-4, CON-5)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from idp.domain.client import ClaimUse
from idp.services.authorization import consents as use_case
from idp.storage.models import consents
from tests.support.builders import CONFIRMED
from tests.support.provider import CALLBACK, SESSION_COOKIE, answer_of, continue_url, form_of

if TYPE_CHECKING:
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

EMAIL = ClaimUse("email", {"fr": "Pour vous prévenir.", "en": "To warn you."}, required=True)
GIVEN_NAME = ClaimUse("given_name", {"fr": "Pour vous saluer.", "en": "To greet you."})
FAMILY_NAME = ClaimUse("family_name", {"fr": "Pour la carte.", "en": "For the card."})
SCOPE = "openid email profile"


def a_service(provider: Provider, **fields: Any) -> Service:
    """Register a service that has to ask."""
    usual = {"consent_required": True, "claims": (EMAIL, GIVEN_NAME, FAMILY_NAME)}
    return provider.a_client(**(usual | fields))


def rows(provider: Provider, service: Service) -> list[Any]:
    """Read every consent given to a service, the oldest first."""
    statement = (
        select(consents).where(consents.c.client_id == service.client_id).order_by(consents.c.granted_at)
    )
    with provider.context.database.read() as connection:
        return list(connection.execute(statement))


@pytest.mark.rule("CON-1", "CON-2")
def test_screen_says_who_receives_what_and_why(lasting_provider: Provider) -> None:
    """The service, its host, each datum with its value and its reason; nothing optional is ticked."""
    service = a_service(lasting_provider, policy_uri="https://parking.example.org/privacy")
    browser = lasting_provider.signed_in(lasting_provider.an_account("zoe@ville.example", given_name="Zoé"))

    page = browser.get(lasting_provider.authorize(browser, service, scope=SCOPE).location).text

    for text in (
        service.client.name,
        "parking.example.org",
        "Pour vous prévenir.",
        "zoe@ville.example",
        "Zoé",
    ):
        assert text in page
    assert 'value="given_name"' in page
    assert not re.search(r"<input[^>]+\bchecked\b", page)
    assert 'href="https://parking.example.org/privacy"' in page


@pytest.mark.rule("CON-2")
def test_consent_is_remembered_until_more_is_asked(lasting_provider: Provider) -> None:
    """Asked once; again only when what is asked grows, and then with what is new marked."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(lasting_provider.an_account(given_name="Zoé"))
    lasting_provider.tokens(browser, service, scope="openid email")

    same = lasting_provider.authorize(browser, service, scope="openid email")
    less = lasting_provider.authorize(browser, service, scope="openid")
    more = lasting_provider.authorize(browser, service, scope=SCOPE)

    assert "code" in answer_of(same)
    assert "code" in answer_of(less)
    assert more.location.startswith("/consent?")
    assert browser.get(more.location).text.count("badge-new") == 2


@pytest.mark.rule("CON-2")
def test_optional_claims_are_refused_one_by_one(lasting_provider: Provider) -> None:
    """What was not ticked is not given, and not asked again."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(lasting_provider.an_account(given_name="Zoé", family_name="Durand"))
    location = lasting_provider.authorize(browser, service, scope=SCOPE).location
    code = answer_of(lasting_provider.consent(browser, location, claims=("given_name",)))["code"]

    tokens = lasting_provider.redeem(service, code).json

    given = lasting_provider.userinfo(tokens["access_token"]).json
    assert given.keys() == {"sub", "email", "email_verified", "given_name"}
    assert "code" in answer_of(lasting_provider.authorize(browser, service, scope=SCOPE))


@pytest.mark.rule("CON-2")
@pytest.mark.parametrize("claims", [("birthdate",), ("sub", "address"), ("given_name' OR 1=1",), ("é\x00",)])
def test_claim_that_was_not_asked_can_not_be_ticked(
    lasting_provider: Provider, claims: tuple[str, ...]
) -> None:
    """A form made by hand gives no more than the screen offered."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(lasting_provider.an_account(birthdate="1990-01-01"))
    location = lasting_provider.authorize(browser, service, scope=SCOPE).location

    code = answer_of(lasting_provider.consent(browser, location, claims=claims))["code"]

    tokens = lasting_provider.redeem(service, code).json
    assert lasting_provider.userinfo(tokens["access_token"]).json.keys() == {"sub", "email", "email_verified"}


@pytest.mark.rule("CON-2")
@pytest.mark.spec("RFC 6749", "4.1.2.1", "MUST")
def test_refusal_gives_access_denied_and_nothing_else(lasting_provider: Provider) -> None:
    """The service hears that the person said no; nothing was kept as a yes."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in()
    location = lasting_provider.authorize(browser, service, scope=SCOPE).location

    answer = lasting_provider.consent(browser, location, decision="deny")

    assert answer.status_code == 200
    assert continue_url(answer).startswith(f"{CALLBACK}?error=access_denied")
    assert answer_of(answer)["state"] == "s-1"
    assert rows(lasting_provider, service) == []


@pytest.mark.rule("CON-2")
@pytest.mark.parametrize("decision", [None, "", "yes", "ALLOW", "allow\x00"])
def test_anything_but_a_clear_yes_is_none(lasting_provider: Provider, decision: str | None) -> None:
    """A form without an answer, or with another word, gives nothing."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in()
    fields = form_of(browser.get(lasting_provider.authorize(browser, service).location))

    answer = browser.post("/consent", data=fields | ({} if decision is None else {"decision": decision}))

    assert answer.status_code == 400
    assert rows(lasting_provider, service) == []


@pytest.mark.rule("CON-2")
def test_two_answers_at_once_are_none(lasting_provider: Provider) -> None:
    """Yes and no together is no yes."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in()
    fields = form_of(browser.get(lasting_provider.authorize(browser, service).location))

    answer = browser.post("/consent", data={**fields, "decision": ["allow", "deny"]})

    assert answer.status_code == 400


@pytest.mark.rule("CON-2")
def test_consent_can_not_be_given_by_another_site(lasting_provider: Provider) -> None:
    """Without the form's own token, or from another site, nothing is allowed (S-194)."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in()
    fields = form_of(browser.get(lasting_provider.authorize(browser, service).location)) | {
        "decision": "allow"
    }
    without = {name: value for name, value in fields.items() if name != "csrf_token"}

    answers = [
        browser.post("/consent", data=without),
        browser.post("/consent", data=fields | {"csrf_token": "x"}),
        browser.post("/consent", data=fields, headers={"Sec-Fetch-Site": "cross-site"}),
        browser.post("/consent", data=fields, headers={"Sec-Fetch-Site": "same-site"}),
        lasting_provider.signed_in().post("/consent", data=fields),
    ]

    assert [answer.status_code for answer in answers] == [400] * 5
    assert rows(lasting_provider, service) == []


@pytest.mark.rule("CON-4")
def test_withdrawal_kills_every_token_at_once(lasting_provider: Provider) -> None:
    """After "Retirer", nothing can be read, refreshed or redeemed; and the next request asks again."""
    service, other = a_service(lasting_provider), a_service(lasting_provider)
    browser = lasting_provider.signed_in()
    tokens = lasting_provider.tokens(browser, service, scope="openid email offline_access")
    kept = lasting_provider.tokens(browser, other, scope="openid email offline_access")
    code = lasting_provider.code(browser, service)
    listed = browser.get("/account/services")
    fields = {"csrf_token": csrf_of(listed.text), "client_id": service.client_id}

    asked = browser.post("/account/services/withdraw", data=fields)
    done = browser.post("/account/services/withdraw", data=fields | {"confirmed": "yes"})

    assert service.client.name in listed.text
    assert asked.status_code == 200
    assert done.status_code == 303
    assert lasting_provider.is_dead(service, tokens)
    assert lasting_provider.redeem(service, code).json["error"] == "invalid_grant"
    assert lasting_provider.authorize(browser, service).location.startswith("/consent?")
    assert lasting_provider.userinfo(kept["access_token"]).status_code == 200
    after = browser.get("/account/services").text
    assert f'name="client_id" value="{service.client_id}"' not in after
    assert after.index(service.client.name) > after.index('id="past"')


def csrf_of(page: str) -> str:
    """Read the token of a page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


@pytest.mark.rule("CON-4")
def test_withdrawal_of_what_was_never_given_is_not_found(lasting_provider: Provider) -> None:
    """Another person's consent, or none, can't be withdrawn."""
    service = a_service(lasting_provider)
    owner = lasting_provider.signed_in()
    tokens = lasting_provider.tokens(owner, service)
    browser = lasting_provider.signed_in()
    token = csrf_of(browser.get("/account/services").text)

    for client_id in (service.client_id, "nobody", ""):
        fields = {"csrf_token": token, "client_id": client_id}
        assert browser.post("/account/services/withdraw", data=fields).status_code == 404
        browser.post("/account/services/withdraw", data=fields | {"confirmed": "yes"})

    assert lasting_provider.userinfo(tokens["access_token"]).status_code == 200


@pytest.mark.rule("CON-4")
def test_withdrawal_needs_somebody_signed_in(lasting_provider: Provider) -> None:
    """A browser without a session is sent to sign in, or refused."""
    browser = lasting_provider.client()
    token = csrf_of(browser.get("/contact").text) if "csrf_token" in browser.get("/contact").text else ""

    answer = browser.post("/account/services/withdraw", data={"csrf_token": token, "client_id": "x"})

    assert answer.status_code in {303, 400}


@pytest.mark.rule("CON-5")
def test_each_answer_is_kept_as_a_proof(provider: Provider, clock: SettableClock) -> None:
    """A new answer ends the one before it and keeps it; what is not asked now stays as it was answered."""
    service = a_service(provider, policy_version="7")
    person = provider.an_account(given_name="Zoé", family_name="Durand")
    browser = provider.signed_in(person)
    first = provider.authorize(browser, service, scope=SCOPE).location
    provider.consent(browser, first, claims=("given_name",))
    clock.advance(minutes=1)
    second = provider.authorize(
        browser, service, scope="openid", prompt="consent", claims='{"userinfo": {"family_name": null}}'
    ).location
    provider.consent(browser, second, claims=("family_name",))

    before, after = rows(provider, service)

    assert (before.claims, before.refused_claims) == (["email", "given_name"], ["family_name"])
    assert before.withdrawn_at == after.granted_at
    assert (after.claims, after.refused_claims) == (["email", "family_name", "given_name"], [])
    assert after.withdrawn_at is None
    assert (after.policy_version, after.language) == ("7", "fr")
    assert person.account_id not in after.subject


@pytest.mark.rule("CON-2")
def test_consent_withdrawn_while_the_screen_is_open_is_not_revived(lasting_provider: Provider) -> None:
    """What the person took back in another tab stays taken back, whatever the open screen read before."""
    service = a_service(lasting_provider)
    person = lasting_provider.an_account(given_name="Zoé")
    browser = lasting_provider.signed_in(person)
    location = lasting_provider.authorize(browser, service, scope=SCOPE).location
    lasting_provider.consent(browser, location, claims=("given_name",))
    open_screen = lasting_provider.authorize(
        browser, service, scope="openid email", prompt="consent"
    ).location
    fields = form_of(browser.get(open_screen)) | {"decision": "allow"}
    use_case.withdraw(lasting_provider.context, person.account_id, service.client_id, CONFIRMED)

    shown_again = browser.post("/consent", data=fields)

    assert shown_again.location == open_screen
    lasting_provider.consent(browser, open_screen)
    assert rows(lasting_provider, service)[-1].claims == ["email"]


@pytest.mark.rule("CON-2")
def test_service_that_needs_no_consent_gets_its_contract_but_what_was_refused(
    lasting_provider: Provider,
) -> None:
    """An older, smaller consent for a refresh token takes nothing away from a duty of law; a no still counts."""
    service = a_service(lasting_provider, consent_required=False)
    person = lasting_provider.an_account(given_name="Zoé", family_name="Durand")
    browser = lasting_provider.signed_in(person)
    lasting_provider.tokens(browser, service, scope="openid offline_access")

    tokens = lasting_provider.tokens(browser, service, scope=SCOPE)

    assert tokens["scope"] == "email openid profile"
    given = lasting_provider.userinfo(tokens["access_token"]).json
    assert given.keys() == {"sub", "email", "email_verified", "given_name", "family_name"}


@pytest.mark.rule("CON-1")
@pytest.mark.parametrize("name", ["name", "locale", "updated_at"])
def test_required_claim_that_we_make_ourselves_is_never_missing(
    lasting_provider: Provider, name: str
) -> None:
    """A claim made of others is held when they are: nobody is sent in circles to complete a profile."""
    service = a_service(lasting_provider, claims=(ClaimUse(name, EMAIL.reason, required=True),))
    browser = lasting_provider.signed_in(lasting_provider.an_account(given_name="Zoé", family_name="Durand"))

    tokens = lasting_provider.tokens(browser, service, scope="openid profile")

    assert name in lasting_provider.userinfo(tokens["access_token"]).json


@pytest.mark.rule("CON-1")
def test_required_claim_that_is_missing_is_asked_before(lasting_provider: Provider) -> None:
    """The person completes the profile first."""
    service = a_service(lasting_provider, claims=(ClaimUse("birthdate", EMAIL.reason, required=True),))

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, scope="openid profile")

    assert answer.location.startswith("/account/identity?")


@pytest.mark.rule("CON-2")
def test_whoever_signed_out_meanwhile_gives_no_consent(lasting_provider: Provider) -> None:
    """A form left open on a shared terminal opens nothing once the session has ended."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in()
    fields = form_of(browser.get(lasting_provider.authorize(browser, service).location)) | {
        "decision": "allow"
    }
    browser.delete_cookie(SESSION_COOKIE)

    answer = browser.post("/consent", data=fields)

    assert answer.location.startswith("/sign-in?")
    assert rows(lasting_provider, service) == []


@pytest.mark.rule("CON-2")
def test_screen_shown_to_one_person_is_not_answered_by_another(lasting_provider: Provider) -> None:
    """Who signs in while somebody else's screen is open sees their own first."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(lasting_provider.an_account(given_name="Zoé"))
    location = lasting_provider.authorize(browser, service, scope=SCOPE).location
    fields = form_of(browser.get(location))
    lasting_provider.signed_in(lasting_provider.an_account(given_name="Max"), browser=browser)

    answer = browser.post("/consent", data={**fields, "decision": "allow"})

    assert answer.status_code == 303
    assert answer.location.startswith("/consent?")
