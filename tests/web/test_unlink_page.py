"""The page that asks the city to end the link to FranceConnect, and what the identity page says of it (FC-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.services.operations import unlinking as manager
from idp.storage.engine import open_database
from idp.storage.repositories import attributes
from tests.support.builders import PASSWORD
from tests.support.certified import ANGELA, a_certified_account
from tests.support.provider import a_provider, form_of
from tests.support.unlinking import a_request, by_franceconnect, events_of, told, without_password

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("FC-5")
IDENTITY = "/account/identity"
PAGE = "/account/franceconnect/unlink"
WITHDRAW = f"{PAGE}/withdraw"
SENTENCE = "Contactez la Ville si vous constatez une erreur, ou si vous souhaitez supprimer la liaison FranceConnect."


@pytest.fixture
def provider(sqlite_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The application."""
    database = open_database(sqlite_url)
    yield a_provider(database, clock)
    database.dispose()


@pytest.fixture
def account(provider: Provider) -> Account:
    """Somebody whom FranceConnect certified."""
    return a_certified_account(provider)


@pytest.fixture
def browser(provider: Provider, account: Account) -> FlaskClient:
    """Their browser, signed in just now."""
    return provider.signed_in(account)


def ask(browser: FlaskClient, message: str = "Merci.") -> TestResponse:
    """Send the form."""
    return browser.post(PAGE, data={**form_of(browser.get(PAGE)), "message": message})


def refuse(provider: Provider, account: Account, reason: str) -> None:
    """Have the request of an account refused."""
    request = a_request(provider, account)
    manager.refuse(provider.context, request.request_id, by="claire", reason=reason)


def declare(browser: FlaskClient, fields: dict[str, str]) -> TestResponse:
    """Send the form of the identity page."""
    return browser.post(IDENTITY, data=form_of(browser.get(IDENTITY)) | fields)


def places(provider: Provider, account: Account) -> dict[str, str]:
    """Read the places of birth that are stored."""
    with provider.context.database.read() as connection:
        known = attributes.read(connection, account.account_id)
    return {name: known[name].value for name in ("birthplace", "birthcountry") if name in known}


@pytest.mark.parametrize("path", [PAGE, WITHDRAW])
def test_page_needs_a_session(provider: Provider, path: str) -> None:
    """Nothing is asked for somebody who is not there."""
    browser = provider.client()
    answer = browser.get(path) if path == PAGE else browser.post(path, data=form_of(browser.get("/sign-in")))

    assert answer.location.startswith("/sign-in")


def test_page_asks_who_signed_in_long_ago_to_prove_it(
    browser: FlaskClient, clock: SettableClock, provider: Provider
) -> None:
    """A browser that was left open asks for nothing (S-47)."""
    fields = form_of(browser.get(PAGE))
    clock.advance(minutes=16)

    shown, sent = browser.get(PAGE), browser.post(PAGE, data=fields | {"message": ""})

    assert shown.location == f"/sign-in?next={PAGE}&confirm=1"
    assert sent.location == "/sign-in?confirm=1"
    assert told(provider) == []


def test_form_of_another_site_is_refused(browser: FlaskClient, provider: Provider) -> None:
    """Neither a request nor a withdrawal comes without our token."""
    assert browser.post(PAGE, data={"message": "x"}).status_code == 400
    assert browser.post(WITHDRAW, data={}).status_code == 400
    assert told(provider) == []


def test_account_without_a_link_is_sent_to_its_identity(provider: Provider) -> None:
    """The page is for those who are linked."""
    browser = provider.signed_in(provider.an_account())

    assert browser.get(PAGE).location == IDENTITY
    assert "supprimer la liaison" not in browser.get(IDENTITY).text
    assert browser.post(PAGE, data=form_of(browser.get(IDENTITY))).location == PAGE


def test_identity_page_leads_to_the_request_when_linked(browser: FlaskClient) -> None:
    """The very sentence of the terms of use is the link."""
    text = browser.get(IDENTITY).text

    assert f'<a href="{PAGE}">{SENTENCE}</a>' in text


def test_page_explains_before_it_asks(browser: FlaskClient) -> None:
    """What ends, what stays, what services will do."""
    text = browser.get(PAGE).text

    assert "avec votre adresse e-mail et votre mot de passe" in text
    assert "elle ne sera plus certifiée" in text
    assert "de nouveau de passer par FranceConnect" in text
    assert '<textarea id="field-message" name="message"' in text


def test_request_is_shown_until_it_is_decided(browser: FlaskClient) -> None:
    """On its own page, with what was written as text, and on the identity page."""
    answer = ask(browser, "Je change d’avis <script>alert(1)</script>\nMerci")

    assert answer.location == f"{PAGE}?notice=asked"
    page = browser.get(answer.location).text
    assert "Votre demande est envoyée" in page
    assert "&lt;script&gt;alert(1)" in page
    assert "<textarea" not in page
    identity = browser.get(IDENTITY).text
    assert "La Ville étudie votre demande." in identity
    assert SENTENCE not in identity


def test_second_click_is_harmless(browser: FlaskClient, provider: Provider) -> None:
    """Both answers lead to the one request."""
    fields = form_of(browser.get(PAGE)) | {"message": ""}

    answers = [browser.post(PAGE, data=fields) for _ in range(2)]

    assert [answer.location for answer in answers] == [f"{PAGE}?notice=asked"] * 2
    assert told(provider) == ["unlink_requested"]
    assert len(events_of(provider, "unlink.requested")) == 1


