"""Messages that wait or were given up, for the administrator (ADM-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.storage.repositories import outbox

if TYPE_CHECKING:
    from idp.services.tools import Tools


def listed(tools: Tools, *, dead_only: bool, limit: int) -> list[dict[str, Any]]:
    """List messages without what they say, the latest first."""
    with tools.database.read() as connection:
        return [dict(row) for row in outbox.listed(connection, dead_only=dead_only, limit=limit)]


def retry(tools: Tools, message_id: str | None) -> int:
    """Make one message due again, or every one that was given up; gives back how many."""
    with tools.database.write() as connection:
        return outbox.retry(connection, tools.clock(), message_id)
