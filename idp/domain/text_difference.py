"""What changed from one text to another: by paragraphs, then by words inside those that changed (CGU-2).

Texts are the Markdown of the terms: headings, paragraphs, lists. What is compared is what people read, without the
marks of headings, emphasis and links.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache
from itertools import zip_longest
from typing import Final

_HEADING: Final = re.compile(r"#{1,6}\s+")
_ITEM: Final = re.compile(r"(?:[-*+]|\d+[.)])\s+")
#: What is not read; the number of an item is.
_MARK: Final = re.compile(r"\A(?:#{1,6}|[-*+])\s+")
_LINK: Final = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
_EMPHASIS: Final = re.compile(r"(\*\*|__|\*|`)(\S(?:.*?\S)?)\1")
_WORD: Final = re.compile(r"\s+|\w+|[^\w\s]+")
#: Below it two paragraphs are not the same one written anew: they are shown whole.
_AKIN: Final = 0.35


class Change(StrEnum):
    """What became of a paragraph."""

    SAME = "same"
    CHANGED = "changed"
    REMOVED = "removed"
    ADDED = "added"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some words of a paragraph, and whether the other text does not have them."""

    text: str
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A paragraph of one text beside that of the other.

    Attributes:
        change: What became of it.
        before: As it was; empty when it is new.
        after: As it is; empty when it is gone.
    """

    change: Change
    before: tuple[Piece, ...] = ()
    after: tuple[Piece, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """What changed under one heading.

    Attributes:
        heading: As it reads now, or read when it is gone; empty before the first.
        rows: The paragraphs that changed, in order.
    """

    heading: str
    rows: tuple[Row, ...]


@lru_cache(maxsize=16)
def compare(before: str, after: str) -> tuple[Row, ...]:
    """Put two texts side by side, paragraph by paragraph; all of both is there."""
    old, new = paragraphs(before), paragraphs(after)
    rows: list[Row] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            rows += [_same(text) for text in new[j1:j2]]
        else:
            rows += _written_anew(old[i1:i2], new[j1:j2])
    return tuple(rows)


def sections(before: str, after: str) -> tuple[Section, ...]:
    """Give what changed, under the headings where it changed; empty when nothing did."""
    found: list[Section] = []
    heading, rows = "", list[Row]()
    for row in compare(before, after):
        text = _text(row.after or row.before)
        if _HEADING.match(text):
            found.append(Section(heading, tuple(rows)))
            heading, rows = _without_mark(text), []
        if row.change is not Change.SAME:
            rows.append(_readable(row))
    found.append(Section(heading, tuple(rows)))
    return tuple(one for one in found if one.rows)


def paragraphs(text: str) -> list[str]:
    """Part a text into headings, paragraphs and items of lists, each on one line and without marks of emphasis."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        stripped = line.strip()
        if not stripped or _HEADING.match(stripped) or _ITEM.match(stripped):
            found.append([])
        if stripped:
            found[-1].append(stripped)
        if _HEADING.match(stripped):
            found.append([])
    return [_plain(" ".join(lines)) for lines in found if lines]


def _plain(text: str) -> str:
    return _EMPHASIS.sub(r"\2", _LINK.sub(r"\1 (\2)", text))


def _written_anew(old: Sequence[str], new: Sequence[str]) -> Iterator[Row]:
    """Pair what went with what came, as long as they resemble each other."""
    for left, right in zip_longest(old, new):
        if left is not None and right is not None and _resemble(left, right):
            yield Row(Change.CHANGED, *_by_words(left, right))
            continue
        if left is not None:
            yield Row(Change.REMOVED, (Piece(left, is_changed=True),))
        if right is not None:
            yield Row(Change.ADDED, (), (Piece(right, is_changed=True),))


def _resemble(left: str, right: str) -> bool:
    return SequenceMatcher(None, _words(left), _words(right), autojunk=False).ratio() >= _AKIN


def _by_words(left: str, right: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    old, new = _words(left), _words(right)
    before, after = list[Piece](), list[Piece]()
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        is_changed = tag != "equal"
        if i1 < i2:
            before.append(Piece("".join(old[i1:i2]), is_changed))
        if j1 < j2:
            after.append(Piece("".join(new[j1:j2]), is_changed))
    return tuple(before), tuple(after)


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _same(text: str) -> Row:
    return Row(Change.SAME, (Piece(text),), (Piece(text),))


def _text(pieces: tuple[Piece, ...]) -> str:
    return "".join(piece.text for piece in pieces)


def _readable(row: Row) -> Row:
    """Take the marks of headings and items off the first words."""
    return Row(row.change, _readable_pieces(row.before), _readable_pieces(row.after))


def _readable_pieces(pieces: tuple[Piece, ...]) -> tuple[Piece, ...]:
    if not pieces:
        return ()
    first, *others = pieces
    shown = (Piece(_without_mark(first.text), first.is_changed), *others)
    return tuple(one for one in shown if one.text)


def _without_mark(text: str) -> str:
    return _MARK.sub("", text)
