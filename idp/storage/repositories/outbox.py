"""Queries about messages that wait for delivery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, insert, literal, select, update

from idp.storage.models import outbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, RowMapping


@dataclass(frozen=True, slots=True)
class Message:
    """A message that is due."""

    message_id: str
    kind: str
    payload: str
    attempts: int
    expires_at: datetime


def add(
    connection: Connection,
    *,
    message_id: str,
    kind: str,
    payload: str,
    account_id: str | None,
    now: datetime,
    expires_at: datetime,
    is_wanted: bool = True,
) -> None:
    """Queue a message in the transaction of what it tells.

    Args:
        connection: That transaction.
        message_id: Its identifier.
        kind: "mail", …
        payload: Sealed.
        account_id: Whose it is.
        now: From now on it is due.
        expires_at: Past it, the message is no longer worth sending.
        is_wanted: False runs the same statement and queues nothing: whether a message goes out does not show in
            the time of the answer (PWD-8).
    """
    values = {
        "message_id": message_id,
        "kind": kind,
        "payload": payload,
        "account_id": account_id,
        "created_at": now,
        "expires_at": expires_at,
        "next_attempt_at": now,
        "attempts": 0,
    }
    row = select(*(literal(value, outbox.c[name].type) for name, value in values.items()))
    connection.execute(insert(outbox).from_select(list(values), row.where(literal(is_wanted))))


@dataclass(frozen=True, slots=True)
class NewMessage:
    """A message to queue: its identifier, and what it says, sealed."""

    message_id: str
    payload: str


def add_all(
    connection: Connection, kind: str, messages: Sequence[NewMessage], *, now: datetime, expires_at: datetime
) -> None:
    """Queue messages that belong to no account: they outlive the one that they tell of."""
    connection.execute(
        insert(outbox),
        [
            {
                "message_id": message.message_id,
                "kind": kind,
                "payload": message.payload,
                "created_at": now,
                "expires_at": expires_at,
                "next_attempt_at": now,
                "attempts": 0,
            }
            for message in messages
        ],
    )


def claim(
    connection: Connection, kind: str, *, now: datetime, until: datetime, limit: int
) -> Sequence[Message]:
    """Take messages of a kind that are due, so that no other worker takes them before `until`.

    PostgreSQL passes over rows that another worker holds; SQLite has one writer at a time.
    """
    due = (
        select(outbox.c.message_id)
        .where(*_due(kind, now))
        .order_by(outbox.c.next_attempt_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = (
        update(outbox)
        .where(outbox.c.message_id.in_(due.scalar_subquery()))
        .values(next_attempt_at=until, attempts=outbox.c.attempts + 1)
        .returning(
            outbox.c.message_id, outbox.c.kind, outbox.c.payload, outbox.c.attempts, outbox.c.expires_at
        )
    )
    return [Message(*row) for row in connection.execute(statement)]


def delivered(connection: Connection, message_id: str, now: datetime) -> None:
    """Mark a message as delivered and forget what it said."""
    connection.execute(
        update(outbox)
        .where(outbox.c.message_id == message_id)
        .values(delivered_at=now, payload="", last_error=None)
    )


def failed(connection: Connection, message_id: str, *, error: str, next_attempt_at: datetime) -> None:
    """Say why a delivery failed and when it is tried again."""
    connection.execute(
        update(outbox)
        .where(outbox.c.message_id == message_id)
        .values(last_error=error, next_attempt_at=next_attempt_at)
    )


def died(connection: Connection, message_id: str, *, error: str, now: datetime) -> None:
    """Give a message up: visible in the CLI, from where it can be sent again until it expires."""
    connection.execute(
        update(outbox).where(outbox.c.message_id == message_id).values(dead_at=now, last_error=error)
    )


def postponed(connection: Connection, message_ids: Sequence[str], *, next_attempt_at: datetime) -> None:
    """Put messages back that were claimed and not tried; it counts as no try."""
    connection.execute(
        update(outbox)
        .where(outbox.c.message_id.in_(message_ids))
        .values(next_attempt_at=next_attempt_at, attempts=outbox.c.attempts - 1)
    )


def dropped(connection: Connection, message_id: str) -> None:
    """Forget a message that nobody is left to be told."""
    connection.execute(delete(outbox).where(outbox.c.message_id == message_id))


def counts(connection: Connection) -> dict[str, int]:
    """Count messages that wait and that were given up, for the metrics."""
    waiting = select(func.count()).where(outbox.c.delivered_at.is_(None), outbox.c.dead_at.is_(None))
    dead = select(func.count()).where(outbox.c.dead_at.is_not(None))
    return {"waiting": connection.scalar(waiting) or 0, "dead": connection.scalar(dead) or 0}


def is_any_due(connection: Connection, kind: str, now: datetime) -> bool:
    """Tell whether a message of a kind is due; a read, which holds up nobody."""
    statement = select(outbox.c.message_id).where(*_due(kind, now)).limit(1)
    return connection.scalar(statement) is not None


def listed(connection: Connection, *, dead_only: bool, limit: int) -> Sequence[RowMapping]:
    """List messages that wait or were given up, without what they say, the latest first."""
    statement = (
        select(*(column for column in outbox.c if column.name != "payload"))
        .where(outbox.c.delivered_at.is_(None))
        .order_by(outbox.c.message_id.desc())
        .limit(limit)
    )
    if dead_only:
        statement = statement.where(outbox.c.dead_at.is_not(None))
    return connection.execute(statement).mappings().all()


def retry(connection: Connection, now: datetime, message_id: str | None = None) -> int:
    """Make messages due again at once: one, or every one that was given up; expired ones stay as they are."""
    statement = update(outbox).where(
        outbox.c.delivered_at.is_(None), outbox.c.expires_at > now, outbox.c.payload != ""
    )
    if message_id is None:
        statement = statement.where(outbox.c.dead_at.is_not(None))
    else:
        statement = statement.where(outbox.c.message_id == message_id)
    return connection.execute(statement.values(dead_at=None, next_attempt_at=now, attempts=0)).rowcount


def _due(kind: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        outbox.c.kind == kind,
        outbox.c.delivered_at.is_(None),
        outbox.c.dead_at.is_(None),
        outbox.c.next_attempt_at <= now,
    )
