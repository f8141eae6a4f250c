"""Change, forgotten password, and the sessions they end (PWD-8, PWD-9).

A link in a mail proves the mailbox and sets a password; it opens no session (D-16 of the security notes).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from idp.crypto.opaque import SecretKind, digest, is_well_formed, new_secret
from idp.domain.email_address import canonical
from idp.domain.errors import ThrottledUntil
from idp.domain.events import PasswordChanged
from idp.domain.password_policy import broken_rules
from idp.services.account.securing import end_everything
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in import password as sign_in
from idp.services.sign_in import throttling
from idp.services.sign_in.password import Refused, Throttled
from idp.storage.repositories import account_links, accounts, attributes, pending_authorizations, sessions

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.account import Account
    from idp.domain.password_policy import BrokenRule
    from idp.services.context import Context
    from idp.services.sign_in.sessions import SignedIn
    from idp.storage.engine import Connection
    from idp.storage.repositories.account_links import AccountLink

#: How long the link may be followed (PWD-8).
LINK_LIFETIME = timedelta(minutes=30)
#: Between two clicks of one person, on a slow phone.
_SECOND_CLICK: Final = timedelta(minutes=1)
_PURPOSE = "reset_password"
_PERSONAL = ("given_name", "family_name", "preferred_username")


@dataclass(frozen=True, slots=True)
class LinkGone:
    """The link served, was replaced, is too old, or never was."""


@dataclass(frozen=True, slots=True)
class RulesBroken:
    """The new password breaks these rules; nothing changed, and the link may be used again."""

    rules: tuple[BrokenRule, ...]


@dataclass(frozen=True, slots=True)
class WrongCurrent:
    """The current password is another one; the try was counted."""


@dataclass(frozen=True, slots=True)
class FranceConnectNeeded:
    """Nobody knows the current password: a fresh login by FranceConnect stands for it (PWD-9)."""


@dataclass(frozen=True, slots=True)
class Reset:
    """The password is set, and everything that the old one opened has ended.

    Attributes:
        sessions_ended: How many.
        pending_id: The authorization request that goes on after the next login, when it is this browser's.
        new_device: A device cookie for the browser that had none.
    """

    sessions_ended: int
    pending_id: str | None
    new_device: str | None


@dataclass(frozen=True, slots=True)
class Changed:
    """The password is set; so many other sessions ended."""

    sessions_ended: int


def forgotten(context: Context, email: str, *, language: str, pending_id: str | None = None) -> None:
    """Mail a link to the owner of an address, if it has an account; the work is the same if it has none.

    Throttled by address, silently: the page says the same in any case.

    Args:
        context: The parts.
        email: As typed.
        language: Of the page; the mail is in the account's own.
        pending_id: The authorization request to go on with afterwards.
    """
    now, found_by, token = context.clock(), canonical(email), new_secret(SecretKind.LINK)
    with context.database.write() as connection:
        brakes = throttling.reset_brakes(context, canonical=found_by)
        if isinstance(throttling.count(context, connection, brakes, now), ThrottledUntil):
            return
        account = accounts.by_email(connection, found_by)
        is_wanted = account_links.add_for(
            connection,
            found_by,
            token_hash=digest(token),
            purpose=_PURPOSE,
            pending_id=pending_id,
            now=now,
            expires_at=now + LINK_LIFETIME,
        )
        # To the stored address, never to the one typed (S-267).
        to, tongue = (email, language) if account is None else (account.email, account.language)
        queue_mail(
            context,
            connection,
            Mail(to, "password_reset", tongue, _link_variables(context, token)),
            account_id=None if account is None else account.account_id,
            lifetime=LINK_LIFETIME,
            is_wanted=is_wanted,
        )


def new_link_within(context: Context, connection: Connection, found_by: str, now: datetime) -> dict[str, Any]:
    """Make a link for a new password in a transaction that does more; gives what the mail says of it.

    Args:
        context: The parts.
        connection: That transaction.
        found_by: The canonical form of the account's address; a locked account gets a link that opens nothing.
        now: When.
    """
    token = new_secret(SecretKind.LINK)
    account_links.add_for(
        connection,
        found_by,
        token_hash=digest(token),
        purpose=_PURPOSE,
        pending_id=None,
        now=now,
        expires_at=now + LINK_LIFETIME,
    )
    return _link_variables(context, token)


def address_of_link(context: Context, token: str | None) -> str | None:
    """Tell whose password a link would set; nothing changes, for programs that read mail follow links (S-272)."""
    link = _find_link(context, token)
    return None if link is None else link.account.email


def reset(
    context: Context, token: str | None, password: str, *, browser_hash: bytes, device_hash: bytes | None
) -> Reset | RulesBroken | LinkGone:
    """Set a new password by a mailed link, once, and end everything that the old one opened (PWD-8).

    The browser is known from then on: whoever floods the account with guesses does not keep its owner from
    signing in (S-264).

    Args:
        context: The parts.
        token: Of the link.
        password: The new one, as typed.
        browser_hash: The browser, for the request that waits.
        device_hash: Hash of its device cookie; None when it has none.
    """
    link = _find_link(context, token)
    if token is None or link is None:
        return LinkGone()
    account = link.account
    broken = broken_rules_of(context, account, password)
    if broken:
        return RulesBroken(broken)
    password_hash = context.passwords.hash(password)
    now = context.clock()
    with context.database.write() as connection:
        if not account_links.consume(connection, digest(token), _PURPOSE, now):
            return LinkGone()
        if not accounts.set_password(connection, account.account_id, password_hash, now):
            return LinkGone()
        ended = _settle(context, connection, account, now, way="reset")
        new_device = new_secret(SecretKind.DEVICE) if device_hash is None else None
        known_by = digest(new_device) if new_device is not None else device_hash
        if known_by is not None:
            sessions.remember_device(connection, account.account_id, known_by, now)
        waiting = link.pending_id
        if waiting is not None and not _waits(connection, waiting, browser_hash, now):
            waiting = None
    return Reset(ended, waiting, new_device)


def just_reset(context: Context, token: str | None, *, browser_hash: bytes) -> Reset | None:
    """Find what a link has just done, for the second of two clicks: its browser may have lost the first answer."""
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return None
    now = context.clock()
    with context.database.read() as connection:
        link = account_links.that_set_password(connection, digest(token), _PURPOSE, now - _SECOND_CLICK)
        if link is None:
            return None
        waits = link.pending_id is not None and _waits(connection, link.pending_id, browser_hash, now)
    return Reset(0, link.pending_id if waits else None, None)


def change(
    context: Context,
    present: SignedIn,
    current: str | None,
    password: str,
    *,
    address: str,
    device_hash: bytes | None,
) -> Changed | RulesBroken | WrongCurrent | Throttled | FranceConnectNeeded:
    """Set a new password for who is signed in and proves it once more; the other sessions end (PWD-9).

    The new password is looked at first: a current one that is right is not asked for twice because of the new one.

    Args:
        context: The parts.
        present: Who is signed in.
        current: The current password, as typed; not asked for when it was generated.
        password: The new one, as typed.
        address: The visitor's IP address; empty when it can't be told.
        device_hash: Hash of the browser's device cookie.
    """
    account = present.account
    if account.password_is_generated and not is_fresh_franceconnect(context, present):
        return FranceConnectNeeded()
    broken = broken_rules_of(context, account, password)
    if broken:
        return RulesBroken(broken)
    checked = (
        None
        if account.password_is_generated
        else sign_in.check(context, account.email, current or "", address=address, device_hash=device_hash)
    )
    if isinstance(checked, Throttled):
        return checked
    if isinstance(checked, Refused):
        return WrongCurrent()
    password_hash = context.passwords.hash(password)
    now = context.clock()
    with context.database.write() as connection:
        replaces = None if checked is None else checked.credential.changed_at
        if not accounts.set_password(connection, account.account_id, password_hash, now, replaces=replaces):
            return WrongCurrent()
        if checked is not None:
            throttling.clear(context, connection, checked.brakes, now)
        ended = _settle(context, connection, account, now, way="change", but=present.session.session_id)
    return Changed(ended)


def is_fresh_franceconnect(context: Context, present: SignedIn) -> bool:
    """Tell whether the person came by FranceConnect lately enough to set a first password (PWD-9)."""
    session = present.session
    return "fc" in session.authentication.methods and session.is_recent(
        context.clock(), context.session_lifetimes
    )


def _settle(
    context: Context,
    connection: Connection,
    account: Account,
    now: datetime,
    *,
    way: str,
    but: str | None = None,
) -> int:
    """End what the old password opened, and tell the owner."""
    ended = end_everything(context, connection, account.account_id, now, reason="password_changed", but=but)
    mail = Mail(account.email, "password_changed", account.language, {"at": now})
    queue_mail(context, connection, mail, account_id=account.account_id)
    record(connection, PasswordChanged(way), now, account_id=account.account_id)
    return ended


def broken_rules_of(context: Context, account: Account, password: str) -> tuple[BrokenRule, ...]:
    """Name every rule that a new password of an account breaks."""
    with context.database.read() as connection:
        known = attributes.of_account(connection, account.account_id)
    names = tuple(known[name].value for name in _PERSONAL if name in known)
    return broken_rules(
        password,
        policy=context.password_policy,
        personal=(account.email, *names),
        is_common=context.breached_passwords.is_common,
    )


def _find_link(context: Context, token: str | None) -> AccountLink | None:
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return None
    with context.database.read() as connection:
        return account_links.find(connection, digest(token), _PURPOSE, context.clock())


def _link_variables(context: Context, token: str) -> dict[str, Any]:
    return {
        "link": f"{context.issuer}/new-password?{urlencode({'token': token})}",
        "link_minutes": LINK_LIFETIME // timedelta(minutes=1),
    }


def _waits(connection: Connection, pending_id: str, browser_hash: bytes, now: datetime) -> bool:
    pending = pending_authorizations.find(connection, pending_id, browser_hash=browser_hash)
    return pending is not None and now < pending.expires_at
