"""config.example.toml and docs/configuration.md say what `Settings` holds."""

from __future__ import annotations

import re
import tomllib

from idp.config import Settings, parse
from tests.support.documents import configuration_table, example_file
from tests.support.marks import ROOT


def test_example_is_what_the_settings_say() -> None:
    """Every key of the settings stands in the example, with its default and its comment."""
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example_file()


def test_table_is_what_the_settings_say() -> None:
    """Every key of the settings stands in the document."""
    path = ROOT / "docs" / "configuration.md"

    assert path.read_text(encoding="utf-8") == configuration_table()


def test_example_with_every_key_in_force_gives_the_defaults() -> None:
    """Uncommenting a line changes nothing until its value is changed."""
    in_force = re.sub(r"^#(?=\w+ = )", "", example_file(), flags=re.MULTILINE)

    assert parse(tomllib.loads(in_force), "config.example.toml") == Settings()
