"""Keeps a thread of each worker free of a portal that has gone silent (FC-7, S-366)."""

from __future__ import annotations

import itertools
import threading
import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from idp.federation.upstream import UpstreamUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Places:
    """Lets calls in as they come while the portal answers, and no more than a few while it does not.

    Silence is told by the oldest call that is inside: nobody has got an answer since it began. The first calls of an
    outage may so take every place; one more waits no longer than `patience` to learn whether it is one, and whoever
    comes after that is turned away at once, until somebody gets an answer.

    Args:
        most: Calls at once to a silent portal: fewer than the worker has threads.
        patience: How long the oldest call may be without an answer before this counts as silence.
        monotonic: Seconds that only grow.
    """

    def __init__(
        self,
        most: int,
        patience: timedelta = timedelta(seconds=2),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most = most
        self._patience = patience.total_seconds()
        self._monotonic = monotonic
        self._changed = threading.Condition()
        self._tickets = itertools.count()
        self._inside: dict[int, float] = {}
        self._answered_at = float("-inf")

    @contextmanager
    def one(self) -> Iterator[None]:
        """Take a place for one call.

        Raises:
            UpstreamUnavailable: There is none: the others inside wait for an answer, and so would this one.
        """
        ticket = self._enter()
        is_answered = True
        try:
            yield
        except UpstreamUnavailable:
            is_answered = False
            raise
        finally:
            self._leave(ticket, is_answered=is_answered)

    def _enter(self) -> int:
        with self._changed:
            while self._is_full():
                left = min(self._inside.values()) + self._patience - self._monotonic()
                if left <= 0:
                    raise UpstreamUnavailable("others_wait")
                self._changed.wait(left)
            ticket = next(self._tickets)
            self._inside[ticket] = self._monotonic()
            return ticket

    def _leave(self, ticket: int, *, is_answered: bool) -> None:
        with self._changed:
            del self._inside[ticket]
            if is_answered:
                self._answered_at = self._monotonic()
            self._changed.notify_all()

    def _is_full(self) -> bool:
        return len(self._inside) >= self._most and self._answered_at < min(self._inside.values())
