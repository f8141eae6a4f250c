"""`idp run`: the provider itself, a production server."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import click
import msgspec

from idp.config import Settings, load


@click.command()
@click.option("--upgrade", is_flag=True, help="First upgrade the database and make missing keys.")
@click.option("--bind", help="Address and port; as configured when absent.")
@click.option("--workers", type=click.IntRange(0, 1024), help="Worker processes; as configured when absent.")
@click.option("--engine", type=click.Choice(["gunicorn", "granian"]), help="As configured when absent.")
@click.option("--worker/--no-worker", "worker", default=None, help="Deliver messages beside the server.")
@click.pass_obj
def command(
    config: Path,
    *,
    upgrade: bool,
    bind: str | None,
    workers: int | None,
    engine: str | None,
    worker: bool | None,
) -> None:
    """Run the provider until TERM or Ctrl-C; HUP reads the configuration again."""
    given = {"bind": bind, "workers": workers, "engine": engine, "worker": worker}
    changes = {name: value for name, value in given.items() if value is not None}

    def settings() -> Settings:
        read = load(config)
        return msgspec.structs.replace(read, server=msgspec.structs.replace(read.server, **changes))

    # A file that can't be read is said before a second is spent on importing the server.
    settings()
    start = importlib.import_module("idp.cli.server.start")
    sys.exit(start.serve(start.Provider(settings, create_missing=upgrade)))
