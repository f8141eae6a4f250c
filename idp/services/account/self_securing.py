"""The person ends everything in their account and gets a link for a new password: loss, theft, misuse (LOG-6).

No fresh login is asked for: who presses is in a hurry, and a thief who presses throws nobody out but themselves,
for the link goes to the account's mailbox. FranceConnect goes on opening an account that is linked to it: the State
vouches for the person at each login, which the password never did. A link that a stranger made to their own identity
was told by mail when it came (FC-4) and shows in the identity; the city ends it by telephone (FC-5).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from idp.domain.email_address import masked
from idp.domain.errors import ThrottledUntil
from idp.domain.events import AccountSecured
from idp.services.account.password import LINK_LIFETIME, new_link_within
from idp.services.account.securing import end_everything
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in import throttling
from idp.services.sign_in.sessions import end_within
from idp.storage.engine import retried
from idp.storage.repositories import accounts, email_changes, franceconnect, sessions

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.account import Account
    from idp.services.context import Context
    from idp.services.sign_in.sessions import Ended, SignedIn
    from idp.storage.engine import Connection

#: For so long a page tells where the link went; as long as the link may be followed.
TOLD_FOR: Final = LINK_LIFETIME
_REASON: Final = "secured"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a person is told before they press.

    Attributes:
        email: Where the link will go.
        has_franceconnect: Whether FranceConnect opens the account too.
        is_changed_lately: The address is another one since a few days; the one before may still undo that.
    """

    email: str
    has_franceconnect: bool
    is_changed_lately: bool


@dataclass(frozen=True, slots=True)
class Secured:
    """Everything has ended.

    Attributes:
        ended: The session that pressed; services that the person used in it.
        is_mailed: False when so many links were mailed lately that no other one is.
    """

    ended: Ended
    is_mailed: bool


@dataclass(frozen=True, slots=True)
class AlreadySecured:
    """Another press, or another device, was first; nothing more happened."""


@dataclass(frozen=True, slots=True)
class SessionOver:
    """The session had ended in another way; nothing happened."""


def foresee(context: Context, account: Account) -> Foreseen:
    """Tell what securing an account will do; nothing changes."""
    with context.database.read() as connection:
        links = franceconnect.links_of_account(connection, account.account_id)
        change = email_changes.earliest_undoable(connection, account.account_id, context.clock())
    return Foreseen(account.email, bool(links), change is not None)


@retried
def secure(context: Context, present: SignedIn) -> Secured | AlreadySecured | SessionOver:
    """End every session, token and link of an account, this session's too, and mail a link for a new password.

    The end of this session decides which of two presses counts.

    Args:
        context: The parts.
        present: Who is signed in, however long ago they proved it.
    """
    unusable = context.passwords.generate()
    now, account_id = context.clock(), present.account.account_id
    with context.database.write() as connection:
        accounts.hold(connection, account_id)
        ended = end_within(context, connection, account_id, present.session.session_id, now, reason=_REASON)
        if ended is None:
            is_done = accounts.email_if_unusable_since(connection, account_id, now - TOLD_FOR) is not None
            return AlreadySecured() if is_done else SessionOver()
        others = end_everything(context, connection, account_id, now, reason=_REASON)
        accounts.make_password_unusable(connection, account_id, unusable, now)
        sessions.forget_devices(connection, account_id)
        record(connection, AccountSecured(1 + others), now, account_id=account_id)
        return Secured(ended, _mail_link(context, connection, account_id, now))


def ticket(context: Context, account_id: str, browser_hash: bytes) -> str:
    """Name an account to a page that nobody is signed in to any more, for this browser alone."""
    return context.sealer.seal(account_id.encode(), bound_to=_bound(browser_hash))


def where_mailed(context: Context, named: str | None, browser_hash: bytes) -> str | None:
    """Tell the masked address of an account that was secured a moment ago; None for any other.

    Args:
        context: The parts.
        named: The ticket, as the browser sent it.
        browser_hash: This browser.
    """
    try:
        account_id = context.sealer.unseal(named or "", bound_to=_bound(browser_hash)).decode()
    except ValueError:
        return None
    with context.database.read() as connection:
        since = context.clock() - TOLD_FOR
        email = accounts.email_if_unusable_since(connection, account_id, since)
    return None if email is None else masked(email)


def _bound(browser_hash: bytes) -> str:
    return f"secured_account/{browser_hash.hex()}"


def _mail_link(context: Context, connection: Connection, account_id: str, now: datetime) -> bool:
    """Mail the link to the address that signs in, and tell the one that may undo the latest changes of it."""
    account = accounts.by_id(connection, account_id)
    found_by = accounts.canonical_email(connection, account_id)
    brakes = throttling.securing_brakes(context, account_id=account_id)
    if account is None or found_by is None:
        return False
    if isinstance(throttling.count(context, connection, brakes, now), ThrottledUntil):
        return False
    variables: dict[str, Any] = new_link_within(context, connection, found_by, now) | {
        "at": now,
        "forgotten_url": f"{context.issuer}/forgotten-password",
        "franceconnect": bool(franceconnect.links_of_account(connection, account_id)),
    }
    mail = Mail(account.email, "account_secured", account.language, variables)
    queue_mail(context, connection, mail, account_id=account_id)
    _tell_former_address(context, connection, account, now)
    return True


def _tell_former_address(context: Context, connection: Connection, account: Account, now: datetime) -> None:
    # Whoever took the account over may have changed its address, and gets the link: its owner must hear of the other
    # one, which only they have.
    change = email_changes.earliest_undoable(connection, account.account_id, now)
    if change is None:
        return
    variables = {
        "at": now,
        "changed_at": change.proven_at,
        "days_left": max(1, (change.expires_at - now) // timedelta(days=1)),
    }
    mail = Mail(change.old_email, "account_secured_former", account.language, variables)
    queue_mail(context, connection, mail, account_id=account.account_id)
