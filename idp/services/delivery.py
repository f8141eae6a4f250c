"""Delivers messages that use cases queued, outside of every transaction (S-365).

At least once: a worker that dies between the recipient's answer and ours to the database leaves the message to
the next one, which sends it again.
"""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from idp.outbound.http import Failure
from idp.outbound.logs import get_logger
from idp.outbound.mail import Envelope, MailRefused, MailUnavailable
from idp.services.messages import LIFE_CYCLE_WARNING, opened_mail
from idp.storage.engine import DATABASE_AWAY
from idp.storage.repositories import event_deliveries, life_cycle, outbox

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from idp.outbound.http import Unreachable
    from idp.outbound.mail import Mailer, MailWriter
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.outbox import Message

_LOG: Final = get_logger("idp.delivery")
#: How long a message is ours; longer than the slowest delivery of a batch.
_LEASE: Final = timedelta(minutes=5)
_BATCH: Final = 10
_FIRST_DELAY: Final = timedelta(seconds=5)
_LONGEST_DELAY: Final = timedelta(minutes=30)
_MOST_DOUBLINGS: Final = 16
_JITTER: Final = 0.2
#: Deliveries of a pool that may be under way together, and those of one recipient among them.
_AT_ONCE: Final = 16
_AT_ONCE_TO_ONE: Final = 2
#: When a message is looked at again whose recipient has enough on hand.
_TURN: Final = timedelta(seconds=1)
#: The longest time that a recipient which does not answer is left alone.
_LONGEST_REST: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Delivered:
    """The recipient took it."""


@dataclass(frozen=True, slots=True)
class Failed:
    """It may be taken later."""

    error: str


@dataclass(frozen=True, slots=True)
class Dead:
    """It never will be."""

    error: str


@dataclass(frozen=True, slots=True)
class Dropped:
    """Nobody is left to be told."""

    reason: str


Outcome = Delivered | Failed | Dead | Dropped


#: Answers that say "later"; every other one below 500 says that this message will never be taken.
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})


def not_reached(error: Unreachable) -> Outcome:
    """Say whether a service that gave no answer may be tried again."""
    return Dead(str(error)) if error.kind is Failure.URL_REFUSED else Failed(str(error))


def not_taken(status: int) -> Outcome:
    """Say whether a service that answered otherwise than with a yes may be tried again."""
    refusal = f"the service answered {status}"
    is_later = status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _LATER
    return Failed(refusal) if is_later else Dead(refusal)


class Courier(Protocol):
    """Brings messages of one kind to whom they are for."""

    @property
    def kind(self) -> str:
        """The kind, as the outbox says it."""

    def deliver(self, context: Context, message: Message) -> Outcome:
        """Try once; whatever is wrong on the other side is an outcome, never an exception."""


class DirectCourier(Courier, Protocol):
    """Brings messages straight to many recipients, of which some may hang."""

    def recipient(self, context: Context, message: Message) -> str | None:
        """Tell the recipients of messages apart."""


@dataclass(frozen=True, slots=True)
class Post:
    """Sends mails; the server takes all of them, one after the other.

    Attributes:
        mailer: Sends.
        writer: Writes mails from their templates.
        kind: Of the messages.
    """

    mailer: Mailer
    writer: MailWriter
    kind: str = "mail"

    def deliver(self, context: Context, message: Message) -> Outcome:
        """Write and send one mail; a second try has the same Message-ID."""
        try:
            mail = opened_mail(context, message.message_id, message.payload)
        except (ValueError, msgspec.MsgspecError):
            return Dead("can't be unsealed: the keys are others than when it was queued")
        if mail.event == LIFE_CYCLE_WARNING and _is_void(context, message):
            return Dropped("the account was used, or another warning took its place")
        try:
            written = self.writer.write(mail.event, mail.language, mail.variables)
            envelope = Envelope(message.message_id, mail.to, mail.language, context.clock())
            self.mailer.send(envelope, written)
        except MailRefused as error:
            return Dead(str(error))
        except MailUnavailable as error:
            return Failed(str(error))
        return Delivered()


def deliver_due(context: Context, courier: Courier) -> int:
    """Deliver some of the messages that are due, one after the other.

    Returns:
        How many were tried; 0 when none is due.
    """
    now = context.clock()
    claimed = _claimed(context, courier.kind, _BATCH)
    for message in claimed:
        if context.clock() >= now + _LEASE / 2:
            # Slow server: what is left of the batch falls back to whoever comes next.
            break
        _settle(context, message, _try(context, courier, message))
    return len(claimed)


@dataclass(slots=True)
class _Recipient:
    """What the pool knows of one recipient.

    Attributes:
        busy: Deliveries under way.
        failures: How often in a row it did not answer.
        rests_until: Until then it is left alone; None while it answers.
    """

    busy: int = 0
    failures: int = 0
    rests_until: datetime | None = None


