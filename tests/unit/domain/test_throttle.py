"""How many tries, in which window, for which key (LOG-2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from idp.domain.errors import ThrottledUntil
from idp.domain.throttle import (
    SIGN_IN_LIMITS,
    UNKNOWN_NETWORK,
    Allowed,
    CodePolicy,
    Counter,
    KeyKind,
    MailPolicy,
    ThrottleKey,
    ThrottlePolicy,
    after_failure,
    after_success,
    decide,
    forgotten_at,
    growing_delays,
    network_of,
    sign_in_keys,
)

START = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ACCOUNT = SIGN_IN_LIMITS.account


def failed(times: int, policy: ThrottlePolicy, *, at: datetime = START) -> Counter:
    """Count failures at one moment, as parallel guesses would be."""
    counter = Counter()
    for _ in range(times):
        counter = after_failure(counter, at, policy)
    return counter


def tries_of_an_attacker(
    policy: ThrottlePolicy, duration: timedelta, *, pause: timedelta = timedelta(seconds=1)
) -> list[datetime]:
    """Try again as soon as it is allowed, and list the times of the tries that were looked at."""
    counter, now, tries = Counter(), START, []
    while now < START + duration:
        match decide(counter, now):
            case ThrottledUntil(when=when):
                now = when
            case Allowed():
                tries.append(now)
                counter = after_failure(counter, now, policy)
                now += pause
    return tries


def most_within(tries: list[datetime], window: timedelta) -> int:
    """Count the most tries that any sliding window holds."""
    return max(sum(first <= t < first + window for t in tries) for first in tries)


@pytest.mark.rule("LOG-2")
@pytest.mark.parametrize(
    "field",
    [
        {"free_failures": 0},
        {"window": timedelta(0)},
        {"delays": (MINUTE, timedelta(0))},
        {"long_window": -MINUTE},
        {"long_limit": 1},
    ],
    ids=["no free failure", "no window", "no delay", "negative long window", "long limit of one"],
)
def test_policy_with_impossible_number_is_refused(field: dict[str, Any]) -> None:
    """Numbers that would never brake, or always, stop the start."""
    with pytest.raises(ValueError, match=next(iter(field))):
        ThrottlePolicy(**{"free_failures": 5, "window": MINUTE} | field)


@pytest.mark.parametrize("first, longest", [(0, 30), (-1, 30), (31, 30)])
def test_growing_delays_out_of_order_are_refused(first: int, longest: int) -> None:
    """The first delay is longer than nothing and at most the longest."""
    with pytest.raises(ValueError, match="first delay"):
        growing_delays(first * MINUTE, longest * MINUTE)


@pytest.mark.rule("LOG-2")
def test_growing_delays_of_the_design_double_up_to_half_an_hour() -> None:
    """The delays are 1, 2, 4, 8, 16 and 30 minutes."""
    delays = growing_delays(MINUTE, 30 * MINUTE)

    assert [delay // MINUTE for delay in delays] == [1, 2, 4, 8, 16, 30]


@pytest.mark.rule("LOG-2")
@pytest.mark.parametrize(
    "failures, minutes", [(5, 1), (6, 2), (7, 4), (8, 8), (9, 16), (10, 30), (11, 30), (12, 30)]
)
def test_account_after_failures_waits_longer_each_time(failures: int, minutes: int) -> None:
    """Five tries are free; then each failure costs a longer wait."""
    answer = decide(failed(failures, ACCOUNT), START)

    assert isinstance(answer, ThrottledUntil)
    assert answer.when == START + minutes * MINUTE


@pytest.mark.rule("LOG-2")
def test_account_after_four_failures_is_allowed() -> None:
    """The fifth try is still free."""
    assert decide(failed(4, ACCOUNT), START) == Allowed()


def test_wait_that_is_over_allows_the_next_try() -> None:
    """The moment that was announced is the moment that is kept."""
    counter = failed(5, ACCOUNT)

    assert isinstance(decide(counter, START + MINUTE - timedelta(microseconds=1)), ThrottledUntil)
    assert decide(counter, START + MINUTE) == Allowed()


@pytest.mark.rule("LOG-2")
@pytest.mark.parametrize("pause", [1, 3600, 2 * 3600, 3599 * 3], ids=lambda s: f"{s} s between tries")
def test_attacker_over_three_days_gets_25_tries_in_any_24_hours(pause: int) -> None:
    """However the tries are spaced, no sliding 24 hours hold more than 25."""
    tries = tries_of_an_attacker(ACCOUNT, timedelta(days=3), pause=timedelta(seconds=pause))

    assert most_within(tries, timedelta(hours=24)) <= 25


@pytest.mark.rule("LOG-2")
def test_attacker_who_waited_all_day_gets_25_tries_in_any_24_hours() -> None:
    """A burst on both sides of midnight is no way around the limit."""
    late = [START + timedelta(hours=h) for h in range(0, 24, 2)]
    counter, tries = Counter(), []
    for now in [*late, *(START + timedelta(hours=24, minutes=31 * n) for n in range(200))]:
        if decide(counter, now) == Allowed():
            tries.append(now)
            counter = after_failure(counter, now, ACCOUNT)

    assert most_within(tries, timedelta(hours=24)) <= 25


@pytest.mark.rule("LOG-2")
def test_account_under_attack_is_never_shut_for_longer_than_two_hours() -> None:
    """A brake delays, it does not lock."""
    tries = tries_of_an_attacker(ACCOUNT, timedelta(days=2))

    gaps = [later - earlier for earlier, later in pairwise(tries)]
    assert max(gaps) <= timedelta(hours=2, seconds=1)


@pytest.mark.rule("LOG-2")
@pytest.mark.parametrize(
    "kind, limit, window",
    [
        (KeyKind.NETWORK, 20, timedelta(seconds=60)),
        (KeyKind.ACCOUNT_NETWORK, 5, timedelta(seconds=60)),
        (KeyKind.ACCOUNT_NETWORK, 50, timedelta(hours=12)),
    ],
)
def test_attacker_in_one_window_gets_the_tries_of_the_design(
    kind: KeyKind, limit: int, window: timedelta
) -> None:
    """20 a minute from a network; 5 a minute and 50 in 12 hours from a network to an account."""
    tries = tries_of_an_attacker(SIGN_IN_LIMITS.of(kind), window)

    assert len(tries) <= limit


def test_network_past_its_limit_waits_for_the_end_of_its_window() -> None:
    """Without delays of its own, a limit is over when its window is."""
    network = SIGN_IN_LIMITS.network
    counter = after_failure(failed(19, network), START + timedelta(seconds=59), network)

    assert counter.blocked_until == START + MINUTE
    assert after_failure(counter, START + MINUTE, network).failures == 1


def test_failures_past_their_window_are_forgotten() -> None:
    """After 24 hours five tries are free again."""
    counter = after_failure(failed(4, ACCOUNT), START + timedelta(hours=24), ACCOUNT)

    assert counter.failures == 1
    assert counter.blocked_until is None


def test_parallel_failure_never_shortens_a_wait() -> None:
    """A try that was counted late leaves the longer wait in place."""
    counter = Counter(blocked_until=START + timedelta(hours=1))

    assert after_failure(counter, START, ACCOUNT).blocked_until == START + timedelta(hours=1)


def test_limit_that_was_lowered_waits_until_enough_came_back() -> None:
    """A counter filled under a higher limit is over the new one, and comes down at its pace."""
    counter = Counter(day_failures=20, day_started_at=START)

    after = after_failure(counter, START, ACCOUNT)

    # 21 are used up of the 13 that may be: nine must come back, one every two hours.
    assert after.blocked_until == START + timedelta(hours=18)


def test_success_on_account_frees_it_and_keeps_what_the_day_used_up() -> None:
    """The delays go, and only the successful try itself is given back to the day."""
    counter = after_success(failed(6, ACCOUNT), ACCOUNT)

    assert counter == Counter(day_failures=5, day_started_at=START)
    assert decide(counter, START) == Allowed()


def test_success_at_first_try_leaves_nothing() -> None:
    """Who types the right password at once is not remembered."""
    assert after_success(failed(1, ACCOUNT), ACCOUNT) == Counter()


@pytest.mark.rule("LOG-2")
def test_owner_who_logs_in_hourly_gives_an_attacker_no_more_tries() -> None:
    """A success does not start a new day for the guesses of others."""
    counter, tries = Counter(), []
    for minute in range(24 * 60):
        now = START + minute * MINUTE
        if minute % 60 == 0 and decide(counter, now) == Allowed():
            counter = after_success(after_failure(counter, now, ACCOUNT), ACCOUNT)
        if decide(counter, now) == Allowed():
            tries.append(now)
            counter = after_failure(counter, now, ACCOUNT)

    assert len(tries) <= 25


@pytest.mark.rule("LOG-2")
def test_success_from_a_network_does_not_clear_its_failures() -> None:
    """An attacker who logs in to an own account between guesses gains nothing."""
    network = SIGN_IN_LIMITS.network
    counter = failed(18, network)

    assert after_success(after_failure(counter, START, network), network) == counter


@pytest.mark.rule("LOG-2")
def test_success_that_filled_a_network_lifts_the_brake_it_caused() -> None:
    """People behind one address sign in without braking each other."""
    network = SIGN_IN_LIMITS.network

    counter = after_success(failed(20, network), network)

    assert decide(counter, START) == Allowed()
    assert counter.failures == 19


@pytest.mark.rule("LOG-2")
def test_known_device_is_counted_by_its_own_key_alone() -> None:
    """A stranger can't lock a resident out."""
    keys = sign_in_keys(account="a@example.org", address="192.0.2.7", device="d1")

    assert keys == (ThrottleKey(KeyKind.ACCOUNT_DEVICE, "a@example.org\x1fd1"),)


