"""The list of accounts that were erased: a restored backup erases them again (S-442)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.storage.models import purged_accounts
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def add(connection: Connection, account_id: str, *, way: str, now: datetime) -> None:
    """Remember that an account was erased, by an identifier that names nobody any more."""
    statement = insert_into(connection, purged_accounts).values(account_id=account_id, purged_at=now, way=way)
    connection.execute(statement.on_conflict_do_nothing(index_elements=[purged_accounts.c.account_id]))
