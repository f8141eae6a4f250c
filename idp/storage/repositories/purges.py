"""The list of accounts that were erased: a restored backup erases them again (S-442)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from idp.storage.models import accounts, purged_accounts
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import Connection

_BATCH = 500


@dataclass(frozen=True, slots=True)
class Purge:
    """An account that was erased.

    Attributes:
        account_id: What it was called; names nobody any more.
        purged_at: When.
        way: How it came to it.
    """

    account_id: str
    purged_at: datetime
    way: str


def add(connection: Connection, account_id: str, *, way: str, now: datetime) -> None:
    """Remember that an account was erased, by an identifier that names nobody any more."""
    statement = insert_into(connection, purged_accounts).values(account_id=account_id, purged_at=now, way=way)
    connection.execute(statement.on_conflict_do_nothing(index_elements=[purged_accounts.c.account_id]))


def is_any_since(connection: Connection, since: datetime) -> bool:
    """Tell whether an account was erased since a moment."""
    statement = select(purged_accounts.c.account_id).where(purged_accounts.c.purged_at >= since).limit(1)
    return connection.scalar(statement) is not None


def since(connection: Connection, moment: datetime) -> Iterator[Purge]:
    """List what was erased since a moment, the oldest first."""
    table = purged_accounts
    statement = (
        select(table.c.account_id, table.c.purged_at, table.c.way)
        .where(table.c.purged_at >= moment)
        .order_by(table.c.purged_at, table.c.account_id)
    )
    for row in connection.execute(statement):
        yield Purge(*row)


def keep(connection: Connection, purges: Iterable[Purge]) -> None:
    """Write a list into the database that a backup has brought back; what it knows already stays."""
    for one in purges:
        add(connection, one.account_id, way=one.way, now=one.purged_at)


def returned(connection: Connection, *, after: str = "") -> list[str]:
    """List accounts that were erased and are here again, some at a time in the order of their identifiers."""
    statement = (
        select(accounts.c.account_id)
        .join_from(purged_accounts, accounts, accounts.c.account_id == purged_accounts.c.account_id)
        .where(accounts.c.account_id > after)
        .order_by(accounts.c.account_id)
        .limit(_BATCH)
    )
    return list(connection.scalars(statement))
