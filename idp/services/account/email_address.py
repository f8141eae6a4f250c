"""Changes the login address: the new one is proven first, the old one may undo it (PRO-1, ACC-4, ACC-5, LOG-6).

Whether the new address belongs to somebody shows nowhere but in its mailbox. Code and link serve the account that
asked, signed in, and no other: whoever merely reads the mailbox, or merely began, gains nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from idp.crypto.opaque import SecretKind, digest, is_well_formed, new_id, new_secret
from idp.domain.account import AccountState
from idp.domain.email_address import EmailAddress, canonical
from idp.domain.errors import ThrottledUntil
from idp.domain.events import AccountLocked, EmailChanged, EmailChangeUndone
from idp.services.account import mailed_code
from idp.services.account.contact_email import drop_login_address
from idp.services.account.mailed_code import MailsExhausted, Proof, Resent
from idp.services.account.password import new_link_within
from idp.services.account.securing import end_everything
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.sign_in import throttling
from idp.services.sign_in.sessions import end_others_within
from idp.storage.engine import retried
from idp.storage.repositories import account_links, accounts, email_changes, signups
from idp.storage.repositories.email_changes import EmailChange

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.account import Account
    from idp.services.account.mailed_code import CodeExhausted, CodeExpired, WrongCode
    from idp.services.context import Context
    from idp.services.sign_in.sessions import SignedIn
    from idp.storage.engine import Connection

#: How long the old address may undo the change.
UNDO_LIFETIME = timedelta(days=7)
_PURPOSE = "email_change"
_ADDRESS_TAKEN_REASON = "the former address, which undid a change, belongs to another account"


@dataclass(frozen=True, slots=True)
class Begun:
    """A mail is on its way."""


@dataclass(frozen=True, slots=True)
class SameAddress:
    """This is the account's address already."""


@dataclass(frozen=True, slots=True)
class WaitingChange:
    """A change that waits for its proof."""

    email: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The account has its new address; so many other sessions ended."""

    sessions_ended: int


@dataclass(frozen=True, slots=True)
class AlreadyChanged:
    """The address was proven a moment ago, as by the first of two clicks."""


@dataclass(frozen=True, slots=True)
class AddressTaken:
    """The address, which this person has proven, got an account meanwhile; nothing changed."""


@dataclass(frozen=True, slots=True)
class Gone:
    """No such change waits in this account."""


@dataclass(frozen=True, slots=True)
class Undone:
    """The old address is back; everything that was open has ended, and a link for a new password is mailed to it."""


@dataclass(frozen=True, slots=True)
class UndoneAndLocked:
    """The old address belongs to another account by now: the account is locked until its owner calls (LOG-6)."""


@dataclass(frozen=True, slots=True)
class UndoUsed:
    """The link has served."""


@dataclass(frozen=True, slots=True)
class UndoGone:
    """The link is too old, was cut, or never was."""


@retried
def begin(
    context: Context, account: Account, email: EmailAddress, *, address: str
) -> Begun | SameAddress | ThrottledUntil:
    """Send a code and a link to a new address, or tell its owner that somebody tried; the work is the same.

    Args:
        context: The parts.
        account: Who is signed in, proven again lately; the change that waited before ends.
        email: The address to prove.
        address: The visitor's IP address; empty when it can't be told.
    """
    if email.canonical == canonical(account.email):
        return SameAddress()
    now = context.clock()
    with context.database.write() as connection:
        brakes = (
            *throttling.signup_brakes(context, address=address),
            *throttling.email_change_brakes(context, account_id=account.account_id),
        )
        allowed = throttling.count(context, connection, brakes, now)
        if isinstance(allowed, ThrottledUntil):
            return allowed
        refused = mailed_code.may_send(context, connection, email.canonical, now)
        accounts.hold(connection, account.account_id)
        # Read again: a change may have been proven since the request came.
        current = accounts.by_id(connection, account.account_id) or account
        change = EmailChange(
            change_id=new_id(now),
            account_id=account.account_id,
            old_email=current.email,
            new_email=email.typed,
            new_canonical=email.canonical,
            code_expires_at=now,
            tries=0,
            expires_at=now + mailed_code.LINK_LIFETIME,
        )
        proof = _proof(context, change, account.language)
        secrets = mailed_code.send(context, connection, proof, is_wanted=refused is None)
        email_changes.replace(connection, change, secrets, now)
    return Begun()


def waiting(context: Context, account_id: str) -> WaitingChange | None:
    """Find the change of an account that waits for its proof; None when there is none."""
    with context.database.read() as connection:
        change = email_changes.open_of_account(connection, account_id, context.clock())
    return None if change is None else WaitingChange(change.new_email)


def has_just_changed(context: Context, account_id: str) -> bool:
    """Tell whether an account got its address a moment ago."""
    with context.database.read() as connection:
        return _has_just_changed(context, connection, account_id)


@retried
def resend(context: Context, account: Account) -> Resent | MailsExhausted | Gone:
    """Send another code and link; those of the mail before end (ACC-4)."""
    now = context.clock()
    with context.database.write() as connection:
        change = email_changes.open_of_account(connection, account.account_id, now)
        if change is None:
            return Gone()
        brakes = throttling.email_change_brakes(context, account_id=account.account_id)
        counted = throttling.count(context, connection, brakes, now)
        refused = (
            counted
            if isinstance(counted, ThrottledUntil)
            else mailed_code.may_send(context, connection, change.new_canonical, now)
        )
        if refused is not None:
            return MailsExhausted(refused.when)
        proof = _proof(context, change, account.language)
        secrets = mailed_code.send(context, connection, proof, is_wanted=True)
        email_changes.renew(connection, change.change_id, secrets, now)
    return Resent()


@retried
def prove_by_code(
    context: Context, present: SignedIn, code: str
) -> Changed | AlreadyChanged | AddressTaken | WrongCode | CodeExpired | CodeExhausted | Gone:
    """Compare a typed code, and change the address if it is right.

    Args:
        context: The parts.
        present: Who is signed in; their session stays.
        code: Six digits.
    """
    now, most = context.clock(), context.code_policy.tries
    account_id = present.account.account_id
    with context.database.write() as connection:
        change = email_changes.open_of_account(connection, account_id, now)
        if change is None:
            return _why_none(context, connection, account_id)
        _hold(connection, change)
        code_hash = mailed_code.code_hash(context, _PURPOSE, change.change_id, code)
        tried = email_changes.try_code(connection, change.change_id, code_hash, most_tries=most, now=now)
        if tried is None:
            return _why_not_tried(context, connection, account_id, now)
        if tried.proven_at is not None:
            return _change(context, connection, present, change, way="code")
    return mailed_code.refused(context, tried.tries)


def address_of_link(context: Context, account_id: str, token: str | None) -> str | None:
    """Tell which address a link would give an account; None for another account's link (S-272)."""
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return None
    with context.database.read() as connection:
        change = email_changes.by_link(connection, digest(token), context.clock())
    return None if change is None or change.account_id != account_id else change.new_email


