"""Finds what was altered in a chain of hashes, and names each fault once (CON-5, ADM-3).

`ChainCheck` is fed the lines of a chain in their order and keeps little of them. After a line that does not follow,
the next one is checked against the link that is stored, so that one fault is one finding. What does not follow is
kept aside and explained at the end: a line altered, two lines swapped, a line moved, put in or taken out with the
rest numbered anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from idp.domain.hash_chain import GENESIS, body_hash, chained, personal_hash

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

#: Beyond so many broken lines the rest is not compared with each other: somebody rewrote the whole.
_MOST_COMPARED: Final = 300
#: By how many places a rest that was numbered anew is looked for, beside the number of lines that lack.
_FARTHEST: Final = 4


class FaultKind(StrEnum):
    """What is wrong."""

    ALTERED = "altered"
    REMOVED = "removed"
    SWAPPED = "swapped"
    MOVED = "moved"
    INSERTED = "inserted"
    CUT_OFF = "cut_off"
    HEAD = "head"
    ANCHOR = "anchor"
    EMPTIED = "emptied"
    UNCHAINED = "unchained"
    TEXT = "text"
    KEY = "key"
    STATEMENT = "statement"


class Part(StrEnum):
    """Which part of a line."""

    PUBLIC = "public"
    PERSONAL = "personal"
    LINK = "link"


@dataclass(frozen=True, slots=True)
class Fault:
    """One alteration, and where.

    Attributes:
        kind: What is wrong.
        text: The same in words, for an administrator.
        sequence: The first place concerned.
        until: The last place concerned, or the other one of two.
        line_id: Identifier of the line that stands there.
        at: Its moment, as it is stored.
        part: Which part of the line.
    """

    kind: FaultKind
    text: str
    sequence: int | None = None
    until: int | None = None
    line_id: str | None = None
    at: datetime | None = None
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class StoredLine:
    """A line as it is stored.

    Attributes:
        sequence: Its place.
        line_id: Its identifier.
        at: Its moment.
        public: The part that stays.
        personal: The part that an erasure empties.
        salt: Of the personal part; None once it was emptied.
        personal_hash: Of the personal part.
        link: What chains it.
    """

    sequence: int
    line_id: str
    at: datetime
    public: Mapping[str, Any]
    personal: Mapping[str, Any]
    salt: bytes | None
    personal_hash: bytes
    link: bytes

    @property
    def is_emptied(self) -> bool:
        """Tell whether nothing is left of its personal part."""
        return self.salt is None and all(value is None for value in self.personal.values())

    @property
    def hash_of_personal(self) -> bytes | None:
        """Hash its personal part as it stands; None once it was emptied."""
        return None if self.salt is None else personal_hash(self.salt, self.personal)

    def fault(self, kind: FaultKind, text: str, part: Part | None = None, until: int | None = None) -> Fault:
        """Say what is wrong with it."""
        return Fault(kind, text, self.sequence, until, self.line_id, self.at, part)


@dataclass(frozen=True, slots=True)
class _Broken:
    """A line that does not follow the one before it, whose link is `previous`."""

    line: StoredLine
    body: bytes
    previous: bytes

    def link_at(self, previous: bytes, place: int) -> bytes:
        """Compute its link behind another line, in another place."""
        return chained(previous, place, self.body, self.line.personal_hash)

    def belongs(self, previous: bytes, place: int) -> bool:
        """Tell whether it was written behind another line, in another place."""
        return self.link_at(previous, place) == self.line.link


@dataclass(frozen=True, slots=True)
class _Renumbering:
    """From a place on, lines may stand `shift` places before where they were written.

    Attributes:
        place: Of the first one that shows it.
        shift: How many lines lack before it; negative when there are too many.
        removes: Whether lines were taken out before it, not put in.
    """

    place: int
    shift: int
    removes: bool


@dataclass(slots=True)
class ChainCheck:
    """What is known of a chain after some of its lines.

    Attributes:
        anchor_sequence: After which place it begins.
        anchor_link: The link that its first line follows.
        missing: How many lines less there are than the head says: the rest may have been numbered anew by as much.
        count: How many lines were checked.
    """

    anchor_sequence: int = 0
    anchor_link: bytes = GENESIS
    missing: int = 0
    count: int = 0
    _place: int = field(init=False)
    _previous: bytes | None = field(init=False)
    _before: bytes | None = None
    _shift: int = 0
    _candidate: _Renumbering | None = None
    _broken: list[_Broken] = field(default_factory=list)
    _faults: list[Fault] = field(default_factory=list)
    _emptied: dict[int, StoredLine] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin at the anchor."""
        self._place = self.anchor_sequence
        self._previous = self.anchor_link

    def take(self, line: StoredLine) -> None:
        """Check the next line."""
        self.count += 1
        if line.sequence == self._place:
            self._take_double(line)
            return
        if line.sequence > self._place + 1:
            self._note_gap(line)
        self._check_personal(line)
        self._check_link(line)
        self._place = line.sequence
        self._before, self._previous = self._previous, line.link

    def excuse(self, places: Iterable[int]) -> None:
        """Take note of a recorded erasure, which emptied lines that stand before it."""
        for place in places:
            self._emptied.pop(place, None)

    def conclude(
        self, head_sequence: int, head_link: bytes, *, true_anchor: bytes | None = None
    ) -> list[Fault]:
        """Compare the end with what the head says, and explain everything, in the order of the chain.

        Args:
            head_sequence: How many lines the head says were ever written.
            head_link: Of the last one.
            true_anchor: What the first line follows, when that is known from elsewhere.
        """
        candidate = self._candidate
        if candidate and self._place + candidate.shift == head_sequence:
            self._confirm(candidate)
        if true_anchor is not None:
            self._broken = [
                one
                for one in self._broken
                if one.line.sequence != self.anchor_sequence + 1
                or not one.belongs(true_anchor, one.line.sequence)
            ]
        explained, links = _explained(self._broken, (self._place, head_link))
        emptied = [
            line.fault(
                FaultKind.EMPTIED,
                f"the personal part of line {place} was emptied, and no erasure tells of it",
                Part.PERSONAL,
            )
            for place, line in self._emptied.items()
        ]
        end = self._end(head_sequence, head_link, links.get(self._place))
        return sorted([*self._faults, *emptied, *explained, *end], key=lambda fault: fault.sequence or 0)

    def _end(self, head_sequence: int, head_link: bytes, true_link: bytes | None) -> list[Fault]:
        last = self._place + self._shift
        if last < head_sequence:
            text = f"the end is cut off: the head says {head_sequence}, the last line is {last}"
            return [Fault(FaultKind.CUT_OFF, text, last + 1, head_sequence)]
        if last > head_sequence:
            text = f"lines stand after the end: the head says {head_sequence}, the last line is {last}"
            return [Fault(FaultKind.INSERTED, text, head_sequence + 1, last)]
        if head_link not in {self._previous, true_link}:
            return [Fault(FaultKind.HEAD, f"the head's link is not that of the last line, {last}", last)]
        return []

    def _take_double(self, line: StoredLine) -> None:
        # Only one of the two follows the line before; which one comes first is by chance.
        first = (
            self._broken[-1].line if self._broken and self._broken[-1].line.sequence == self._place else None
        )
        is_true = self._before is not None and _belongs(
            line, body_hash(line.public), self._before, self._place
        )
        if first is not None and is_true:
            self._broken.pop()
            self._previous = line.link
        false = first if first is not None and is_true else line
        text = f"two lines stand in place {line.sequence}: this one was put in"
        self._faults.append(false.fault(FaultKind.INSERTED, text))

    def _note_gap(self, line: StoredLine) -> None:
        first, last = self._place + 1, line.sequence - 1
        gone = f"line {first} is missing" if first == last else f"lines {first} to {last} are missing"
        text = f"{gone}: nothing stands between {self._place} and {line.sequence}"
        self._faults.append(Fault(FaultKind.REMOVED, text, first, last))
        self._before = self._previous = None

    def _check_personal(self, line: StoredLine) -> None:
        if line.is_emptied:
            self._emptied[line.sequence] = line
        elif line.hash_of_personal != line.personal_hash:
            # A hash that was made to fit shows in the link instead.
            text = f"the personal part of line {line.sequence} is not what was written"
            self._faults.append(line.fault(FaultKind.ALTERED, text, Part.PERSONAL))

    def _check_link(self, line: StoredLine) -> None:
        if self._previous is None:
            # What it followed is gone, which was said.
            return
        body, place = body_hash(line.public), line.sequence
        own = line.hash_of_personal
        if _belongs(line, body, self._previous, place + self._shift) or (
            # Its hash alone was altered, which was said too.
            own is not None and chained(self._previous, place + self._shift, body, own) == line.link
        ):
            self._candidate = None
            return
        candidate = self._candidate
        if candidate and _belongs(line, body, self._previous, place + candidate.shift):
            self._confirm(candidate)
            return
        self._broken.append(_Broken(line, body, self._previous))
        self._candidate = self._renumbering(line, body, self._previous)

    def _renumbering(self, line: StoredLine, body: bytes, previous: bytes) -> _Renumbering | None:
        near = range(-_FARTHEST, _FARTHEST + 1)
        for shift in {*(self._shift + step for step in near), self.missing} - {self._shift}:
            if _belongs(line, body, previous, line.sequence + shift):
                return _Renumbering(line.sequence, shift, removes=shift > self._shift)
            if self._before is not None and _belongs(line, body, self._before, line.sequence + shift):
                return _Renumbering(line.sequence, shift, removes=False)
        return None

    def _confirm(self, found: _Renumbering) -> None:
        """Take it as a fact that the lines since a candidate were numbered anew."""
        count, at = abs(found.shift - self._shift), found.place - 1
        lines = "a line was" if count == 1 else f"{count} lines were"
        verb, kind = ("taken out", FaultKind.REMOVED) if found.removes else ("put in", FaultKind.INSERTED)
        text = f"{lines} {verb} at place {at}, and the lines after it were numbered anew"
        # The first line after what is gone follows nothing that is there; a line that was put in, nothing at all.
        while self._broken and self._broken[-1].line.sequence >= at:
            self._broken.pop()
        self._faults.append(Fault(kind, text, at))
        self._shift, self._candidate = found.shift, None


