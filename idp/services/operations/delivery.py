"""Delivers messages that use cases queued, outside of every transaction (S-365).

At least once: a worker that dies between the server's answer and ours to the database leaves the message to
the next one, which sends it again under the same Message-ID.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from idp.outbound.logs import get_logger
from idp.outbound.mail import Envelope, MailRefused, MailUnavailable
from idp.services.messages import opened_mail
from idp.storage.repositories import outbox

if TYPE_CHECKING:
    from datetime import datetime

    from idp.outbound.mail import Mailer, MailWriter
    from idp.services.context import Context
    from idp.storage.repositories.outbox import Message

_LOG: Final = get_logger("idp.delivery")
#: How long a message is ours; longer than the slowest delivery of a batch.
_LEASE: Final = timedelta(minutes=5)
_BATCH: Final = 10
_FIRST_DELAY: Final = timedelta(seconds=5)
_LONGEST_DELAY: Final = timedelta(minutes=30)
_MOST_DOUBLINGS: Final = 16
_JITTER: Final = 0.2


@dataclass(frozen=True, slots=True)
class Delivered:
    """The server took it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It may be taken later."""

    error: str


@dataclass(frozen=True, slots=True)
class Dead:
    """It never will be."""

    error: str


@dataclass(frozen=True, slots=True)
class Post:
    """What deliveries are made with.

    Attributes:
        mailer: Sends.
        writer: Writes mails from their templates.
    """

    mailer: Mailer
    writer: MailWriter


def deliver_due(context: Context, post: Post) -> int:
    """Deliver some of the messages that are due.

    Returns:
        How many were tried; 0 when none is due.
    """
    now = context.clock()
    with context.database.read() as connection:
        # A read first: an empty queue must not take SQLite's only write lock twice a second.
        if not outbox.is_any_due(connection, now):
            return 0
    with context.database.write() as connection:
        claimed = outbox.claim(connection, now=now, until=now + _LEASE, limit=_BATCH)
    for message in claimed:
        if context.clock() >= now + _LEASE / 2:
            # Slow server: what is left of the batch falls back to whoever comes next.
            break
        _settle(context, message, _try(context, post, message))
    return len(claimed)


def delay_after(message_id: str, attempts: int) -> timedelta:
    """Say how long to wait after so many tries: doubling, and scattered so that a queue does not come back at once.

    The scatter comes from the identifier, so that it needs no randomness and a test can tell it.
    """
    doubled: int = 2 ** min(attempts - 1, _MOST_DOUBLINGS)
    grown = min(_FIRST_DELAY * doubled, _LONGEST_DELAY)
    drawn = hashlib.sha256(f"{message_id}/{attempts}".encode()).digest()[0] / 255
    return grown * (1 - _JITTER + 2 * _JITTER * drawn)


def _try(context: Context, post: Post, message: Message) -> Delivered | Failed | Dead:
    now = context.clock()
    if now >= message.expires_at:
        return Dead("expired")
    if message.kind != "mail":
        return Dead(f"unknown kind {message.kind}")
    try:
        mail = opened_mail(context, message.message_id, message.payload)
    except (ValueError, msgspec.MsgspecError):
        return Dead("can't be unsealed: the keys are others than when it was queued")
    try:
        written = post.writer.write(mail.event, mail.language, mail.variables)
        post.mailer.send(Envelope(message.message_id, mail.to, mail.language, now), written)
    except MailRefused as error:
        return Dead(str(error))
    except MailUnavailable as error:
        return Failed(str(error))
    return Delivered()


def _settle(context: Context, message: Message, outcome: Delivered | Failed | Dead) -> None:
    now = context.clock()
    with context.database.write() as connection:
        match outcome:
            case Delivered():
                outbox.delivered(connection, message.message_id, now)
            case Dead(error):
                outbox.died(connection, message.message_id, error=error, now=now)
            case Failed(error):
                later = _next_attempt(message, now)
                if later is None:
                    outbox.died(connection, message.message_id, error=error, now=now)
                else:
                    outbox.failed(connection, message.message_id, error=error, next_attempt_at=later)
    _tell(message, outcome)


def _next_attempt(message: Message, now: datetime) -> datetime | None:
    later = now + delay_after(message.message_id, message.attempts)
    return None if later >= message.expires_at else later


def _tell(message: Message, outcome: Delivered | Failed | Dead) -> None:
    fields = {"message_id": message.message_id, "kind": message.kind, "attempts": message.attempts}
    match outcome:
        case Delivered():
            _LOG.info("message_delivered", **fields)
        case Failed(error):
            _LOG.warning("message_delayed", reason=error, **fields)
        case Dead(error):
            _LOG.error("message_given_up", reason=error, **fields)
