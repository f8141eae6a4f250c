"""Writes what is generated from the code: config.example.toml, docs/configuration.md, docs/export.schema.json."""

from __future__ import annotations

import sys
from pathlib import Path

import msgspec

from idp.cli.configuration_documents import configuration_table, example_file
from idp.services.account.export_schema import schema


def main() -> None:
    """Write them below the folder that the command line names."""
    root = Path(sys.argv[1])
    (root / "docs").mkdir(parents=True, exist_ok=True)
    (root / "config.example.toml").write_text(example_file(), encoding="utf-8")
    (root / "docs" / "configuration.md").write_text(configuration_table(), encoding="utf-8")
    described = msgspec.json.format(msgspec.json.encode(schema()), indent=2)
    (root / "docs" / "export.schema.json").write_bytes(described + b"\n")


if __name__ == "__main__":
    main()
