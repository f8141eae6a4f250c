"""Every numbered check that the code cites is explained in docs/security.md, and none is explained for nobody."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.marks import ROOT

CITED = re.compile(r"\bS-\d+\b")
LISTED = re.compile(r"^\| (S-\d+) \|", re.MULTILINE)


def test_each_cited_number_is_explained() -> None:
    """A reader who meets S-47 in the code finds what it says."""
    sources = [file for folder in ("idp", "tests", "templates") for file in (ROOT / folder).rglob("*")]
    cited = {
        number
        for file in sources
        if file.suffix in {".py", ".html"} and file != Path(__file__)
        for number in CITED.findall(file.read_text(encoding="utf-8"))
    }

    listed = set(LISTED.findall((ROOT / "docs" / "security.md").read_text(encoding="utf-8")))

    assert cited == listed
