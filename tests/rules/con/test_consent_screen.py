"""The consent screen: made from the contract, about what is open only, proven by its very words."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from idp.domain.client import ClaimUse, LegalBasis
from idp.storage.models import accounts, consents, ledger_entries, shown_texts
from tests.support.provider import answer_of, form_of
from tests.support.purposes import MOBILE, SURVEYS, proofs

if TYPE_CHECKING:
    from idp.domain.account import Account
    from tests.support.provider import Provider, Service

EMAIL = ClaimUse("email", {"fr": "Pour vous prévenir.", "en": "To warn you."}, required=True)
GIVEN_NAME = ClaimUse("given_name", {"fr": "Pour vous saluer.", "en": "To greet you."})
FAMILY_NAME = ClaimUse("family_name", {"fr": "Pour la carte."}, minimum_level=600)
SCOPE = "openid email profile"
CONTRACT: dict[str, Any] = {
    "organisation": "Direction de la Voirie & de l’Eau",
    "policy_uri": "https://parking.example.org/donnees",
    "tos_uri": "https://parking.example.org/cgu",
    "policy_version": "3",
    "retention": {"fr": "Un an.", "en": "One year."},
    "recipients": ("Hébergeur", "Régie"),
    "storage_location": "France",
    "data_protection_contact": "dpd@parking.example.org",
    "legal_basis": LegalBasis.PUBLIC_INTEREST,
}


def a_service(provider: Provider, **fields: Any) -> Service:
    """Register a service that has to ask."""
    usual = {"consent_required": True, "claims": (EMAIL, GIVEN_NAME, FAMILY_NAME)}
    return provider.a_client(**(usual | fields))


def entries(provider: Provider, service: Service, matter: str = "consent") -> list[Any]:
    """Read the proofs of one service with their words, the oldest first."""
    statement = (
        select(ledger_entries, shown_texts.c.content)
        .join(shown_texts, shown_texts.c.text_hash == ledger_entries.c.text_hash)
        .where(ledger_entries.c.client_id == service.client_id, ledger_entries.c.matter == matter)
        .order_by(ledger_entries.c.sequence)
    )
    with provider.context.database.read() as connection:
        return list(connection.execute(statement))


def living(provider: Provider, service: Service) -> list[Any]:
    """Read the consents to a service that hold."""
    statement = select(consents).where(
        consents.c.client_id == service.client_id, consents.c.withdrawn_at.is_(None)
    )
    with provider.context.database.read() as connection:
        return list(connection.execute(statement))


def text_of(page: str) -> str:
    """Read what a page says, without its markup; spaces as they are seen."""
    main = page.partition("<main")[2].partition("</main>")[0]
    # What runs on within a line leaves no space; a block does.
    within = re.sub(r"</?(strong|span|a)\b[^>]*>", "", main)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", within)).split())


def seen(line: str) -> str:
    """Write a line of the ledger as `text_of` does."""
    return " ".join(line.split())


@pytest.fixture
def person(lasting_provider: Provider) -> Account:
    """Somebody with a name."""
    return lasting_provider.an_account(given_name="Zoé", family_name="Durand")


Configured = dict[str, Any]
SCREENS: dict[str, tuple[Configured, dict[str, str]]] = {
    "bare": ({}, {"scope": SCOPE}),
    "whole contract": (CONTRACT | {"purposes": (MOBILE, SURVEYS)}, {"scope": f"{SCOPE} offline_access api"}),
    "in English": (CONTRACT | {"purposes": (MOBILE,)}, {"scope": SCOPE, "ui_locales": "en"}),
    "nothing about the person": ({"claims": ()}, {}),
    "questions alone": ({"claims": (), "purposes": (MOBILE, SURVEYS)}, {}),
    "unknown service": ({"is_verified": False, "contacts": ("moi@example.org",)}, {"scope": SCOPE}),
    "names to escape": ({"name": "<b>Parc & jardin</b> {name} [name]", "organisation": '"A" & <B>'}, {}),
}


@pytest.mark.rule("CON-2", "CON-5")
@pytest.mark.parametrize("decision", ["allow", "deny"])
@pytest.mark.parametrize("name", SCREENS)
def test_every_word_that_is_proven_was_on_the_page(
    lasting_provider: Provider, person: Account, name: str, decision: str
) -> None:
    """Each line of the entry's words stands on the screen that was answered, and no value of the person is in it."""
    fields, request = SCREENS[name]
    service = a_service(lasting_provider, **fields)
    browser = lasting_provider.signed_in(person)
    location = lasting_provider.authorize(browser, service, **request).location
    page = text_of(browser.get(location).text)
    purposes = {one.name: "no" for one in service.client.purposes}

    lasting_provider.consent(browser, location, decision, purposes=purposes)

    (entry,) = entries(lasting_provider, service)
    assert entry.act == ("given" if decision == "allow" else "refused")
    assert [line for line in entry.content.splitlines() if seen(line) not in page] == []
    assert not any(value in entry.content for value in ("Zoé", "Durand", person.email))
    assert entry.language == ("en" if "ui_locales" in request else "fr")


