"""Keeps that services took the events they were told, without the person (LIF-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select, update

from idp.storage.models import event_deliveries, outbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

#: The kind of these messages in the outbox.
KIND: Final = "event"


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """An event that is about to be told: the message, the service, the type."""

    message_id: str
    client_id: str
    event: str


def add_all(connection: Connection, deliveries: Sequence[NewDelivery], now: datetime) -> None:
    """Write that events wait."""
    connection.execute(
        insert(event_deliveries),
        [
            {
                "message_id": one.message_id,
                "client_id": one.client_id,
                "event": one.event,
                "created_at": now,
            }
            for one in deliveries
        ],
    )


def acknowledged(connection: Connection, message_id: str, now: datetime) -> None:
    """Write that the service took an event, after all if it had been given up."""
    connection.execute(
        update(event_deliveries)
        .where(event_deliveries.c.message_id == message_id)
        .values(acknowledged_at=now, given_up_at=None)
    )


def given_up(connection: Connection, message_id: str, now: datetime) -> None:
    """Write that the service never took an event."""
    connection.execute(
        update(event_deliveries).where(event_deliveries.c.message_id == message_id).values(given_up_at=now)
    )


def listed(
    connection: Connection, *, waiting_only: bool, client_id: str | None, limit: int
) -> Sequence[RowMapping]:
    """List which service took which event when, or how often it was tried, the latest first."""
    table = event_deliveries
    statement = (
        select(*table.c, outbox.c.attempts, outbox.c.last_error, outbox.c.next_attempt_at)
        .join_from(table, outbox, outbox.c.message_id == table.c.message_id, isouter=True)
        .order_by(table.c.message_id.desc())
        .limit(limit)
    )
    if waiting_only:
        statement = statement.where(table.c.acknowledged_at.is_(None))
    if client_id is not None:
        statement = statement.where(table.c.client_id == client_id)
    return connection.execute(statement).mappings().all()
