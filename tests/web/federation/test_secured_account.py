"""An account that FranceConnect opens, once its person has secured it: FranceConnect goes on opening it (LOG-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.storage.models import accounts
from tests.support.builders import OTHER_PASSWORD, mails
from tests.support.pages import send, words_of
from tests.support.provider import SESSION_COOKIE, form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.franceconnect_pages import Pages

pytestmark = pytest.mark.rule("LOG-6")
PAGE = "/account/secure"


def press(browser: FlaskClient) -> TestResponse:
    """Press the button."""
    return browser.post(PAGE, data=form_of(browser.get(PAGE)))


@pytest.mark.rule("LOG-7")
def test_button_ends_the_session_at_franceconnect_too(pages: Pages) -> None:
    """Ours first, then FranceConnect's, then the page that says where the link went."""
    browser = pages.browser()
    pages.sign_up(browser)
    assert "FranceConnect ouvre toujours votre compte" in words_of(browser.get(PAGE))

    back = pages.through_logout(browser, press(browser))

    assert browser.get_cookie(SESSION_COOKIE) is None
    assert back.startswith("/account/secured?account=")
    assert "Votre compte est sécurisé" in browser.get(back).text
    [mail] = [mail for mail in mails(pages.provider.context) if mail.event == "account_secured"]
    assert mail.variables["franceconnect"] is True


@pytest.mark.rule("PWD-9")
def test_franceconnect_opens_the_secured_account_and_sets_a_password(pages: Pages) -> None:
    """The State has vouched for the person just now: that stands for the password that nobody knows any more."""
    browser = pages.browser()
    pages.sign_up(browser)
    pages.through_logout(browser, press(browser))

    pages.go(browser)
    changed = send(browser, "/account/password", {"password": OTHER_PASSWORD})

    assert browser.get("/account").status_code == 200
    assert changed.status_code == 200
    with pages.provider.context.database.read() as connection:
        assert connection.execute(accounts.select()).one().password_is_generated is False
