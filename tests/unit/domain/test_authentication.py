"""Levels of assurance: their order, and what is worth what."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.authentication import (
    ACR_EIDAS1,
    ACR_EIDAS2,
    ACR_EIDAS3,
    ACR_PASSWORD,
    ACR_VALUES,
    Authentication,
    levels_up_to,
    rank,
)

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
ANY_LEVEL = st.sampled_from(ACR_VALUES) | st.text(max_size=10)


def of(level: str) -> Authentication:
    """Prove somebody's presence at a level."""
    return Authentication(NOW, ("fc",), level)


@pytest.mark.rule("FC-6", "LOG-4")
@pytest.mark.parametrize(
    "level, asked",
    [
        (ACR_PASSWORD, (ACR_EIDAS1,)),
        (ACR_EIDAS1, (ACR_EIDAS2,)),
        (ACR_EIDAS1, (ACR_EIDAS2, ACR_EIDAS3)),
        (ACR_EIDAS2, (ACR_EIDAS3,)),
        ("unheard-of", (ACR_PASSWORD,)),
        ("", (ACR_EIDAS1,)),
    ],
)
def test_level_below_what_is_asked_does_not_satisfy(level: str, asked: tuple[str, ...]) -> None:
    """Less is not enough, and a level that nobody knows proves nothing."""
    assert not of(level).satisfies(asked)


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "level, asked",
    [
        (ACR_PASSWORD, ()),
        (ACR_PASSWORD, ("unheard-of",)),
        ("unheard-of", ("unheard-of-too",)),
        (ACR_EIDAS1, (ACR_EIDAS2, ACR_EIDAS1)),
        (ACR_EIDAS3, (ACR_EIDAS1,)),
    ],
)
def test_level_that_is_asked_or_higher_satisfies(level: str, asked: tuple[str, ...]) -> None:
    """One of several is enough, more is enough, and what is unknown asks for nothing."""
    assert of(level).satisfies(asked)


@pytest.mark.rule("FC-6")
@given(ANY_LEVEL, st.lists(ANY_LEVEL, max_size=4))
def test_satisfying_never_raises_and_never_overrates(level: str, asked: list[str]) -> None:
    """Whatever stands in a session or a request: an answer, and a yes only for a level that is high enough."""
    known = [value for value in asked if value in ACR_VALUES]

    satisfied = of(level).satisfies(tuple(asked))

    assert satisfied == (not known or any(level in ACR_VALUES and rank(level) >= rank(one) for one in known))


@given(ANY_LEVEL)
def test_levels_up_to_are_those_that_a_session_of_that_level_satisfies(level: str) -> None:
    """What a portal reaches is what its people may claim afterwards."""
    assert levels_up_to(level) == tuple(one for one in ACR_VALUES if of(level).satisfies((one,)))