def _belongs(line: StoredLine, body: bytes, previous: bytes, place: int) -> bool:
    return place > 0 and chained(previous, place, body, line.personal_hash) == line.link


def _explained(broken: list[_Broken], end: tuple[int, bytes]) -> tuple[list[Fault], dict[int, bytes]]:
    """Explain lines that do not follow the one before.

    Args:
        broken: In their order.
        end: The place of the last line of the chain, and the link that the head gives it.

    Returns:
        The faults; and by place the links that truly stood there, as far as they became known.
    """
    compared = {one.line.sequence: one for one in broken[:_MOST_COMPARED]}
    links: dict[int, bytes] = {}
    faults: list[Fault] = []
    settled: set[int] = set()
    for one in compared.values():
        place = one.line.sequence
        previous = links.get(place - 1, one.previous)
        if place in settled or one.belongs(previous, place):
            continue
        other = _owner(compared, settled, previous, place)
        if other is None:
            faults.append(_altered(one, previous, compared.get(place + 1), end, links))
            continue
        links[place] = other.line.link
        there = other.line.sequence
        if one.belongs(links.get(there - 1, other.previous), there):
            links[there] = one.line.link
            settled.add(there)
            text = f"lines {place} and {there} were swapped"
            faults.append(one.line.fault(FaultKind.SWAPPED, text, until=there))
        else:
            text = f"another line stands in place {place}: the one that was written there stands in {there}"
            faults.append(one.line.fault(FaultKind.MOVED, text, until=there))
    if len(broken) > _MOST_COMPARED:
        first, last = broken[_MOST_COMPARED].line, broken[-1].line.sequence
        text = f"{len(broken) - _MOST_COMPARED} more lines up to {last} do not follow the one before them"
        faults.append(first.fault(FaultKind.ALTERED, text, until=last))
    return faults, links


def _owner(compared: Mapping[int, _Broken], settled: set[int], previous: bytes, place: int) -> _Broken | None:
    for there, one in compared.items():
        if there != place and there not in settled and one.belongs(previous, place):
            return one
    return None


def _altered(
    one: _Broken, previous: bytes, following: _Broken | None, end: tuple[int, bytes], links: dict[int, bytes]
) -> Fault:
    line, place = one.line, one.line.sequence
    computed = one.link_at(previous, place)
    if (following and following.belongs(computed, place + 1)) or end == (place, computed):
        links[place] = computed
        return line.fault(FaultKind.ALTERED, f"the link of line {place} is not what was written", Part.LINK)
    text = f"line {place} is not what was written after line {place - 1}"
    return line.fault(FaultKind.ALTERED, text, Part.PUBLIC)
