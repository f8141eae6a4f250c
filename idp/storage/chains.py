"""Adds lines to the ledger of proofs and to the audit trail, each chained to the one before it (CON-5, ADM-3).

Lines wait until the end of their transaction: the head of a chain is one row that every writer needs, so that it is
locked last, for as short as can be, and nobody who holds it waits for anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec
from sqlalchemy import bindparam, insert, update

from idp.domain.hash_chain import link, personal_hash
from idp.storage.models import audit_events, chain_heads, ledger_entries
from idp.storage.types import JSONText

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from sqlalchemy import Connection, RowMapping, Table

    Seal = Callable[[str, int, bytes], bytes | None]

#: Under which lines wait, in what SQLAlchemy keeps with a connection.
WAITING: Final = "idp.chain_lines"
#: Under which stands who runs the command that writes.
OPERATOR: Final = "idp.operator"


@dataclass(frozen=True, slots=True)
class Chain:
    """A table whose rows are chained.

    Attributes:
        name: As in `chain_heads`.
        table: With `sequence`, `salt`, `personal_hash` and `link`.
        public: Columns that stay after an erasure.
        personal: Columns that an erasure empties.
    """

    name: str
    table: Table
    public: tuple[str, ...]
    personal: tuple[str, ...]


AUDIT: Final = Chain(
    "audit", audit_events, ("event_id", "name", "at", "actor", "client_id", "details"), ("account_id",)
)
LEDGER: Final = Chain(
    "ledger",
    ledger_entries,
    ("entry_id", "matter", "act", "at", "erased"),
    ("account_id", "subject", "client_id", "document", "text_hash", "language", "channel", "details"),
)
#: In the order in which their heads are locked.
CHAINS: Final = (AUDIT, LEDGER)

_TAKE_PLACES: Final = (
    update(chain_heads)
    .where(chain_heads.c.chain == bindparam("chain_"))
    .values(sequence=chain_heads.c.sequence + bindparam("count_"))
    .returning(chain_heads.c.sequence, chain_heads.c.link)
)
_END: Final = (
    update(chain_heads)
    .where(chain_heads.c.chain == bindparam("chain_"))
    .values(link=bindparam("link_"), seal=bindparam("seal_"))
)
_INSERTS: Final = {chain.name: insert(chain.table) for chain in CHAINS}


@dataclass(frozen=True, slots=True)
class Line:
    """A line that waits for the end of its transaction.

    Attributes:
        chain: To which it goes.
        values: By column, public and personal; columns that are left out are empty.
        salt: 16 random bytes.
        is_new: False for a line of before there was a chain, which takes its place in it.
    """

    chain: Chain
    values: Mapping[str, Any]
    salt: bytes
    is_new: bool = True


def add(connection: Connection, line: Line) -> None:
    """Let a line wait for the end of its transaction, which `Database.write` began."""
    connection.info[WAITING].append(line)


def operator_of(connection: Connection) -> str | None:
    """Name who runs the command that this transaction belongs to; None in a server."""
    named: str | None = connection.info[OPERATOR]
    return named


def write_lines(connection: Connection, lines: Sequence[Line], seal: Seal | None) -> None:
    """Chain and write the lines of a transaction; the last thing that it does.

    Args:
        connection: The transaction.
        lines: In the order of the acts.
        seal: Authenticates the name of a chain, its length and its last link; None where there are no keys yet.
    """
    for chain in CHAINS:
        own = [line for line in lines if line.chain is chain]
        if own:
            _write(connection, chain, own, seal)


def parts(chain: Chain, values: Mapping[str, Any] | RowMapping) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part the values of a line as they are hashed: what stays, and what an erasure takes away."""
    public = {name: values.get(name) for name in chain.public}
    personal = {name: values.get(name) for name in chain.personal}
    return public, personal


def _write(connection: Connection, chain: Chain, lines: Sequence[Line], seal: Seal | None) -> None:
    taken = {"chain_": chain.name, "count_": len(lines)}
    latest, previous = connection.execute(_TAKE_PLACES, taken).one()
    rows: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for sequence, line in enumerate(lines, start=latest - len(lines) + 1):
        public, personal = parts(chain, _plain(chain, line.values))
        hash_of_personal = personal_hash(line.salt, personal)
        previous = link(previous, sequence, public, hash_of_personal)
        own = {"sequence": sequence, "salt": line.salt, "personal_hash": hash_of_personal, "link": previous}
        rows[line.is_new].append(public | personal | own)
    if rows[True]:
        connection.execute(_INSERTS[chain.name], rows[True])
    if rows[False]:
        _take_in(connection, chain, rows[False])
    sealed = None if seal is None else seal(chain.name, latest, previous)
    connection.execute(_END, {"chain_": chain.name, "link_": previous, "seal_": sealed})


def _take_in(connection: Connection, chain: Chain, rows: list[dict[str, Any]]) -> None:
    (identifier,) = chain.table.primary_key
    changed = [name for name in rows[0] if name != identifier.name]
    statement = (
        update(chain.table)
        .where(identifier == bindparam("line_id_"), chain.table.c.sequence.is_(None))
        .values({name: bindparam(f"{name}_") for name in changed})
    )
    given = [{f"{name}_": row[name] for name in changed} | {"line_id_": row[identifier.name]} for row in rows]
    connection.execute(statement, given)


def _plain(chain: Chain, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give values as they are read back: what is hashed today has to be what is hashed in ten years."""
    return {
        name: msgspec.json.decode(msgspec.json.encode(value, order="deterministic"))
        if isinstance(chain.table.c[name].type, JSONText) and value is not None
        else value
        for name, value in values.items()
    }
