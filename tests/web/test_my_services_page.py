"""The page of services: what each may receive and received, purposes, withdrawal (CON-3, CON-4, PRI-2)."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from idp.domain.client import LegalBasis
from idp.domain.disclosure import Way
from idp.services.account import my_services
from idp.services.authorization.purposes import choose
from idp.storage.engine import open_database
from idp.storage.models import audit_events, ledger_entries, outbox, purpose_choices, shown_texts
from tests.support.provider import a_provider
from tests.support.purposes import MOBILE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

PAGE = "/account/services"
JOURNAL = "/account/services/journal"


@pytest.fixture
def provider(sqlite_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The application."""
    database = open_database(sqlite_url)
    yield a_provider(database, clock)
    database.dispose()


@pytest.fixture
def person(provider: Provider) -> Account:
    """Somebody."""
    return provider.an_account(given_name="Zoé")


@pytest.fixture
def browser(provider: Provider, person: Account) -> FlaskClient:
    """Their browser."""
    return provider.signed_in(person)


def csrf(browser: FlaskClient) -> str:
    """Read the token of the page's forms."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(PAGE).text)
    assert found
    return found[1]


def post(browser: FlaskClient, path: str, **fields: str) -> TestResponse:
    """Send a form of the page."""
    return browser.post(f"{PAGE}/{path}", data={"csrf_token": csrf(browser), **fields})


def asking(provider: Provider, person: Account, browser: FlaskClient, **fields: Any) -> Service:
    """Register a service with a purpose that the person refused, and use it."""
    service = provider.a_client(purposes=(MOBILE,), **fields)
    choose(
        provider.context,
        person.account_id,
        service.client_id,
        {MOBILE.name: False},
        versions={MOBILE.name: MOBILE.version},
        language="fr",
        channel="consent",
    )
    provider.tokens(browser, service, scope="openid email")
    return service


def choices(provider: Provider) -> list[tuple[str, bool]]:
    """Read every answer."""
    with provider.context.database.read() as connection:
        rows = connection.execute(select(purpose_choices.c.name, purpose_choices.c.is_allowed))
        return [(row.name, row.is_allowed) for row in rows]


def entries(provider: Provider, matter: str) -> list[Any]:
    """Read the entries of the ledger about a matter."""
    statement = (
        select(ledger_entries, shown_texts.c.content)
        .outerjoin(shown_texts, shown_texts.c.text_hash == ledger_entries.c.text_hash)
        .where(ledger_entries.c.matter == matter)
        .order_by(ledger_entries.c.sequence)
    )
    with provider.context.database.read() as connection:
        return list(connection.execute(statement))


def answer_fields(service: Service, answer: str = "yes", version: str = "1") -> dict[str, str]:
    """Answer the purpose of a service, as the page's form does."""
    where = f"{service.client_id}.{MOBILE.name}"
    return {"client_id": service.client_id, f"answer.{where}": answer, f"version.{where}": version}


@pytest.mark.rule("CON-3")
def test_purpose_without_an_answer_is_refused_by_the_field(
    provider: Provider, person: Account, browser: FlaskClient
) -> None:
    """Neither yes nor no changes nothing, and the page says where."""
    service = asking(provider, person, browser)

    for answer in ("", "maybe"):
        refused = post(browser, "purposes", **answer_fields(service, answer))

        assert refused.status_code == 422
        assert f'href="#field-answer.{service.client_id}.{MOBILE.name}"' in refused.text
    assert choices(provider) == [(MOBILE.name, False)]


@pytest.mark.rule("CON-3")
def test_purpose_reworded_meanwhile_is_asked_again(
    provider: Provider, person: Account, browser: FlaskClient
) -> None:
    """Nobody agrees to words that they did not read."""
    service = asking(provider, person, browser)
    provider.change(service, purposes=(replace(MOBILE, version="2"),))

    refused = post(browser, "purposes", **answer_fields(service, version="1"))

    assert refused.status_code == 422
    assert "relisez-la" in refused.text
    assert choices(provider) == [(MOBILE.name, False)]


