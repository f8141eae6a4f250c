"""A version that takes effect, in the middle of a login and in the space (CGU-1, CGU-2, CGU-3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import DBAPIError

from idp.domain.errors import RuleRefused
from idp.services.authorization import terms
from idp.services.authorization.terms import TermsText
from idp.storage.models import accounts, ledger_entries, terms_versions
from tests.support.builders import TERMS_VERSION, some_terms
from tests.support.provider import a_provider, answer_of, form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

NEXT = "2026-04-01"
EFFECT = datetime(2026, 4, 1, tzinfo=UTC)
OLD = {
    "fr": "## 1. Objet\n\nLe compte est gratuit et ouvert à tous.",
    "en": "## 1. Purpose\n\nThe account is free and open to all.",
}
NEW = {
    "fr": "## 1. Objet\n\nLe compte est gratuit et ouvert à toutes et à tous.",
    "en": "## 1. Purpose\n\nThe account is free and open to everybody.",
}


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """A provider whose first terms are in force."""
    made = a_provider(database, clock)
    for language, body in OLD.items():
        since = datetime(2026, 1, 1, tzinfo=UTC)
        terms.publish(made.context, TermsText(TERMS_VERSION, language, "Conditions", body, since))
    return made


def publish(
    provider: Provider,
    version: str = NEXT,
    *,
    is_major: bool = True,
    effective_at: datetime = EFFECT,
    languages: tuple[str, ...] = ("fr", "en"),
) -> None:
    """Publish the version that comes next."""
    for language in languages:
        body, summary = f"{NEW[language]} {version}", {"fr": "Tout le monde.", "en": "Everybody."}[language]
        text = TermsText(version, language, "Conditions", body, effective_at, is_major, summary)
        assert terms.publish(provider.context, text)


def a_person(provider: Provider, version: str = TERMS_VERSION) -> Account:
    """Write an account that accepted a version."""
    person = provider.an_account()
    with provider.context.database.write() as connection:
        connection.execute(
            update(accounts).where(accounts.c.account_id == person.account_id).values(terms_version=version)
        )
    return person


def accepted(provider: Provider) -> list[tuple[str, str]]:
    """Read what the ledger says was accepted: version and language."""
    with provider.context.database.read() as connection:
        rows = connection.execute(select(ledger_entries).order_by(ledger_entries.c.entry_id)).all()
    return [(row.document["version"], row.language) for row in rows]


def accept(browser: FlaskClient, page: str, **changes: str) -> str:
    """Send the form of the page of acceptance; gives where it leads, or what it shows again."""
    answer = browser.post("/accept-terms", data={**form_of(browser.get(page)), "terms": "yes"} | changes)
    return answer.location if answer.status_code == 303 else answer.text


@pytest.mark.rule("CGU-2")
def test_new_terms_hold_from_their_very_second(provider: Provider, clock: SettableClock) -> None:
    """A moment before, the service is answered; at that moment the person is asked, and a silent request refused."""
    publish(provider)
    clock.set(EFFECT - timedelta(microseconds=1))
    service, browser = provider.a_client(), provider.signed_in(a_person(provider))

    assert "code" in answer_of(provider.authorize(browser, service))
    clock.set(EFFECT)
    assert "/accept-terms" in provider.authorize(browser, service).location
    assert answer_of(provider.authorize(browser, service, prompt="none"))["error"] == "interaction_required"


@pytest.mark.rule("CGU-2", "CGU-3")
def test_acceptance_in_the_middle_of_a_login_leads_on_to_the_service(
    provider: Provider, clock: SettableClock
) -> None:
    """What changed is shown in words, nothing is ticked, and one entry proves the answer."""
    publish(provider)
    clock.set(EFFECT)
    service, browser = provider.a_client(), provider.signed_in(a_person(provider))
    page = provider.authorize(browser, service).location

    shown = browser.get(page).text
    assert "Tout le monde." in shown
    assert "<ins>" in shown
    assert "[ajouté" in shown
    assert "checked" not in shown
    assert "/account/export" in shown
    assert "/account/delete" in shown
    # Of the other form on the page.
    fields = {name: value for name, value in form_of(browser.get(page)).items() if name != "decision"}
    agreed = browser.post("/accept-terms", data=fields | {"terms": "yes"})
    assert "code" in answer_of(agreed)
    assert accepted(provider) == [(NEXT, "fr")]


@pytest.mark.rule("CGU-2")
def test_acceptance_of_one_person_is_nobody_elses(provider: Provider, clock: SettableClock) -> None:
    """Somebody who has accepted lets nobody else in."""
    publish(provider)
    clock.set(EFFECT)
    service = provider.a_client()
    a_person(provider, NEXT)
    browser = provider.signed_in(a_person(provider))

    assert "/accept-terms" in provider.authorize(browser, service).location
    assert "code" in answer_of(provider.authorize(provider.signed_in(a_person(provider, NEXT)), service))


@pytest.mark.rule("CGU-2")
def test_unticked_box_accepts_nothing(provider: Provider, clock: SettableClock) -> None:
    """The page comes back with the error, and the service waits."""
    publish(provider)
    clock.set(EFFECT)
    browser = provider.signed_in(a_person(provider))

    answer = browser.post("/accept-terms", data=form_of(browser.get("/accept-terms")))

    assert answer.status_code == 422
    assert "Cochez la case" in answer.text
    assert accepted(provider) == []


@pytest.mark.rule("CGU-2")
def test_not_now_tells_the_service_that_access_is_denied(provider: Provider, clock: SettableClock) -> None:
    """Nothing is accepted, the account stays; without a service there is nobody to tell."""
    publish(provider)
    clock.set(EFFECT)
    service, browser = provider.a_client(), provider.signed_in(a_person(provider))
    fields = form_of(browser.get(provider.authorize(browser, service).location))

    declined = browser.post("/accept-terms", data=fields | {"decision": "later"})

    assert answer_of(declined)["error"] == "access_denied"
    assert answer_of(declined)["state"] == "s-1"
    assert accepted(provider) == []
    assert "les services ne s’ouvrent plus" in browser.get("/account").text
    alone = form_of(browser.get("/accept-terms")) | {"decision": "later"}
    assert browser.post("/accept-terms", data=alone).status_code == 410


@pytest.mark.rule("CGU-2")
def test_not_now_after_an_acceptance_in_another_tab_goes_on(provider: Provider, clock: SettableClock) -> None:
    """What was decided first stands: the service gets its answer."""
    publish(provider)
    clock.set(EFFECT)
    service, browser = provider.a_client(), provider.signed_in(a_person(provider))
    fields = form_of(browser.get(provider.authorize(browser, service).location))
    accept(browser, "/accept-terms")

    assert "code" in answer_of(browser.post("/accept-terms", data=fields | {"decision": "later"}))


@pytest.mark.rule("CGU-2", "CGU-3")
def test_second_click_and_second_tab_are_one_acceptance(provider: Provider, clock: SettableClock) -> None:
    """Both go on; the ledger has one entry."""
    publish(provider)
    clock.set(EFFECT)
    browser = provider.signed_in(a_person(provider))
    fields = form_of(browser.get("/accept-terms")) | {"terms": "yes"}

    answers = [browser.post("/accept-terms", data=fields) for _ in range(2)]

    assert [answer.location for answer in answers] == ["/", "/"]
    assert accepted(provider) == [(NEXT, "fr")]


@pytest.mark.rule("CGU-2")
def test_version_that_holds_no_longer_is_not_accepted(provider: Provider, clock: SettableClock) -> None:
    """A page left open while another version took effect comes back with the new text, and says why."""
    publish(provider)
    publish(provider, "2026-05-01", effective_at=datetime(2026, 5, 1, tzinfo=UTC))
    clock.set(EFFECT)
    browser = provider.signed_in(a_person(provider))
    fields = form_of(browser.get("/accept-terms")) | {"terms": "yes"}
    clock.set(datetime(2026, 5, 1, tzinfo=UTC))
    browser = provider.signed_in(a_person(provider))
    fields |= {"csrf_token": form_of(browser.get("/accept-terms"))["csrf_token"]}

    answer = browser.post("/accept-terms", data=fields)

    assert answer.status_code == 422
    assert "pendant que cette page était ouverte" in answer.text
    assert "/terms/2026-05-01" in answer.text
    assert accepted(provider) == []


@pytest.mark.rule("CGU-3")
def test_proof_is_of_the_language_that_was_shown(provider: Provider, clock: SettableClock) -> None:
    """The language was switched in another tab before the button was pressed."""
    publish(provider)
    clock.set(EFFECT)
    browser = provider.signed_in(a_person(provider))
    fields = form_of(browser.get("/accept-terms?lang=fr")) | {"terms": "yes"}
    browser.get("/terms?lang=en")

    browser.post("/accept-terms", data=fields)

    assert accepted(provider) == [(NEXT, "fr")]


@pytest.mark.rule("CGU-2")
@pytest.mark.parametrize(
    "languages, words", [(("fr", "en"), "toutes et"), (("en",), "everybody")], ids=["both", "English alone"]
)
def test_difference_compares_one_language(
    provider: Provider, clock: SettableClock, languages: tuple[str, ...], words: str
) -> None:
    """Who accepted the English text and reads French sees French beside French, or what both versions have."""
    publish(provider, languages=languages)
    clock.set(EFFECT)
    browser = provider.signed_in(a_person(provider))

    shown = browser.get("/accept-terms?lang=fr").text

    assert words in shown
    assert shown.count("<del>") + shown.count("<ins>") <= 3


@pytest.mark.rule("CGU-2")
def test_unknown_version_shows_the_whole_text(provider: Provider, clock: SettableClock) -> None:
    """Where nothing can be compared, all of it is there to read."""
    publish(provider)
    clock.set(EFFECT)
    browser = provider.signed_in(a_person(provider, "never-published"))

    shown = browser.get("/accept-terms").text

    assert "terms-text" in shown
    assert "<ins>" not in shown


@pytest.mark.rule("CGU-2")
def test_minor_version_is_announced_and_not_asked(provider: Provider, clock: SettableClock) -> None:
    """Nobody is stopped; the space says what changed until the notice is put away."""
    publish(provider, is_major=False)
    clock.set(EFFECT)
    service, browser = provider.a_client(), provider.signed_in(a_person(provider))

    assert "code" in answer_of(provider.authorize(browser, service, prompt="none"))
    assert browser.get("/accept-terms").location == "/"
    for page in ("/", "/account"):
        assert "ont un peu changé" in browser.get(page).text
    assert "<ins>" in browser.get(f"/terms/{NEXT}/changes?since={TERMS_VERSION}").text
    put_away = browser.post("/terms/notice", data=form_of(browser.get("/account")))
    assert put_away.location == "/account"
    assert "ont un peu changé" not in browser.get("/").text
    assert accepted(provider) == []


@pytest.mark.rule("CGU-2")
def test_major_version_behind_a_minor_one_is_asked(provider: Provider, clock: SettableClock) -> None:
    """What is accepted is the text that holds, minor changes included; who accepted that owes nothing."""
    publish(provider)
    publish(provider, "2026-05-01", is_major=False, effective_at=datetime(2026, 5, 1, tzinfo=UTC))
    clock.set(datetime(2026, 5, 1, tzinfo=UTC))
    browser = provider.signed_in(a_person(provider))

    assert accept(browser, "/accept-terms") == "/"

    assert accepted(provider) == [("2026-05-01", "fr")]
    assert browser.get("/accept-terms").location == "/"
    assert "ont un peu changé" not in browser.get("/").text
    newer = provider.signed_in(a_person(provider, NEXT))
    assert newer.get("/accept-terms").location == "/"


@pytest.mark.rule("CGU-2")
def test_major_version_is_announced_before_it_takes_effect(provider: Provider, clock: SettableClock) -> None:
    """It can be read, and what it changes; nobody can accept it yet."""
    clock.set(EFFECT - timedelta(days=30))
    publish(provider)
    browser = provider.signed_in(a_person(provider))

    assert "changent le 1er avril 2026" in browser.get("/").text
    assert "applicable à partir du 1er avril 2026" in browser.get(f"/terms/{NEXT}").text
    assert "<ins>" in browser.get(f"/terms/{NEXT}/changes").text
    account = a_person(provider)
    assert terms.accept(provider.context, account.account_id, NEXT, "fr", channel="sign_in") is None
    assert "applicable depuis" in browser.get("/terms").text


@pytest.mark.rule("CGU-2")
def test_ways_out_are_open_to_who_has_not_accepted(provider: Provider, clock: SettableClock) -> None:
    """A copy of the data, the end of the account, the end of the session, one's rights."""
    publish(provider)
    clock.set(EFFECT)
    browser = provider.signed_in(a_person(provider))
    fields = form_of(browser.get("/accept-terms"))

    for page in ("/account/export", "/account/delete", "/account/rights"):
        assert browser.get(page).status_code == 200, page
    assert browser.post("/sign-out", data=fields).status_code == 303


