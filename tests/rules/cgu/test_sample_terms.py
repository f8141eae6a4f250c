"""The sample terms say what the city's own do, in both languages, and come out as plain HTML (CGU-1)."""

from __future__ import annotations

import re

import pytest

from idp.web.space.markdown import to_html
from tests.support.marks import ROOT

FILES = sorted((ROOT / "templates" / "terms").glob("*.md"))


@pytest.mark.rule("CGU-1")
def test_sample_terms_are_there_in_both_languages() -> None:
    """One version, French and English, with the same sections."""
    french, english = ((ROOT / "templates" / "terms" / f"2026-11-01.{code}.md") for code in ("fr", "en"))

    sections = [
        re.findall(r"^## (\d+)\. ", file.read_text(encoding="utf-8"), re.MULTILINE)
        for file in (french, english)
    ]

    assert sections[0] == sections[1] == [str(number) for number in range(1, 10)]


@pytest.mark.rule("CGU-1", "LIF-1", "PWD-1", "LOG-6")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
@pytest.mark.parametrize(
    "fact", ["FranceConnect", "37", "3975", "8 ", "13 ", "Difficultés avec le compte Mon Paris"]
)
def test_sample_terms_hold_the_facts_that_the_program_keeps(file: object, fact: str) -> None:
    """The numbers that the terms promise are those of the rules."""
    assert fact in file.read_text(encoding="utf-8")  # type: ignore[attr-defined] # a path


@pytest.mark.rule("CGU-1")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_sample_terms_come_out_as_headings_paragraphs_and_lists(file: object) -> None:
    """Nothing in them is taken for anything else."""
    html = to_html(file.read_text(encoding="utf-8"))  # type: ignore[attr-defined] # a path

    assert set(re.findall(r"<(\w+)", html)) <= {"h2", "p", "ul", "li", "strong", "em", "a"}


@pytest.mark.rule("CGU-1", "UX-4")
@pytest.mark.parametrize(
    "text, html",
    [
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("<img src=x onerror=alert(1)>", "<p>&lt;img src=x onerror=alert(1)&gt;</p>\n"),
        ("[a](javascript:alert(1))", "<p>[a](javascript:alert(1))</p>\n"),
        ("[a](JaVaScRiPt:alert(1))", "<p>[a](JaVaScRiPt:alert(1))</p>\n"),
        ("[a](data:text/html,x)", "<p>[a](data:text/html,x)</p>\n"),
        ("[a](//evil.example)", "<p>[a](//evil.example)</p>\n"),
        ("[a](evil)", "<p>[a](evil)</p>\n"),
        ('[a](https://example.org "x")', '<p><a href="https://example.org" title="x">a</a></p>\n'),
        ("[a](mailto:a@example.org)", '<p><a href="mailto:a@example.org">a</a></p>\n'),
        ("[a](/privacy)", '<p><a href="/privacy">a</a></p>\n'),
        ("# Titre", "<h2>Titre</h2>\n"),
        ("**gras** et *penché*", "<p><strong>gras</strong> et <em>penché</em></p>\n"),
    ],
    ids=[
        "a script",
        "an image",
        "a script's address",
        "one in other letters",
        "a data address",
        "another site without scheme",
        "a relative address",
        "the web",
        "a mailbox",
        "a path of ours",
        "a heading",
        "emphasis",
    ],
)
def test_markdown_of_terms_is_a_safe_subset(text: str, html: str) -> None:
    """No HTML of the author's, no address that is neither of the web, of a mailbox, nor a path of ours."""
    assert to_html(text) == html


@pytest.mark.rule("CGU-1", "UX-4")
def test_markdown_of_terms_shows_no_image() -> None:
    """Pages ask nothing of other sites."""
    assert "<img" not in to_html("![suivi](https://example.org/pixel.png)")