@pytest.mark.rule("CON-1", "CON-2")
def test_page_has_no_word_of_its_own_about_the_question(lasting_provider: Provider, person: Account) -> None:
    """What the card says is in the proof, but for the person's values and who vouches for them."""
    service = a_service(lasting_provider, **CONTRACT, purposes=(MOBILE,))
    browser = lasting_provider.signed_in(person)
    location = lasting_provider.authorize(browser, service, scope=SCOPE).location
    card = text_of("<main" + browser.get(location).text.partition('<div class="card">')[2])

    lasting_provider.consent(browser, location, purposes={MOBILE.name: "yes"})

    (entry,) = entries(lasting_provider, service)
    left = card
    for line in sorted(map(seen, entry.content.splitlines()), key=len, reverse=True):
        left = left.replace(line, " ")
    own = {"Zoé", "Durand", person.email, "Vérifié", "Déclaré", "(nouvelle fenêtre)"}
    for value in own:
        left = left.replace(value, " ")
    # After the card: what the badges mean.
    assert seen(left).partition("nous avons envoyé")[0].strip() == ""


@pytest.mark.rule("CON-5", "CON-8")
def test_proof_names_the_policy_and_what_was_asked_allowed_and_refused(
    lasting_provider: Provider, person: Account
) -> None:
    """By names, never by values; the subject is the one that the service knows."""
    service = a_service(lasting_provider, **CONTRACT, purposes=(MOBILE,))
    browser = lasting_provider.signed_in(person)
    location = lasting_provider.authorize(browser, service, scope=SCOPE).location

    lasting_provider.consent(browser, location, claims=("given_name",), purposes={MOBILE.name: "yes"})

    (entry,), (consent,) = entries(lasting_provider, service), living(lasting_provider, service)
    assert entry.document == {
        "name": "policy",
        "version": "3",
        "reference": "https://parking.example.org/donnees",
    }
    assert entry.details == {
        "asked": ["email", "given_name", "family_name"],
        "new": [],
        "purposes": ["mobile_providers"],
        "legal_basis": "public_interest",
        "consent_id": consent.consent_id,
        "scopes": ["email", "openid", "profile"],
        "claims": ["email", "given_name"],
        "refused_claims": ["family_name"],
    }
    assert (entry.subject, entry.channel) == (consent.subject, "consent")
    (answer,) = entries(lasting_provider, service, "purpose")
    assert (answer.act, answer.channel) == ("given", "consent")