@pytest.mark.rule("CGU-1")
def test_every_version_stays_readable_by_anyone(provider: Provider, clock: SettableClock) -> None:
    """At its own address, with its date, and which one holds; what never was is not found."""
    publish(provider)
    clock.set(EFFECT)
    anyone = provider.client()

    listed = anyone.get("/terms").text
    assert f"/terms/{TERMS_VERSION}" in listed
    assert "en vigueur" in listed
    assert "ancienne version" in listed
    assert "pas la version en vigueur" in anyone.get(f"/terms/{TERMS_VERSION}").text
    for nowhere in ("/terms/1999-01-01", "/terms/1999-01-01/changes", f"/terms/{TERMS_VERSION}/changes"):
        assert anyone.get(nowhere).status_code == 404, nowhere
    assert anyone.get(f"/terms/{NEXT}/changes?since=1999").status_code == 404


@pytest.mark.rule("CGU-1")
@pytest.mark.parametrize("change", ["text", "date", "weight", "deletion"])
def test_database_refuses_to_change_a_published_version(provider: Provider, change: str) -> None:
    """Not even somebody who writes to the tables by hand can."""
    statement = {
        "text": update(terms_versions).values(body="Autre chose."),
        "date": update(terms_versions).values(effective_at=EFFECT),
        "weight": update(terms_versions).values(is_major=False),
        "deletion": delete(terms_versions),
    }[change]

    with pytest.raises(DBAPIError, match="never"), provider.context.database.write() as connection:
        connection.execute(statement)


