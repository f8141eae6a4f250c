"""Reads the audit trail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import func, select

from idp.storage.models import audit_events

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, RowMapping

_BATCH: Final = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines; None asks for any.

    Attributes:
        since: Of this moment and later.
        until: Before this moment.
        account_id: About this account.
        client_id: About this client.
        name: Of this name, or of this family of names: "account" has "account.locked".
        actor: "person", "administrator", "client" or "system".
    """

    since: datetime | None = None
    until: datetime | None = None
    account_id: str | None = None
    client_id: str | None = None
    name: str | None = None
    actor: str | None = None


def of_account(connection: Connection, account_id: str, *, limit: int = 50) -> Sequence[RowMapping]:
    """Read the latest events of an account."""
    return latest(connection, Wanted(account_id=account_id), limit=limit)


def latest(connection: Connection, wanted: Wanted, *, limit: int) -> Sequence[RowMapping]:
    """Read the latest lines, the last one first."""
    statement = select(audit_events).where(*_conditions(wanted)).order_by(audit_events.c.event_id.desc())
    return connection.execute(statement.limit(limit)).mappings().all()


def count(connection: Connection, wanted: Wanted) -> int:
    """Count lines."""
    statement = select(func.count()).select_from(audit_events).where(*_conditions(wanted))
    return connection.scalar(statement) or 0


def every(connection: Connection, wanted: Wanted) -> Iterator[RowMapping]:
    """Read lines in the order of their moments, a batch at a time."""
    moment, identifier = audit_events.c.at, audit_events.c.event_id
    ordered = select(audit_events).where(*_conditions(wanted)).order_by(moment, identifier).limit(_BATCH)
    statement = ordered
    while True:
        rows = connection.execute(statement).mappings().all()
        yield from rows
        if len(rows) < _BATCH:
            return
        last = rows[-1]
        statement = ordered.where(
            (moment > last["at"]) | ((moment == last["at"]) & (identifier > last["event_id"]))
        )


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    columns = audit_events.c
    asked: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        asked.append(columns.at >= wanted.since)
    if wanted.until is not None:
        asked.append(columns.at < wanted.until)
    if wanted.name is not None:
        asked.append(
            (columns.name == wanted.name) | columns.name.startswith(f"{wanted.name}.", autoescape=True)
        )
    same = {
        columns.account_id: wanted.account_id,
        columns.client_id: wanted.client_id,
        columns.actor: wanted.actor,
    }
    return asked + [column == value for column, value in same.items() if value is not None]