@pytest.mark.rule("CON-2")
def test_only_what_is_added_is_asked(lasting_provider: Provider, person: Account) -> None:
    """What was answered before is not put again, and stays as it was answered."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(person)
    first = lasting_provider.authorize(
        browser, service, scope="openid email", claims='{"userinfo": {"given_name": null}}'
    )
    lasting_provider.consent(browser, first.location, claims=("given_name",))

    more = lasting_provider.authorize(browser, service, scope=SCOPE)
    page = browser.get(more.location).text
    lasting_provider.consent(browser, more.location)

    assert 'value="family_name"' in page
    assert 'value="given_name"' not in page
    assert "Déjà autorisé, rien ne change\u00a0: Adresse e-mail, Prénoms." in page
    (consent,) = living(lasting_provider, service)
    assert (consent.claims, consent.refused_claims) == (["email", "given_name"], ["family_name"])
    assert entries(lasting_provider, service)[-1].details["new"] == ["family_name"]


@pytest.mark.rule("CON-2")
def test_refused_claim_that_became_required_is_asked_again(
    lasting_provider: Provider, person: Account
) -> None:
    """The contract changed: what was a choice is a condition now, and the person says yes or no to it."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(person)
    lasting_provider.tokens(browser, service, scope=SCOPE)
    lasting_provider.change(service, claims=(EMAIL, replace(GIVEN_NAME, required=True), FAMILY_NAME))

    asked = lasting_provider.authorize(browser, service, scope=SCOPE)
    page = browser.get(asked.location).text
    lasting_provider.consent(browser, asked.location)

    assert "Nécessaires au service" in page
    assert 'value="family_name"' not in page
    (consent,) = living(lasting_provider, service)
    assert (consent.claims, consent.refused_claims) == (["email", "given_name"], ["family_name"])


@pytest.mark.rule("CON-2")
def test_addition_to_an_answer_that_was_withdrawn_meanwhile_is_not_kept(
    lasting_provider: Provider, person: Account
) -> None:
    """Half an answer is none: the whole question comes instead."""
    service = a_service(lasting_provider)
    browser = lasting_provider.signed_in(person)
    lasting_provider.tokens(browser, service, scope="openid email")
    location = lasting_provider.authorize(browser, service, scope=SCOPE).location
    fields = form_of(browser.get(location)) | {"decision": "allow"}
    with lasting_provider.context.database.write() as connection:
        connection.execute(
            consents.update()
            .where(consents.c.client_id == service.client_id)
            .values(withdrawn_at=lasting_provider.clock())
        )

    answer = browser.post("/consent", data=fields)

    assert answer.location == location
    assert living(lasting_provider, service) == []
    assert "Pour vous prévenir." in browser.get(location).text


@pytest.mark.rule("CON-8")
def test_new_policy_version_asks_again_and_says_so(lasting_provider: Provider, person: Account) -> None:
    """At the next authorization, in the page's words; in silence the service hears consent_required."""
    service = a_service(lasting_provider, **CONTRACT)
    browser = lasting_provider.signed_in(person)
    lasting_provider.tokens(browser, service, scope=SCOPE)
    lasting_provider.change(service, policy_version="4")

    silent = lasting_provider.authorize(browser, service, scope="openid", prompt="none")
    asked = lasting_provider.authorize(browser, service, scope="openid email")
    page = browser.get(asked.location).text
    lasting_provider.consent(browser, asked.location)

    assert answer_of(silent)["error"] == "consent_required"
    assert "La politique de ce service a changé" in page
    assert "(version 4)" in page
    assert not re.search(r"<input[^>]+\bchecked\b", page)
    assert living(lasting_provider, service)[0].policy_version == "4"
    assert "code" in answer_of(lasting_provider.authorize(browser, service, scope=SCOPE))


@pytest.mark.rule("CON-5", "CON-8")
def test_answer_to_words_that_changed_meanwhile_is_not_taken(
    lasting_provider: Provider, person: Account
) -> None:
    """Nobody is held to a contract that was changed while its screen was open: the new one is shown."""
    service = a_service(lasting_provider, **CONTRACT)
    browser = lasting_provider.signed_in(person)
    location = lasting_provider.authorize(browser, service, scope=SCOPE).location
    fields = form_of(browser.get(location))
    lasting_provider.change(service, retention={"fr": "Cent ans."})

    answers = [browser.post("/consent", data=fields | {"decision": word}) for word in ("allow", "deny")]

    assert [answer.location for answer in answers] == [location] * 2
    assert living(lasting_provider, service) == []
    assert entries(lasting_provider, service) == []
    assert "Cent ans." in browser.get(location).text


