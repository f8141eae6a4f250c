"""A silent portal holds a few threads of a worker for a moment, never all of them."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from idp.federation.franceconnect.breaker import BreakerPolicy, CircuitBreaker
from idp.federation.franceconnect.places import Places
from idp.federation.upstream import UpstreamMisbehaved, UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from contextlib import AbstractContextManager

    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("FC-7")
#: Longer than any test may take, so that what should not wait is seen to wait.
LONG = timedelta(seconds=20)
SOON = timedelta(milliseconds=100)


@dataclass
class Call:
    """One request to a portal, in a thread of its own, which ends when the test says so."""

    enter: Callable[[], AbstractContextManager[None]]
    is_inside: threading.Event = field(default_factory=threading.Event)
    may_end: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    def run(self) -> None:
        """Ask, wait, and end as the test said."""
        with self.enter():
            self.is_inside.set()
            self.may_end.wait(LONG.total_seconds())
            if self.error is not None:
                raise self.error

    def end(self, error: Exception | None = None) -> None:
        """Have the portal answer, or fail."""
        self.error = error
        self.may_end.set()


@contextmanager
def calls(
    enter: Callable[[], AbstractContextManager[None]], count: int
) -> Iterator[list[tuple[Call, Future[None]]]]:
    """Have some threads ask, and wait until all of them do."""
    with ThreadPoolExecutor(count + 1) as pool:
        asked = [(call, pool.submit(call.run)) for call in [Call(enter) for _ in range(count)]]
        for call, _ in asked:
            assert call.is_inside.wait(60)
        try:
            yield asked
        finally:
            for call, _ in asked:
                call.may_end.set()


def test_silent_portal_gets_no_more_threads_than_were_given_to_it() -> None:
    """Three wait; who comes next learns it after a moment, and whoever comes later at once."""
    places = Places(3, SOON)
    with calls(places.one, 3):
        for _ in range(3):
            with pytest.raises(UpstreamUnavailable, match="others_wait"), places.one():
                raise AssertionError("a thread that was to stay free")


def test_place_that_is_given_back_is_taken() -> None:
    """A failure frees its thread, and the next one may try."""
    places = Places(1, SOON)
    with calls(places.one, 1) as [(first, asked)]:
        first.end(UpstreamUnavailable("timed_out"))
        assert isinstance(asked.exception(10), UpstreamUnavailable)

        with places.one():
            pass


@pytest.mark.parametrize("error", [None, UpstreamMisbehaved("id_token.nonce")])
def test_portal_that_answers_is_asked_by_everybody(error: Exception | None) -> None:
    """One answer since the others began to wait, if only nonsense: it is not silent, and nobody is held back."""
    places = Places(3, LONG)
    with calls(places.one, 3) as asked:
        fourth = Call(places.one)
        waiter = threading.Thread(target=fourth.run)
        waiter.start()
        assert not fourth.is_inside.wait(0.1)

        asked[0][0].end(error)

        assert fourth.is_inside.wait(60)
        with places.one(), places.one():
            pass
        fourth.end()
        waiter.join(60)


def test_dead_portal_holds_one_request_in_each_pause(clock: SettableClock) -> None:
    """The breaker is open: the probe waits alone, everybody else is told at once."""
    breaker = CircuitBreaker(clock, BreakerPolicy(failures=3, pause=timedelta(seconds=30)), Places(3, LONG))
    with calls(breaker.call, 3) as asked:
        for call, future in asked:
            call.end(UpstreamUnavailable("timed_out"))
            assert isinstance(future.exception(10), UpstreamUnavailable)
    for _ in range(4):
        with pytest.raises(UpstreamUnavailable, match="circuit_open"), breaker.call():
            raise AssertionError("nobody waits now")
    clock.advance(seconds=31)

    with calls(breaker.call, 1) as [(probe, future)]:
        for _ in range(8):
            with pytest.raises(UpstreamUnavailable, match="circuit_open"), breaker.call():
                raise AssertionError("one is enough")
        probe.end(UpstreamUnavailable("timed_out"))
        assert isinstance(future.exception(10), UpstreamUnavailable)

    with pytest.raises(UpstreamUnavailable, match="circuit_open"), breaker.call():
        raise AssertionError("another pause has begun")


def test_probe_that_succeeds_lets_everybody_in_again(clock: SettableClock) -> None:
    """It is back: nobody is kept out any longer."""
    breaker = CircuitBreaker(clock, BreakerPolicy(failures=1))
    with pytest.raises(UpstreamUnavailable), breaker.call():
        raise UpstreamUnavailable("timed_out")
    clock.advance(seconds=31)

    with breaker.call():
        pass

    with breaker.call(), breaker.call():
        pass
