"""Queries about what is known of a person: values by wire name, with source, level and date (FC-6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, delete, insert, select

from idp.crypto.opaque import new_id
from idp.storage.models import account_attribute_changes, account_attributes
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection

    from idp.domain.civil_identity import Attribute, Change

_OF_ACCOUNT = select(
    account_attributes.c.name,
    account_attributes.c.value,
    account_attributes.c.source,
    account_attributes.c.level,
    account_attributes.c.recorded_at,
).where(account_attributes.c.account_id == bindparam("id_"))


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


def apply_changes(
    connection: Connection, account_id: str, changes: Iterable[Change], *, changed_by: str, now: datetime
) -> None:
    """Write what changed, and keep each change with who made it (FC-6).

    Args:
        connection: The transaction of the act.
        account_id: Whose attributes they are.
        changes: As `civil_identity.differences` lists them.
        changed_by: "person", "franceconnect" or "administrator".
        now: When.
    """
    for change in changes:
        if change.after is None:
            _remove(connection, account_id, change.name)
        else:
            _write(connection, account_id, change.after)
        _keep(connection, account_id, change, changed_by, now)


def _remove(connection: Connection, account_id: str, name: str) -> None:
    connection.execute(
        delete(account_attributes).where(
            account_attributes.c.account_id == account_id, account_attributes.c.name == name
        )
    )


def _write(connection: Connection, account_id: str, attribute: Attribute) -> None:
    values = {
        "value": attribute.value,
        "source": attribute.source,
        "level": attribute.level,
        "recorded_at": attribute.recorded_at,
    }
    connection.execute(
        insert_into(connection, account_attributes)
        .values(account_id=account_id, name=attribute.name, **values)
        .on_conflict_do_update(index_elements=["account_id", "name"], set_=values)
    )


def _keep(connection: Connection, account_id: str, change: Change, changed_by: str, now: datetime) -> None:
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