@pytest.mark.rule("CGU-1", "CGU-2")
@pytest.mark.parametrize(
    "text, rule, said",
    [
        (TermsText("2", "fr", "T", "B", datetime(2026, 1, 2, tzinfo=UTC)), "CGU-2", "in the past"),
        (TermsText(TERMS_VERSION, "fr", "T", "B"), "CGU-1", "another text"),
        (TermsText(TERMS_VERSION, "fr", "Conditions", OLD["fr"], summary="Autre"), "CGU-1", "another text"),
        (TermsText(TERMS_VERSION, "en", "T", "B", is_major=False), "CGU-1", "a major version"),
        (TermsText(TERMS_VERSION, "en", "T", "B", EFFECT), "CGU-1", "2026-01-01"),
        (TermsText("other", "fr", "T", "B", EFFECT), "CGU-2", "same moment"),
    ],
    ids=["past", "text", "summary", "weight", "date", "same moment"],
)
def test_bad_publication_is_refused_in_words(
    provider: Provider, text: TermsText, rule: str, said: str
) -> None:
    """Nothing is written, and the administrator reads why."""
    publish(provider)
    before = terms.list_versions(provider.context, "fr")

    with pytest.raises(RuleRefused, match=said) as refused:
        terms.publish(provider.context, text)

    assert refused.value.rule == rule
    assert terms.list_versions(provider.context, "fr") == before


