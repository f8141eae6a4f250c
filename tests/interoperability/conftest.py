"""The started provider that other people's libraries speak to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.started import Started


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """One provider for all tests, none of which changes a setting."""
    from tests.support.started import started_provider

    with started_provider(
        tmp_path_factory.mktemp("started"),
        keys={"algorithms": ["ES256", "RS256"]},
        registration={"mode": "open"},
    ) as running:
        yield running