@pytest.mark.rule("CON-3")
@pytest.mark.parametrize("which", ["of nobody", "without purposes", "of somebody else"])
def test_purpose_of_another_client_is_not_found(
    provider: Provider, person: Account, browser: FlaskClient, which: str
) -> None:
    """A service that the person has nothing to do with, or that asks nothing, takes no answer."""
    own = asking(provider, person, browser)
    services = {
        "of nobody": "nobody",
        "without purposes": provider.a_client().client_id,
        "of somebody else": provider.a_client(purposes=(MOBILE,)).client_id,
    }
    if which == "without purposes":
        provider.tokens(browser, provider.a_client(client_id="plain"))
        services[which] = "plain"

    answer = post(browser, "purposes", **answer_fields(own) | {"client_id": services[which]})

    assert answer.status_code == 404
    assert choices(provider) == [(MOBILE.name, False)]


@pytest.mark.rule("CON-3")
def test_purpose_switched_on_our_page_acts_at_once(
    provider: Provider, person: Account, browser: FlaskClient
) -> None:
    """The service's next look has the new answer; the page shows the date of the change; the ledger has the proof."""
    service = asking(provider, person, browser)
    token = provider.tokens(browser, service, scope="openid email")["access_token"]
    provider.clock.advance(minutes=3)

    done = post(browser, "purposes", **answer_fields(service))

    assert done.status_code == 303
    told = (provider.userinfo(token).json or {})["purposes"]
    assert "true" in str(told).lower()
    page = browser.get(PAGE).text
    assert 'value="yes" checked' in page
    assert "Dernier changement : le 2 mars 2026 à 10 h 03".replace(" :", "\u00a0:") in page.replace(
        "\u00a0h\u00a0", " h "
    )
    last = entries(provider, "purpose")[-1]
    assert (last.act, last.channel, last.language) == ("given", "account", "fr")


@pytest.mark.rule("CON-3")
def test_unanswered_purpose_is_not_ticked(provider: Provider, person: Account, browser: FlaskClient) -> None:
    """A wording that nobody has answered shows neither answer as chosen."""
    service = asking(provider, person, browser)
    provider.change(service, purposes=(replace(MOBILE, version="2"),))

    page = browser.get(PAGE).text

    assert "checked" not in page
    assert "pas encore répondu" in page


@pytest.mark.rule("CON-4", "PRI-2")
def test_page_tells_what_each_service_received_and_how(
    provider: Provider, person: Account, browser: FlaskClient
) -> None:
    """Names of data, the way, how often and when last; never a value."""
    service = provider.a_client(consent_required=True, organisation="Ville de Paris")
    tokens = provider.tokens(browser, service, scope="openid email")
    for _ in range(3):
        provider.userinfo(tokens["access_token"])

    page = browser.get(PAGE).text

    assert "Ville de Paris" in page
    assert "3 fois depuis le 2 mars 2026" in page
    assert "Adresse e-mail, État de l’adresse e-mail" in page
    assert "À la demande du service" in page
    assert person.email not in page.split("<main", 1)[1]


@pytest.mark.rule("CON-4")
def test_service_that_needs_no_consent_is_listed_with_its_legal_basis_and_can_be_closed(
    provider: Provider, person: Account, browser: FlaskClient
) -> None:
    """Its tokens die; there is no consent whose withdrawal could be proven."""
    service = provider.a_client(legal_basis=LegalBasis.LEGAL_OBLIGATION)
    tokens = provider.tokens(browser, service, scope="openid email")

    page = browser.get(PAGE).text
    asked = post(browser, "withdraw", client_id=service.client_id)
    done = post(browser, "withdraw", client_id=service.client_id, confirmed="yes")

    assert "une obligation légale" in page
    assert "Fermer l’accès" in asked.text
    assert done.location.endswith("notice=access_ended")
    assert provider.is_dead(service, tokens)
    assert entries(provider, "consent") == []
    assert service.client.name in browser.get(PAGE).text.split('id="past"')[1]
    del person


