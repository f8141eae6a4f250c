"""docs/franceconnect.md lists what binds us at FranceConnect, and each line names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.rule("FC-1", "FC-8")

_ROOT = Path(__file__).parents[3]
_ROW = re.compile(r"^\| ([0-9]+(?:\.[0-9a-z]+)*) \| (.+) \| (.+) \|$", re.MULTILINE)
_TEST = re.compile(r"`(tests/[a-z_/0-9]+\.py)(?:::(test_[a-z0-9_]+))?`")
_HEADING = "## What binds us"
#: Every section that binds a relying party; the twelve facts of the first, and the symptoms of the last, one by one.
_SECTIONS = {"0", "2", "2.1", "2.2", "3", "4", "4.1", "4.2", "4.3", "4.4", "5", "9"}
_FACTS, _SYMPTOMS = 12, 22


def rows() -> list[tuple[str, str, str]]:
    """Read the table: number, what is asked, tests."""
    text = (_ROOT / "docs/franceconnect.md").read_text(encoding="utf-8")
    return _ROW.findall(text.partition(_HEADING)[2])


def test_every_row_names_tests_that_exist() -> None:
    """A row whose test was renamed, moved or deleted is found here."""
    missing = []
    for number, _, cell in rows():
        named = _TEST.findall(cell)
        assert named, number
        for file, test in named:
            path = _ROOT / file
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            if not text or (test and f"def {test}(" not in text):
                missing.append((number, file, test))

    assert missing == []


def test_every_section_has_its_rows() -> None:
    """The sections that bind a relying party, and each line of the two lists."""
    numbers = [number for number, _, _ in rows()]

    assert len(numbers) == len(set(numbers))
    assert {number.rpartition(".")[0] for number in numbers} == _SECTIONS
    assert sum(number.startswith("0.") for number in numbers) == _FACTS
    assert sum(number.startswith("9.") for number in numbers) == _SYMPTOMS


def test_no_obligation_of_the_started_simulator_is_left_out_of_the_list() -> None:
    """A test that was written for a line stands at that line."""
    listed = {
        test for _, _, cell in rows() for file, test in _TEST.findall(cell) if "test_obligations.py" in file
    }
    written = re.findall(
        r"^def (test_\w+)", (_ROOT / "tests/rules/fc/test_obligations.py").read_text(), re.MULTILINE
    )

    assert set(written) - listed == set()
