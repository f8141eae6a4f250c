"""Tells services of an account's events by signed tokens (RFC 8417, RFC 8935; LIF-4, CON-3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from idp.crypto.jwt import sign
from idp.crypto.keyring import KeyringError
from idp.crypto.opaque import new_id
from idp.outbound.http import Unreachable
from idp.protocol import security_event
from idp.services.clients.encryption import KeySetUnavailable, encrypted
from idp.services.delivery import Dead, Delivered, Dropped, Failed, Outcome, not_reached, not_taken
from idp.storage.repositories import event_deliveries, outbox
from idp.storage.repositories.event_deliveries import KIND, NewDelivery
from idp.storage.repositories.outbox import NewMessage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from idp.crypto.opaque import Sealer
    from idp.domain.client import Client
    from idp.outbound.http import Answer
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.outbox import Message

#: A service that was away for so long is told all the same: it may hold data that must go.
LIFETIME: Final = timedelta(days=30)
#: RFC 8935 section 2.1.
_HEADERS: Final = {"Content-Type": security_event.MEDIA_TYPE, "Accept": "application/json"}


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


@dataclass(frozen=True, slots=True)
class EventCourier:
    """Signs security events at their delivery, so that their key is a present one, and pushes them (RFC 8935)."""

    kind: str = KIND

    def recipient(self, context: Context, message: Message) -> str | None:
        """Name the service that a message goes to; None when it can't be read."""
        notice = _opened(context, message)
        return None if notice is None else notice.client_id

    def deliver(self, context: Context, message: Message) -> Outcome:
        """Push one event."""
        notice = _opened(context, message)
        if notice is None:
            return Dead("can't be unsealed: the keys are others than when it was queued")
        with context.database.read() as connection:
            client = context.clients.find(connection, notice.client_id)
        # A service that was switched off is told all the same: it may hold data that must go.
        if client is None or client.events_uri is None:
            return Dropped("the service is gone or wants no event any more")
        try:
            # RFC 8935 section 2: the same `jti` again, by which the service knows what it took already.
            token = event_token(context, client, notice, jti=message.message_id)
        except (KeyringError, KeySetUnavailable) as error:
            return Failed(str(error))
        return _pushed(context, client.events_uri, token)


def event_token(context: Context, client: Client, notice: EventNotice, *, jti: str) -> str:
    """Sign a security event token, and encrypt it, as the client's ID tokens are (RFC 8417 section 2).

    Raises:
        KeyringError: No key of its algorithm is active.
        KeySetUnavailable: The client's key to encrypt to can't be had.
    """
    claims = security_event.event_claims(
        issuer=context.issuer,
        client_id=client.client_id,
        subject=notice.subject,
        event=notice.event,
        payload=notice.payload,
        at=notice.at,
        jti=jti,
    )
    key = context.keys.keyring().signing_key(client.id_token_signed_response_alg)
    token = sign(claims, key, typ=security_event.TYP)
    if client.id_token_encryption is None:
        return token
    return encrypted(context, client, client.id_token_encryption, token)


def _pushed(context: Context, address: str, token: str) -> Outcome:
    try:
        answer = context.http.request("POST", address, headers=_HEADERS, body=token.encode())
    except Unreachable as error:
        return not_reached(error)
    # RFC 8935 section 2.2: 202 and nothing else says that the event is kept; a page that answers 200 to anything
    # would pass for a proof.
    if answer.status == HTTPStatus.ACCEPTED:
        return Delivered()
    if answer.status == HTTPStatus.BAD_REQUEST:
        return _refused(answer)
    return not_taken(answer.status)


def _refused(answer: Answer) -> Outcome:
    """Read why an event was refused (RFC 8935 section 2.3); what it describes may name somebody, and is not kept."""
    try:
        code = msgspec.json.decode(answer.body, type=_Refusal).err
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        code = ""
    if code not in security_event.ERRORS:
        return Dead("the service answered 400")
    refusal = f"the service refused: {code}"
    return Failed(refusal) if code in security_event.PASSING_ERRORS else Dead(refusal)


class _Refusal(msgspec.Struct, frozen=True):
    """The answer of a service that refuses an event."""

    err: str


def _opened(context: Context, message: Message) -> EventNotice | None:
    try:
        return opened(context.sealer, message.message_id, message.payload)
    except (ValueError, msgspec.MsgspecError):
        return None
