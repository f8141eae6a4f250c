"""Counting tries: who is counted with whom, until when, and what a success forgets (LOG-2)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.domain.errors import ThrottledUntil
from idp.domain.throttle import Allowed, ThrottlePolicy
from idp.services.sign_in import throttling
from idp.services.sign_in.throttling import Brake
from idp.storage.models import throttle_counters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.services.context import Context
    from tests.support.clock import SettableClock

TWO_A_MINUTE = ThrottlePolicy(free_failures=2, window=timedelta(minutes=1))
ONE = Brake("account", "zoe@example.fr", TWO_A_MINUTE)
OTHER = Brake("network", "192.0.2.0/24", ThrottlePolicy(free_failures=5, window=timedelta(minutes=1)))
KEPT = Brake(
    "network",
    "198.51.100.0/24",
    ThrottlePolicy(free_failures=2, window=timedelta(minutes=1), cleared_by_success=False),
)


def count(context: Context, *brakes: Brake) -> Allowed | ThrottledUntil:
    """Count one try in a transaction of its own."""
    with context.database.write() as connection:
        return throttling.count(context, connection, brakes, context.clock())


def clear(context: Context, brakes: Sequence[Brake]) -> None:
    """Take a success into account."""
    with context.database.write() as connection:
        throttling.clear(context, connection, brakes, context.clock())


@pytest.mark.rule("LOG-2")
def test_try_past_the_limit_is_refused_until_the_window_ends(context: Context, clock: SettableClock) -> None:
    """The refusal says from when on the next try is looked at, and keeps its word."""
    began = clock()
    first = [count(context, ONE) for _ in range(2)]

    third = count(context, ONE)
    clock.advance(minutes=1)
    after_the_wait = count(context, ONE)

    assert first == [Allowed(), Allowed()]
    assert isinstance(third, ThrottledUntil)
    assert third.when == began + timedelta(minutes=1)
    assert after_the_wait == Allowed()


@pytest.mark.rule("LOG-2")
def test_refused_try_counts_on_no_counter(context: Context) -> None:
    """What one counter refuses does not use up another, or a flood would spread."""
    count(context, ONE)
    count(context, ONE)

    refusals = [count(context, ONE, OTHER) for _ in range(10)]

    assert all(isinstance(refusal, ThrottledUntil) for refusal in refusals)
    assert [count(context, OTHER) for _ in range(5)] == [Allowed()] * 5


@pytest.mark.rule("LOG-2")
def test_success_clears_the_account_and_never_the_network(context: Context) -> None:
    """An attacker who signs in to an own account between guesses gets back that try, and no guess."""
    count(context, ONE, KEPT)
    count(context, ONE, KEPT)

    clear(context, [ONE, KEPT])

    assert count(context, ONE) == Allowed()
    assert count(context, KEPT) == Allowed()
    assert isinstance(count(context, KEPT), ThrottledUntil)


@pytest.mark.rule("LOG-2")
def test_counters_of_other_keys_are_not_touched(context: Context) -> None:
    """One account's tries are not another's."""
    count(context, ONE)
    count(context, ONE)

    other = count(context, Brake("account", "max@example.fr", TWO_A_MINUTE))

    assert other == Allowed()


@pytest.mark.rule("PRI-3")
def test_stored_counter_names_no_address(context: Context) -> None:
    """Keys are hashed with a secret: the table does not say whose account somebody tried."""
    count(context, ONE)

    with context.database.read() as connection:
        rows = connection.execute(select(throttle_counters)).all()

    assert "zoe" not in str(rows)
    assert all(len(row.key_hash) == 32 for row in rows)


def test_counter_worth_nothing_any_more_can_be_purged(context: Context, clock: SettableClock) -> None:
    """Each row says from when on it may be dropped."""
    count(context, ONE)
    clock.advance(minutes=1)

    with context.database.read() as connection:
        is_past = throttle_counters.c.expires_at <= clock()
        purgeable = connection.scalar(select(func.count()).where(is_past))

    assert purgeable == 1