def test_long_message_comes_back_with_a_sentence(browser: FlaskClient, provider: Provider) -> None:
    """What was typed stays in the field."""
    answer = ask(browser, "é" * 1001)

    assert answer.status_code == 422
    assert "1\N{NARROW NO-BREAK SPACE}000 caractères au plus" in answer.text
    assert "é" * 1001 in answer.text
    assert told(provider) == []


def test_request_is_withdrawn(browser: FlaskClient, provider: Provider) -> None:
    """The person changes their mind, twice clicked or not."""
    ask(browser)
    fields = form_of(browser.get(PAGE))

    first, second = browser.post(WITHDRAW, data=fields), browser.post(WITHDRAW, data=fields)

    assert first.location == f"{IDENTITY}?notice=unlink_withdrawn"
    assert second.location == f"{IDENTITY}?notice=unlink_decided"
    assert "Votre demande est retirée" in browser.get(first.location).text
    assert "avait déjà répondu" in browser.get(second.location).text
    assert told(provider) == ["unlink_requested", "unlink_withdrawn"]


def test_refusal_is_shown_with_its_reason(browser: FlaskClient, provider: Provider, account: Account) -> None:
    """As text, on both pages; and one may ask again."""
    refuse(provider, account, "Dossier <en> cours.")

    identity, page = browser.get(IDENTITY).text, browser.get(PAGE).text

    assert "La Ville ne l’a pas acceptée" in identity
    assert "Dossier &lt;en&gt; cours." in identity
    assert SENTENCE in identity
    assert "Dossier &lt;en&gt; cours." in page
    assert ask(browser).location == f"{PAGE}?notice=asked"


def test_approved_account_has_its_fields_back(
    browser: FlaskClient, provider: Provider, account: Account
) -> None:
    """Nothing is locked any more, and the page of the request leads to the identity."""
    request = a_request(provider, account)

    manager.approve(provider.context, request.request_id, by="claire")

    text = browser.get(IDENTITY).text
    assert 'name="family_name"' in text
    assert "DUBOIS" in text
    assert "Identité certifiée" not in text
    assert browser.get(PAGE).location == IDENTITY
    fields = form_of(browser.get(IDENTITY)) | {"given_name": "Angela", "family_name": "Dubois-Martin"}
    assert browser.post(IDENTITY, data=fields).location == f"{IDENTITY}?notice=saved"
    assert "Dubois-Martin" in browser.get(IDENTITY).text


@pytest.mark.rule("PRO-3")
def test_places_of_birth_can_be_edited_once_they_are_declared(
    browser: FlaskClient, provider: Provider, account: Account
) -> None:
    """Shown by name, kept as the code when sent back as they were, replaced by what is typed, taken away by a blank."""
    manager.approve(provider.context, a_request(provider, account).request_id, by="claire")
    names = {"given_name": ANGELA["given_name"], "family_name": ANGELA["family_name"]}
    shown = {"birthplace": "Paris 7e Arrondissement (75)", "birthcountry": "France"}

    text = browser.get(IDENTITY).text
    assert all(f'name="{name}" type="text" value="{value}"' in text for name, value in shown.items())
    declare(browser, names | shown)
    assert places(provider, account) == {"birthplace": "75107", "birthcountry": "99100"}
    declare(browser, names | {"birthplace": "Lyon", "birthcountry": ""})
    assert places(provider, account) == {"birthplace": "Lyon"}
    refused = declare(browser, names | {"birthplace": "x" * 257})
    assert refused.status_code == 422
    assert 'id="error-birthplace"' in refused.text
    assert places(provider, account) == {"birthplace": "Lyon"}


@pytest.mark.rule("PWD-7", "PWD-9")
def test_account_without_a_known_password_chooses_one_and_comes_back(
    provider: Provider, account: Account
) -> None:
    """The request is asked for once there is another way in."""
    without_password(provider, account)
    browser = by_franceconnect(provider, account)

    page = browser.get(PAGE).text
    assert "Choisissez d’abord un mot de passe" in page
    assert "<textarea" not in page
    assert browser.post(PAGE, data=form_of(browser.get(IDENTITY))).location == PAGE
    fields = form_of(browser.get(f"/account/password?next={PAGE}"))
    wrong = browser.post("/account/password", data=fields | {"password": "abc"})
    done = browser.post("/account/password", data=fields | {"password": PASSWORD})

    assert wrong.status_code == 422
    assert f'name="next" value="{PAGE}"' in wrong.text
    assert f'href="{PAGE}"' in done.text
    assert "<textarea" in browser.get(PAGE).text


@pytest.mark.rule("PWD-9")
@pytest.mark.parametrize("address", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_password_page_never_leads_elsewhere(provider: Provider, account: Account, address: str) -> None:
    """Only a page of ours is gone back to (S-281)."""
    without_password(provider, account)
    browser = by_franceconnect(provider, account)
    form = browser.get("/account/password", query_string={"next": address})
    fields = form_of(form) | {"password": PASSWORD, "next": address}

    done = browser.post("/account/password", data=fields)

    assert "evil" not in form.text.replace("lang=", "").split("<main")[1]
    assert "evil" not in done.text
    assert 'href="/account"' in done.text