@pytest.mark.rule("LOG-2")
def test_stranger_is_counted_by_account_by_both_and_by_network() -> None:
    """Three counters watch a stranger."""
    keys = sign_in_keys(account="a@example.org", address="192.0.2.7")

    assert [key.kind for key in keys] == ["account", "account+network", "network"]
    assert [key.value for key in keys] == [
        "a@example.org",
        "a@example.org\x1f192.0.2.0/24",
        "192.0.2.0/24",
    ]


@pytest.mark.parametrize("kind", KeyKind)
def test_every_kind_of_key_has_its_limits(kind: KeyKind) -> None:
    """No kind is left without a limit."""
    assert SIGN_IN_LIMITS.of(kind).free_failures >= 5


@pytest.mark.parametrize(
    "address, network",
    [
        ("", UNKNOWN_NETWORK),
        ("unix:", UNKNOWN_NETWORK),
        ("192.0.2.256", UNKNOWN_NETWORK),
        ("192.0.2.200", "192.0.2.0/24"),
        ("::ffff:192.0.2.200", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_network_of_address_is_its_prefix(address: str, network: str) -> None:
    """Neighbours of one subscriber share a counter; what can't be read shares one too."""
    assert network_of(address) == network


@pytest.mark.parametrize("counter", [Counter(), failed(6, ACCOUNT)], ids=["nothing counted", "six failures"])
def test_counter_written_as_json_is_read_back_the_same(counter: Counter) -> None:
    """What is stored is what was counted."""
    assert Counter.from_json(counter.to_json()) == counter


def test_counter_read_from_an_empty_object_is_new() -> None:
    """What is missing counts as nothing."""
    assert Counter.from_json({}) == Counter()


@pytest.mark.parametrize(
    "counter, moment",
    [
        (Counter(), None),
        (Counter(blocked_until=START), START),
        (Counter(failures=1, window_started_at=START), START + timedelta(hours=24)),
        (Counter(day_failures=13, day_started_at=START), START + timedelta(hours=26)),
    ],
    ids=["nothing", "blocked", "window", "long limit"],
)
def test_counter_is_forgotten_when_it_says_nothing_more(counter: Counter, moment: datetime | None) -> None:
    """Storage may drop a counter once a new one would answer the same."""
    assert forgotten_at(counter, ACCOUNT) == moment


@pytest.mark.rule("ACC-4")
@pytest.mark.parametrize(
    "tries, seconds, dead",
    [(4, 599, False), (5, 0, True), (0, 600, True)],
    ids=["last try, last second", "sixth try", "ten minutes"],
)
def test_code_is_dead_after_five_tries_or_ten_minutes(*, tries: int, seconds: int, dead: bool) -> None:
    """A code can be typed wrong five times, within ten minutes."""
    assert CodePolicy().is_dead(tries, START, START + timedelta(seconds=seconds)) is dead


@pytest.mark.rule("PWD-8", "ACC-4")
@pytest.mark.parametrize(
    "policy, mails, window",
    [
        (MailPolicy().reset_per_address, 5, timedelta(minutes=60)),
        (MailPolicy().signup_per_address, 5, timedelta(minutes=60)),
        (MailPolicy().signup_per_network, 20, timedelta(minutes=10)),
    ],
    ids=["resets to an address", "sign-ups to an address", "sign-ups from a network"],
)
def test_mails_past_their_number_wait_for_the_end_of_the_window(
    policy: ThrottlePolicy, mails: int, window: timedelta
) -> None:
    """Nobody can have a stranger flooded with our mails."""
    assert decide(failed(mails - 1, policy), START) == Allowed()
    answer = decide(failed(mails, policy), START)
    assert isinstance(answer, ThrottledUntil)
    assert answer.when == START + window
