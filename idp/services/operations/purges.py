"""Erases again what a restored backup has brought back, and lists what was erased (S-369, S-442)."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Final

from idp.domain.deletion import Way
from idp.domain.events import PurgesReapplied
from idp.services.account import deletion
from idp.services.audit import record
from idp.storage.repositories import purges
from idp.storage.repositories.purges import Purge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from idp.services.tools import Tools

__all__ = ["Malformed", "Purge", "listed", "parsed", "reapply"]

_BATCH: Final = 500
_ALPHABET: Final = frozenset("0123456789abcdefghjkmnpqrstvwxyz")
_ID_LENGTH: Final = 26


class Malformed(ValueError):
    """A list that is not one of ours; nothing was done."""


def listed(tools: Tools, since: datetime) -> Iterator[Purge]:
    """List accounts that were erased since a moment, the oldest first."""
    with tools.database.read() as connection:
        yield from purges.since(connection, since)


def parsed(lines: Iterable[str]) -> list[Purge]:
    """Read a list that `idp accounts purges` wrote; empty lines and those that begin with # are passed over.

    Raises:
        Malformed: With the number of the line.
    """
    numbered = enumerate((line.strip() for line in lines), start=1)
    return [_parsed(number, line) for number, line in numbered if line and not line.startswith("#")]


def reapply(tools: Tools, known: Iterable[Purge]) -> Iterator[str]:
    """Erase every account that a list, or the database's own, says was erased; each in a transaction of its own.

    It may be stopped and begun again: who is gone already is passed over. Services are told once more, for what told
    them the first time may have been lost with the database; the person is not.

    Args:
        tools: The parts.
        known: A list that was kept outside of the database.

    Yields:
        The identifier of each account that was here again, once it is gone.
    """
    remaining, listed_ones = iter(known), 0
    while some := list(islice(remaining, _BATCH)):
        listed_ones += len(some)
        with tools.database.write() as connection:
            purges.keep(connection, some)
    erased, after = 0, ""
    while some_back := _returned(tools, after):
        for after in some_back:
            if deletion.delete(tools, after, actor=Way.RESTORE) is not None:
                erased += 1
                yield after
    with tools.database.write() as connection:
        record(connection, PurgesReapplied(listed_ones, erased), tools.clock(), actor="administrator")


def _returned(tools: Tools, after: str) -> list[str]:
    with tools.database.read() as connection:
        return purges.returned(connection, after=after)


def _parsed(number: int, line: str) -> Purge:
    match line.split():
        case [account_id, moment, way] if _is_identifier(account_id) and way in set(Way):
            with suppress(ValueError):
                purged_at = datetime.fromisoformat(moment)
                if purged_at.tzinfo is not None:
                    return Purge(account_id, purged_at, way)
        case _:
            pass
    raise Malformed(f"line {number} is not of a list of erased accounts")


def _is_identifier(text: str) -> bool:
    return len(text) == _ID_LENGTH and _ALPHABET.issuperset(text)
