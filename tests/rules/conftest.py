"""The parts of the use cases, with terms in force, on each kind of database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.builders import a_context, some_terms

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock


@pytest.fixture
def context(database: Database, clock: SettableClock) -> Context:
    """The parts, on an empty database."""
    parts = a_context(database, clock)
    some_terms(parts)
    return parts
