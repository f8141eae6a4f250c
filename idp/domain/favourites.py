"""The order of favourite services (PRO-4): pure moves of a list."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

#: More are no favourites any more.
MOST: Final = 20
#: How many stand in the menu of every page.
IN_THE_MENU: Final = 4


class Direction(StrEnum):
    """Where a service goes in the list."""

    UP = "up"
    DOWN = "down"


def added(present: Sequence[str], one: str) -> list[str]:
    """Put a service at the end, once; a full list stays as it is."""
    if one in present or len(present) >= MOST:
        return list(present)
    return [*present, one]


def without(present: Sequence[str], one: str) -> list[str]:
    """Take a service away."""
    return [other for other in present if other != one]


def moved(present: Sequence[str], one: str, direction: Direction) -> list[str]:
    """Move a service by one place; at the end of the list it stays."""
    ordered = list(present)
    if one not in ordered:
        return ordered
    place = ordered.index(one)
    other = place + (-1 if direction is Direction.UP else 1)
    if 0 <= other < len(ordered):
        ordered[place], ordered[other] = ordered[other], ordered[place]
    return ordered


def reordered(present: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Bring the list into the order of a page that may be older than the list.

    What the page did not know stays, behind; what is gone meanwhile does not come back.
    """
    known = [one for one in dict.fromkeys(wanted) if one in present]
    return [*known, *(one for one in present if one not in known)]
