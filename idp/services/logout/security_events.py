"""Tells services of an account's events by signed tokens (RFC 8417, RFC 8935; LIF-4, CON-3)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from idp.crypto.opaque import new_id
from idp.storage.repositories import event_deliveries, outbox
from idp.storage.repositories.event_deliveries import NewDelivery
from idp.storage.repositories.outbox import NewMessage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from idp.crypto.opaque import Sealer
    from idp.storage.engine import Connection

#: The kind of these messages in the outbox.
KIND: Final = "event"
#: A service that was away for so long is told all the same: it may hold data that must go.
LIFETIME: Final = timedelta(days=30)


class EventNotice(msgspec.Struct, frozen=True):
    """What a service is told; signed at its delivery.

    Attributes:
        client_id: The service.
        subject: The person as it knows them.
        event: The URI of the event's type.
        payload: What the type says beside the subject.
        at: When it happened, in seconds since 1970.
    """

    client_id: str
    subject: str
    event: str
    payload: dict[str, Any]
    at: int


def announce(
    connection: Connection, notices: Sequence[EventNotice], *, sealer: Sealer, now: datetime
) -> None:
    """Queue events in the transaction of what they tell; that they were taken is kept without the person.

    Args:
        connection: That transaction.
        notices: To services that have an `events_uri`.
        sealer: Encrypts what waits.
        now: When.
    """
    if not notices:
        return
    messages, deliveries = [], []
    for notice in notices:
        message_id = new_id(now)
        payload = sealer.seal(msgspec.json.encode(notice), bound_to=message_id)
        messages.append(NewMessage(message_id, payload))
        deliveries.append(NewDelivery(message_id, notice.client_id, notice.event))
    outbox.add_all(connection, KIND, messages, now=now, expires_at=now + LIFETIME)
    event_deliveries.add_all(connection, deliveries, now)


def opened(sealer: Sealer, message_id: str, payload: str) -> EventNotice:
    """Unseal a queued event for its delivery.

    Raises:
        ValueError: Sealed with other keys, or moved.
    """
    return msgspec.json.decode(sealer.unseal(payload, bound_to=message_id), type=EventNotice)
