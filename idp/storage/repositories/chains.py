"""Reads the two chains of hashes, takes personal parts away, and cuts off what is past its retention."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from idp.storage.chains import AUDIT, LEDGER
from idp.storage.models import chain_heads

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

    from idp.storage.chains import Chain

_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends and begins.

    Attributes:
        sequence: Of its last line; 0 when it has none.
        link: Of its last line.
        seal: What authenticates both; None where no keys were at hand.
        anchor_sequence: Of the last line that its retention took away; 0 for none.
        anchor_link: Of that line.
    """

    sequence: int
    link: bytes
    seal: bytes | None
    anchor_sequence: int
    anchor_link: bytes


def head(connection: Connection, chain: Chain) -> Head:
    """Read where a chain ends and begins."""
    columns = [column for column in chain_heads.c if column.name != "chain"]
    return Head(*connection.execute(select(*columns).where(chain_heads.c.chain == chain.name)).one())


def lines(connection: Connection, chain: Chain, *, after: int = 0) -> Iterator[RowMapping]:
    """Read the lines of a chain in their order, a batch at a time."""
    table = chain.table
    while True:
        some = select(table).where(table.c.sequence > after).order_by(table.c.sequence).limit(_BATCH)
        rows = connection.execute(some).mappings().all()
        yield from rows
        if len(rows) < _BATCH:
            return
        after = rows[-1]["sequence"]


def erase(connection: Connection, chain: Chain, account_id: str) -> list[int]:
    """Take the personal part of every line of an account away; the chain stands without it.

    Returns:
        The places of these lines: whoever verifies the chain is told of them by the line of the erasure.
    """
    table = chain.table
    emptied = dict.fromkeys((*chain.personal, "salt"))
    statement = (
        update(table).where(table.c.account_id == account_id).values(**emptied).returning(table.c.sequence)
    )
    return sorted(place for (place,) in connection.execute(statement) if place is not None)


def cut_off(connection: Connection, *, before: datetime, limit: int) -> int:
    """Delete the oldest lines of the audit trail; what is left is anchored at the last of them.

    The ledger is never cut: proofs are kept as long as the account (CON-5).

    Args:
        connection: A transaction.
        before: Lines of this moment and later stay, and all that follow one of them.
        limit: How many to delete at most.

    Returns:
        How many went.
    """
    table, chain = AUDIT.table, AUDIT.name
    anchored = select(chain_heads.c.anchor_sequence).where(chain_heads.c.chain == chain).with_for_update()
    anchor: int = connection.scalars(anchored).one()
    first_to_stay = connection.scalar(
        select(func.min(table.c.sequence)).where(table.c.at >= before, table.c.sequence > anchor)
    )
    last = connection.execute(
        select(table.c.sequence, table.c.link)
        .where(table.c.sequence > anchor, table.c.sequence <= anchor + limit)
        .where(table.c.at < before if first_to_stay is None else table.c.sequence < first_to_stay)
        .order_by(table.c.sequence.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return 0
    # Before the lines: the database lets none go that are not behind the anchor.
    connection.execute(
        update(chain_heads)
        .where(chain_heads.c.chain == chain)
        .values(anchor_sequence=last.sequence, anchor_link=last.link)
    )
    return connection.execute(delete(table).where(table.c.sequence <= last.sequence)).rowcount


__all__ = ["AUDIT", "LEDGER", "Head", "cut_off", "erase", "head", "lines"]
