"""The provider for laws that are tried many times: one of SQLite for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.databases import Databases
    from tests.support.provider import Provider


@pytest.fixture(scope="module")
def patient_provider(databases: Databases) -> Iterator[Provider]:
    """A provider whose clock stands still."""
    from idp.storage.engine import open_database
    from tests.support.clock import SettableClock
    from tests.support.provider import a_provider

    with databases.new("sqlite") as url:
        opened = open_database(url)
        yield a_provider(opened, SettableClock())
        opened.dispose()
