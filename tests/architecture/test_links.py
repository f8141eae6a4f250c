"""Documents lead somewhere: links, anchors and the files they name exist; decisions are listed and complete."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.marks import ROOT

#: Folders of documents that people write, and of their neighbours.
DOCUMENTS = ("*.md", "docs/**/*.md", "changelog.d/*.md", "keys/*.md", "tests/*.md", "idp/**/*.md")
LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
NAMED = re.compile(r"`(?P<path>(?:idp|tests|templates|migrations|docs|changelog\.d|\.ci)/[A-Za-z0-9_./-]+)`")
FENCE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`[^`]*`")
HEADING = re.compile(r"^#+ (?P<text>.+)$", re.MULTILINE)
DECISIONS = ROOT / "docs" / "decisions"
SECTIONS = ("Context", "Considered options", "Outcome", "Consequences", "Confirmation")


def documents() -> list[Path]:
    """List every document of the repository."""
    return sorted({path for pattern in DOCUMENTS for path in ROOT.glob(pattern)})


def prose(document: Path) -> str:
    """Read a document without its blocks of code."""
    return FENCE.sub("", document.read_text(encoding="utf-8"))


def anchors(document: Path) -> set[str]:
    """Name the headings of a document as GitHub and GitLab do."""
    texts = (match["text"].lower().replace("`", "") for match in HEADING.finditer(prose(document)))
    return {re.sub(r"[^\w\- ]", "", text).strip().replace(" ", "-") for text in texts}


def links(document: Path) -> Iterator[str]:
    """List the links of a document that stay in the repository.

    Yields:
        Targets, as written.
    """
    for match in LINK.finditer(CODE.sub("`code`", prose(document))):
        if not re.match(r"[a-z]+:", match["target"]):
            yield match["target"]


def is_broken(document: Path, target: str) -> bool:
    """Tell whether a link leads to a file or a heading that is not there."""
    path, _, anchor = target.partition("#")
    file = (document.parent / path).resolve() if path else document
    return not file.exists() or bool(anchor and anchor not in anchors(file))


def records() -> list[Path]:
    """List the decision records."""
    return sorted(DECISIONS.glob("[0-9]*.md"))


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_of_a_document_resolve(document: Path) -> None:
    """Who follows a link finds a file, and the heading that it names."""
    assert [target for target in links(document) if is_broken(document, target)] == []


@pytest.mark.parametrize("document", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_files_that_a_document_names_exist(document: Path) -> None:
    """A path in a document is a path in the repository."""
    named = {match["path"] for match in NAMED.finditer(prose(document))}

    assert sorted(path for path in named if not (ROOT / path).exists()) == []


def test_list_of_decisions_names_every_record() -> None:
    """A decision that is not listed is not read."""
    listed = {target for target in links(DECISIONS / "README.md") if target[:1].isdigit()}

    assert listed == {record.name for record in records()}


def test_numbers_of_decisions_are_unique() -> None:
    """A record is cited by its number."""
    numbers = [record.name[:4] for record in records()]

    assert numbers == sorted(set(numbers))


@pytest.mark.parametrize("record", records(), ids=lambda path: path.stem)
def test_decision_says_what_a_record_must(record: Path) -> None:
    """A record tells the context, the options, the outcome, what follows, and what fails if it is forgotten."""
    headings = [match["text"] for match in HEADING.finditer(prose(record))]

    assert [name for name in SECTIONS if name not in headings] == []


@pytest.mark.parametrize(
    "target", ["nowhere.md", "README.md#no-such-heading", "#no-such-heading"], ids=["file", "anchor", "own"]
)
def test_broken_link_is_seen(target: str) -> None:
    """The check of this file sees what it looks for."""
    assert is_broken(ROOT / "README.md", target)
