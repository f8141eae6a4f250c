"""Laws of the brakes against guessing (LOG-2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.domain.throttle import (
    SIGN_IN_LIMITS,
    Allowed,
    Counter,
    KeyKind,
    after_failure,
    after_success,
    decide,
)

# The first table of characters takes seconds on a busy machine.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
START = datetime(2026, 3, 1, tzinfo=UTC)
# Seconds until the next try, from a burst to a day of patience, and whether it is the owner's.
TRIES = st.lists(
    st.tuples(st.one_of(st.integers(0, 120), st.integers(0, 86_400)), st.booleans()), max_size=150
)


@pytest.mark.rule("LOG-2")
@PATIENT
@given(TRIES, st.sampled_from([KeyKind.ACCOUNT, KeyKind.ACCOUNT_DEVICE]))
def test_no_sliding_day_holds_more_than_25_failures(tries: list[tuple[int, bool]], kind: KeyKind) -> None:
    """However failures and the owner's logins are interleaved, an account takes 25 failures in 24 hours."""
    policy, counter, now, failures = SIGN_IN_LIMITS.of(kind), Counter(), START, []
    for seconds, is_right in tries:
        now += timedelta(seconds=seconds)
        if decide(counter, now) != Allowed():
            continue
        counter = after_failure(counter, now, policy)
        if is_right:
            counter = after_success(counter, policy)
        else:
            failures.append(now)

    day = timedelta(hours=24)
    assert all(sum(t <= f < t + day for f in failures) <= 25 for t in failures)


@pytest.mark.rule("LOG-2")
@PATIENT
@given(TRIES, st.sampled_from(KeyKind))
def test_counter_survives_storage_and_always_opens_again(
    tries: list[tuple[int, bool]], kind: KeyKind
) -> None:
    """Nobody is shut out for more than two hours, and what is stored is what was counted."""
    policy, counter, now = SIGN_IN_LIMITS.of(kind), Counter(), START
    for seconds, _ in tries:
        now += timedelta(seconds=seconds)
        if decide(counter, now) == Allowed():
            counter = Counter.from_json(after_failure(counter, now, policy).to_json())

    assert decide(counter, now + timedelta(hours=2)) == Allowed()
