"""A forged FranceConnect, and the simulator over real HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.franceconnect import ForgedFranceConnect, running_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clock import SettableClock
    from tests.support.franceconnect import RunningSimulator


@pytest.fixture
def forged(clock: SettableClock) -> ForgedFranceConnect:
    """Answers that a test may change, member by member."""
    return ForgedFranceConnect(clock)


@pytest.fixture
def simulator(clock: SettableClock) -> Iterator[RunningSimulator]:
    """The simulator, listening."""
    with running_simulator(clock) as running:
        yield running
