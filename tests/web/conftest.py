"""What the tests of pages may ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.builders import some_terms

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.provider import Provider


@pytest.fixture
def visitor(provider: Provider) -> FlaskClient:
    """A browser that comes for the first time, to a provider whose terms are in force."""
    some_terms(provider.context)
    return provider.client()
