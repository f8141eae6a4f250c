"""Requests to end a link to FranceConnect, and what they leave behind, for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from idp.domain.authentication import Authentication
from idp.services.account import unlinking
from idp.services.account.unlinking import Asked
from idp.services.sign_in.sessions import open_session
from idp.storage.models import account_attribute_changes, accounts, audit_events, franceconnect_links
from tests.support.builders import mails
from tests.support.provider import SESSION_COOKIE

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from idp.domain.account import Account
    from idp.domain.unlinking import UnlinkRequest
    from tests.support.provider import Provider

OPERATOR = "claire.martin"
MESSAGE = "Je préfère un mot de passe.\nMerci."


def a_request(provider: Provider, account: Account, message: str = MESSAGE) -> UnlinkRequest:
    """Ask to end the link of an account, as its owner does."""
    asked = unlinking.ask(provider.context, account, message)
    assert isinstance(asked, Asked), asked
    return asked.request


def by_franceconnect(provider: Provider, account: Account, *, portal: str = "franceconnect") -> FlaskClient:
    """Open a browser in which an account is signed in through FranceConnect, now."""
    with provider.context.database.write() as connection:
        opened = open_session(
            provider.context,
            connection,
            account.account_id,
            Authentication.by_franceconnect(provider.clock(), "eidas1"),
            browser="Firefox",
            upstream=portal,
        )
    browser = provider.client()
    browser.set_cookie(SESSION_COOKIE, opened.cookie)
    return browser


def without_password(provider: Provider, account: Account) -> None:
    """Make the password of an account one that nobody knows (PWD-7)."""
    with provider.context.database.write() as connection:
        connection.execute(
            update(accounts)
            .where(accounts.c.account_id == account.account_id)
            .values(password_is_generated=True)
        )


def events_of(provider: Provider, name: str) -> list[Any]:
    """Read the lines of the trail that have a name, the oldest first."""
    statement = select(audit_events).where(audit_events.c.name == name).order_by(audit_events.c.event_id)
    with provider.context.database.read() as connection:
        return list(connection.execute(statement))


def history_of(provider: Provider, account: Account) -> list[Any]:
    """Read the history of an account's attributes."""
    table = account_attribute_changes
    with provider.context.database.read() as connection:
        return list(connection.execute(select(table).where(table.c.account_id == account.account_id)))


def links_of(provider: Provider, account: Account) -> list[Any]:
    """Read every link that an account has or had."""
    table = franceconnect_links
    with provider.context.database.read() as connection:
        return list(connection.execute(select(table).where(table.c.account_id == account.account_id)))


def told(provider: Provider) -> list[str]:
    """Name the mails about requests, sorted: some are queued at the same instant."""
    return sorted(mail.event for mail in mails(provider.context) if mail.event.startswith("unlink_"))
