"""Whatever FranceConnect did, the page names a way on that works, in both languages, and inside a request (FC-7)."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from idp.storage.models import accounts, franceconnect_links
from tests.support.builders import an_account
from tests.support.provider import pending_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.franceconnect_pages import Pages

LANGUAGES = {"fr": "Besoin d’aide", "en": "Need help"}


def login_path(pending: str | None, **more: str) -> str:
    """Give the address of the button."""
    query = more | ({} if pending is None else {"pending": pending})
    return "/franceconnect/login" + (f"?{urlencode(query)}" if query else "")


def refused(pages: Pages, browser: FlaskClient, pending: str | None) -> TestResponse:
    """The person turned back at the list of identity providers."""
    left = browser.get(login_path(pending))
    return browser.get("/franceconnect/callback", query_string=pages.simulator.person_gives_up(left.location))


def unavailable(pages: Pages, browser: FlaskClient, pending: str | None) -> TestResponse:
    """It went down while the person was there."""
    callback = pages.callback(browser, login_path(pending))
    pages.simulator.misbehave(fault="down")
    return browser.get(callback)


def misbehaved(pages: Pages, browser: FlaskClient, pending: str | None) -> TestResponse:
    """A check failed."""
    callback = pages.callback(browser, login_path(pending))
    pages.simulator.misbehave(fault="wrong_key", on="userinfo")
    return browser.get(callback)


def expired(pages: Pages, browser: FlaskClient, pending: str | None) -> TestResponse:
    """The page of a choice that nothing waits for."""
    del pages
    query = {} if pending is None else {"pending": pending}
    return browser.get("/franceconnect/first-time", query_string=query)


def locked(pages: Pages, browser: FlaskClient, pending: str | None) -> TestResponse:
    """The account was locked by the city."""
    pages.sign_up(pages.browser())
    with pages.provider.context.database.write() as connection:
        connection.execute(accounts.update().values(state="locked"))
    return browser.get(pages.callback(browser, login_path(pending)))


def identity_taken(pages: Pages, browser: FlaskClient, pending: str | None) -> TestResponse:
    """The same person under another subject: the account's link was made with another one."""
    pages.sign_up(pages.browser())
    with pages.provider.context.database.write() as connection:
        connection.execute(franceconnect_links.update().values(upstream_subject="ancien"))
    return browser.get(pages.callback(browser, login_path(pending)))


def linked_elsewhere(pages: Pages, browser: FlaskClient, pending: str | None) -> TestResponse:
    """Another account has the identity."""
    pages.sign_up(pages.browser())
    pages.provider.signed_in(an_account(pages.provider.context), browser=browser)
    return browser.get(pages.callback(browser, login_path(pending, intent="link")))


def already_linked(pages: Pages, browser: FlaskClient, pending: str | None) -> TestResponse:
    """The account has another identity, born elsewhere."""
    pages.sign_up(browser)
    return browser.get(pages.callback(browser, login_path(pending, intent="link"), login="naissance_Algérie"))


REASONS = {
    one.__name__: one
    for one in (
        refused,
        unavailable,
        misbehaved,
        expired,
        locked,
        identity_taken,
        linked_elsewhere,
        already_linked,
    )
}


def ways_on(answer: TestResponse) -> list[str]:
    """List the buttons and links of the page's main part, but for help."""
    main = answer.text.partition("<main")[2].partition("</main>")[0]
    found = [html.unescape(one) for one in re.findall(r'<a [^>]*href="([^"]+)"', main)]
    return [one for one in found if one.startswith("/") and one != "/contact"]


def through(pages: Pages, browser: FlaskClient, answer: TestResponse) -> TestResponse:
    """Go on through the portal's logout, when the identity was turned away."""
    if answer.status_code != 303:
        return answer
    return browser.get(pages.through_logout(browser, answer))


@pytest.mark.rule("FC-7", "UX-4")
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("reason", REASONS)
def test_page_of_each_reason_names_a_way_on(pages: Pages, reason: str, language: str) -> None:
    """A button that leads to a page, and the number to call, in the reader's language."""
    browser = pages.browser()
    browser.get(f"/?lang={language}")

    answer = through(pages, browser, REASONS[reason](pages, browser, None))

    pages.simulator.behave()
    assert answer.status_code in {200, 400, 403, 409, 502, 503}
    assert f'<html lang="{language}"' in answer.text
    assert LANGUAGES[language] in answer.text
    assert 'href="/contact"' in answer.text
    assert "3975" in answer.text
    assert ways_on(answer)
    for way in ways_on(answer):
        assert browser.get(way).status_code in {200, 303}, way


@pytest.mark.rule("FC-7")
@pytest.mark.parametrize("reason", [*REASONS])
def test_way_on_stays_inside_the_request_of_a_service(pages: Pages, reason: str) -> None:
    """Whatever happened, the service that asked is still named, and a button still leads to it."""
    service = pages.provider.a_client(claims=())
    browser = pages.browser()
    pending = pending_of(pages.provider.authorize(browser, service).location)

    answer = through(pages, browser, REASONS[reason](pages, browser, pending))

    assert [way for way in ways_on(answer) if parse_qs(urlsplit(way).query).get("pending") == [pending]]
    assert service.client.name in answer.text
