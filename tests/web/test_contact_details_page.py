"""The page of the telephone number and the postal address (PRO-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.domain.client import ClaimUse
from idp.storage.engine import open_database
from idp.storage.models import account_attribute_changes
from idp.storage.repositories import attributes
from tests.support.pages import edition_of, words_of
from tests.support.provider import a_provider, continue_url, form_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

PAGE = "/account/contact-details"
LOBAU = {
    "phone_number": "01 42 76 40 40",
    "street": "4 bis, rue de Lobau",
    "complement": "Bâtiment C",
    "postal_code": "75004",
    "locality": "Paris",
    "country": "France",
}
STORED = {
    "phone_number": "+33142764040",
    "address": '{"street_address":"4 bis, rue de Lobau\\nBâtiment C","postal_code":"75004",'
    '"locality":"Paris","country":"France"}',
}
REASON = {"fr": "Pour vous joindre.", "en": "To reach you."}


@pytest.fixture
def provider(sqlite_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The application."""
    database = open_database(sqlite_url)
    yield a_provider(database, clock)
    database.dispose()


def known(provider: Provider, account: Account) -> dict[str, str]:
    """Read what is stored."""
    with provider.context.database.read() as connection:
        return {name: one.value for name, one in attributes.read(connection, account.account_id).items()}


def save(browser: FlaskClient, **fields: str) -> TestResponse:
    """Post the form as it was shown, with what is typed."""
    return browser.post(PAGE, data={**form_of(browser.get(PAGE)), **fields})


def test_page_needs_a_session(provider: Provider) -> None:
    """Who is not signed in is sent to sign in, and back."""
    assert provider.client().get(PAGE).location.startswith("/sign-in?")


@pytest.mark.rule("PRO-2", "FC-6")
def test_details_are_saved_normalised_and_declared(provider: Provider) -> None:
    """E.164 and the members of the claim, as said by the person, with the history of the change."""
    account = provider.an_account()
    browser = provider.signed_in(account)

    answer = save(browser, **LOBAU)

    assert answer.location == f"{PAGE}?notice=saved"
    assert known(provider, account) == STORED
    with provider.context.database.read() as connection:
        kept = attributes.read(connection, account.account_id)
        history = connection.execute(account_attribute_changes.select()).all()
    assert {(one.source.value, int(one.level)) for one in kept.values()} == {("declared", 100)}
    assert {(row.name, row.changed_by, row.new_value) for row in history} == {
        (name, "person", value) for name, value in STORED.items()
    }


@pytest.mark.rule("PRO-2")
def test_saved_details_come_back_as_people_read_them(provider: Provider) -> None:
    """On the page and in the summary of the account; saved again as they are, nothing changes."""
    account = provider.an_account()
    browser = provider.signed_in(account)
    save(browser, **LOBAU)

    text = words_of(browser.get(PAGE))

    for value in ("+33 1 42 76 40 40", "4 bis, rue de Lobau", "Bâtiment C", "75004", "Paris", "France"):
        assert f'value="{value}"' in text
    summary = words_of(browser.get("/account"))
    assert "+33 1 42 76 40 40" in summary
    assert "4 bis, rue de Lobau, Bâtiment C, 75004 Paris, France" in summary
    provider.clock.advance(minutes=1)
    save(browser, **(LOBAU | {"phone_number": "+33 1 42 76 40 40"}))
    with provider.context.database.read() as connection:
        assert len(connection.execute(account_attribute_changes.select()).all()) == 2


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize(
    "typed,stored",
    [
        ("0142764040", "+33142764040"),
        ("01.42.76.40.40", "+33142764040"),
        ("0033 1 42 76 40 40", "+33142764040"),
        ("+33 (0)6 12 34 56 78", "+33612345678"),
        ("+32 2 548 04 00", "+3225480400"),
        ("+262 262 12 34 56", "+262262123456"),
    ],
)
def test_telephone_number_is_taken_however_it_is_typed(provider: Provider, typed: str, stored: str) -> None:
    """Without a country code it is a French one."""
    account = provider.an_account()

    save(provider.signed_in(account), phone_number=typed)

    assert known(provider, account) == {"phone_number": stored}


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize(
    "typed", ["12", "bonjour", "+999 1234567", "01 42 76 40", "01 42 76 40 40 ext. 5", "0" * 40, "<b>"]
)
def test_telephone_number_that_nobody_has_comes_back_with_a_sentence(provider: Provider, typed: str) -> None:
    """All of the form or nothing; what was typed stays in it."""
    account = provider.an_account()

    answer = save(provider.signed_in(account), **(LOBAU | {"phone_number": typed}))

    assert answer.status_code == 422
    assert "Saisissez un numéro qui existe" in answer.text
    assert 'value="4 bis, rue de Lobau"' in answer.text
    assert "<b>" not in answer.text
    assert known(provider, account) == {}


@pytest.mark.rule("PRO-2", "UX-2")
def test_every_fault_of_the_form_is_told_at_its_field(provider: Provider) -> None:
    """With a link from the summary, and the title says that there are errors."""
    browser = provider.signed_in()

    answer = save(browser, phone_number="1", street="", postal_code="x", locality="Paris", country="France")

    assert answer.status_code == 422
    for name in ("phone_number", "street", "postal_code"):
        assert f'href="#field-{name}"' in answer.text
        assert f'id="error-{name}"' in answer.text
    assert "<title>Erreur" in answer.text


@pytest.mark.rule("PRO-2")
def test_blank_form_takes_the_details_away(provider: Provider) -> None:
    """What a person gave, that person takes back."""
    account = provider.an_account()
    browser = provider.signed_in(account)
    save(browser, **LOBAU)

    save(browser, **(dict.fromkeys(LOBAU, "") | {"country": "France"}))

    assert known(provider, account) == {}


