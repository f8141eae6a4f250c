"""Inactivity: dates, warnings, and when an account may be deleted (LIF-1, LIF-2, LIF-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.life_cycle import (
    WARNING_LIFETIME,
    Delete,
    Delivery,
    LifeCyclePolicy,
    SentWarning,
    Unwarned,
    Wait,
    Warn,
    months_after,
    next_step,
)

POLICY = LifeCyclePolicy()
IDLE = datetime(2026, 3, 2, 9, tzinfo=UTC)
#: 37 months later.
NATURAL = datetime(2029, 4, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - strategies take naive limits


def warned(
    stage: int,
    delivery: Delivery = Delivery.DELIVERED,
    *,
    at: datetime | None = None,
    tells: datetime = NATURAL,
) -> SentWarning:
    """Make a warning, sent when its stage came."""
    queued_at = at or tells - stage * DAY
    return SentWarning(
        stage, queued_at, tells, delivery, queued_at if delivery is Delivery.DELIVERED else None
    )


@pytest.mark.rule("LIF-1")
@pytest.mark.parametrize(
    "since, months, expected",
    [
        (datetime(2026, 1, 31, 8, tzinfo=UTC), 37, datetime(2029, 2, 28, 8, tzinfo=UTC)),
        (datetime(2025, 1, 31, 8, tzinfo=UTC), 37, datetime(2028, 2, 29, 8, tzinfo=UTC)),
        (datetime(2024, 2, 29, 8, tzinfo=UTC), 12, datetime(2025, 2, 28, 8, tzinfo=UTC)),
        (datetime(2026, 12, 15, 8, tzinfo=UTC), 1, datetime(2027, 1, 15, 8, tzinfo=UTC)),
        (datetime(2026, 3, 31, 8, tzinfo=UTC), -1, datetime(2026, 2, 28, 8, tzinfo=UTC)),
        (IDLE, 37, NATURAL),
    ],
    ids=["end of February", "leap February", "from a leap day", "into a year", "backwards", "plain"],
)
def test_months_are_those_of_the_calendar(since: datetime, months: int, expected: datetime) -> None:
    """The same day and time of a later month, or the last day of a month that has no such day."""
    assert months_after(since, months) == expected


@pytest.mark.rule("LIF-1")
@given(since=MOMENTS, now=MOMENTS)
def test_account_beyond_the_horizon_never_has_anything_due(since: datetime, now: datetime) -> None:
    """What the job does not read would only wait."""
    if since > POLICY.idle_before(now):
        assert isinstance(next_step(POLICY, since, (), now), Wait)


@pytest.mark.rule("LIF-3")
@pytest.mark.parametrize(
    "sent",
    [
        (),
        (warned(60, Delivery.PENDING),),
        (warned(60, Delivery.LOST),),
        (warned(60, Delivery.REFUSED), warned(30, Delivery.REFUSED), warned(7, Delivery.REFUSED)),
        (warned(7, at=NATURAL - 2 * DAY),),
        (warned(60, tells=NATURAL - 40 * DAY),),
    ],
    ids=["none", "it waits", "mail was away", "refused", "less than the notice", "another date was told"],
)
def test_account_without_a_warning_that_arrived_in_time_stays(sent: tuple[SentWarning, ...]) -> None:
    """Past the date, and yet not deleted."""
    assert not isinstance(next_step(POLICY, IDLE, sent, NATURAL + DAY), Delete)


@pytest.mark.rule("LIF-3")
def test_nobody_is_deleted_without_warnings_in_the_settings() -> None:
    """A list emptied by mistake keeps everybody."""
    assert next_step(LifeCyclePolicy(warnings=()), IDLE, (), NATURAL + 900 * DAY) == Wait(NATURAL)


@pytest.mark.rule("LIF-2")
@pytest.mark.parametrize(
    "days, sent, expected",
    [
        (-61, (), Wait(NATURAL)),
        (-60, (), Warn(60, NATURAL)),
        (-31, (warned(60),), Wait(NATURAL)),
        (-30, (warned(60),), Warn(30, NATURAL)),
        (-29, (warned(60), warned(30, Delivery.PENDING)), Wait(NATURAL)),
        (-29, (warned(60), warned(30, Delivery.LOST)), Warn(30, NATURAL)),
        (-29, (warned(60), warned(30, Delivery.REFUSED)), Wait(NATURAL)),
        (-7, (warned(60), warned(30)), Warn(7, NATURAL)),
        (-1, (warned(60), warned(30), warned(7)), Wait(NATURAL)),
        (0, (warned(60), warned(30), warned(7)), Delete(NATURAL)),
    ],
    ids=[
        "not yet",
        "first",
        "between",
        "second",
        "it waits",
        "mail was away",
        "refused, but warned before",
        "third",
        "the last week",
        "the day",
    ],
)
def test_warnings_come_in_their_order(days: int, sent: tuple[SentWarning, ...], expected: object) -> None:
    """60, 30 and 7 days before, then the deletion."""
    assert next_step(POLICY, IDLE, sent, NATURAL + days * DAY) == expected


@pytest.mark.rule("LIF-2")
def test_account_found_late_gets_the_whole_first_delay() -> None:
    """An old account at the first run of the job has its 60 days, and all three mails."""
    now = NATURAL + 900 * DAY

    assert next_step(POLICY, IDLE, (), now) == Warn(60, now + 60 * DAY)


@pytest.mark.rule("LIF-3")
def test_date_moves_when_mail_was_away_for_weeks() -> None:
    """The new date leaves the notice after the latest moment at which the mail may arrive."""
    now = NATURAL + 20 * DAY
    lost = warned(60, Delivery.LOST, at=NATURAL - 60 * DAY)

    step = next_step(POLICY, IDLE, (lost,), now)

    assert step == Warn(7, now + WARNING_LIFETIME + 7 * DAY)


@pytest.mark.rule("LIF-3")
def test_refused_address_is_tried_at_each_stage_then_monthly() -> None:
    """In between a manager finds it among those that can't be warned."""
    first = warned(60, Delivery.REFUSED)
    last = warned(7, Delivery.REFUSED, at=NATURAL)

    assert next_step(POLICY, IDLE, (first,), NATURAL - 40 * DAY) == Unwarned(NATURAL)
    assert next_step(POLICY, IDLE, (first,), NATURAL - 30 * DAY) == Warn(30, NATURAL)
    assert next_step(POLICY, IDLE, (last,), NATURAL + 29 * DAY) == Unwarned(NATURAL)
    assert isinstance(next_step(POLICY, IDLE, (last,), NATURAL + 30 * DAY), Warn)


