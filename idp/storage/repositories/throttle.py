"""Queries about counters of tries (LOG-2)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, update

from idp.storage.models import throttle_counters
from idp.storage.upsert import insert_for

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from sqlalchemy import Connection, Executable

_TABLE = throttle_counters
_SAVE = (
    update(_TABLE)
    .where(_TABLE.c.key_hash == bindparam("key"))
    .values(state=bindparam("new_state"), expires_at=bindparam("until"))
)


@dataclass(frozen=True, slots=True)
class StoredCounter:
    """A counter to be written back: its key, what it counts, and when it is worth nothing any more."""

    key_hash: bytes
    state: Mapping[str, int | str | None]
    expires_at: datetime


def lock(
    connection: Connection, key_hashes: Collection[bytes], now: datetime
) -> dict[bytes, dict[str, int | str | None]]:
    """Read counters and hold them until the transaction ends, so that parallel tries can't see the same count.

    One statement, which makes the counters that are missing. Rows are taken in the order of their keys: two
    tries never wait for each other in a circle.
    """
    blank = [{"key_hash": key, "state": {}, "version": 0, "expires_at": now} for key in sorted(key_hashes)]
    rows = connection.execute(_lock(connection.dialect.name), blank)
    return {bytes(row.key_hash): row.state for row in rows}


@cache
def _lock(dialect_name: str) -> Executable:
    # The rows are parameters: written into the statement, they would have it compiled anew for each try.
    return (
        insert_for(dialect_name, _TABLE)
        .on_conflict_do_update(index_elements=[_TABLE.c.key_hash], set_={"version": _TABLE.c.version + 1})
        .returning(_TABLE.c.key_hash, _TABLE.c.state)
    )


def save(connection: Connection, counters: Collection[StoredCounter]) -> None:
    """Write counters that `lock` holds."""
    rows: list[dict[str, Any]] = [
        {"key": counter.key_hash, "new_state": dict(counter.state), "until": counter.expires_at}
        for counter in counters
    ]
    connection.execute(_SAVE, rows)
