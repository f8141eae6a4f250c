"""docs/accessibility-checks.md says of each check of accessibility which test proves it (UX-2)."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.support.marks import ROOT

pytestmark = pytest.mark.rule("UX-2")

_ROW: Final = re.compile(r"^\| (S-[0-9]+) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
_TEST: Final = re.compile(r"`(tests/[a-z_/0-9]+\.py)(?:::(test_[a-z0-9_]+))?`")
#: The checks of forms, pages and processes, and those of the patterns of errors and passwords.
_FIRST, _LAST = 381, 421
_BY_HAND: Final = "by hand: [screen-readers.md](screen-readers.md)"


def rows() -> list[tuple[str, str]]:
    """Read the table: number and proof."""
    text = (ROOT / "docs/accessibility-checks.md").read_text(encoding="utf-8")
    return [(number, proof) for number, _, _, proof in _ROW.findall(text)]


def test_every_check_has_one_row() -> None:
    """None is forgotten, in their order."""
    assert [number for number, _ in rows()] == [f"S-{number}" for number in range(_FIRST, _LAST + 1)]


def test_every_proof_is_a_test_that_exists() -> None:
    """A test that was renamed, moved or deleted is found here; one check alone is for people."""
    missing = []
    for number, proof in rows():
        named = _TEST.findall(proof)
        if not named and proof != _BY_HAND:
            missing.append((number, proof, ""))
        for file, test in named:
            path = ROOT / file
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            if not text or (test and f"def {test}(" not in text):
                missing.append((number, file, test))

    assert missing == []
    assert [number for number, proof in rows() if proof == _BY_HAND] == [f"S-{_LAST}"]