@pytest.mark.rule("LIF-3")
def test_account_kept_long_after_its_date_is_warned_again() -> None:
    """The job was off for months, or the account was limited: a mail of long ago is no warning any more."""
    now = NATURAL + 31 * DAY

    assert next_step(POLICY, IDLE, (warned(60), warned(7)), now) == Warn(7, now + 10 * DAY)


@pytest.mark.rule("LIF-2")
def test_longer_settings_make_told_dates_void() -> None:
    """Whoever was told an earlier date is warned of the later one."""
    longer = replace(POLICY, inactivity_months=48)
    later = months_after(IDLE, 48)

    assert next_step(longer, IDLE, (warned(60), warned(7)), NATURAL) == Wait(later)
    assert next_step(longer, IDLE, (warned(60), warned(7)), later - 60 * DAY) == Warn(60, later)


@pytest.mark.rule("LIF-2")
def test_shorter_settings_keep_told_dates() -> None:
    """Nobody loses days that a mail gave."""
    shorter = replace(POLICY, inactivity_months=24)

    assert next_step(shorter, IDLE, (warned(60),), NATURAL - 40 * DAY) == Wait(NATURAL)


class Simulation:
    """One abandoned account over the years, day by day, with a mail server that does what it is told."""

    def __init__(self, start: datetime) -> None:
        self.now = start
        self.rows: dict[int, SentWarning] = {}
        self.deleted: Delete | None = None

    def run(self, policy: LifeCyclePolicy, fate: Delivery) -> None:
        """Run the job once, with that fate of what it sends."""
        step = next_step(policy, IDLE, tuple(self.rows.values()), self.now)
        if isinstance(step, Warn):
            self.rows[step.stage] = SentWarning(step.stage, self.now, step.deletes_at, fate)
            self._arrive(step.stage, fate, timedelta())
        elif isinstance(step, Delete):
            self.deleted = step

    def settle(self, fate: Delivery) -> None:
        """Decide what waits, once it can't wait any longer."""
        for stage, row in self.rows.items():
            if row.delivery is Delivery.PENDING and self.now >= row.queued_at + WARNING_LIFETIME - DAY:
                self._arrive(
                    stage, Delivery.LOST if fate is Delivery.PENDING else fate, self.now - row.queued_at
                )

    def _arrive(self, stage: int, fate: Delivery, after: timedelta) -> None:
        row = self.rows[stage]
        at = row.queued_at + after if fate is Delivery.DELIVERED else None
        self.rows[stage] = replace(row, delivery=fate, delivered_at=at)


