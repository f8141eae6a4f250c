"""Tells the services of a session that it has ended (Back-Channel Logout 2.3; OID-6, LOG-7).

Whoever ends sessions calls `tell` in the same transaction: the notices are there if and only if the sessions are
gone. The worker delivers them, so that nobody waits for a service. A session that expires by itself is not told:
a service has limits of its own, and the person may be back in a minute with another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from idp.crypto.opaque import new_id
from idp.storage.repositories import clients, outbox
from idp.storage.repositories.outbox import NewMessage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from idp.crypto.opaque import Sealer
    from idp.domain.client import Client
    from idp.storage.engine import Connection

#: The kind of these messages in the outbox.
KIND: Final = "logout"
#: A service that can't be reached for so long is not told any more: its own sessions have limits.
LIFETIME: Final = timedelta(hours=1)


class Ending(msgspec.Struct, frozen=True):
    """What a service is told: which of its people, which session. Signed at its delivery, which may be late."""

    client_id: str
    subject: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Member:
    """A service of a session that ended.

    Attributes:
        client: The service, without its secrets.
        session_id: The session.
    """

    client: Client
    session_id: str


def tell(
    connection: Connection, session_ids: Sequence[str], *, sealer: Sealer, now: datetime
) -> tuple[Member, ...]:
    """Queue a notice for each service of each session that wants one by back-channel.

    Args:
        connection: The transaction in which the sessions ended, or are about to: their rows may be gone, the
            token families must not be yet.
        session_ids: Those that ended.
        sealer: Encrypts what waits: whose session it was is nobody's business.
        now: When.

    Returns:
        Every service of these sessions, whether it is told so or not.
    """
    if not session_ids:
        return ()
    found = clients.of_sessions(connection, session_ids)
    notices = [
        _sealed(Ending(client.client_id, subject, session_id), sealer, now)
        for session_id, subject, client in found
        if client.backchannel_logout_uri is not None
    ]
    if notices:
        outbox.add_all(connection, KIND, notices, now=now, expires_at=now + LIFETIME)
    return tuple(Member(client, session_id) for session_id, _, client in found)


def tell_client(
    connection: Connection, client: Client, account_id: str, *, sealer: Sealer, now: datetime
) -> None:
    """Queue notices for one service alone: it may know the person no more, whose sessions here go on."""
    if client.backchannel_logout_uri is None:
        return
    notices = [
        _sealed(Ending(client.client_id, subject, session_id), sealer, now)
        for session_id, subject in clients.live_sessions_of(connection, client.client_id, account_id)
    ]
    if notices:
        outbox.add_all(connection, KIND, notices, now=now, expires_at=now + LIFETIME)


def opened(sealer: Sealer, message_id: str, payload: str) -> Ending:
    """Unseal a queued notice for its delivery.

    Raises:
        ValueError: Sealed with other keys, or moved.
    """
    return msgspec.json.decode(sealer.unseal(payload, bound_to=message_id), type=Ending)


def _sealed(ending: Ending, sealer: Sealer, now: datetime) -> NewMessage:
    message_id = new_id(now)
    return NewMessage(message_id, sealer.seal(msgspec.json.encode(ending), bound_to=message_id))
