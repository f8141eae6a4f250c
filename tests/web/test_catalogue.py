"""The English catalogue against the words of the templates and of the pages' code (UX-1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[2]
ENGLISH = ROOT / "templates/locale/en/LC_MESSAGES/messages.po"
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")
TAG = re.compile(r"</?(\w+)")
# French sets a space before these; it must not break, or a line starts with a question mark.
BREAKABLE_SPACE = re.compile(r" [:;?!»]|« ")
MARKUP = re.compile(r"<[^>]+>")
END_OF_SENTENCE = re.compile(r"(?<=[.!?:;])\s+")
#: Words of a sentence that is read once and understood.
LONGEST_SENTENCE = 25
#: Our own words for things that have plain ones.
JARGON = re.compile(
    r"\b(tokens?|jetons?|oauth|openid|api|userinfo|claims?|endpoints?|introspection|clients?|scopes?|login|logout"
    r"|opt-in|hash|s.authentifier|authentification|réauthentification|identifiants? techniques?|backend|serveurs?)\b",
    re.IGNORECASE,
)
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}

Key = str | tuple[str, ...]


@cache
def words_in_use() -> frozenset[Key]:
    """Collect every text marked for translation, in the templates and in the code."""
    sources: tuple[tuple[Path, list[tuple[str, str]], dict[str, dict[str, str]]], ...] = (
        (ROOT / "templates", [("**.html", "jinja2")], {"**.html": {"newstyle_gettext": "true"}}),
        (ROOT / "idp", [("**.py", "python")], {}),
    )
    return frozenset(
        message
        for folder, methods, options in sources
        for _, _, message, _, _ in extract_from_dir(folder, methods, options, keywords=KEYWORDS)
    )


@cache
def catalogue() -> Catalog:
    """Read the English catalogue as it stands in the repository."""
    with ENGLISH.open("rb") as file:
        return read_po(file, locale="en", abort_invalid=True)


def entries() -> Iterator[Message]:
    """List the entries of the catalogue, without its header."""
    return (message for message in catalogue() if message.id)


def texts(value: object) -> tuple[str, ...]:
    """Give the forms of a text: one, or singular and plural."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, (list, tuple)) else ()


def placeholders(text: str) -> set[str]:
    """Name what is filled in when the text is shown."""
    return {named or braced for named, braced in PLACEHOLDER.findall(text)}


@pytest.mark.rule("UX-1")
def test_english_catalogue_misses_no_text() -> None:
    """Each text of a page or of the code has an entry in the English catalogue."""
    known = {message.id for message in entries()}

    assert sorted(map(str, words_in_use() - known)) == []


@pytest.mark.rule("UX-1")
def test_english_catalogue_keeps_no_unused_text() -> None:
    """Each entry of the English catalogue is the text of some page or of the code."""
    known = {message.id for message in entries()}

    assert sorted(map(str, known - words_in_use())) == []


@pytest.mark.rule("UX-1")
def test_english_catalogue_leaves_nothing_untranslated() -> None:
    """Each entry has its words in every form, and none is a guess left to review."""
    unfinished = [message.id for message in entries() if message.fuzzy or not all(texts(message.string))]

    assert unfinished == []


@pytest.mark.rule("UX-1")
def test_english_catalogue_fills_in_the_same_values() -> None:
    """A translation has the placeholders of its original, or the page would fail or lose a value."""
    wrong = [
        (original, translated)
        for message in entries()
        for original, translated in zip(texts(message.id), texts(message.string), strict=True)
        if placeholders(original) != placeholders(translated)
    ]

    assert wrong == []


@pytest.mark.rule("UX-1")
def test_english_catalogue_keeps_the_markup() -> None:
    """A translation has the elements of its original, so that no link or emphasis is lost."""
    wrong = [
        (original, translated)
        for message in entries()
        for original, translated in zip(texts(message.id), texts(message.string), strict=True)
        if TAG.findall(original) != TAG.findall(translated)
    ]

    assert wrong == []


@pytest.mark.rule("UX-1")
def test_french_texts_have_no_breakable_space_before_a_double_mark() -> None:
    """French puts an unbreakable space before : ; ? ! and inside its quotation marks."""
    wrong = [text for key in words_in_use() for text in texts(key) if BREAKABLE_SPACE.search(text)]

    assert wrong == []


@pytest.mark.rule("UX-1")
def test_french_texts_use_the_typographic_apostrophe() -> None:
    """No text that a person reads has a typewriter's apostrophe."""
    wrong = [text for key in words_in_use() for text in texts(key) if "'" in text]

    assert wrong == []


@pytest.mark.rule("UX-1")
def test_french_sentences_are_short() -> None:
    """One idea a sentence: nobody reads twice to know what to do."""
    sentences = (
        sentence
        for key in words_in_use()
        for text in texts(key)
        for sentence in END_OF_SENTENCE.split(MARKUP.sub("", text))
    )

    assert [one for one in sentences if len(one.split()) > LONGEST_SENTENCE] == []


@pytest.mark.rule("UX-1")
def test_french_texts_have_no_jargon() -> None:
    """Residents read their language, not that of the standards."""
    wrong = [text for key in words_in_use() for text in texts(key) if JARGON.search(MARKUP.sub("", text))]

    assert wrong == []
