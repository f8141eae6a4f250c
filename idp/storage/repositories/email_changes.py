"""Queries about changes of the login address: proven by the new one, undone by the old one (PRO-1).

A change is open until it is proven; an account has one open change at most. Hashes only, each serves once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, insert, literal, null, select, update

from idp.storage.models import email_changes

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

    from idp.storage.repositories.signups import NewSecrets

_TABLE = email_changes
_COLUMNS = (
    _TABLE.c.change_id,
    _TABLE.c.account_id,
    _TABLE.c.old_email,
    _TABLE.c.new_email,
    _TABLE.c.new_canonical,
    _TABLE.c.code_expires_at,
    _TABLE.c.tries,
    _TABLE.c.expires_at,
    _TABLE.c.proven_at,
    _TABLE.c.undone_at,
)


@dataclass(frozen=True, slots=True)
class EmailChange:
    """A change of the login address.

    Attributes:
        change_id: Names it.
        account_id: Whose.
        old_email: Before, as typed then; its owner may undo.
        new_email: As typed; mail goes there.
        new_canonical: The form by which the account will be found.
        code_expires_at: Until when the code may be typed.
        tries: Codes typed so far.
        expires_at: Until when it may be proven; once it is, until when it may be undone.
        proven_at: When the new address was proven; None while it waits.
        undone_at: When the old address took the change back.
    """

    change_id: str
    account_id: str
    old_email: str
    new_email: str
    new_canonical: str
    code_expires_at: datetime
    tries: int
    expires_at: datetime
    proven_at: datetime | None = None
    undone_at: datetime | None = None


def replace(connection: Connection, change: EmailChange, secrets: NewSecrets, now: datetime) -> None:
    """Keep a change until it is proven, in place of the one that waits; the caller holds the account."""
    remove_open_of_account(connection, change.account_id)
    connection.execute(
        insert(_TABLE).values(
            change_id=change.change_id,
            account_id=change.account_id,
            old_email=change.old_email,
            new_email=change.new_email,
            new_canonical=change.new_canonical,
            code_hash=secrets.code_hash,
            code_expires_at=secrets.code_expires_at,
            tries=0,
            mails_sent=1,
            link_hash=secrets.link_hash,
            expires_at=change.expires_at,
            created_at=now,
        )
    )


def open_of_account(connection: Connection, account_id: str, now: datetime) -> EmailChange | None:
    """Find the change of an account that waits for its proof."""
    return _one(connection, _TABLE.c.account_id == account_id, *_open(now))


def by_link(connection: Connection, link_hash: bytes, now: datetime) -> EmailChange | None:
    """Find the change that a mailed link would prove, and change nothing (S-272)."""
    return _one(connection, _TABLE.c.link_hash == link_hash, *_open(now))


def by_undo(connection: Connection, undo_hash: bytes) -> EmailChange | None:
    """Find what a link undoes, used or expired included, and change nothing (S-272)."""
    return _one(connection, _TABLE.c.undo_hash == undo_hash)


def is_proven_since(connection: Connection, account_id: str, since: datetime) -> bool:
    """Tell whether an account got another address since a moment, and kept it."""
    statement = (
        select(_TABLE.c.change_id)
        .where(_TABLE.c.account_id == account_id, _TABLE.c.proven_at >= since, _TABLE.c.undone_at.is_(None))
        .limit(1)
    )
    return connection.scalar(statement) is not None


def earliest_undoable(connection: Connection, account_id: str, now: datetime) -> EmailChange | None:
    """Find the earliest change of an account that its old address may still undo."""
    statement = (
        select(*_COLUMNS)
        .where(
            _TABLE.c.account_id == account_id,
            _TABLE.c.proven_at.is_not(None),
            _TABLE.c.undone_at.is_(None),
            _TABLE.c.expires_at > now,
        )
        .order_by(_TABLE.c.proven_at)
        .limit(1)
    )
    return _change_or_none(connection.execute(statement).one_or_none())


def hold_address(connection: Connection, canonical: str) -> None:
    """Hold every open change to an address, in one order for everybody: the first to prove it drops the others."""
    connection.execute(
        select(_TABLE.c.change_id)
        .where(_TABLE.c.new_canonical == canonical, _TABLE.c.proven_at.is_(None))
        .order_by(_TABLE.c.change_id)
        .with_for_update()
    )


def try_code(
    connection: Connection, change_id: str, code_hash: bytes, *, most_tries: int, now: datetime
) -> EmailChange | None:
    """Count a try, then compare, in one statement: parallel guesses can't exceed the limit, one right code wins.

    Returns:
        The change after the try, proven or not; None when no code could be tried.
    """
    is_right = _TABLE.c.code_hash == code_hash
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.change_id == change_id,
            _TABLE.c.tries < most_tries,
            _TABLE.c.code_expires_at > now,
            *_open(now),
        )
        .values(
            tries=_TABLE.c.tries + 1,
            proven_at=case((is_right, literal(now, _TABLE.c.proven_at.type)), else_=null()),
        )
        .returning(*_COLUMNS)
    )
    return _change_or_none(connection.execute(statement).one_or_none())


def prove_by_link(connection: Connection, change_id: str, link_hash: bytes, now: datetime) -> bool:
    """Use up a link, at most once whatever the number of concurrent callers."""
    statement = (
        update(_TABLE)
        .where(_TABLE.c.change_id == change_id, _TABLE.c.link_hash == link_hash, *_open(now))
        .values(proven_at=now)
    )
    return connection.execute(statement).rowcount == 1


def let_undo(connection: Connection, change_id: str, undo_hash: bytes, until: datetime) -> None:
    """Void what proved a change, and keep what undoes it."""
    connection.execute(
        update(_TABLE)
        .where(_TABLE.c.change_id == change_id)
        .values(code_hash=None, link_hash=None, undo_hash=undo_hash, expires_at=until)
    )


def undo(connection: Connection, undo_hash: bytes, now: datetime) -> bool:
    """Use up a link that undoes a change, at most once whatever the number of concurrent callers."""
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.undo_hash == undo_hash,
            _TABLE.c.proven_at.is_not(None),
            _TABLE.c.undone_at.is_(None),
            _TABLE.c.expires_at > now,
        )
        .values(undone_at=now)
    )
    return connection.execute(statement).rowcount == 1


def void_later(connection: Connection, undone: EmailChange) -> None:
    """Void the links that undo what came after a change that is undone.

    Those of earlier changes stay: whoever took an account and moved it twice can't void its owner's link by their own.
    """
    connection.execute(
        update(_TABLE)
        .where(
            _TABLE.c.account_id == undone.account_id,
            _TABLE.c.change_id != undone.change_id,
            _TABLE.c.proven_at >= undone.proven_at,
        )
        .values(undo_hash=None)
    )


def renew(connection: Connection, change_id: str, secrets: NewSecrets, now: datetime) -> bool:
    """Replace the code and the link by new ones; the older ones end. False when it is proven meanwhile."""
    statement = (
        update(_TABLE)
        .where(_TABLE.c.change_id == change_id, *_open(now))
        .values(
            code_hash=secrets.code_hash,
            link_hash=secrets.link_hash,
            code_expires_at=secrets.code_expires_at,
            tries=0,
            mails_sent=_TABLE.c.mails_sent + 1,
        )
    )
    return connection.execute(statement).rowcount == 1


def remove(connection: Connection, change_id: str) -> None:
    """Drop a change."""
    connection.execute(delete(_TABLE).where(_TABLE.c.change_id == change_id))


def remove_open_of_account(connection: Connection, account_id: str) -> None:
    """Drop the change of an account that waits, however old."""
    connection.execute(delete(_TABLE).where(_TABLE.c.account_id == account_id, _TABLE.c.proven_at.is_(None)))


def remove_open_of_address(connection: Connection, canonical: str) -> None:
    """Drop every change that waits for the proof of an address: its owner has arrived (ACC-5)."""
    connection.execute(
        delete(_TABLE).where(_TABLE.c.new_canonical == canonical, _TABLE.c.proven_at.is_(None))
    )


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return _TABLE.c.proven_at.is_(None), _TABLE.c.expires_at > now


def _one(connection: Connection, *conditions: ColumnElement[bool]) -> EmailChange | None:
    return _change_or_none(connection.execute(select(*_COLUMNS).where(*conditions)).one_or_none())


def _change_or_none(row: Row[*tuple[Any, ...]] | None) -> EmailChange | None:
    return None if row is None else EmailChange(**row._asdict())
