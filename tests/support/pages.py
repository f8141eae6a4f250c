"""Fills forms in a test client as a person does in a browser, without a script."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from tests.support.builders import last_mail, mails
from tests.support.provider import form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.services.context import Context

#: What differs from one rendering of a page to the next: tokens of forms, identifiers, addresses with them.
_CHANGING = re.compile(r'(?<=value=")[^"]{60,}(?=")|mp[a-z]_[0-9A-Za-z_-]{49}')


def send(
    browser: FlaskClient,
    page: str,
    fields: dict[str, str],
    *,
    action: str | None = None,
    **more: Any,
) -> TestResponse:
    """Open a page and send its form, with its hidden fields and what the person fills in.

    Args:
        browser: A test client.
        page: Address of the page.
        fields: What is typed; replaces hidden fields of the same name.
        action: Where the form goes, when it is not the page's own path.
        more: For the client, such as `headers`.
    """
    hidden = form_of(browser.get(page))
    return browser.post(action or urlsplit(page).path, data={**hidden, **fields}, **more)


def csrf_of(browser: FlaskClient, page: str = "/sign-in") -> str:
    """Give a token that this browser may send with a form."""
    return form_of(browser.get(page))["csrf_token"]


def without_tokens(response: TestResponse) -> str:
    """Give what a page says, without what differs at each rendering."""
    return _CHANGING.sub("…", response.text)


def words_of(response: TestResponse) -> str:
    """Give the text of a page with plain spaces, whatever the typography of the words."""
    return response.text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{NARROW NO-BREAK SPACE}", " ")


def twin_of(browser: FlaskClient) -> FlaskClient:
    """Open a browser with the cookies of another one: what is answered to the one, the other never hears."""
    twin = browser.application.test_client()
    for cookie in (browser._cookies or {}).values():  # noqa: SLF001 - the client tells one cookie by its name only
        twin.set_cookie(cookie.key, cookie.value, domain=cookie.domain)
    return twin


def edition_of(response: TestResponse) -> dict[str, str]:
    """Give the hidden field by which a page says which state it shows, as a form sends it."""
    return {"edition": response.text.partition('name="edition" value="')[2].partition('"')[0]}


def mailed_path(context: Context, to: str | None = None) -> str:
    """Give path and query of the link in the latest mail."""
    links = [
        mail.variables["link"]
        for mail in mails(context)
        if "link" in mail.variables and to in {None, mail.to}
    ]
    link = urlsplit(links[-1])
    return f"{link.path}?{link.query}"


def mailed_token(context: Context, to: str | None = None) -> str:
    """Give the token of the link in the latest mail."""
    return parse_qs(urlsplit(mailed_path(context, to)).query)["token"][0]


def mailed_code(context: Context, to: str | None = None) -> str:
    """Give the code in the latest mail."""
    return str(last_mail(context, to).variables["code"])
