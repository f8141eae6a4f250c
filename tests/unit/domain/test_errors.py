"""What the rules answer when they say no."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idp.domain.errors import DomainError, RuleRefused, ThrottledUntil


@pytest.mark.parametrize(
    "error, text",
    [
        (RuleRefused("FC-2"), "FC-2"),
        (RuleRefused("FC-2", "birthdate"), "FC-2: birthdate"),
        (ThrottledUntil(datetime(2026, 1, 1, tzinfo=UTC)), "throttled until 2026-01-01T00:00:00+00:00"),
    ],
)
def test_refusal_written_out_names_its_reason(error: DomainError, text: str) -> None:
    """A refusal says which rule or moment it is about, and nothing personal."""
    assert str(error) == text
