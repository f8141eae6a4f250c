"""A key of a client, and the words for what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dpop import ProofMaker

if TYPE_CHECKING:
    from tests.support.provider import Provider


@pytest.fixture
def key(lasting_provider: Provider) -> ProofMaker:
    """The key of a client, in the time of the provider that lasts."""
    return ProofMaker(lasting_provider.clock)
