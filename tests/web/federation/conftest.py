"""Our application in front of a simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.storage.engine import open_database
from tests.support.franceconnect_pages import pages_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clock import SettableClock
    from tests.support.franceconnect_pages import Pages


@pytest.fixture
def pages(sqlite_url: str, clock: SettableClock) -> Iterator[Pages]:
    """Both sides; what depends on the kind of database is proven in tests/services."""
    database = open_database(sqlite_url)
    with pages_on(database, clock) as both:
        yield both
    database.dispose()
