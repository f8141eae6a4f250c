"""Writes about what is known of a person: guarded by level, and each change kept (FC-2, FC-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert

from idp.domain.civil_identity import Attribute, Level, Source, differences
from idp.storage.models import account_attribute_changes, account_attributes
from idp.storage.repositories.attributes import of_account
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

_TABLE = account_attributes


def read(connection: Connection, account_id: str) -> dict[str, Attribute]:
    """Read everything that is known of a person, by wire name."""
    return {
        name: Attribute(name, stored.value, Source(stored.source), Level(stored.level), stored.recorded_at)
        for name, stored in of_account(connection, account_id).items()
    }


def write(
    connection: Connection,
    account_id: str,
    before: Mapping[str, Attribute],
    after: Mapping[str, Attribute],
    *,
    changed_by: str,
    now: datetime,
    new_id: Callable[[datetime], str],
) -> str | None:
    """Bring what is known of a person from one state to another, and keep the history of it.

    No statement here lowers a level, whatever was written since `before` was read: a slower writer loses.

    Args:
        connection: The transaction; to be undone when this answers a name.
        account_id: Whose.
        before: As read in this transaction.
        after: As the domain's rules made it.
        changed_by: Who made the change: "person", "franceconnect", "signup".
        now: When.
        new_id: Makes the identifiers of the history.

    Returns:
        The name of the attribute that a better proof guards by now; None when all is written.
    """
    # In one order for everybody, so that two writers wait for each other rather than deadlock.
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) == after.get(name):
            continue
        written = (
            _put(connection, account_id, after[name])
            if name in after
            else _remove(connection, account_id, before[name])
        )
        if not written:
            return name
    for change in differences(before, after):
        said = change.after or change.before
        connection.execute(
            insert(account_attribute_changes).values(
                change_id=new_id(now),
                account_id=account_id,
                name=change.name,
                old_value=None if change.before is None else change.before.value,
                new_value=None if change.after is None else change.after.value,
                source=Source.DECLARED if said is None else said.source,
                level=Level.DECLARED if said is None else said.level,
                changed_by=changed_by,
                changed_at=now,
            )
        )
    return None


def _put(connection: Connection, account_id: str, attribute: Attribute) -> bool:
    statement = insert_into(connection, _TABLE).values(
        account_id=account_id,
        name=attribute.name,
        value=attribute.value,
        source=attribute.source,
        level=attribute.level,
        recorded_at=attribute.recorded_at,
    )
    statement = statement.on_conflict_do_update(
        index_elements=[_TABLE.c.account_id, _TABLE.c.name],
        set_={name: statement.excluded[name] for name in ("value", "source", "level", "recorded_at")},
        # FC-6: "a level never goes down by an ordinary write".
        where=_TABLE.c.level <= statement.excluded["level"],
    )
    return connection.execute(statement).rowcount == 1


def _remove(connection: Connection, account_id: str, attribute: Attribute) -> bool:
    statement = delete(_TABLE).where(
        _TABLE.c.account_id == account_id,
        _TABLE.c.name == attribute.name,
        _TABLE.c.level <= attribute.level,
    )
    return connection.execute(statement).rowcount == 1
