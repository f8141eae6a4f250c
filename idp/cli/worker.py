"""`idp worker`: delivers messages and purges what expired, apart from the server."""

from __future__ import annotations

import importlib
from pathlib import Path

import click

from idp.config import load
from idp.outbound import logs


@click.command()
@click.pass_obj
def command(config: Path) -> None:
    """Deliver messages and purge what expired, until TERM or Ctrl-C; any number may run at once."""
    settings = load(config)
    logs.configure(settings.logs.level, settings.logs.format)
    preparation = importlib.import_module("idp.cli.server.preparation")
    preparation.prepare(settings, create_missing=False)
    importlib.import_module("idp.cli.server.delivery").run(settings)