@pytest.mark.rule("CON-1")
def test_service_that_always_asks_is_not_asked_for_in_silence(
    lasting_provider: Provider, person: Account
) -> None:
    """Each visible authorization asks; a silent one goes by the answer that holds."""
    service = a_service(lasting_provider, consent_always=True)
    browser = lasting_provider.signed_in(person)
    lasting_provider.tokens(browser, service, scope="openid email")

    again = lasting_provider.authorize(browser, service, scope="openid email")
    silent = lasting_provider.authorize(browser, service, scope="openid email", prompt="none")

    assert "Une nouvelle réponse vous est demandée." in browser.get(again.location).text
    assert "code" in answer_of(silent)


@pytest.mark.rule("CON-1")
def test_level_of_the_contract_that_nobody_reaches_here_lets_nobody_in(
    lasting_provider: Provider, person: Account
) -> None:
    """Where FranceConnect is off, a service that demands its level gets an error at once."""
    service = a_service(lasting_provider, required_acr="eidas1")

    answer = lasting_provider.authorize(lasting_provider.signed_in(person), service)

    assert answer_of(answer)["error"] == "unmet_authentication_requirements"


# Purposes


def open_screen(provider: Provider, person: Account, **fields: Any) -> tuple[Service, Any, str]:
    """Bring somebody to the screen of a service with a question."""
    service = a_service(provider, **({"purposes": (MOBILE, SURVEYS)} | fields))
    browser = provider.signed_in(person)
    return service, browser, provider.authorize(browser, service, scope=SCOPE).location


@pytest.mark.rule("CON-3")
def test_neither_answer_is_given_beforehand_and_both_weigh_the_same(
    lasting_provider: Provider, person: Account
) -> None:
    """Two radio buttons of one kind, none of them chosen."""
    _, browser, location = open_screen(lasting_provider, person)

    page = browser.get(location).text

    radios = re.findall(r'<input id="field-purpose-[^>]+>', page)
    assert [re.sub(r'id="[^"]+" name="[^"]+" type="radio" ', "", radio) for radio in radios] == [
        '<input value="yes">',
        '<input value="no">',
    ] * 2


@pytest.mark.rule("CON-3")
@pytest.mark.parametrize(
    "answers",
    [{}, {"mobile_providers": "yes"}, {"mobile_providers": "", "surveys": "yes"},
     {"mobile_providers": "YES", "surveys": "1"}],
    ids=["none", "one of two", "an empty one", "other words"],
)  # fmt: skip
def test_unanswered_question_is_an_error_by_its_field_and_loses_nothing(
    lasting_provider: Provider, person: Account, answers: dict[str, str]
) -> None:
    """A yes to the rest is kept back until each question has its answer; what was ticked stays ticked."""
    service, browser, location = open_screen(lasting_provider, person)

    answer = lasting_provider.consent(browser, location, claims=("given_name",), purposes=answers)

    assert answer.status_code == 422
    assert 'href="#field-purpose-surveys"' in answer.text or answers.get("surveys") == "yes"
    assert "Répondez oui ou non\u00a0: " in answer.text
    assert re.search(r'value="given_name" checked', answer.text)
    assert ("checked" in answer.text.partition("field-purpose-mobile_providers")[2].partition(">")[0]) is (
        answers.get("mobile_providers") == "yes"
    )
    assert living(lasting_provider, service) == []
    assert entries(lasting_provider, service) == []


@pytest.mark.rule("CON-3")
def test_question_answered_twice_at_once_is_not_answered(lasting_provider: Provider, person: Account) -> None:
    """Yes and no together is neither."""
    service, browser, location = open_screen(lasting_provider, person, purposes=(MOBILE,))
    fields = form_of(browser.get(location)) | {"decision": "allow"}

    answer = browser.post("/consent", data={**fields, "purpose-mobile_providers": ["yes", "no"]})

    assert answer.status_code == 422
    assert living(lasting_provider, service) == []


@pytest.mark.rule("CON-2", "CON-3")
def test_whoever_refuses_all_answers_no_question(lasting_provider: Provider, person: Account) -> None:
    """A no to the whole needs no answer to its parts, and keeps none."""
    service, browser, location = open_screen(lasting_provider, person)

    answer = lasting_provider.consent(browser, location, "deny", purposes={"surveys": "yes"})

    assert answer_of(answer)["error"] == "access_denied"
    assert entries(lasting_provider, service, "purpose") == []


