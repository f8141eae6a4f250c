"""What changed between two texts, by paragraphs and words (CGU-2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.text_difference import Change, Piece, Row, compare, paragraphs, sections

pytestmark = pytest.mark.rule("CGU-2")
BEFORE = """## 1. Objet

Le compte est **gratuit** et ouvert à tous.

- un
- deux

## 2. Fin

Rien.
"""


def words_of(rows: tuple[Row, ...], which: str) -> list[str]:
    """Put one of the texts together again."""
    both = ("".join(piece.text for piece in getattr(row, which)) for row in rows)
    return [text for text in both if text]


def test_equal_texts_have_no_section() -> None:
    """Neither do texts that only emphasise otherwise."""
    assert sections(BEFORE, BEFORE) == ()
    assert sections(BEFORE, BEFORE.replace("**gratuit**", "gratuit")) == ()
    assert sections("", "") == ()


def test_changed_words_are_told_inside_their_paragraph() -> None:
    """What stays is there too, so that the sentence can be read."""
    (section,) = sections(BEFORE, BEFORE.replace("ouvert à tous", "ouvert à toutes et à tous"))

    (row,) = section.rows
    assert section.heading == "1. Objet"
    assert row.change is Change.CHANGED
    assert "".join(piece.text for piece in row.before) == "Le compte est gratuit et ouvert à tous."
    added = "".join(piece.text for piece in row.after if piece.is_changed)
    assert added.split() == ["toutes", "et", "à"]
    assert not any(piece.is_changed for piece in row.before)


def test_paragraphs_that_have_nothing_in_common_are_shown_whole() -> None:
    """One goes and another comes."""
    (section,) = sections(BEFORE + "\nPlus rien.", BEFORE.replace("Rien.", "Il dure trois ans."))

    assert section.rows == (
        Row(Change.REMOVED, before=(Piece("Rien.", is_changed=True),)),
        Row(Change.ADDED, after=(Piece("Il dure trois ans.", is_changed=True),)),
        Row(Change.REMOVED, before=(Piece("Plus rien.", is_changed=True),)),
    )


def test_items_and_headings_lose_their_marks() -> None:
    """People read words, not Markdown."""
    found = sections(BEFORE, BEFORE.replace("- deux", "- deux\n- trois\n1. quatre") + "\n## 3. [Suite](/x)\n")

    shown = [piece.text for section in found for row in section.rows for piece in row.after]
    assert shown == ["trois", "1. quatre", "3. Suite (/x)"]
    assert [section.heading for section in found] == ["1. Objet", "3. Suite (/x)"]


def test_removed_heading_names_its_section() -> None:
    """What went under a heading that went is found under it."""
    (section,) = sections(BEFORE, BEFORE.partition("## 2.")[0])

    assert section.heading == "2. Fin"
    assert [row.change for row in section.rows] == [Change.REMOVED, Change.REMOVED]


def test_paragraph_of_several_lines_is_one() -> None:
    """Where the lines of a file break is nobody's change."""
    assert paragraphs("un\ndeux\n\ntrois") == ["un deux", "trois"]
    assert sections("un deux trois", "un\ndeux\n  trois") == ()


@given(st.text("ab#- \n*[](", max_size=60), st.text("ab#- \n*[](", max_size=60))
def test_nothing_of_either_text_is_lost(before: str, after: str) -> None:
    """Whatever the texts, each side of the comparison is the whole of its text."""
    rows = compare(before, after)

    assert words_of(rows, "before") == [text for text in paragraphs(before) if text]
    assert words_of(rows, "after") == [text for text in paragraphs(after) if text]


def test_words_that_went_are_told_in_what_was_there() -> None:
    """Nothing came in their place."""
    (section,) = sections("Il est gratuit et ouvert à tous.", "Il est ouvert à tous.")

    (row,) = section.rows
    assert section.heading == ""
    assert "".join(piece.text for piece in row.before if piece.is_changed).split() == ["gratuit", "et"]
    assert not any(piece.is_changed for piece in row.after)
