"""The home page of who is signed in: the login before this one, and what an account could still have."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from idp.domain.email_address import EmailAddress
from idp.services.account import contact_email
from idp.services.account.contact_email import Asked
from idp.storage.models import accounts
from tests.support.builders import PASSWORD, an_account
from tests.support.certified import a_certified_account
from tests.support.pages import send, words_of
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRO-1")
SECTION = "À compléter, si vous le souhaitez"


@pytest.fixture
def a_linking(database: Database, clock: SettableClock) -> Provider:
    """A provider that offers FranceConnect, which nobody asks here."""
    return a_provider(
        database, clock, franceconnect={"enabled": True, "client_id": "a", "client_secret": "b"}
    )


def tasks_of(answer: TestResponse) -> list[str]:
    """Read the lines of what could be completed."""
    _, _, section = words_of(answer).partition(SECTION)
    return section.partition("</ul>")[0].split("<li>")[1:]


@pytest.mark.rule("LOG-5")
def test_first_login_has_none_before_it(provider: Provider) -> None:
    """Nothing is said of a login that never was."""
    browser = provider.signed_in(provider.an_account())

    assert "Dernière connexion" not in browser.get("/").text


@pytest.mark.rule("LOG-5")
@pytest.mark.parametrize(
    "language, told",
    [
        ("fr", "Dernière connexion : 1er mars 2026 à 10 h 00."),
        ("en", "Last sign-in: 1 March 2026 at 10:00."),
    ],
)
def test_login_before_this_one_is_told(
    provider: Provider, visitor: FlaskClient, language: str, told: str
) -> None:
    """The one that a person can compare with their memory, in words, beside the list of devices."""
    an_account(provider.context)
    assert send(visitor, "/sign-in", {"email": "zoe@example.fr", "password": PASSWORD}).status_code == 303

    answer = visitor.get(f"/?lang={language}")

    assert told in words_of(answer)
    assert 'href="/account/sessions"' in answer.text.partition("<h1>")[2]


def test_declared_person_has_one_line_for_franceconnect(a_linking: Provider) -> None:
    """Neither certified nor a second way in: one cause, one line, which says what FranceConnect brings."""
    browser = a_linking.signed_in(a_linking.an_account(given_name="Zoé", family_name="Dupont"))

    [line] = tasks_of(browser.get("/"))

    assert "Votre identité n’est pas certifiée." in line
    assert "si vous perdez votre mot de passe" in line
    assert 'href="/account/identity"' in line


def test_person_without_a_name_has_one_line(a_linking: Provider) -> None:
    """FranceConnect fills it in."""
    [line] = tasks_of(a_linking.signed_in().get("/"))

    assert "Votre identité n’est pas renseignée." in line
    assert "Avec FranceConnect" in line


def test_nothing_speaks_of_franceconnect_while_it_is_off(provider: Provider) -> None:
    """What nobody can do is not asked; a name may still be given."""
    declared = provider.signed_in(provider.an_account(given_name="Zoé", family_name="Dupont"))
    nameless = provider.signed_in()

    assert SECTION not in declared.get("/").text
    [line] = tasks_of(nameless.get("/"))
    assert "Renseigner mon identité" in line
    assert "FranceConnect" not in line


def test_certified_person_without_a_password_is_told_what_happens(a_linking: Provider) -> None:
    """FranceConnect alone opens the account."""
    account = a_certified_account(a_linking)
    _without_password(a_linking, account)

    [line] = tasks_of(a_linking.signed_in(account).get("/"))

    assert "Vous n’avez pas choisi de mot de passe." in line
    assert "S’il est en panne, vous n’entrez plus." in line


def test_complete_account_is_asked_for_nothing(a_linking: Provider) -> None:
    """Certified, linked, with a password: no section at all."""
    browser = a_linking.signed_in(a_certified_account(a_linking))

    assert SECTION not in browser.get("/").text


@pytest.mark.rule("PRO-2")
def test_contact_address_that_waits_is_told(provider: Provider, clock: SettableClock) -> None:
    """Until its owner has answered, or seven days are over."""
    account = provider.an_account(given_name="Zoé", family_name="Dupont")
    browser = provider.signed_in(account)
    email = "zoe.contact@example.org"
    assert contact_email.begin(provider.context, account, EmailAddress(email, email)) is Asked.MAILED

    [line] = tasks_of(browser.get("/"))

    assert f"Votre adresse de contact {email} n’est pas encore confirmée." in line
    assert 'href="/account/contact-details"' in line
    clock.advance(timedelta(days=8))
    assert SECTION not in provider.signed_in(account).get("/").text


def _without_password(provider: Provider, account: Account) -> None:
    with provider.context.database.write() as connection:
        statement = update(accounts).where(accounts.c.account_id == account.account_id)
        connection.execute(statement.values(password_is_generated=True))