@pytest.mark.rule("PRO-2")
def test_details_saved_in_another_tab_are_not_written_over_unseen(provider: Provider) -> None:
    """The page shows both, keeps what was typed, and saves it once the person has compared."""
    account = provider.an_account()
    browser = provider.signed_in(account)
    old_tab = form_of(browser.get(PAGE))
    save(browser, **LOBAU)

    answer = browser.post(PAGE, data=old_tab | {"phone_number": "06 12 34 56 78", "country": "France"})

    assert answer.status_code == 422
    words = words_of(answer)
    assert "dans un autre onglet" in words
    assert "+33 1 42 76 40 40" in words
    assert 'value="06 12 34 56 78"' in words
    assert known(provider, account) == STORED
    again = browser.post(PAGE, data=old_tab | edition_of(answer) | {"phone_number": "06 12 34 56 78"})
    assert again.status_code == 303
    assert known(provider, account) == {"phone_number": "+33612345678"}


@pytest.mark.rule("PRO-2")
def test_fault_in_an_old_tab_does_not_hide_what_another_saved(provider: Provider) -> None:
    """Corrected and sent again, the form is still that of the old tab: its person is told then."""
    account = provider.an_account()
    browser = provider.signed_in(account)
    old_tab = form_of(browser.get(PAGE))
    save(browser, **LOBAU)
    faulty = browser.post(PAGE, data=old_tab | {"phone_number": "12", "country": "France"})

    answer = browser.post(PAGE, data=old_tab | edition_of(faulty) | {"phone_number": "06 12 34 56 78"})

    assert "Saisissez un numéro qui existe" in faulty.text
    assert "dans un autre onglet" in answer.text
    assert known(provider, account) == STORED


def test_two_tabs_that_save_the_same_are_both_told_that_it_is_saved(provider: Provider) -> None:
    """A double click is no conflict."""
    browser = provider.signed_in()
    fields = form_of(browser.get(PAGE)) | LOBAU

    assert browser.post(PAGE, data=fields).status_code == 303
    assert browser.post(PAGE, data=fields).status_code == 303


@pytest.mark.rule("FC-6")
def test_number_that_was_proven_is_not_lowered(provider: Provider) -> None:
    """A level never goes down by an ordinary write."""
    account = provider.an_account(phone_number="+33612345678")
    with provider.context.database.write() as connection:
        connection.exec_driver_sql("UPDATE account_attributes SET level = 250, source = 'mail'")

    answer = save(provider.signed_in(account), **LOBAU)

    assert answer.status_code == 422
    assert "vérifié" in answer.text
    assert known(provider, account) == {"phone_number": "+33612345678"}


@pytest.mark.rule("PRO-2", "OID-2", "CON-2")
@pytest.mark.spec("OIDC Core", "5.4", "OPTIONAL")
def test_details_reach_a_service_that_the_person_allows(provider: Provider) -> None:
    """Scopes address and phone, at UserInfo; shown on one line where consent is asked, and not yet proven."""
    service = provider.a_client(
        scopes=frozenset({"openid", "address", "phone"}),
        claims=(
            ClaimUse("address", REASON, required=True),
            ClaimUse("phone_number", REASON, required=True),
        ),
        consent_required=True,
    )
    browser = provider.signed_in()
    save(browser, **LOBAU)
    asked = provider.authorize(browser, service, scope="openid address phone")

    text = words_of(browser.get(asked.location))
    tokens = provider.tokens(browser, service, scope="openid address phone")

    assert "4 bis, rue de Lobau, Bâtiment C, 75004 Paris, France" in text
    assert "+33 1 42 76 40 40" in text
    claims: dict[str, Any] = provider.userinfo(tokens["access_token"]).json or {}
    assert claims["address"] == {
        "formatted": "4 bis, rue de Lobau\nBâtiment C\n75004 Paris\nFrance",
        "street_address": "4 bis, rue de Lobau\nBâtiment C",
        "postal_code": "75004",
        "locality": "Paris",
        "country": "France",
    }
    assert (claims["phone_number"], claims["phone_number_verified"]) == ("+33142764040", False)


@pytest.mark.rule("PRO-2", "CON-1")
def test_service_that_needs_an_address_leads_here_and_back(provider: Provider) -> None:
    """In the middle of its request: the page says who needs it, and saving goes on with the request."""
    service = provider.a_client(
        name="Encombrants",
        scopes=frozenset({"openid", "address"}),
        claims=(ClaimUse("address", REASON, required=True),),
    )
    browser = provider.signed_in()

    asked = provider.authorize(browser, service, scope="openid address")

    assert asked.location.startswith(f"{PAGE}?pending=")
    shown = browser.get(asked.location)
    assert "Encombrants a besoin de ces données" in words_of(shown)
    assert "<strong>Adresse postale</strong>" in words_of(shown)
    still = browser.post(PAGE, data={**form_of(shown), "phone_number": "0142764040"})
    assert still.status_code == 422
    assert "Encombrants a besoin de cette donnée" in words_of(still)
    assert 'value="0142764040"' in still.text
    done = browser.post(PAGE, data={**form_of(browser.get(asked.location)), **LOBAU})
    assert "code=" in continue_url(done)


@pytest.mark.rule("UX-1")
def test_page_speaks_english(provider: Provider) -> None:
    """And the menu of the account leads to it."""
    text = provider.signed_in().get(f"{PAGE}?lang=en").text

    assert "<h1>Contact details</h1>" in text
    assert f'<a href="{PAGE}" aria-current="page">Contact details</a>' in text
