"""Which portal of the State is asked for which level."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from idp.domain.authentication import ACR_EIDAS1, ACR_EIDAS2, ACR_EIDAS3, ACR_PASSWORD, levels_up_to
from idp.services.sign_in.portals import (
    FRANCECONNECT,
    FRANCECONNECT_PLUS,
    level_for,
    portal_for,
    provider,
    reachable_levels,
)
from tests.support.builders import a_context
from tests.support.franceconnect import ForgedFranceConnect

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock


def context_with(
    database: Database, clock: SettableClock, ordinary: str | None, plus: str | None = None
) -> Context:
    """Turn portals on, each with the levels that it may be asked for; None leaves one off."""
    on = [
        None if levels is None else ForgedFranceConnect(clock).client(acr_values=levels)
        for levels in (ordinary, plus)
    ]
    return replace(a_context(database, clock), franceconnect=on[0], franceconnect_plus=on[1])


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "ordinary, plus, most",
    [
        (None, None, ACR_PASSWORD),
        ("eidas1", None, ACR_EIDAS1),
        ("unheard-of", None, ACR_EIDAS1),
        ("eidas1", "eidas2", ACR_EIDAS2),
        (None, "eidas2", ACR_EIDAS2),
        ("eidas1", "eidas2 eidas3", ACR_EIDAS3),
        (None, "eidas3", ACR_EIDAS3),
    ],
)
def test_reachable_levels_are_those_of_the_portals_that_are_on(
    database: Database, clock: SettableClock, ordinary: str | None, plus: str | None, most: str
) -> None:
    """What discovery lists, and what a service may demand: no more than somebody can give."""
    assert reachable_levels(context_with(database, clock, ordinary, plus)) == levels_up_to(most)


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "asked, expected",
    [
        ((), FRANCECONNECT),
        ((ACR_PASSWORD,), FRANCECONNECT),
        ((ACR_EIDAS1,), FRANCECONNECT),
        ((ACR_EIDAS2, ACR_EIDAS1), FRANCECONNECT),
        ((ACR_EIDAS2,), FRANCECONNECT_PLUS),
        ((ACR_EIDAS3, "unheard-of"), FRANCECONNECT_PLUS),
        (("unheard-of",), FRANCECONNECT),
    ],
)
def test_ordinary_portal_is_taken_where_it_is_enough(
    database: Database, clock: SettableClock, asked: tuple[str, ...], expected: str
) -> None:
    """The other one asks more of people: they go there when the level needs it."""
    assert portal_for(context_with(database, clock, "eidas1", "eidas2 eidas3"), asked) == expected


def test_only_portal_is_taken_for_everything(database: Database, clock: SettableClock) -> None:
    """One that is on alone serves the lower levels too."""
    context = context_with(database, clock, None, "eidas2")

    assert {portal_for(context, asked) for asked in ((), (ACR_EIDAS1,), (ACR_EIDAS3,))} == {
        FRANCECONNECT_PLUS
    }


def test_portal_that_is_off_is_nowhere(database: Database, clock: SettableClock) -> None:
    """No page leads to it; a bug that does is loud."""
    context = context_with(database, clock, None)

    for ask in (lambda: portal_for(context), lambda: provider(context, FRANCECONNECT)):
        with pytest.raises(LookupError):
            ask()


@pytest.mark.parametrize(
    "asked, expected",
    [
        ((), ACR_EIDAS2),
        ((ACR_EIDAS1,), ACR_EIDAS2),
        ((ACR_EIDAS3,), ACR_EIDAS3),
        ((ACR_EIDAS3, ACR_EIDAS2), ACR_EIDAS2),
    ],
)
def test_portal_is_asked_for_no_more_than_is_needed(
    clock: SettableClock, asked: tuple[str, ...], expected: str
) -> None:
    """The lowest level that satisfies the service."""
    assert level_for(ForgedFranceConnect(clock).client(acr_values="eidas2 eidas3"), asked) == expected


def test_portal_that_does_not_reach_a_level_says_so(clock: SettableClock) -> None:
    """Nothing lower is asked for in its place."""
    assert level_for(ForgedFranceConnect(clock).client(), (ACR_EIDAS2,)) is None