class ParallelDelivery:
    """Delivers messages of one kind several at once: a recipient that hangs delays itself alone (S-367).

    Args:
        context: The parts.
        courier: What delivers.

    Attributes:
        under_way: How many deliveries there are at this moment.
    """

    def __init__(self, context: Context, courier: DirectCourier) -> None:
        self._context = context
        self._courier = courier
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix=courier.kind)
        self._lock = threading.Lock()
        self._recipients: dict[str | None, _Recipient] = {}
        self.under_way = 0

    def deliver_due(self) -> int:
        """Begin to deliver messages that are due, as many as there is room for; waits for none of them.

        Returns:
            How many were claimed; 0 when none is due or no room is left.
        """
        room = _AT_ONCE - self.under_way
        claimed = _claimed(self._context, self._courier.kind, room) if room > 0 else ()
        waits: dict[datetime, list[str]] = {}
        for message in claimed:
            recipient = self._courier.recipient(self._context, message)
            later = self._begin(recipient)
            if later is None:
                self._threads.submit(self._deliver, message, recipient)
            else:
                waits.setdefault(later, []).append(message.message_id)
        if waits:
            self._postpone(waits)
        return len(claimed)

    def close(self) -> None:
        """Wait for what is under way; nothing else is begun."""
        self._threads.shutdown()

    def _begin(self, name: str | None) -> datetime | None:
        """Count a delivery in, or say when it may be tried."""
        now = self._context.clock()
        with self._lock:
            recipient = self._recipients.setdefault(name, _Recipient())
            if recipient.rests_until is not None and now < recipient.rests_until:
                return recipient.rests_until
            # Who did not answer last time is tried with one message first, which may take as long again.
            if recipient.failures and recipient.busy:
                return now + _FIRST_DELAY
            if recipient.busy >= _AT_ONCE_TO_ONE:
                return now + _TURN
            recipient.busy += 1
            self.under_way += 1
        return None

    def _deliver(self, message: Message, name: str | None) -> None:
        outcome: Outcome = Failed("the delivery itself failed")
        try:
            outcome = _try(self._context, self._courier, message)
            _settle(self._context, message, outcome)
        except DATABASE_AWAY:
            # It is due again when its lease ends.
            _LOG.exception("database_away")
        except Exception:  # noqa: BLE001 - one message must stop neither the others nor the worker
            _LOG.exception("delivery_failed", message_id=message.message_id, kind=message.kind)
        finally:
            self._end(name, outcome)

    def _end(self, name: str | None, outcome: Outcome) -> None:
        now = self._context.clock()
        with self._lock:
            self.under_way -= 1
            recipient = self._recipients[name]
            recipient.busy -= 1
            if not isinstance(outcome, Failed):
                recipient.failures, recipient.rests_until = 0, None
                return
            recipient.failures += 1
            doubled: int = 2 ** min(recipient.failures - 1, _MOST_DOUBLINGS)
            recipient.rests_until = now + min(_FIRST_DELAY * doubled, _LONGEST_REST)

    def _postpone(self, waits: dict[datetime, list[str]]) -> None:
        with self._context.database.write() as connection:
            for later, message_ids in waits.items():
                outbox.postponed(connection, message_ids, next_attempt_at=later)


def delay_after(message_id: str, attempts: int) -> timedelta:
    """Say how long to wait after so many tries: doubling, and scattered so that a queue does not come back at once.

    The scatter comes from the identifier, so that it needs no randomness and a test can tell it.
    """
    doubled: int = 2 ** min(attempts - 1, _MOST_DOUBLINGS)
    grown = min(_FIRST_DELAY * doubled, _LONGEST_DELAY)
    drawn = hashlib.sha256(f"{message_id}/{attempts}".encode()).digest()[0] / 255
    return grown * (1 - _JITTER + 2 * _JITTER * drawn)


def _claimed(context: Context, kind: str, limit: int) -> Sequence[Message]:
    now = context.clock()
    with context.database.read() as connection:
        # A read first: an empty queue must not take SQLite's only write lock twice a second.
        if not outbox.is_any_due(connection, kind, now):
            return ()
    with context.database.write() as connection:
        return outbox.claim(connection, kind, now=now, until=now + _LEASE, limit=limit)


def _try(context: Context, courier: Courier, message: Message) -> Outcome:
    if context.clock() >= message.expires_at:
        return Dead("expired")
    return courier.deliver(context, message)


def _is_void(context: Context, message: Message) -> bool:
    with context.database.read() as connection:
        return life_cycle.is_void(connection, message.message_id)


def _settle(context: Context, message: Message, outcome: Outcome) -> None:
    now = context.clock()
    with context.database.write() as connection:
        match outcome:
            case Delivered():
                outbox.delivered(connection, message.message_id, now)
                if message.kind == "mail":
                    # In the same transaction: a deletion counts from it (LIF-3).
                    life_cycle.delivered(connection, message.message_id, now)
                if message.kind == event_deliveries.KIND:
                    event_deliveries.acknowledged(connection, message.message_id, now)
            case Dropped():
                outbox.dropped(connection, message.message_id)
                _give_up(connection, message, now)
            case Dead(error):
                outbox.died(connection, message.message_id, error=error, now=now)
                _give_up(connection, message, now)
            case Failed(error):
                later = _next_attempt(message, now)
                if later is None:
                    outbox.died(connection, message.message_id, error=error, now=now)
                    _give_up(connection, message, now)
                else:
                    outbox.failed(connection, message.message_id, error=error, next_attempt_at=later)
    _tell(message, outcome)


def _give_up(connection: Connection, message: Message, now: datetime) -> None:
    if message.kind == event_deliveries.KIND:
        event_deliveries.given_up(connection, message.message_id, now)


def _next_attempt(message: Message, now: datetime) -> datetime | None:
    later = now + delay_after(message.message_id, message.attempts)
    return None if later >= message.expires_at else later


def _tell(message: Message, outcome: Outcome) -> None:
    fields = {"message_id": message.message_id, "kind": message.kind, "attempts": message.attempts}
    match outcome:
        case Delivered():
            _LOG.info("message_delivered", **fields)
        case Dropped(reason):
            _LOG.info("message_dropped", reason=reason, **fields)
        case Failed(error):
            _LOG.warning("message_delayed", reason=error, **fields)
        case Dead(error):
            _LOG.error("message_given_up", reason=error, **fields)
