"""Writes domain events to the trail, in the transaction of the act they tell (ADM-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.crypto.opaque import new_id, new_line_salt
from idp.storage.chains import AUDIT, Line, add, operator_of

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.events import Event
    from idp.storage.engine import Connection


def record(
    connection: Connection,
    event: Event,
    now: datetime,
    *,
    actor: str = "person",
    account_id: str | None = None,
    client_id: str | None = None,
) -> None:
    """Write one event at the end of the transaction; it carries no personal value but an account's identifier (PRI-3).

    What an administrator does at a command line names them: the user of the machine, unless the event says more.

    Args:
        connection: The transaction of the act.
        event: What happened.
        now: When.
        actor: "person", "administrator", "client" or "system".
        account_id: Whom it is about.
        client_id: Which client it is about.
    """
    details = event.details()
    operator = operator_of(connection)
    if operator is not None and actor == "administrator":
        details.setdefault("by", operator)
    values = {
        "event_id": new_id(now),
        "name": event.name,
        "at": now,
        "actor": actor,
        "account_id": account_id,
        "client_id": client_id,
        "details": details,
    }
    add(connection, Line(AUDIT, values, new_line_salt()))
