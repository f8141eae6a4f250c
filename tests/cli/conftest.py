"""A command line over a migrated, empty database, with keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from idp.cli import group
from idp.cli.exits import exit_for
from tests.support.provider import the_keys


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for programs."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def config(database_url: str, tmp_path: Path) -> Path:
    """A configuration file; the test runs once on each kind of database."""
    file = tmp_path / "config.toml"
    file.write_text(f'[database]\nurl = "{database_url}"\n[keys]\ndirectory = "{the_keys()}"\n')
    return file


@pytest.fixture
def idp(config: Path) -> Run:
    """A function that runs `idp` in this process."""

    def run(*arguments: str, typed: str | None = None) -> Ran:
        result = CliRunner().invoke(group, ["--config", str(config), *arguments], input=typed)
        code, err = result.exit_code, result.stderr
        if result.exception is not None and not isinstance(
            result.exception, SystemExit | click.ClickException
        ):
            known = exit_for(result.exception) if isinstance(result.exception, Exception) else None
            if known is None:
                raise result.exception
            code, err = int(known[0]), err + known[1]
        return Ran(code, result.stdout, err)

    return run
