"""Modules are named for a subject, and rules are cited so that grep finds each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.marks import ROOT

# Names that say nothing, where everything ends up.
EMPTY_NAMES = frozenset(
    {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "managers"}
)
# `PWD-1 to PWD-4` hides PWD-2 and PWD-3 from grep.
RANGE = re.compile(r"\b([A-Z]{2,3})-\d+(?:\s*(?:to|through|until|à|\.\.\.?|…|–|—)\s*|\s+-\s+)(?:\1-)?\d+\b")
CODE = ("idp", "tests", "templates", "migrations")
SUFFIXES = frozenset({".py", ".html", ".txt", ".js", ".css", ".toml"})


def files() -> Iterator[Path]:
    """List the files that people write.

    Yields:
        Paths below the folders of code.
    """
    for folder in CODE:
        yield from (path for path in (ROOT / folder).rglob("*") if path.suffix in SUFFIXES)


def test_no_module_has_a_name_without_a_subject() -> None:
    """A module is a noun of the field: nothing is called utils or helpers."""
    names = [path for path in files() if path.suffix == ".py" and path.stem in EMPTY_NAMES]
    folders = [path for path in files() if EMPTY_NAMES.intersection(path.relative_to(ROOT).parts)]

    assert [*names, *folders] == []


def test_no_file_cites_rules_as_a_range() -> None:
    """Rule ids are written one by one, so that grep finds all of them."""
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in files()
        if path != Path(__file__)
        for match in RANGE.finditer(path.read_text(encoding="utf-8"))
    }

    assert found == set()


@pytest.mark.parametrize(
    "text",
    ["PWD-1 to PWD-4", "PWD-1 … PWD-4", "PWD-1..PWD-4", "ACC-3 to 6", "ACC-1 – ACC-4"],
    ids=["to", "ellipsis", "dots", "short", "dash"],
)
def test_range_of_rules_is_recognised(text: str) -> None:
    """The pattern of this file sees the ways in which people write ranges."""
    assert RANGE.search(text) is not None


@pytest.mark.parametrize(
    "text",
    ["PWD-1, PWD-2", "PWD-1 and PWD-2", "ACC-1: 2 steps", "PWD-1 takes 8 characters"],
    ids=["comma", "and", "colon", "number"],
)
def test_list_of_rules_is_no_range(text: str) -> None:
    """Ids that are written one by one are right."""
    assert RANGE.search(text) is None
