"""Every kind of alteration of a chain of hashes is found, named once, and said where (CON-5, ADM-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.chain_check import ChainCheck, Fault, FaultKind, Part, StoredLine
from idp.domain.hash_chain import GENESIS, link, personal_hash

pytestmark = pytest.mark.rule("ADM-3", "CON-5")
START = datetime(2026, 11, 2, 9, tzinfo=UTC)
Found = list[tuple[FaultKind, int | None, int | None, Part | None]]


def a_chain(count: int = 9) -> list[StoredLine]:
    """Write lines, as the storage does."""
    lines, previous = [], GENESIS
    for place in range(1, count + 1):
        public: dict[str, Any] = {"name": f"event-{place}"}
        personal, salt = {"account_id": f"account-{place % 3}"}, place.to_bytes(16, "big")
        hashed = personal_hash(salt, personal)
        previous = link(previous, place, public, hashed)
        at = START + timedelta(minutes=place)
        lines.append(StoredLine(place, f"id-{place}", at, public, personal, salt, hashed, previous))
    return lines


def checked(
    lines: list[StoredLine], *, head: StoredLine | None = None, erased: tuple[int, ...] = ()
) -> list[Fault]:
    """Check lines against the head of a chain of nine."""
    end = head or a_chain()[-1]
    last = max((line.sequence for line in lines), default=0)
    check = ChainCheck(missing=end.sequence - last)
    for line in lines:
        check.take(line)
    check.excuse(erased)
    return check.conclude(end.sequence, end.link)


def found(faults: list[Fault]) -> Found:
    """Say what was found, without words."""
    return [(fault.kind, fault.sequence, fault.until, fault.part) for fault in faults]


def placed(lines: list[StoredLine]) -> list[StoredLine]:
    """Number lines anew, as somebody would who hides a gap."""
    return [replace(line, sequence=place) for place, line in enumerate(lines, start=1)]


def swapped(lines: list[StoredLine], one: int, other: int) -> list[StoredLine]:
    """Exchange the places of two lines."""
    changed = list(lines)
    changed[one - 1] = replace(lines[other - 1], sequence=one)
    changed[other - 1] = replace(lines[one - 1], sequence=other)
    return changed


def test_chain_as_written_has_no_fault() -> None:
    """Nor has one without any line."""
    assert checked(a_chain()) == []
    assert ChainCheck().conclude(0, GENESIS) == []


@pytest.mark.parametrize("place", range(1, 10))
def test_altered_line_is_named_once_with_its_part(place: int) -> None:
    """What stays, what names a person, its salt, its hash, its link: each wherever the line stands."""
    lines = a_chain()
    line = lines[place - 1]
    altered = {
        "public": (replace(line, public={"name": "event-0"}), Part.PUBLIC),
        "personal": (replace(line, personal={"account_id": "another"}), Part.PERSONAL),
        "salt": (replace(line, salt=bytes(16)), Part.PERSONAL),
        "salt alone gone": (replace(line, salt=None), Part.PERSONAL),
        "hash": (replace(line, personal_hash=bytes(32)), Part.PERSONAL),
        "link": (replace(line, link=bytes(32)), Part.LINK),
    }
    for name, (changed, part) in altered.items():
        faults = checked([*lines[: place - 1], changed, *lines[place:]])

        assert found(faults) == [(FaultKind.ALTERED, place, None, part)], name
        assert (faults[0].line_id, faults[0].at) == (line.line_id, line.at)


def test_personal_part_with_a_hash_made_to_fit_shows_in_the_link() -> None:
    """Whoever hashes the new value too has to write the link anew, and then the next one."""
    lines = a_chain()
    other = {"account_id": "another"}
    lines[4] = replace(lines[4], personal=other, personal_hash=personal_hash(lines[4].salt or b"", other))

    assert found(checked(lines)) == [(FaultKind.ALTERED, 5, None, Part.PUBLIC)]


@pytest.mark.parametrize("place", range(1, 9))
def test_removed_line_is_a_gap(place: int) -> None:
    """Wherever it stood but at the end."""
    lines = a_chain()
    del lines[place - 1]

    assert found(checked(lines)) == [(FaultKind.REMOVED, place, place, None)]


def test_removed_lines_are_one_gap() -> None:
    """Named from the first to the last."""
    lines = a_chain()

    assert found(checked(lines[:2] + lines[5:])) == [(FaultKind.REMOVED, 3, 5, None)]


@pytest.mark.parametrize("place", range(1, 8))
def test_removed_line_is_found_though_the_rest_was_numbered_anew(place: int) -> None:
    """Places are hashed: no gap is left, and yet it shows, once."""
    lines = a_chain()
    del lines[place - 1]

    assert found(checked(placed(lines))) == [(FaultKind.REMOVED, place, None, None)]


@pytest.mark.parametrize("place", range(2, 9))
def test_inserted_line_is_found_though_the_rest_was_numbered_anew(place: int) -> None:
    """A line that was made to follow, and one that was not."""
    lines = a_chain()
    before = lines[place - 2]
    made = replace(lines[0], line_id="false", public={"name": "false"})
    fitting = replace(made, link=link(before.link, place, made.public, made.personal_hash))
    for false in (made, fitting):
        faults = checked(placed([*lines[: place - 1], false, *lines[place - 1 :]]))

        assert found(faults) == [(FaultKind.INSERTED, place, None, None)]


@pytest.mark.parametrize("order", ["true line first", "false line first"])
def test_second_line_in_a_place_is_the_inserted_one(order: str) -> None:
    """Where somebody took the unique index away: the one that follows is the true one."""
    lines = a_chain()
    false = replace(lines[4], line_id="false", public={"name": "false"})
    lines[4:5] = [lines[4], false] if order == "true line first" else [false, lines[4]]

    faults = checked(lines)

    assert [(fault.kind, fault.line_id) for fault in faults] == [(FaultKind.INSERTED, "false")]


@pytest.mark.parametrize("pair", ["1 2", "4 5", "8 9", "1 9", "3 5", "2 8", "5 9"])
def test_swapped_lines_are_both_named(pair: str) -> None:
    """Beside each other or far apart, at either end."""
    one, other = map(int, pair.split())

    assert found(checked(swapped(a_chain(), one, other))) == [(FaultKind.SWAPPED, one, other, None)]


def test_three_lines_moved_around_are_named() -> None:
    """No pair was exchanged: each place says where its line went."""
    lines = a_chain()
    moved = list(lines)
    moved[1], moved[4], moved[6] = (
        replace(lines[4], sequence=2),
        replace(lines[6], sequence=5),
        replace(lines[1], sequence=7),
    )

    assert found(checked(moved)) == [
        (FaultKind.MOVED, 2, 7, None),
        (FaultKind.MOVED, 5, 2, None),
        (FaultKind.MOVED, 7, 5, None),
    ]


def test_cut_off_end_is_found() -> None:
    """The head remembers how many there were."""
    faults = checked(a_chain()[:6])

    assert found(faults) == [(FaultKind.CUT_OFF, 7, 9, None)]
    assert "the head says 9, the last line is 6" in faults[0].text


def test_whole_chain_removed_is_found() -> None:
    """Nothing is left but the head."""
    assert found(checked([])) == [(FaultKind.CUT_OFF, 1, 9, None)]


def test_lines_after_the_end_are_found() -> None:
    """Whoever adds a line without the head."""
    assert found(checked(a_chain(11))) == [(FaultKind.INSERTED, 10, 11, None)]


def test_altered_head_is_found() -> None:
    """A link that no line has."""
    head = replace(a_chain()[-1], link=bytes(32))

    assert found(checked(a_chain(), head=head)) == [(FaultKind.HEAD, 9, None, None)]


def test_emptied_line_needs_a_recorded_erasure() -> None:
    """Two lines of an account were erased and this was recorded; a third was emptied by somebody."""
    lines = a_chain()
    for place in (2, 5, 8):
        lines[place - 1] = replace(lines[place - 1], personal={"account_id": None}, salt=None)

    assert found(checked(lines, erased=(2, 5))) == [(FaultKind.EMPTIED, 8, None, Part.PERSONAL)]


def test_each_of_several_faults_is_named() -> None:
    """One does not hide the next."""
    lines = swapped(a_chain(), 6, 8)
    lines[1] = replace(lines[1], public={"name": "event-0"})
    del lines[3]

    assert found(checked(lines)) == [
        (FaultKind.ALTERED, 2, None, Part.PUBLIC),
        (FaultKind.REMOVED, 4, 4, None),
        (FaultKind.SWAPPED, 6, 8, None),
    ]


def test_chain_that_was_rewritten_is_told_in_few_words() -> None:
    """Nobody reads ten thousand findings."""
    lines = [replace(line, public={"name": "x"}, link=bytes(32)) for line in a_chain(1000)]

    faults = checked(lines, head=a_chain(1000)[-1])

    assert len(faults) < 310
    assert any("more lines" in fault.text for fault in faults)


def test_chain_after_its_anchor_is_checked_from_there() -> None:
    """What its retention took away is not missed; an anchor that was altered is not the fault of the first line."""
    lines = a_chain()
    check = ChainCheck(4, lines[3].link)
    false = ChainCheck(4, bytes(32))
    for line in lines[4:]:
        check.take(line)
        false.take(line)

    assert check.conclude(9, lines[-1].link) == []
    assert false.conclude(9, lines[-1].link, true_anchor=lines[3].link) == []


@given(st.integers(1, 8), st.integers(1, 12), st.data())
def test_any_two_alterations_leave_a_finding(place: int, count: int, data: st.DataObject) -> None:
    """Whatever is removed, doubled, swapped or altered, something is said (always-true law)."""
    lines = a_chain(count)
    head = lines[-1]
    place = min(place, count)
    other = data.draw(st.integers(1, count))
    match data.draw(st.sampled_from(["remove", "alter", "swap", "shift"])):
        case "remove":
            lines = placed([line for line in lines if line.sequence != place])
        case "alter":
            lines[place - 1] = replace(lines[place - 1], at=START, public={"name": "other"})
        case "swap" if other != place:
            lines = swapped(lines, place, other)
        case _:
            lines = [replace(line, sequence=line.sequence + 1) for line in lines]

    assert checked(lines, head=head) != []
