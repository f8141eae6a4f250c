"""The provider with a connection for each racer, on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from idp.storage.engine import open_database
from tests.support.provider import Provider, a_provider, the_seal
from tests.support.race import RACERS

if TYPE_CHECKING:
    from tests.support.clock import SettableClock


@pytest.fixture
def crowded_provider(database_url: str, clock: SettableClock) -> Iterator[Provider]:
    """A provider that sixteen threads can use at once."""
    opened = open_database(database_url, pool_size=RACERS, seal=the_seal)
    yield a_provider(opened, clock)
    opened.dispose()
