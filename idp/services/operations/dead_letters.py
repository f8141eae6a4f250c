"""Messages that wait or were given up, for the administrator (ADM-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.domain.events import MessagesRetried
from idp.services.audit import record
from idp.storage.repositories import event_deliveries, outbox

if TYPE_CHECKING:
    from idp.services.tools import Tools


def listed(tools: Tools, *, dead_only: bool, limit: int) -> list[dict[str, Any]]:
    """List messages without what they say, the latest first."""
    with tools.database.read() as connection:
        return [dict(row) for row in outbox.listed(connection, dead_only=dead_only, limit=limit)]


def events(tools: Tools, *, waiting_only: bool, client_id: str | None, limit: int) -> list[dict[str, Any]]:
    """List the events that services were told and whether they took them; whom they were about is kept nowhere."""
    with tools.database.read() as connection:
        rows = event_deliveries.listed(
            connection, waiting_only=waiting_only, client_id=client_id, limit=limit
        )
        return [dict(row) for row in rows]


def retry(tools: Tools, message_id: str | None) -> int:
    """Make one message due again, or every one that was given up; gives back how many."""
    now = tools.clock()
    with tools.database.write() as connection:
        count = outbox.retry(connection, now, message_id)
        if count:
            record(connection, MessagesRetried(count, message_id), now, actor="administrator")
    return count
