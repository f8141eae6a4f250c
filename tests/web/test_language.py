"""Which language a page is in, who decides, and the page where a person chooses it (UX-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from idp.services.account import password
from idp.storage.models import accounts
from tests.support.builders import last_mail
from tests.support.pages import send, words_of
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("UX-1")
PAGE = "/account/language"
ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}
FRENCH = {"Accept-Language": "fr-FR"}


def language_of(answer: TestResponse) -> str:
    """Read the language that a page says it is in."""
    return answer.text.partition('<html lang="')[2][:2]


def of_account(provider: Provider) -> str:
    """Read the language of the one account."""
    with provider.context.database.read() as connection:
        language: str = connection.execute(select(accounts.c.language)).scalar_one()
    return language


@pytest.mark.parametrize(
    "wished",
    ["", "de", "EN", "en-GB", "<b>"],
    ids=["nothing", "German", "capitals", "with a region", "markup"],
)
def test_language_that_we_do_not_speak_is_refused(provider: Provider, wished: str) -> None:
    """The field says so, and nothing changes."""
    browser = provider.signed_in(provider.an_account())

    answer = send(browser, PAGE, {"language": wished})

    assert answer.status_code == 422
    assert "Choisissez une langue." in words_of(answer)
    assert "Erreur" in answer.text.partition("<title>")[2].partition("</title>")[0]
    assert of_account(provider) == "fr"


@pytest.mark.parametrize("path", [PAGE])
def test_choice_wants_a_session_and_a_token(provider: Provider, path: str) -> None:
    """Nobody changes somebody else's language."""
    browser = provider.signed_in(provider.an_account())

    assert browser.post(path, data={"language": "en"}).status_code == 400
    assert provider.client().get(path).status_code == 303
    assert of_account(provider) == "fr"


@pytest.mark.parametrize(
    "headers, language", [(ENGLISH, "en"), (FRENCH, "fr"), ({}, "fr"), ({"Accept-Language": "de"}, "fr")]
)
def test_browser_decides_for_who_is_signed_out(
    provider: Provider, headers: dict[str, str], language: str
) -> None:
    """French where it asks for a language that we do not speak, or for none."""
    assert language_of(provider.client().get("/sign-in", headers=headers)) == language


@pytest.mark.parametrize("language, headers", [("en", FRENCH), ("fr", ENGLISH)])
def test_account_goes_before_the_browser(provider: Provider, language: str, headers: dict[str, str]) -> None:
    """Whoever signs in at somebody else's computer reads their own language."""
    browser = provider.signed_in(provider.an_account(language=language))

    assert language_of(browser.get("/account", headers=headers)) == language
    assert language_of(browser.get("/nowhere", headers=headers)) == language


def test_choice_of_this_browser_goes_before_the_account(provider: Provider) -> None:
    """The link of the header counts here, on this page and on the next, and not for mails."""
    browser = provider.signed_in(provider.an_account())

    assert language_of(browser.get("/account?lang=en")) == "en"

    assert language_of(browser.get("/account", headers=FRENCH)) == "en"
    assert of_account(provider) == "fr"


def test_service_goes_before_the_account(provider: Provider) -> None:
    """`ui_locales` (OIDC Core 3.1.2.1) counts on the pages of that request, unless the person has chosen here."""
    service = provider.a_client(consent_required=True)
    browser = provider.signed_in(provider.an_account())
    asked = {"ui_locales": "en-GB fr", "prompt": "consent"}

    answer = browser.get(provider.authorize(browser, service, **asked).location)

    assert language_of(answer) == "en"
    assert language_of(browser.get("/account")) == "fr"
    browser.get("/account?lang=fr")
    assert language_of(browser.get(provider.authorize(browser, service, **asked).location)) == "fr"


def test_saved_language_holds_for_pages_and_mails(provider: Provider) -> None:
    """This browser at once, another one at the next page, and the mails of the account."""
    account = provider.an_account()
    browser, elsewhere = provider.signed_in(account), provider.signed_in(account)

    answer = send(browser, PAGE, {"language": "en"})

    saved = browser.get(answer.location)
    assert language_of(saved) == "en"
    assert "Your language is saved." in saved.text
    assert 'value="en" checked' in saved.text
    assert language_of(elsewhere.get("/account", headers=FRENCH)) == "en"
    password.forgotten(provider.context, account.email, language="fr")
    assert last_mail(provider.context, account.email).language == "en"


def test_page_shows_the_language_of_the_account_where_the_browser_has_another(provider: Provider) -> None:
    """What mails are in is not what this page is in."""
    browser = provider.signed_in(provider.an_account())

    answer = browser.get(f"{PAGE}?lang=en")

    assert language_of(answer) == "en"
    assert 'value="fr" checked' in answer.text
    assert '<span lang="fr">Français</span>' in browser.get("/account").text


def test_language_costs_a_signed_out_page_no_statement(lasting_provider: Provider) -> None:
    """Without a session's cookie nobody is looked up."""
    browser = lasting_provider.client()
    browser.get("/forgotten-password")
    database = lasting_provider.context.database

    with recorded_queries(database.reader, database.writer) as recording:
        browser.get("/forgotten-password", headers=ENGLISH)

    assert len(recording) == 0, recording