POLICIES = st.builds(
    LifeCyclePolicy,
    inactivity_months=st.integers(12, 48),
    warnings=st.lists(st.integers(1, 90).map(lambda days: timedelta(days=days)), min_size=1, max_size=4).map(
        lambda delays: tuple(sorted(set(delays), reverse=True))
    ),
)
FATES = st.sampled_from(list(Delivery))


@pytest.mark.rule("LIF-3")
@given(
    policies=st.lists(POLICIES, min_size=1, max_size=3),
    fates=st.lists(FATES, min_size=1, max_size=40),
    strides=st.lists(st.integers(1, 45), min_size=1, max_size=40),
)
def test_deletion_always_follows_a_warning_that_arrived_and_its_notice(
    policies: list[LifeCyclePolicy], fates: list[Delivery], strides: list[int]
) -> None:
    """Whatever the mail server does, whenever the job runs, and whatever the settings become."""
    simulation = Simulation(IDLE + 300 * DAY)
    for turn in range(240):
        policy = policies[turn * len(policies) // 240]
        fate = fates[turn % len(fates)]
        simulation.settle(fate)
        simulation.run(policy, fate)
        if simulation.deleted is not None:
            arrived = [row for row in simulation.rows.values() if row.delivered_at is not None]
            assert simulation.now >= policy.inactive_at(IDLE)
            assert all(simulation.now >= row.deletes_at for row in simulation.rows.values())
            assert any(
                simulation.now >= row.delivered_at + policy.notice for row in arrived if row.delivered_at
            )
            return
        simulation.now += strides[turn % len(strides)] * DAY


@pytest.mark.rule("LIF-2", "LIF-3")
@given(outage=st.integers(0, 120), since=MOMENTS)
def test_told_date_is_the_date_of_the_deletion(outage: int, since: datetime) -> None:
    """With settings that stay, every mail that arrives tells the very day, however long mail was away."""
    natural = POLICY.inactive_at(since)
    rows: dict[int, SentWarning] = {}
    start = now = natural - 60 * DAY
    told = []
    while True:
        for stage, row in rows.items():
            if row.delivery is Delivery.PENDING and now >= row.queued_at + WARNING_LIFETIME:
                rows[stage] = replace(row, delivery=Delivery.LOST)
        step = next_step(POLICY, since, tuple(rows.values()), now)
        if isinstance(step, Delete):
            break
        if isinstance(step, Warn):
            away = now < start + outage * DAY
            fate = Delivery.PENDING if away else Delivery.DELIVERED
            rows[step.stage] = SentWarning(step.stage, now, step.deletes_at, fate, None if away else now)
            told += [] if away else [step.deletes_at]
        now += DAY

    assert set(told) == {step.deletes_at}
    assert step.deletes_at <= now < step.deletes_at + DAY
