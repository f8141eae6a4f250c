"""Leaving by FranceConnect: proof of presence, the portal's session, the identity that is free again (PRO-9, LIF-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.storage.models import accounts, franceconnect_links
from tests.support.provider import SESSION_COOKIE, form_of
from tests.support.unlinking import events_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.franceconnect_pages import Pages

pytestmark = pytest.mark.rule("PRO-9", "LIF-4", "ACC-6")
PAGE = "/account/delete"


def delete(pages: Pages, browser: FlaskClient) -> str:
    """Confirm, and go on through the portal's logout; gives the path of the page at the end."""
    answer = browser.post(PAGE, data={**form_of(browser.get(PAGE)), "understood": "yes"})
    return pages.through_logout(browser, answer)


@pytest.mark.rule("LOG-7")
def test_session_at_the_portal_ends_too_and_the_certificate_is_shown_then(pages: Pages) -> None:
    """The way out goes by FranceConnect's logout, as every sign-out does, and ends at the certificate."""
    browser = pages.browser()
    pages.sign_up(browser)
    pages.go(browser)

    end = delete(pages, browser)

    assert end == "/account-deleted"
    assert "Votre compte est supprimé" in browser.get(end).text
    assert browser.get_cookie(SESSION_COOKIE) is None


def test_same_identity_signs_up_as_a_stranger(pages: Pages) -> None:
    """Neither the address nor the identity is known any more: another account is opened, with another name for us."""
    browser = pages.browser()
    pages.sign_up(browser)
    pages.go(browser)
    delete(pages, browser)

    pages.sign_up(pages.browser())

    with pages.provider.context.database.read() as connection:
        (account,) = connection.execute(accounts.select()).all()
        (link,) = connection.execute(franceconnect_links.select()).all()
    assert link.account_id == account.account_id
    assert len(events_of(pages.provider, "account.deleted")) == 1
