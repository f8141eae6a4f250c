"""Runs one thing in many threads at the same instant."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
RACERS = 16
ROUNDS = 20


def race(*runs: Callable[[], T]) -> list[T]:
    """Start every run at once, and give what each returned, in their order.

    Args:
        runs: Called once each, in a thread of its own.

    Returns:
        What they returned; what one of them raised is raised.
    """
    start = Barrier(len(runs))

    def run(one: Callable[[], T]) -> T:
        start.wait(timeout=60)
        return one()

    with ThreadPoolExecutor(len(runs)) as pool:
        return list(pool.map(run, runs))