@pytest.mark.rule("CON-3")
def test_new_question_comes_alone_and_leaves_the_consent_as_it_is(
    lasting_provider: Provider, person: Account
) -> None:
    """Nothing else is asked again: neither the data, nor the questions that were answered."""
    service, browser, location = open_screen(lasting_provider, person, purposes=(MOBILE,))
    lasting_provider.consent(browser, location, claims=("given_name",), purposes={MOBILE.name: "yes"})
    (before,) = living(lasting_provider, service)
    lasting_provider.change(service, purposes=(MOBILE, SURVEYS))

    asked = lasting_provider.authorize(browser, service, scope=SCOPE)
    page = browser.get(asked.location).text
    answer = lasting_provider.consent(browser, asked.location, purposes={SURVEYS.name: "no"})

    assert "Votre choix pour ce service" in page
    assert "purpose-surveys" in page
    assert "purpose-mobile_providers" not in page
    assert "field-claim" not in page
    assert "code" in answer_of(answer)
    assert living(lasting_provider, service) == [before]
    assert [entry.act for entry in entries(lasting_provider, service, "purpose")] == ["given", "refused"]
    assert len(entries(lasting_provider, service)) == 1


@pytest.mark.rule("CON-3")
def test_question_that_is_turned_away_is_access_denied_and_withdraws_nothing(
    lasting_provider: Provider, person: Account
) -> None:
    """Whoever does not want to answer goes back to the service; the consent of before is untouched."""
    service, browser, location = open_screen(lasting_provider, person, purposes=())
    lasting_provider.consent(browser, location)
    lasting_provider.change(service, purposes=(SURVEYS,))

    asked = lasting_provider.authorize(browser, service, scope=SCOPE)
    answer = lasting_provider.consent(browser, asked.location, "deny")

    assert answer_of(answer)["error"] == "access_denied"
    assert len(living(lasting_provider, service)) == 1
    assert [entry.act for entry in entries(lasting_provider, service)] == ["given"]


@pytest.mark.rule("CON-3")
def test_service_that_needs_no_consent_asks_its_questions_alone(
    lasting_provider: Provider, person: Account
) -> None:
    """A duty of law gets its data without asking; what is asked beside it takes nothing away."""
    service, browser, location = open_screen(lasting_provider, person, consent_required=False)

    answer = lasting_provider.consent(
        browser, location, purposes={"surveys": "no", "mobile_providers": "yes"}
    )

    tokens = lasting_provider.redeem(service, answer_of(answer)["code"]).json
    given = lasting_provider.userinfo(tokens["access_token"]).json
    assert {"email", "given_name", "family_name"} <= given.keys()
    assert living(lasting_provider, service) == []


@pytest.mark.rule("CON-3")
def test_question_of_another_service_is_not_answered_along(
    lasting_provider: Provider, person: Account
) -> None:
    """A form made by hand answers no more than the screen asked."""
    service, browser, location = open_screen(lasting_provider, person, purposes=(SURVEYS,))

    lasting_provider.consent(browser, location, purposes={"surveys": "no", MOBILE.name: "yes"})

    assert [entry.document["name"] for entry in entries(lasting_provider, service, "purpose")] == ["surveys"]


@pytest.mark.rule("CON-5", "LIF-4")
def test_refusal_of_somebody_who_is_gone_is_not_proven(provider: Provider) -> None:
    """A proof of nobody would outlive the erasure."""
    person = provider.an_account()
    service = a_service(provider)
    browser = provider.signed_in(person)
    location = provider.authorize(browser, service, scope=SCOPE).location
    fields = form_of(browser.get(location)) | {"decision": "deny"}
    with provider.context.database.write() as connection:
        connection.execute(accounts.delete().where(accounts.c.account_id == person.account_id))

    answer = browser.post("/consent", data=fields)

    assert answer.status_code == 303
    assert entries(provider, service) == []
    assert proofs(provider.context) == []
