"""Keeps a dead FranceConnect from holding our workers (FC-7, S-366)."""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from idp.federation.franceconnect.places import Places
from idp.federation.upstream import UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When to stop asking, and for how long.

    Attributes:
        failures: So many within the window, and nobody is made to wait any more.
        window: In which failures add up.
        pause: Afterwards one request tries; its luck decides for the others.
    """

    failures: int = 3
    window: timedelta = timedelta(seconds=60)
    pause: timedelta = timedelta(seconds=30)


class CircuitBreaker:
    """Closed: calls pass. Open: they fail at once. After the pause, one call probes.

    It is a worker's own, on purpose: it saves waiting and decides nothing that must survive, and what one worker
    learns costs the others one time-out each. While a portal is dead, one request of each worker waits for it in each
    pause; before the breaker opens, `Places` leaves a thread to everybody else: logins by password go on.

    Args:
        clock: The time.
        policy: Numbers.
        places: How many may wait for a silent portal at once; as many as there are threads by default.
    """

    def __init__(
        self, clock: Callable[[], datetime], policy: BreakerPolicy | None = None, places: Places | None = None
    ) -> None:
        self._clock = clock
        self._policy = policy or BreakerPolicy()
        self._places = places or Places(sys.maxsize)
        self._lock = threading.Lock()
        self._failed_at: list[datetime] = []
        self._opened_at: datetime | None = None
        self._is_probing = False

    @contextmanager
    def call(self) -> Iterator[None]:
        """Run one call to FranceConnect; only `UpstreamUnavailable` counts as its failure.

        Raises:
            UpstreamUnavailable: The breaker is open, and another call is the probe if the pause is over; or the others
                wait for an answer.
        """
        self._enter()
        try:
            with self._places.one():
                yield
        except UpstreamUnavailable:
            self._failed()
            raise
        except BaseException:
            # It answered, if only nonsense: it is not dead.
            self._succeeded()
            raise
        self._succeeded()

    def _enter(self) -> None:
        with self._lock:
            if self._opened_at is None:
                return
            if self._is_probing or self._clock() < self._opened_at + self._policy.pause:
                raise UpstreamUnavailable("circuit_open")
            self._is_probing = True

    def _failed(self) -> None:
        with self._lock:
            now = self._clock()
            recent = [moment for moment in self._failed_at if now < moment + self._policy.window]
            self._failed_at = [*recent, now]
            if self._is_probing or len(self._failed_at) >= self._policy.failures:
                self._opened_at = now
            self._is_probing = False

    def _succeeded(self) -> None:
        with self._lock:
            self._failed_at.clear()
            self._opened_at = None
            self._is_probing = False
