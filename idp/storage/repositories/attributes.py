"""Queries about what is known of a person: values by wire name, with source, level and date (FC-6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select

from idp.crypto.opaque import new_id
from idp.domain.civil_identity import Attribute, Level, Source, differences
from idp.storage.models import account_attribute_changes, account_attributes
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

    from idp.domain.civil_identity import Change

_TABLE = account_attributes
_OF_ACCOUNT = select(
    _TABLE.c.name, _TABLE.c.value, _TABLE.c.source, _TABLE.c.level, _TABLE.c.recorded_at
).where(_TABLE.c.account_id == bindparam("id_"))


_CHANGES = account_attribute_changes
_LATEST_CHANGES = (
    select(_CHANGES.c.name, _CHANGES.c.changed_by, _CHANGES.c.changed_at)
    .where(_CHANGES.c.account_id == bindparam("id_"))
    .order_by(_CHANGES.c.changed_at.desc(), _CHANGES.c.change_id.desc())
    .limit(bindparam("most"))
)


@dataclass(frozen=True, slots=True)
class StoredAttribute:
    """One value and who vouches for it."""

    name: str
    value: str
    source: str
    level: int
    recorded_at: datetime


def of_account(connection: Connection, account_id: str) -> dict[str, StoredAttribute]:
    """Read everything that is known of a person, by wire name; the login address stands in `accounts`."""
    rows = connection.execute(_OF_ACCOUNT, {"id_": account_id})
    return {row.name: StoredAttribute(*row) for row in rows}


def read(connection: Connection, account_id: str) -> dict[str, Attribute]:
    """Read everything that is known of a person as the domain's rules want it."""
    return {
        name: Attribute(name, stored.value, Source(stored.source), Level(stored.level), stored.recorded_at)
        for name, stored in of_account(connection, account_id).items()
    }


@dataclass(frozen=True, slots=True)
class StoredChange:
    """One line of the history, without the values."""

    name: str
    changed_by: str
    changed_at: datetime


def latest_changes(connection: Connection, account_id: str, most: int) -> list[StoredChange]:
    """List who changed what of a person, latest first; what it was and has become stays in the table."""
    rows = connection.execute(_LATEST_CHANGES, {"id_": account_id, "most": most})
    return [StoredChange(*row) for row in rows]


def write(
    connection: Connection,
    account_id: str,
    before: Mapping[str, Attribute],
    after: Mapping[str, Attribute],
    *,
    changed_by: str,
    now: datetime,
) -> str | None:
    """Bring what is known of a person from one state to another, refreshed dates included, and keep the history.

    No statement here lowers a level, whatever was written since `before` was read: a slower writer loses.

    Args:
        connection: The transaction; to be undone when this answers a name.
        account_id: Whose attributes they are.
        before: As read in this transaction.
        after: As the domain's rules made it.
        changed_by: "person", "franceconnect" or "administrator".
        now: When.

    Returns:
        The name of the attribute that a better proof guards by now; None when all is written.
    """
    changes = differences(before, after)
    blocked = apply_changes(connection, account_id, changes, changed_by=changed_by, now=now)
    if blocked is not None:
        return blocked
    changed = {change.name for change in changes}
    for name in sorted(after.keys() - changed):
        if before.get(name) != after[name] and not _write(connection, account_id, after[name]):
            return name
    return None


def apply_changes(
    connection: Connection, account_id: str, changes: Iterable[Change], *, changed_by: str, now: datetime
) -> str | None:
    """Write what changed, and keep each change with who made it (FC-6).

    Args:
        connection: The transaction of the act; to be undone when this answers a name.
        account_id: Whose attributes they are.
        changes: As `civil_identity.differences` lists them: in one order for everybody, so that two writers wait
            for each other rather than deadlock.
        changed_by: "person", "franceconnect" or "administrator".
        now: When.

    Returns:
        The name of the attribute that a better proof guards by now; None when all is written.
    """
    for change in changes:
        written = (
            _write(connection, account_id, change.after)
            if change.after is not None
            else change.before is not None and _remove(connection, account_id, change.before)
        )
        if not written:
            return change.name
        keep_change(connection, account_id, change, changed_by=changed_by, now=now)
    return None


def _remove(connection: Connection, account_id: str, attribute: Attribute) -> bool:
    result = connection.execute(
        delete(_TABLE).where(
            _TABLE.c.account_id == account_id,
            _TABLE.c.name == attribute.name,
            _TABLE.c.level <= attribute.level,
        )
    )
    return result.rowcount == 1


def _write(connection: Connection, account_id: str, attribute: Attribute) -> bool:
    values = {
        "value": attribute.value,
        "source": attribute.source,
        "level": attribute.level,
        "recorded_at": attribute.recorded_at,
    }
    statement = (
        insert_into(connection, _TABLE)
        .values(account_id=account_id, name=attribute.name, **values)
        # FC-6: "a level never goes down by an ordinary write"; the triggers of the migration say it once more.
        .on_conflict_do_update(
            index_elements=["account_id", "name"], set_=values, where=_TABLE.c.level <= attribute.level
        )
        # Not the count of rows: it is unknown after an insert on PostgreSQL.
        .returning(_TABLE.c.name)
    )
    return connection.scalar(statement) is not None


def keep_change(
    connection: Connection, account_id: str, change: Change, *, changed_by: str, now: datetime
) -> None:
    """Keep one change with who made it: "person", "franceconnect" or "administrator" (FC-6)."""
    said = change.after or change.before
    if said is None:
        return
    connection.execute(
        insert(account_attribute_changes).values(
            change_id=new_id(now),
            account_id=account_id,
            name=change.name,
            old_value=None if change.before is None else change.before.value,
            new_value=None if change.after is None else change.after.value,
            source=said.source,
            level=said.level,
            changed_by=changed_by,
            changed_at=now,
        )
    )
