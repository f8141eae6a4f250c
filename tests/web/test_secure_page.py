"""The page of the button that secures an account: before, after, and for who is signed out (LOG-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from idp.services.sign_in import sessions
from idp.storage.models import outbox
from tests.support.builders import OTHER_PASSWORD, PASSWORD, an_account, mails
from tests.support.pages import mailed_path, send, words_of
from tests.support.provider import SESSION_COOKIE, form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("LOG-6")
PAGE = "/account/secure"
RIGHT = {"email": "zoe@example.fr", "password": PASSWORD}


@pytest.fixture
def zoe(provider: Provider, visitor: FlaskClient) -> FlaskClient:
    """A browser in which Zoé is signed in."""
    an_account(provider.context)
    assert send(visitor, "/sign-in", RIGHT).status_code == 303
    return visitor


def sent(provider: Provider) -> list[str]:
    """List the mails that wait, but the one of the new device."""
    return [mail.event for mail in mails(provider.context) if mail.event != "new_device"]


def press(browser: FlaskClient) -> TestResponse:
    """Press the button, and follow to the page that it leads to."""
    return browser.post(PAGE, data=form_of(browser.get(PAGE)), follow_redirects=True)


def test_form_without_its_token_ends_nothing(provider: Provider, zoe: FlaskClient) -> None:
    """Another site throws nobody out."""
    assert zoe.post(PAGE).status_code == 400

    assert zoe.get("/account").status_code == 200
    assert sent(provider) == []


def test_page_says_before_what_the_button_does(zoe: FlaskClient) -> None:
    """Three steps, where the link goes, the number of the city, one button."""
    answer = zoe.get(PAGE)

    text = words_of(answer)
    assert text.partition("<ol>")[2].partition("</ol>")[0].count("<li>") == 3
    assert "Un lien part vers <strong>zoe@example.fr</strong>. Vous avez 30 minutes" in text
    assert '<a href="tel:3975">3975</a>' in text
    assert text.count('class="button button-danger"') == 1
    assert "FranceConnect ouvre toujours" not in text
    assert "a changé récemment" not in text


def test_button_signs_out_and_says_where_the_link_went(provider: Provider, zoe: FlaskClient) -> None:
    """The address is masked for who stands behind; the session's cookie is gone."""
    answer = press(zoe)

    assert answer.status_code == 200
    assert answer.request.path == "/account/secured"
    text = words_of(answer)
    assert "<h1>Votre compte est sécurisé</h1>" in text
    assert "<strong>z•••@example.fr</strong>" in text
    assert "zoe@example.fr" not in text
    assert "3975" in text
    assert zoe.get_cookie(SESSION_COOKIE) is None
    assert zoe.get("/account").status_code == 303
    assert sent(provider) == ["account_secured"]


def test_mailed_link_gives_the_account_back(provider: Provider, zoe: FlaskClient) -> None:
    """The old password is refused, the link sets another, which signs in."""
    press(zoe)
    assert send(zoe, "/sign-in", RIGHT).status_code == 422

    zoe.get(mailed_path(provider.context))
    assert send(zoe, "/new-password", {"password": OTHER_PASSWORD}).status_code == 200

    assert send(zoe, "/sign-in", RIGHT | {"password": OTHER_PASSWORD}).status_code == 303


def test_second_click_shows_the_same_page(provider: Provider, zoe: FlaskClient) -> None:
    """Also when the browser still sends the cookie of before the first; one mail."""
    form, cookie = form_of(zoe.get(PAGE)), zoe.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    zoe.post(PAGE, data=form)
    zoe.set_cookie(SESSION_COOKIE, cookie.value)

    answer = zoe.post(PAGE, data=form, follow_redirects=True)

    assert answer.request.path == "/account/secured"
    assert "z•••@example.fr" in answer.text
    assert sent(provider) == ["account_secured"]


