"""Reads the two chains of hashes, takes personal parts away, and cuts off what is past its retention."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import TypeDecorator, delete, func, select, type_coerce, update
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.types import NullType

from idp.domain.chain_check import StoredLine
from idp.storage.chains import AUDIT, LEDGER, parts
from idp.storage.models import chain_heads
from idp.storage.types import JSONText

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement, Connection, RowMapping
    from sqlalchemy.types import TypeEngine

    from idp.storage.chains import Chain

_BATCH: Final = 1000
#: Our types do not ask.
_NO_DIALECT: Final = DefaultDialect()


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


@dataclass(frozen=True, slots=True)
class Extent:
    """What stands in the table of a chain.

    Attributes:
        chained: How many lines have a place.
        first: The first place; 0 when there is none.
        last: The last place; 0 when there is none.
        unchained: How many lines have none.
    """

    chained: int
    first: int
    last: int
    unchained: int


@dataclass(frozen=True, slots=True)
class CutOff:
    """What the retention took away.

    Attributes:
        count: How many lines.
        through: The place of the last of them.
        link: Of the last of them.
    """

    count: int
    through: int
    link: bytes


def head(connection: Connection, chain: Chain) -> Head:
    """Read where a chain ends and begins."""
    columns = [column for column in chain_heads.c if column.name != "chain"]
    return Head(*connection.execute(select(*columns).where(chain_heads.c.chain == chain.name)).one())


def extent(connection: Connection, chain: Chain) -> Extent:
    """Count what stands in the table, in one statement."""
    place = chain.table.c.sequence
    of_last, of_unchained = func.max(place), func.count().filter(place.is_(None))
    chained, last, unchained, first = connection.execute(
        select(func.count(place), of_last, of_unchained, func.min(place))
    ).one()
    return Extent(chained, first or 0, last or 0, unchained)


def lines(connection: Connection, chain: Chain, *, after: int = 0) -> Iterator[StoredLine]:
    """Read the lines of a chain in their order, a batch at a time.

    A line that was altered so that it can't be read is given with what is there: no hash fits it.
    """
    table = chain.table
    place, identifier = table.c.sequence, _identifier(chain)
    columns = [type_coerce(column, NullType()).label(column.name) for column in table.c]
    ordered = select(*columns).order_by(place, identifier).limit(_BATCH)
    is_after: ColumnElement[bool] = place > after
    while True:
        rows = connection.execute(ordered.where(is_after)).mappings().all()
        for row in rows:
            yield _stored(chain, row)
        if len(rows) < _BATCH:
            return
        last, last_id = rows[-1]["sequence"], rows[-1][identifier.name]
        # Two lines may stand in one place, where somebody took the unique index away.
        is_after = (place >= last) & ((place > last) | (identifier > last_id))


def line(connection: Connection, chain: Chain, sequence: int) -> StoredLine | None:
    """Read the line in one place."""
    found = next(lines(connection, chain, after=sequence - 1), None)
    return found if found is not None and found.sequence == sequence else None


def place_of(connection: Connection, chain: Chain, line_id: str) -> int | None:
    """Find the place of a line by its identifier."""
    return connection.scalar(select(chain.table.c.sequence).where(_identifier(chain) == line_id))


def waiting(connection: Connection, chain: Chain, *, limit: int) -> Sequence[RowMapping]:
    """Read and hold the oldest lines of before there was a chain."""
    table, identifier = chain.table, _identifier(chain)
    statement = (
        select(table)
        .where(table.c.sequence.is_(None))
        .order_by(table.c.at, identifier)
        .limit(limit)
        .with_for_update()
    )
    return connection.execute(statement).mappings().all()


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


def cut_off(connection: Connection, *, before: datetime, limit: int) -> CutOff | None:
    """Delete the oldest lines of the audit trail; what is left is anchored at the last of them.

    The ledger is never cut: proofs are kept as long as the account (CON-5).

    Args:
        connection: A transaction.
        before: Lines of this moment and later stay, and all that follow one of them.
        limit: How many to delete at most.

    Returns:
        What went, which the caller has to record: a chain that was cut and does not say so counts as altered.
    """
    table, chain = AUDIT.table, AUDIT.name
    anchored = select(chain_heads.c.anchor_sequence).where(chain_heads.c.chain == chain).with_for_update()
    anchor: int = connection.scalars(anchored).one()
    # In the order of the chain: nearly every line is younger, and the first one is near its beginning.
    first_to_stay = connection.scalar(
        select(table.c.sequence)
        .where(table.c.at >= before, table.c.sequence > anchor)
        .order_by(table.c.sequence)
        .limit(1)
    )
    last = connection.execute(
        select(table.c.sequence, table.c.link)
        .where(table.c.sequence > anchor, table.c.sequence <= anchor + limit)
        .where(table.c.at < before if first_to_stay is None else table.c.sequence < first_to_stay)
        .order_by(table.c.sequence.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return None
    # Before the lines: the database lets none go that are not behind the anchor.
    connection.execute(
        update(chain_heads)
        .where(chain_heads.c.chain == chain)
        .values(anchor_sequence=last.sequence, anchor_link=last.link)
    )
    count = connection.execute(delete(table).where(table.c.sequence <= last.sequence)).rowcount
    return CutOff(count, last.sequence, last.link)


def _identifier(chain: Chain) -> ColumnElement[Any]:
    (identifier,) = chain.table.primary_key
    return identifier


def _stored(chain: Chain, row: RowMapping) -> StoredLine:
    values = {column.name: _as_hashed(column.type, row[column.name]) for column in chain.table.c}
    public, personal = parts(chain, values)
    at = values["at"]
    return StoredLine(
        sequence=values["sequence"],
        line_id=str(values[_identifier(chain).name]),
        at=at if isinstance(at, datetime) else datetime.fromtimestamp(0, UTC),
        public=public,
        personal=personal,
        salt=values["salt"],
        personal_hash=_bytes(values["personal_hash"]),
        link=_bytes(values["link"]),
    )


def _as_hashed(kind: TypeEngine[Any], raw: object) -> Any:  # noqa: ANN401 - any plain value
    """Give a value as it was hashed; what nobody of us can have written, as something that no hash fits."""
    if raw is None:
        return None
    try:
        value = kind.process_result_value(raw, _NO_DIALECT) if isinstance(kind, TypeDecorator) else raw
        # The same bytes, not only the same meaning.
        is_own = not isinstance(kind, JSONText) or kind.process_bind_param(value, _NO_DIALECT) == raw
    except (ValueError, TypeError, OverflowError):
        is_own = False
    return value if is_own else f"unreadable: {raw!r}"


def _bytes(value: object) -> bytes:
    return value if isinstance(value, bytes) else b""


__all__ = ["AUDIT", "LEDGER", "Head", "cut_off", "erase", "head", "lines"]
