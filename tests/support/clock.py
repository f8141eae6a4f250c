"""A clock that a test sets and moves; nothing in the tests sleeps or patches `datetime`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# A Monday morning in winter, so that Paris and UTC differ by one hour.
A_MONDAY_MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class SettableClock:
    """Says the time it was given, until it is moved."""

    def __init__(self, now: datetime = A_MONDAY_MORNING) -> None:
        self.set(now)

    def __call__(self) -> datetime:
        """Say what time it is.

        Returns:
            The aware UTC datetime that the clock stands at.
        """
        return self._now

    def set(self, now: datetime) -> None:
        """Stand at another time, earlier or later.

        Args:
            now: An aware datetime, of any zone.

        Raises:
            ValueError: When it is naive.
        """
        if now.tzinfo is None:
            message = "a clock needs an aware datetime"
            raise ValueError(message)
        self._now = now.astimezone(UTC)

    def advance(  # The words of timedelta, so that a test reads `clock.advance(minutes=11)`.
        self,
        duration: timedelta = timedelta(),
        *,
        days: float = 0,
        hours: float = 0,
        minutes: float = 0,
        seconds: float = 0,
    ) -> datetime:
        """Move forward.

        Args:
            duration: How far; added to the words that follow.
            days: Days of 24 hours.
            hours: Hours.
            minutes: Minutes.
            seconds: Seconds.

        Returns:
            The new time.
        """
        more = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        self._now += duration + more
        return self._now