@retried
def prove_by_link(
    context: Context, present: SignedIn, token: str | None
) -> Changed | AlreadyChanged | AddressTaken | Gone:
    """Use up a link and change the address, for the account that asked: whoever merely has the mail gains nothing.

    Args:
        context: The parts.
        present: Who is signed in, in whatever browser; their session stays.
        token: Of the link.
    """
    now, account_id = context.clock(), present.account.account_id
    link_hash = digest(token) if token is not None and is_well_formed(SecretKind.LINK, token) else None
    with context.database.write() as connection:
        change = None if link_hash is None else email_changes.by_link(connection, link_hash, now)
        if link_hash is None or change is None or change.account_id != account_id:
            return _why_none(context, connection, account_id)
        _hold(connection, change)
        if not email_changes.prove_by_link(connection, change.change_id, link_hash, now):
            return _why_none(context, connection, account_id)
        return _change(context, connection, present, change, way="link")


def look_at_undo(context: Context, token: str | None) -> EmailChange | UndoUsed | UndoGone:
    """Tell what a link would undo; nothing changes, for programs that read mail follow links (S-272)."""
    if token is None or not is_well_formed(SecretKind.LINK, token):
        return UndoGone()
    with context.database.read() as connection:
        change = email_changes.by_undo(connection, digest(token))
    return _undoable(change, context.clock())


@retried
def undo(context: Context, token: str | None) -> Undone | UndoneAndLocked | UndoUsed | UndoGone:
    """Give the old address back, once, and end everything that is open in the account (LOG-6).

    No login is asked for: whoever reads the old mailbox held the account by it until the change. They get no session
    either, only a link for a new password, by mail.

    Args:
        context: The parts.
        token: Of the link that was mailed to the old address.
    """
    found = look_at_undo(context, token)
    if token is None or not isinstance(found, EmailChange):
        return found if isinstance(found, UndoUsed) else UndoGone()
    unusable = context.passwords.generate()
    old = EmailAddress(found.old_email, canonical(found.old_email))
    now = context.clock()
    with context.database.write() as connection:
        signups.hold_address(connection, old.canonical)
        accounts.hold(connection, found.account_id)
        if not email_changes.undo(connection, digest(token), now):
            return UndoUsed()
        email_changes.void_later(connection, found)
        email_changes.remove_open_of_account(connection, found.account_id)
        is_restored = accounts.set_email(connection, found.account_id, old)
        accounts.make_password_unusable(connection, found.account_id, unusable, now)
        end_everything(context, connection, found.account_id, now, reason="email_change_undone")
        if not is_restored:
            _lock(connection, found.account_id, now)
            return UndoneAndLocked()
        _drop_waiting(connection, old.canonical)
        drop_login_address(context, connection, found.account_id, old.canonical)
        _tell_undone(context, connection, found, old, now)
    return Undone()