def test_button_of_a_page_that_was_open_for_long_says_that_nobody_is_signed_in(
    provider: Provider, zoe: FlaskClient
) -> None:
    """Nothing is claimed that was not done."""
    form = form_of(zoe.get(PAGE))
    zoe.post("/sign-out", data={"csrf_token": form["csrf_token"]})

    answer = zoe.post(PAGE, data=form, follow_redirects=True)

    assert answer.request.path == PAGE
    assert "est sécurisé" not in answer.text
    assert sent(provider) == []


def test_signed_out_person_reads_what_to_do(visitor: FlaskClient) -> None:
    """A link for a new password, the way to sign in, the mail that undoes a change, the number: nothing to press."""
    answer = visitor.get(PAGE)

    assert answer.status_code == 200
    assert 'href="/forgotten-password"' in answer.text
    assert 'href="/sign-in?next=/account/secure"' in answer.text
    assert "contient un lien" not in answer.text
    assert "son lien annule le changement" in answer.text
    assert '<a href="tel:3975">3975</a>' in answer.text
    assert f'action="{PAGE}"' not in answer.text


@pytest.mark.parametrize("query", ["", "?account=", "?account=x", "?account=%C3%A9", "?account=" + "A" * 80])
def test_page_of_afterwards_knows_nobody_without_a_ticket(visitor: FlaskClient, query: str) -> None:
    """Whoever types the address is shown what to do instead."""
    answer = visitor.get(f"/account/secured{query}")

    assert answer.status_code == 303
    assert answer.location == PAGE


def test_ticket_of_another_browser_names_nobody(provider: Provider, zoe: FlaskClient) -> None:
    """The address in the bar tells nobody else whose account it was."""
    secured = press(zoe).request

    answer = provider.client().get(f"{secured.path}?{urlsplit(secured.url).query}")

    assert answer.location == PAGE


def test_old_login_presses_without_a_new_one(zoe: FlaskClient, clock: SettableClock) -> None:
    """Whoever is in a hurry is asked for nothing."""
    clock.advance(timedelta(hours=5))

    assert press(zoe).request.path == "/account/secured"


@pytest.mark.rule("LOG-7")
def test_services_are_told_and_front_channel_frames_come_first(
    provider: Provider,
) -> None:
    """As at each end of a session: by the worker, and by a frame in this browser."""
    told = provider.a_client(backchannel_logout_uri="https://parking.example.org/logout")
    framed = provider.a_client(frontchannel_logout_uri="https://parking.example.org/frame")
    browser = provider.signed_in(provider.an_account("zoe@example.org"))
    tokens = [provider.tokens(browser, service) for service in (told, framed)]

    answer = browser.post(PAGE, data=form_of(browser.get(PAGE)))

    with provider.context.database.read() as connection:
        assert connection.scalars(select(outbox.c.kind)).all().count("logout") == 1
    assert "https://parking.example.org/frame" in answer.text
    assert "/account/secured?account=" in answer.text
    assert all(provider.is_dead(service, one) for service, one in zip((told, framed), tokens, strict=True))


def test_limit_of_mails_is_told(provider: Provider, visitor: FlaskClient) -> None:
    """Past it everything ends all the same; the page says when to ask for a link."""
    account = provider.an_account("zoe@example.org")
    for _ in range(5):
        press(provider.signed_in(account, browser=visitor))

    answer = press(provider.signed_in(account, browser=visitor))

    assert "Dans une heure" in answer.text
    assert sessions.list_sessions(provider.context, account.account_id) == []


@pytest.mark.parametrize("path", ["/account", "/account/sessions", "/contact", "/requests"])
def test_pages_lead_to_the_button(zoe: FlaskClient, path: str) -> None:
    """The menu, the profile, the list of devices and the page of contact."""
    page = zoe.get(path).text.partition("<main")[2]

    assert f'href="{PAGE}"' in page


def test_english_page_has_the_same(zoe: FlaskClient) -> None:
    """Every word has its translation, and the number stands there too."""
    before = zoe.get(f"{PAGE}?lang=en")
    after = press(zoe)

    assert "<h1>Secure my account</h1>" in before.text
    assert "<h1>Your account is secured</h1>" in after.text
    assert "3975" in after.text
