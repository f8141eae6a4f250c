"""A purpose that a service asks a yes or no for, and what was kept of answers (CON-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idp.domain.purposes import Purpose
from idp.services.logout import security_events
from idp.storage.models import ledger_entries, outbox

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.services.logout.security_events import EventNotice

MOBILE = Purpose(
    name="mobile_providers",
    version="1",
    title={"fr": "Payer par une application", "en": "Pay with an app"},
    yes={"fr": "J’autorise la transmission.", "en": "I allow the transmission."},
    no={"fr": "Je n’autorise pas la transmission.", "en": "I do not allow the transmission."},
    recipients=("PayByPhone", "EasyPark"),
)
SURVEYS = Purpose("surveys", "3", {"fr": "Enquêtes"}, {"fr": "Oui."}, {"fr": "Non."})
EVENTS = "https://parking.example.org/events"


def proofs(context: Context) -> list[Any]:
    """Read the entries of the ledger about purposes, the oldest first."""
    statement = (
        select(ledger_entries).where(ledger_entries.c.matter == "purpose").order_by(ledger_entries.c.sequence)
    )
    with context.database.read() as connection:
        return list(connection.execute(statement))


def events_waiting(context: Context) -> list[EventNotice]:
    """Open every security event that waits, by the name of its purpose."""
    statement = select(outbox.c.message_id, outbox.c.payload).where(outbox.c.kind == security_events.KIND)
    with context.database.read() as connection:
        rows = connection.execute(statement).all()
    notices = [security_events.opened(context.sealer, *row) for row in rows]
    return sorted(notices, key=lambda notice: str(notice.payload.get("purpose")))