def _change(
    context: Context, connection: Connection, present: SignedIn, change: EmailChange, *, way: str
) -> Changed | AddressTaken:
    """Give the account the address that it has proven, in the transaction of the proof."""
    now, account = context.clock(), present.account
    if not accounts.set_email(
        connection, account.account_id, EmailAddress(change.new_email, change.new_canonical)
    ):
        email_changes.remove(connection, change.change_id)
        return AddressTaken()
    undo_token = new_secret(SecretKind.LINK)
    email_changes.let_undo(connection, change.change_id, digest(undo_token), now + UNDO_LIFETIME)
    _drop_waiting(connection, change.new_canonical)
    drop_login_address(context, connection, account.account_id, change.new_canonical)
    account_links.void_all(connection, account.account_id, now)
    ended = end_others_within(
        context,
        connection,
        account.account_id,
        now,
        but=present.session.session_id,
        reason="email_changed",
    )
    _tell_changed(context, connection, account, change, undo_token)
    record(connection, EmailChanged(way), now, account_id=account.account_id)
    return Changed(len(ended))


def _hold(connection: Connection, change: EmailChange) -> None:
    """Hold what a proof touches, in the order in which a sign-up of the same address does (ACC-5)."""
    signups.hold_address(connection, change.new_canonical)
    accounts.hold(connection, change.account_id)
    email_changes.hold_address(connection, change.new_canonical)


def _drop_waiting(connection: Connection, found_by: str) -> None:
    """End whatever else waits for the proof of an address: it has an account now (ACC-5)."""
    signups.remove_of_address(connection, found_by)
    email_changes.remove_open_of_address(connection, found_by)


def _lock(connection: Connection, account_id: str, now: datetime) -> None:
    accounts.set_state(connection, account_id, AccountState.LOCKED, _ADDRESS_TAKEN_REASON)
    record(connection, EmailChangeUndone("taken"), now, account_id=account_id)
    record(connection, AccountLocked("system"), now, actor="system", account_id=account_id)


def _tell_changed(
    context: Context, connection: Connection, account: Account, change: EmailChange, undo_token: str
) -> None:
    now = context.clock()
    variables = {
        "at": now,
        "link": f"{context.issuer}/undo-email?{urlencode({'token': undo_token})}",
        "link_days": UNDO_LIFETIME // timedelta(days=1),
    }
    # To the stored address (S-267): the one that the account had until now.
    to_old = Mail(change.old_email, "email_changed", account.language, variables)
    queue_mail(context, connection, to_old, account_id=account.account_id, lifetime=UNDO_LIFETIME)
    to_new = Mail(change.new_email, "email_changed_new", account.language, {"at": now})
    queue_mail(context, connection, to_new, account_id=account.account_id)


def _tell_undone(
    context: Context, connection: Connection, change: EmailChange, old: EmailAddress, now: datetime
) -> None:
    account = accounts.by_id(connection, change.account_id)
    language = "fr" if account is None else account.language
    variables = new_link_within(context, connection, old.canonical, now)
    variables["forgotten_url"] = f"{context.issuer}/forgotten-password"
    mail = Mail(old.typed, "email_undone", language, variables)
    queue_mail(context, connection, mail, account_id=change.account_id)
    record(connection, EmailChangeUndone("restored"), now, account_id=change.account_id)


def _proof(context: Context, change: EmailChange, language: str) -> Proof:
    return Proof(
        canonical=change.new_canonical,
        purpose=_PURPOSE,
        row=change.change_id,
        mail=lambda code, link: _proof_mail(context, change, language, code, link),
        owner_mail=lambda owner: _owner_mail(context, owner),
        asked_by=change.account_id,
    )


def _proof_mail(context: Context, change: EmailChange, language: str, code: str, link: str) -> Mail:
    address = f"{context.issuer}/account/email/link?{urlencode({'token': link})}"
    variables = mailed_code.in_mail(context, code) | {"link": address}
    return Mail(change.new_email, "email_change_code", language, variables)


def _owner_mail(context: Context, owner: Account) -> Mail:
    variables = mailed_code.in_owner_mail(context) | {"service_name": None}
    # To the stored address, never to the one typed (S-267).
    return Mail(owner.email, "signup_existing_account", owner.language, variables)


def _why_not_tried(
    context: Context, connection: Connection, account_id: str, now: datetime
) -> AlreadyChanged | CodeExpired | CodeExhausted | Gone:
    change = email_changes.open_of_account(connection, account_id, now)
    if change is None:
        return _why_none(context, connection, account_id)
    return mailed_code.not_tried(change.code_expires_at, now)


def _why_none(context: Context, connection: Connection, account_id: str) -> AlreadyChanged | Gone:
    return AlreadyChanged() if _has_just_changed(context, connection, account_id) else Gone()


def _has_just_changed(context: Context, connection: Connection, account_id: str) -> bool:
    since = context.clock() - context.code_policy.lifetime
    return email_changes.is_proven_since(connection, account_id, since)


def _undoable(change: EmailChange | None, now: datetime) -> EmailChange | UndoUsed | UndoGone:
    if change is None or change.proven_at is None:
        return UndoGone()
    if change.undone_at is not None:
        return UndoUsed()
    return change if now < change.expires_at else UndoGone()
