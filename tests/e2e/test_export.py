"""Everything that is kept about a person, in their own hands, readable by everybody (PRI-1)."""

from __future__ import annotations

import zipfile
from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from tests.support.screens import FIND_WHAT_OVERFLOWS, LOOK_WITH_AXE, RULES

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.visitor import Visitor

AXE = files("axe_playwright_python").joinpath("axe.min.js")
pytestmark = pytest.mark.rule("PRI-1", "UX-2")


def test_export_is_downloaded_by_one_button_and_its_page_is_accessible(
    visitor: Visitor, tmp_path: Path
) -> None:
    """The page of the archive is opened from the disk: axe finds nothing, and it fits a narrow window."""
    visitor.goes_to_parking()
    visitor.signs_in(visitor.demo.new_account())
    visitor.allows()
    visitor.is_in_parking()
    visitor.opens("/account/export")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Télécharger mes données").click()
    file = tmp_path / "export.zip"
    download.value.save_as(file)

    assert download.value.suggested_filename.startswith("mon-paris-")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path)
        folder = archive.namelist()[0].partition("/")[0]
    visitor.page.set_viewport_size({"width": 320, "height": 640})
    visitor.page.goto((tmp_path / folder / "index.html").as_uri())
    visitor.sees("Stationnement résidentiel")
    assert visitor.page.evaluate(FIND_WHAT_OVERFLOWS) == []
    visitor.page.evaluate(AXE.read_text(encoding="utf-8"))
    assert visitor.page.evaluate(LOOK_WITH_AXE, RULES) == []
