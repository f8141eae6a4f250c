"""Writes what is generated from `Settings`: config.example.toml and docs/configuration.md."""

from __future__ import annotations

import sys
from pathlib import Path

from idp.cli.configuration_documents import configuration_table, example_file


def main() -> None:
    """Write both below the folder that the command line names."""
    root = Path(sys.argv[1])
    (root / "docs").mkdir(parents=True, exist_ok=True)
    (root / "config.example.toml").write_text(example_file(), encoding="utf-8")
    (root / "docs" / "configuration.md").write_text(configuration_table(), encoding="utf-8")


if __name__ == "__main__":
    main()
