"""The deadline of a request of the RGPD, and when the city is reminded of it (PRI-4)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from idp.domain.data_request import (
    PARIS,
    DataRequest,
    RequestChannel,
    RequestKind,
    RequestState,
    due_at,
    extended,
)

pytestmark = pytest.mark.rule("PRI-4")
RECEIVED = datetime(2026, 3, 3, 9, 30, tzinfo=UTC)
LAST_DAY = date(2026, 4, 2)


def a_request(received_at: datetime = RECEIVED) -> DataRequest:
    """A request that was just received."""
    return DataRequest(
        request_id="r",
        account_id=None,
        kind=RequestKind.ACCESS,
        channel=RequestChannel.MAIL,
        is_of_guardian=False,
        state=RequestState.OPEN,
        received_at=received_at,
        due_at=due_at(received_at),
    )


def at(day: date, hour: int = 12) -> datetime:
    """Give an hour of a day in Paris."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=PARIS)


@pytest.mark.parametrize(
    "received_at, last_day",
    [
        (RECEIVED, LAST_DAY),
        (datetime(2026, 3, 2, 23, 30, tzinfo=UTC), date(2026, 4, 2)),
        (datetime(2026, 3, 3, 22, 30, tzinfo=UTC), date(2026, 4, 2)),
        (datetime(2026, 2, 1, tzinfo=UTC), date(2026, 3, 1)),
        (datetime(2026, 1, 30, 12, tzinfo=UTC), date(2026, 2, 28)),
        (datetime(2028, 1, 31, 12, tzinfo=UTC), date(2028, 2, 29)),
        (datetime(2026, 12, 31, 12, tzinfo=UTC), date(2027, 1, 30)),
        (datetime(2026, 10, 1, 12, tzinfo=UTC), date(2026, 10, 31)),
    ],
    ids=[
        "plain",
        "past midnight in Paris",
        "the same evening",
        "February",
        "short month",
        "leap year",
        "new year",
        "clocks go back",
    ],
)
def test_deadline_is_thirty_days_and_never_more_than_a_month(received_at: datetime, last_day: date) -> None:
    """Counted by days in Paris, whatever the hour; the last day is whole."""
    request = a_request(received_at)

    assert request.last_day == last_day
    assert not request.is_overdue(at(last_day, 23))
    assert request.is_overdue(at(last_day + timedelta(days=1), 0))


def test_extension_is_two_months_by_the_calendar() -> None:
    """From the first deadline; the last day of a month that has no such day."""
    assert replace(a_request(), due_at=extended(due_at(RECEIVED))).last_day == date(2026, 6, 2)
    december = a_request(datetime(2026, 12, 1, 12, tzinfo=UTC))
    assert december.last_day == date(2026, 12, 31)
    assert replace(december, due_at=extended(december.due_at)).last_day == date(2027, 2, 28)


def test_days_left_are_counted_down_to_the_last_day_and_below() -> None:
    """Zero on the last day itself."""
    request = a_request()

    assert [request.days_left(at(LAST_DAY + timedelta(days=days))) for days in (-30, -1, 0, 1)] == [
        30,
        1,
        0,
        -1,
    ]


def test_answered_request_is_never_overdue() -> None:
    """It waits for nothing."""
    late = at(LAST_DAY + timedelta(days=9))

    assert not replace(a_request(), state=RequestState.DONE).is_overdue(late)
    assert not replace(a_request(), state=RequestState.REFUSED).reminder_is_due(late)


def test_city_is_reminded_once_at_each_stage() -> None:
    """Ten days before, three days before, and on the last day."""
    request, reminded = a_request(), []

    for days in range(-30, 3):
        now = at(LAST_DAY + timedelta(days=days))
        if request.reminder_is_due(now):
            reminded.append(days)
            request = replace(request, reminded_at=now)

    assert reminded == [-10, -3, 0]


def test_late_reminder_makes_up_for_the_earlier_ones() -> None:
    """A worker that was off for a week sends one mail, not two."""
    now = at(LAST_DAY - timedelta(days=2))
    request = replace(a_request(), reminded_at=None)

    assert request.reminder_is_due(now)
    assert not replace(request, reminded_at=now).reminder_is_due(now + timedelta(hours=1))


def test_each_kind_has_its_article() -> None:
    """As the regulation numbers them."""
    assert {kind.value: kind.article for kind in RequestKind} == {
        "access": 15,
        "rectification": 16,
        "erasure": 17,
        "restriction": 18,
        "portability": 20,
        "objection": 21,
    }
