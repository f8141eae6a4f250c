"""Requests of the RGPD and their deadline (PRI-4, ACC-7, S-438; RGPD articles 12, 15 to 21).

The city answers within 30 days of receipt, counted as a calendar does: a request of the 3rd of March may be answered
until the end of the 2nd of April, in Paris, whatever the hour it came. Article 12, 3 says a month, which is never
shorter than 28 days: where a month ends before, as for one of the last days of January, the month is the deadline. It
may be extended once by two months, within the first deadline, and the person is told why.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.domain.life_cycle import months_after
from idp.domain.written_dates import PARIS

DEADLINE: Final = timedelta(days=30)
#: Article 12, 3: "That period may be extended by two further months where necessary".
EXTENSION_MONTHS: Final = 2
#: Days before the deadline at which the city is reminded.
REMINDERS: Final = (10, 3, 0)
_ONE_DAY: Final = timedelta(days=1)


class RequestKind(StrEnum):
    """What is asked, with its article of the RGPD."""

    ACCESS = "access"
    RECTIFICATION = "rectification"
    ERASURE = "erasure"
    RESTRICTION = "restriction"
    OBJECTION = "objection"
    PORTABILITY = "portability"

    @property
    def article(self) -> int:
        """The article of the RGPD."""
        return _ARTICLES[self]


_ARTICLES: Final = {
    RequestKind.ACCESS: 15,
    RequestKind.RECTIFICATION: 16,
    RequestKind.ERASURE: 17,
    RequestKind.RESTRICTION: 18,
    RequestKind.PORTABILITY: 20,
    RequestKind.OBJECTION: 21,
}


class RequestState(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"


class RequestChannel(StrEnum):
    """How it came."""

    MAIL = "mail"
    FORM = "form"
    LETTER = "letter"
    PHONE = "phone"
    DESK = "desk"


@dataclass(frozen=True, slots=True)
class DataRequest:
    """A request of a person, or of a guardian for one.

    Attributes:
        request_id: Its name.
        account_id: Whose data; None for somebody without an account, or once it is erased.
        kind: What is asked.
        channel: How it came.
        is_of_guardian: A parent or a guardian asked (ACC-7).
        state: Where it stands.
        received_at: When it came.
        due_at: The first moment at which the answer is late.
        note: Of the administrator; for a guardian, how their authority was checked.
        extended_at: When the deadline was extended; None if it was not.
        reminded_at: When the city was reminded last.
        closed_at: When it was answered.
        closed_by: Which administrator answered.
        outcome: What was answered, as the person reads it.
    """

    request_id: str
    account_id: str | None
    kind: RequestKind
    channel: RequestChannel
    is_of_guardian: bool
    state: RequestState
    received_at: datetime
    due_at: datetime
    note: str = ""
    extended_at: datetime | None = None
    reminded_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    outcome: str | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether it waits for an answer."""
        return self.state is RequestState.OPEN

    @property
    def last_day(self) -> date:
        """The last day on which an answer is in time."""
        return (self.due_at - timedelta(microseconds=1)).astimezone(PARIS).date()

    def days_left(self, now: datetime) -> int:
        """Count the days until the last one in time; 0 on that day, negative afterwards."""
        return (self.last_day - now.astimezone(PARIS).date()).days

    def is_overdue(self, now: datetime) -> bool:
        """Tell whether it waits for an answer that is late."""
        return self.is_open and now >= self.due_at

    def reminder_is_due(self, now: datetime) -> bool:
        """Tell whether the city is to be reminded: once at each of `REMINDERS`, the latest one alone if late."""
        reached = [days for days in REMINDERS if self._reminder_at(days) <= now]
        if not self.is_open or not reached:
            return False
        return self.reminded_at is None or self.reminded_at < self._reminder_at(min(reached))

    def _reminder_at(self, days: int) -> datetime:
        return _midnight(self.last_day - timedelta(days=days))


def due_at(received_at: datetime) -> datetime:
    """Give the first moment at which an answer is late: the end of the last day, in Paris."""
    received = received_at.astimezone(PARIS).date()
    return _midnight(min(received + DEADLINE, _months_later(received, 1)) + _ONE_DAY)


def extended(due: datetime) -> datetime:
    """Move a deadline by two months."""
    last_day = (due - timedelta(microseconds=1)).astimezone(PARIS).date()
    return _midnight(_months_later(last_day, EXTENSION_MONTHS) + _ONE_DAY)


def _months_later(day: date, months: int) -> date:
    return months_after(datetime(day.year, day.month, day.day, tzinfo=UTC), months).date()


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=PARIS).astimezone(UTC)