@pytest.mark.rule("CON-4", "CON-5")
@pytest.mark.rule("CON-3")
def test_question_that_changes_while_it_is_answered_comes_again(
    provider: Provider, person: Account, browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page checked the words of before, the service published others: nothing is kept, and the page says so."""
    service = asking(provider, person, browser)
    stale = my_services.one_of(provider.context, person.account_id, service.client_id)
    provider.change(service, purposes=(replace(MOBILE, version="2"),))
    monkeypatch.setattr(my_services, "one_of", lambda *_: stale)

    answer = post(browser, "purposes", **answer_fields(service, version="1"))

    assert answer.location.endswith("notice=purposes_changed")
    assert "vient de changer sa question" in browser.get(answer.location).text


def test_withdrawal_enters_the_ledger_with_the_words_and_ends_the_purposes(
    provider: Provider, person: Account, browser: FlaskClient
) -> None:
    """One transaction: consent, purposes, notice to the service, ledger and trail."""
    service = provider.a_client(
        consent_required=True,
        backchannel_logout_uri="https://parking.example.org/told",
        policy_uri="https://parking.example.org/policy",
        policy_version="7",
    )
    provider.tokens(browser, service, scope="openid email")
    provider.change(service, purposes=(MOBILE,))
    choose(
        provider.context,
        person.account_id,
        service.client_id,
        {MOBILE.name: True},
        versions={MOBILE.name: MOBILE.version},
        language="fr",
        channel="account",
    )

    shown = post(browser, "withdraw", client_id=service.client_id)
    post(browser, "withdraw", client_id=service.client_id, confirmed="yes")

    entry = entries(provider, "consent")[-1]
    assert (entry.act, entry.account_id, entry.client_id, entry.language, entry.channel) == (
        "withdrawn", person.account_id, service.client_id, "fr", "account",
    )  # fmt: skip
    assert entry.document == {
        "name": "policy",
        "version": "7",
        "reference": "https://parking.example.org/policy",
    }
    assert entry.details["claims"] == ["email"]
    assert all(words in shown.text for words in entry.content.split("\n"))
    assert choices(provider) == []
    assert [one.act for one in entries(provider, "purpose")] == ["given", "withdrawn"]
    with provider.context.database.read() as connection:
        names = connection.scalars(select(audit_events.c.name)).all()
        kinds = connection.scalars(select(outbox.c.kind)).all()
    assert "consent.withdrawn" in names
    assert "logout" in kinds


@pytest.mark.rule("CON-4")
def test_withdrawal_confirmed_twice_is_one(provider: Provider, browser: FlaskClient) -> None:
    """The second click of two finds it done, and enters nothing."""
    service = provider.a_client(consent_required=True)
    provider.tokens(browser, service, scope="openid email")
    fields = {"client_id": service.client_id, "confirmed": "yes"}

    answers = [post(browser, "withdraw", **fields) for _ in range(2)]

    assert [one.status_code for one in answers] == [303, 303]
    assert [one.act for one in entries(provider, "consent")].count("withdrawn") == 1


@pytest.mark.rule("CON-4")
def test_page_without_services_says_what_comes(browser: FlaskClient) -> None:
    """An empty page is kind, and leads on."""
    page = browser.get(PAGE).text

    assert "Aucun service ne reçoit vos données" in page
    assert "Nous n’avons encore rien transmis" in browser.get(JOURNAL).text


@pytest.mark.rule("PRI-2")
@pytest.mark.parametrize(
    "asked, shown",
    [("1", 1), ("2", 2), ("99", 2), ("0", 1), ("-1", 1), ("x", 1), ("9" * 30, 1), ("²", 1)],
)
def test_journal_has_pages_and_any_number_leads_to_one(
    provider: Provider, person: Account, browser: FlaskClient, asked: str, shown: int
) -> None:
    """Sixty days make two pages; a number that is none leads to the nearest."""
    log, database = provider.context.disclosures, provider.context.database
    for _ in range(60):
        whom = (person.account_id, "gone")
        log.note(database, Way.USERINFO, whom, {"email": 1}, provider.clock.advance(days=1))

    page = browser_again(provider, person).get(f"{JOURNAL}?page={asked}").text

    assert f"Page {shown} sur 2" in page
    assert "<strong>gone</strong>" in page
    del browser


def browser_again(provider: Provider, person: Account) -> FlaskClient:
    """Open a browser once the clock has moved."""
    return provider.signed_in(person)


@pytest.mark.rule("PRI-2")
def test_pages_are_for_who_is_signed_in(provider: Provider) -> None:
    """Nobody else's disclosures, and no page without a session."""
    for path in (PAGE, JOURNAL):
        answer = provider.client().get(path)
        assert answer.status_code == 303
        assert "/sign-in" in answer.location
