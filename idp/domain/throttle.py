"""How many tries, in which window, for which key (LOG-2).

Four kinds of keys are counted. A stranger is counted by account, by account and network, and by
network. A browser that already signed in to the account is counted by its own device key alone, so
that a flood of strangers never shuts the owner out. A brake delays, it never locks.

Pure: the caller reads the counters, counts the try **before** it checks the password (so that parallel
guesses can't all see the same count), and tells `after_success` when it was right.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from idp.domain.errors import ThrottledUntil

#: Shared by every request whose network address can't be read: fails closed, and never with an exception.
UNKNOWN_NETWORK = "unknown"

# One failure at once, and one that comes back.
_SMALLEST_LONG_LIMIT = 2
_IPV4_PREFIX = 24
_IPV6_PREFIX = 64


class KeyKind(StrEnum):
    """Whose tries are counted together."""

    ACCOUNT = "account"
    ACCOUNT_NETWORK = "account+network"
    NETWORK = "network"
    ACCOUNT_DEVICE = "account+device"


@dataclass(frozen=True, slots=True)
class ThrottleKey:
    """One counter's name; it holds an address, so that it is hashed before it is stored or logged (PRI-3).

    Attributes:
        kind: Whose tries are counted together.
        value: Unambiguous within the kind.
    """

    kind: KeyKind
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottlePolicy:
    """The limits of one kind of key.

    Attributes:
        free_failures: Number of failures in `window` before the first delay.
        window: Failures are counted from the first one and forgotten after this time.
        delays: Delay after each failure from the `free_failures`-th on; the last one repeats.
            Empty: until the end of the window.
        long_limit: Most failures in any `long_window`; None for no such limit.
        long_window: Time over which `long_limit` counts. Half of the limit may be used at once, the rest
            comes back evenly over the window: no sliding window ever holds more than the limit, and nobody
            waits longer than `long_window / (long_limit // 2)` for the next try.
        cleared_by_success: Whether a right password forgets the failures. Not for a network: an attacker
            would log in to an own account between two guesses (S-263 of the security notes).
    """

    free_failures: int
    window: timedelta
    delays: tuple[timedelta, ...] = ()
    long_limit: int | None = None
    long_window: timedelta = timedelta(hours=24)
    cleared_by_success: bool = True

    def __post_init__(self) -> None:
        """Refuse numbers that would never brake, or always.

        Raises:
            ValueError: Names the field.
        """
        if self.free_failures < 1:
            raise ValueError("free_failures must be 1 or more")
        if min(self.window, self.long_window, *self.delays) <= timedelta(0):
            raise ValueError("window, long_window and delays must be longer than nothing")
        if self.long_limit is not None and self.long_limit < _SMALLEST_LONG_LIMIT:
            raise ValueError("long_limit must be 2 or more")

    @property
    def refill(self) -> timedelta:
        """How long one failure of the long limit takes to come back."""
        return self.long_window / ((self.long_limit or 2) // 2)

    @property
    def burst(self) -> int | None:
        """How many failures of the long limit may be used at once."""
        return None if self.long_limit is None else self.long_limit - self.long_limit // 2


@dataclass(frozen=True, slots=True)
class Counter:
    """What is remembered of one key; times are aware UTC.

    Attributes:
        failures: In the window that began at `window_started_at`.
        window_started_at: Time of the first of them; None when there is none.
        blocked_until: No try is looked at before; None when free.
        day_failures: Part of the long limit that is used up.
        day_started_at: Since when what is used up has been coming back; None when nothing is.
    """

    failures: int = 0
    window_started_at: datetime | None = None
    blocked_until: datetime | None = None
    day_failures: int = 0
    day_started_at: datetime | None = None

    def to_json(self) -> dict[str, int | str | None]:
        """Write it down as a JSON object; `from_json` reads it back."""
        return {
            "failures": self.failures,
            "window_started_at": _text(self.window_started_at),
            "blocked_until": _text(self.blocked_until),
            "day_failures": self.day_failures,
            "day_started_at": _text(self.day_started_at),
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, int | str | None]) -> Counter:
        """Read what `to_json` wrote; what is missing counts as nothing."""
        return cls(
            failures=int(stored.get("failures") or 0),
            window_started_at=_moment(stored.get("window_started_at")),
            blocked_until=_moment(stored.get("blocked_until")),
            day_failures=int(stored.get("day_failures") or 0),
            day_started_at=_moment(stored.get("day_started_at")),
        )


@dataclass(frozen=True, slots=True)
class Allowed:
    """The try may be looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignInLimits:
    """The limits of a login by password, for each kind of key (LOG-2).

    Attributes:
        account: Strangers to one account, wherever they come from.
        account_network: One network to one account.
        network: One network, whatever the account.
        account_device: A browser that already signed in to this account.
    """

    account: ThrottlePolicy
    account_network: ThrottlePolicy
    network: ThrottlePolicy
    account_device: ThrottlePolicy

    def of(self, kind: KeyKind) -> ThrottlePolicy:
        """Give the limits of one kind of key."""
        return {
            KeyKind.ACCOUNT: self.account,
            KeyKind.ACCOUNT_NETWORK: self.account_network,
            KeyKind.NETWORK: self.network,
            KeyKind.ACCOUNT_DEVICE: self.account_device,
        }[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodePolicy:
    """The limits of a code sent by mail (ACC-4).

    Attributes:
        tries: Wrong codes before the code is dead.
        lifetime: How long the code can be typed.
    """

    tries: int = 5
    lifetime: timedelta = timedelta(minutes=10)

    def is_dead(self, tries: int, sent_at: datetime, now: datetime) -> bool:
        """Tell whether a code can no longer be typed.

        Args:
            tries: Wrong codes so far.
            sent_at: When the code was made.
            now: The time of this try.
        """
        return tries >= self.tries or now >= sent_at + self.lifetime


def growing_delays(first: timedelta, longest: timedelta) -> tuple[timedelta, ...]:
    """List the delays that double from the first to the longest: 1, 2, 4, 8, 16, 30 minutes by default.

    Raises:
        ValueError: The first is nothing, or longer than the longest.
    """
    if not timedelta(0) < first <= longest:
        raise ValueError("the first delay must be longer than nothing and at most the longest")
    delays = [first]
    while delays[-1] < longest:
        delays.append(min(delays[-1] * 2, longest))
    return tuple(delays)


_GROWING = growing_delays(timedelta(minutes=1), timedelta(minutes=30))

#: The numbers of the design, each a setting in `config.toml`.
SIGN_IN_LIMITS = SignInLimits(
    account=ThrottlePolicy(free_failures=5, window=timedelta(hours=24), delays=_GROWING, long_limit=25),
    account_network=ThrottlePolicy(
        free_failures=5,
        window=timedelta(seconds=60),
        long_limit=50,
        long_window=timedelta(hours=12),
    ),
    network=ThrottlePolicy(free_failures=20, window=timedelta(seconds=60), cleared_by_success=False),
    account_device=ThrottlePolicy(
        free_failures=5, window=timedelta(hours=24), delays=_GROWING, long_limit=25
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailPolicy:
    """The limits of mails that anyone can make us send; silent beyond (ACC-4, PWD-8).

    Attributes:
        reset_per_address: Mails for a new password, to one address; as many for who secures their account (LOG-6).
        signup_per_address: Mails of sign-up, to one address.
        signup_per_network: Sign-ups from one network.
        permission_per_address: Mails that ask for a permission, to one parent (CON-7).
        permission_per_account: The same, by one child, whatever the addresses.
        newsletter_per_account: Mails that ask to confirm a subscription, to one person (PRO-7).
    """

    reset_per_address: ThrottlePolicy = ThrottlePolicy(
        free_failures=5, window=timedelta(minutes=60), cleared_by_success=False
    )
    signup_per_address: ThrottlePolicy = ThrottlePolicy(
        free_failures=5, window=timedelta(minutes=60), cleared_by_success=False
    )
    signup_per_network: ThrottlePolicy = ThrottlePolicy(
        free_failures=20, window=timedelta(minutes=10), cleared_by_success=False
    )
    permission_per_address: ThrottlePolicy = ThrottlePolicy(
        free_failures=5, window=timedelta(hours=24), cleared_by_success=False
    )
    permission_per_account: ThrottlePolicy = ThrottlePolicy(
        free_failures=8, window=timedelta(hours=24), cleared_by_success=False
    )
    newsletter_per_account: ThrottlePolicy = ThrottlePolicy(
        free_failures=20, window=timedelta(hours=24), cleared_by_success=False
    )


def decide(counter: Counter, now: datetime) -> Allowed | ThrottledUntil:
    """Say whether a try of this key may be looked at now; the answer is a value, never raised.

    Args:
        counter: As stored; a new `Counter()` when there is none.
        now: The time of the try.
    """
    until = counter.blocked_until
    return Allowed() if until is None or now >= until else ThrottledUntil(until)


def after_failure(counter: Counter, now: datetime, policy: ThrottlePolicy) -> Counter:
    """Count one try; call it only when `decide` allowed it, so that refused tries don't lengthen the wait.

    Args:
        counter: As stored; a new `Counter()` when there is none.
        now: The time of the try.
        policy: The limits of this kind of key.

    Returns:
        The counter to store.
    """
    counted = _with_day(_with_window(counter, now, policy), now, policy)
    blocks = (
        counter.blocked_until,
        _window_block(counted, now, policy),
        _long_block(counted, policy),
    )
    # A block that is over says nothing any more.
    until = max((block for block in blocks if block is not None and block > now), default=None)
    return replace(counted, blocked_until=until)


def after_success(counter: Counter, policy: ThrottlePolicy) -> Counter:
    """Take a right password into account, once `after_failure` has counted the try.

    The delays are forgotten and this try is given back to the long limit; the rest of the long limit
    stays, or an owner who logs in every hour would give an attacker a fresh day each time.

    Args:
        counter: With the try already counted.
        policy: The limits of this kind of key.

    Returns:
        The counter to store. Where a success clears nothing, this try alone is given back: many people
        behind one address sign in without braking each other.
    """
    if not policy.cleared_by_success:
        failures = max(0, counter.failures - 1)
        is_free = failures < policy.free_failures
        return replace(counter, failures=failures, blocked_until=None if is_free else counter.blocked_until)
    left = max(0, counter.day_failures - 1)
    return Counter(day_failures=left, day_started_at=counter.day_started_at if left else None)


def forgotten_at(counter: Counter, policy: ThrottlePolicy) -> datetime | None:
    """Say from when the counter is worth no more than a new one, so that storage can drop it."""
    moments = [counter.blocked_until]
    if counter.window_started_at is not None:
        moments.append(counter.window_started_at + policy.window)
    if counter.day_started_at is not None:
        moments.append(counter.day_started_at + counter.day_failures * policy.refill)
    return max((moment for moment in moments if moment is not None), default=None)


def network_of(address: str) -> str:
    """Name the network of an IP address: its /24, or its /64, which is what one IPv6 subscriber holds.

    Args:
        address: As the server reports it once trusted proxies are accounted for.

    Returns:
        The network in canonical form; `UNKNOWN_NETWORK` when the text is no address.
    """
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return UNKNOWN_NETWORK
    if isinstance(ip, ipaddress.IPv6Address):
        # ::ffff:192.0.2.1 is an IPv4 visitor seen by a dual-stack socket.
        if ip.ipv4_mapped is None:
            return str(ipaddress.IPv6Network((ip, _IPV6_PREFIX), strict=False))
        ip = ip.ipv4_mapped
    return str(ipaddress.IPv4Network((ip, _IPV4_PREFIX), strict=False))


def sign_in_keys(*, account: str, address: str, device: str | None = None) -> tuple[ThrottleKey, ...]:
    """Name every counter that a login by password consults; all must allow it.

    Args:
        account: The canonical e-mail address typed, whether or not it has an account: unknown ones are
            counted alike.
        address: The visitor's IP address.
        device: Identifier of a browser that already signed in to this very account; None for a stranger.

    Returns:
        The device's own counter alone when it is known, else those of strangers.
    """
    if device is not None:
        return (ThrottleKey(KeyKind.ACCOUNT_DEVICE, _joined(account, device)),)
    network = network_of(address)
    return (
        ThrottleKey(KeyKind.ACCOUNT, account),
        ThrottleKey(KeyKind.ACCOUNT_NETWORK, _joined(account, network)),
        ThrottleKey(KeyKind.NETWORK, network),
    )


def _with_window(counter: Counter, now: datetime, policy: ThrottlePolicy) -> Counter:
    started = counter.window_started_at
    if started is None or now >= started + policy.window:
        return replace(counter, failures=1, window_started_at=now)
    return replace(counter, failures=counter.failures + 1)


def _with_day(counter: Counter, now: datetime, policy: ThrottlePolicy) -> Counter:
    started, used = counter.day_started_at, counter.day_failures
    if policy.long_limit is None:
        return counter
    if started is not None:
        back = max(0, (now - started) // policy.refill)
        used, started = used - back, started + back * policy.refill
    if started is None or used <= 0:
        return replace(counter, day_failures=1, day_started_at=now)
    return replace(counter, day_failures=used + 1, day_started_at=started)


def _window_block(counter: Counter, now: datetime, policy: ThrottlePolicy) -> datetime | None:
    over = counter.failures - policy.free_failures
    if over < 0 or counter.window_started_at is None:
        return None
    if not policy.delays:
        return counter.window_started_at + policy.window
    return now + policy.delays[min(over, len(policy.delays) - 1)]


def _long_block(counter: Counter, policy: ThrottlePolicy) -> datetime | None:
    if policy.burst is None or counter.day_started_at is None:
        return None
    # Beyond the burst only when the limit was lowered since: then several must come back first.
    to_come_back = counter.day_failures - policy.burst + 1
    return counter.day_started_at + to_come_back * policy.refill if to_come_back > 0 else None


def _joined(*parts: str) -> str:
    # U+001F occurs in no address and no identifier: two pairs never make the same key.
    return "\x1f".join(parts)


def _text(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def _moment(stored: int | str | None) -> datetime | None:
    return datetime.fromisoformat(stored) if isinstance(stored, str) else None
