"""The order of favourite services: moves lose nothing and invent nothing (PRO-4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.favourites import MOST, Direction, added, moved, reordered, without

LISTS = st.lists(st.text(min_size=1, max_size=3), unique=True, max_size=MOST)


@pytest.mark.rule("PRO-4")
@pytest.mark.parametrize(
    "one, direction, expected",
    [
        ("b", Direction.UP, ["b", "a", "c"]),
        ("b", Direction.DOWN, ["a", "c", "b"]),
        ("a", Direction.UP, ["a", "b", "c"]),
        ("c", Direction.DOWN, ["a", "b", "c"]),
        ("x", Direction.UP, ["a", "b", "c"]),
    ],
    ids=["up", "down", "first up", "last down", "not in the list"],
)
def test_service_moves_by_one_place(one: str, direction: Direction, expected: list[str]) -> None:
    """At an end it stays."""
    assert moved(["a", "b", "c"], one, direction) == expected


@pytest.mark.rule("PRO-4")
def test_list_is_not_added_to_without_end() -> None:
    """A full list stays as it is, and nothing is in it twice."""
    full = [str(number) for number in range(MOST)]

    assert added(full, "one more") == full
    assert added(["a"], "a") == ["a"]
    assert added(["a"], "b") == ["a", "b"]
    assert without(["a", "b"], "a") == ["b"]


@pytest.mark.rule("PRO-4")
@given(LISTS, st.lists(st.text(min_size=1, max_size=3)))
def test_order_of_an_old_page_loses_and_invents_nothing(present: list[str], wanted: list[str]) -> None:
    """What was added meanwhile stays, behind; what was taken away does not come back."""
    changed = reordered(present, wanted)

    assert sorted(changed) == sorted(present)
    known = [one for one in dict.fromkeys(wanted) if one in present]
    assert changed[: len(known)] == known
