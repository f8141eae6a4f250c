"""docs/privacy.md names every table and every cookie, and docs/security.md the same cookies."""

from __future__ import annotations

import re

import pytest

from idp.storage import models
from idp.storage.repositories import expired
from idp.web import cookies
from tests.support.clock import A_MONDAY_MORNING
from tests.support.marks import ROOT

PRIVACY = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
FIRST_CELL = re.compile(r"^\| `([a-z_]+)` \|", re.MULTILINE)
COOKIE = re.compile(r"`__Host-mon_paris_([a-z_]+)`")


def listed(page: str, heading: str) -> list[str]:
    """Read the first column of the tables under a heading."""
    _, _, rest = page.partition(f"\n## {heading}\n")
    section, _, _ = rest.partition("\n## ")
    return FIRST_CELL.findall(section)


def test_privacy_names_every_table_once() -> None:
    """Whatever is kept is told: which table, why, how long."""
    assert sorted(listed(PRIVACY, "What is kept")) == sorted(models.metadata.tables)


@pytest.mark.parametrize("page", [PRIVACY, SECURITY], ids=["privacy", "security"])
def test_page_names_every_cookie(page: str) -> None:
    """Whatever is left in a browser is told."""
    assert set(COOKIE.findall(page)) == set(cookies.EVERY)


def test_privacy_names_every_kind_of_purge(ages: expired.Ages) -> None:
    """Whatever is purged stands in the list of what is purged."""
    assert sorted(listed(PRIVACY, "What is purged")) == sorted([*expired.kinds(ages), "audit_events"])


@pytest.fixture
def ages() -> expired.Ages:
    """Some moments; only the kinds of rows matter here."""
    return expired.Ages(*[A_MONDAY_MORNING] * 6)
