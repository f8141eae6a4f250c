"""Reads the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from idp.storage.models import audit_events

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, RowMapping


def of_account(connection: Connection, account_id: str, *, limit: int = 50) -> Sequence[RowMapping]:
    """Read the latest events of an account."""
    statement = (
        select(audit_events)
        .where(audit_events.c.account_id == account_id)
        .order_by(audit_events.c.event_id.desc())
        .limit(limit)
    )
    return connection.execute(statement).mappings().all()
