"""Queries about the log of disclosures (PRI-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from sqlalchemy import bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import BigInteger, Integer, Text

from idp.domain.disclosure import Disclosure, Told, Way
from idp.storage.models import disclosures
from idp.storage.types import microseconds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Row

_NAMES: Final = ("account_id", "client_id", "channel", "day", "claims", "first_at", "last_at", "times")
# Run for each row by the driver, in the process, past SQLAlchemy: a third of the cost of a batch.
_ADD_SQLITE: Final = """
INSERT INTO disclosures (account_id, client_id, channel, day, claims, first_at, last_at, times)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
WHERE EXISTS (SELECT 1 FROM accounts WHERE accounts.account_id = ?1)
ON CONFLICT (account_id, client_id, channel, day, claims) DO UPDATE SET
  first_at = min(disclosures.first_at, excluded.first_at),
  last_at = max(disclosures.last_at, excluded.last_at),
  times = disclosures.times + excluded.times
"""
# One round trip for the whole batch. An account that is being erased is waited for and then left out: without its
# lock the foreign key would fail, and everybody's rows with it.
_ADD_POSTGRESQL: Final = text("""
INSERT INTO disclosures (account_id, client_id, channel, day, claims, first_at, last_at, times)
SELECT told.*
FROM unnest(:account_id, :client_id, :channel, :day, :claims, :first_at, :last_at, :times)
  AS told (account_id, client_id, channel, day, claims, first_at, last_at, times)
JOIN accounts ON accounts.account_id = told.account_id
ORDER BY told.account_id, told.client_id, told.channel, told.day, told.claims
FOR KEY SHARE OF accounts
ON CONFLICT (account_id, client_id, channel, day, claims) DO UPDATE SET
  first_at = least(disclosures.first_at, excluded.first_at),
  last_at = greatest(disclosures.last_at, excluded.last_at),
  times = disclosures.times + excluded.times
""").bindparams(
    *(bindparam(name, type_=ARRAY(Text)) for name in _NAMES[:5]),
    bindparam("first_at", type_=ARRAY(BigInteger)),
    bindparam("last_at", type_=ARRAY(BigInteger)),
    bindparam("times", type_=ARRAY(Integer)),
)
_COLUMNS: Final = tuple(disclosures.c[name] for name in _NAMES)


def add(connection: Connection, told: Sequence[Disclosure]) -> None:
    """Add a batch to what is kept, by one statement; what is about accounts that are gone is left out.

    Args:
        connection: A transaction of its own.
        told: No two of the same account, service, way, day and claims. Sorted: two batches that meet wait for
            each other in one order.
    """
    rows = [_row(one) for one in told]
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_ADD_SQLITE, rows)
    else:
        columns = zip(*rows, strict=True)
        connection.execute(_ADD_POSTGRESQL, dict(zip(_NAMES, map(list, columns), strict=True)))


def of_account(
    connection: Connection, account_id: str, *, limit: int | None = None, offset: int = 0
) -> list[Disclosure]:
    """List what was told of a person, the latest first."""
    statement = (
        select(*_COLUMNS)
        .where(disclosures.c.account_id == account_id)
        .order_by(
            disclosures.c.last_at.desc(), disclosures.c.client_id, disclosures.c.channel, disclosures.c.claims
        )
        .limit(limit)
        .offset(offset)
    )
    return [_told(row) for row in connection.execute(statement)]


def by_service(connection: Connection, account_id: str) -> list[Told]:
    """Sum up what each service was told of a person, the latest first."""
    latest = func.max(disclosures.c.last_at)
    statement = (
        select(
            disclosures.c.client_id,
            disclosures.c.channel,
            disclosures.c.claims,
            func.min(disclosures.c.first_at).label("first_at"),
            latest.label("last_at"),
            func.sum(disclosures.c.times).label("times"),
        )
        .where(disclosures.c.account_id == account_id)
        .group_by(disclosures.c.client_id, disclosures.c.channel, disclosures.c.claims)
        .order_by(latest.desc(), disclosures.c.client_id, disclosures.c.channel, disclosures.c.claims)
    )
    return [
        Told(
            row.client_id,
            Way(row.channel),
            tuple(row.claims.split()),
            row.first_at,
            row.last_at,
            int(row.times),
        )
        for row in connection.execute(statement)
    ]


def count(connection: Connection, account_id: str) -> int:
    """Count the lines about a person."""
    statement = select(func.count()).select_from(disclosures).where(disclosures.c.account_id == account_id)
    return connection.scalar(statement) or 0


def _row(told: Disclosure) -> tuple[str | int, ...]:
    return (
        told.account_id,
        told.client_id,
        told.way.value,
        told.day,
        " ".join(told.claims),
        microseconds(told.first_at),
        microseconds(told.last_at),
        told.times,
    )


def _told(row: Row[*tuple[object, ...]]) -> Disclosure:
    return Disclosure(
        row.account_id,
        row.client_id,
        Way(row.channel),
        row.day,
        tuple(row.claims.split()),
        row.first_at,
        row.last_at,
        row.times,
    )