@pytest.mark.rule("CGU-1")
def test_translation_added_later_takes_effect_with_its_text(provider: Provider, clock: SettableClock) -> None:
    """And weighs as much; even when its text has taken effect long ago."""
    publish(provider, is_major=False, languages=("fr",))
    clock.set(EFFECT + timedelta(days=9))

    assert terms.publish(provider.context, TermsText(NEXT, "en", "Terms", NEW["en"], summary="Everybody."))

    added = terms.find(provider.context, NEXT, "en")
    assert added is not None
    assert (added.language, added.effective_at, added.is_major) == ("en", EFFECT, False)


@pytest.mark.rule("CGU-2")
def test_first_version_is_major(database: Database, clock: SettableClock) -> None:
    """Everybody accepts what they sign up to."""
    context = a_provider(database, clock).context

    with pytest.raises(RuleRefused, match="first version is major"):
        terms.publish(context, TermsText("1", "fr", "T", "B", is_major=False))

    some_terms(context)
    assert terms.in_force(context, "fr").is_major


@pytest.mark.rule("CGU-4")
def test_annex_follows_the_registered_services(provider: Provider, clock: SettableClock) -> None:
    """By rubrique, with organisation and links; a service that is off is not in it."""
    service = provider.a_client(
        name="Stationnement",
        organisation="Direction de la Voirie",
        rubrique="deplacements",
        service_uri="https://parking.example.org/",
        policy_uri="https://parking.example.org/policy",
    )
    provider.a_client(name="Sans rubrique", service_uri="https://other.example.org/")
    provider.a_client(name="Sans adresse")
    anyone = provider.client()

    annex = anyone.get("/terms").text.partition('id="annex"')[2]
    assert annex.index("Déplacements") < annex.index("Stationnement") < annex.index("Autres services")
    assert "Direction de la Voirie" in annex
    assert 'href="https://parking.example.org/policy"' in annex
    assert "Sans adresse" not in annex
    provider.change(service, disabled_at=clock())
    assert "Stationnement" not in anyone.get("/terms").text
