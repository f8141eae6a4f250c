"""Writes and reads the audit trail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from idp.storage.models import audit_events

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

_INSERT = insert(audit_events)


def append(
    connection: Connection,
    *,
    event_id: str,
    name: str,
    at: datetime,
    actor: str,
    account_id: str | None,
    client_id: str | None,
    details: Mapping[str, Any],
) -> None:
    """Add one event, in the transaction of the act that it tells."""
    connection.execute(
        _INSERT,
        {
            "event_id": event_id,
            "name": name,
            "at": at,
            "actor": actor,
            "account_id": account_id,
            "client_id": client_id,
            "details": dict(details),
        },
    )


def of_account(connection: Connection, account_id: str, *, limit: int = 50) -> Sequence[RowMapping]:
    """Read the latest events of an account."""
    statement = (
        select(audit_events)
        .where(audit_events.c.account_id == account_id)
        .order_by(audit_events.c.event_id.desc())
        .limit(limit)
    )
    return connection.execute(statement).mappings().all()
