"""`idp database`: upgrade, check (ADM-1)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.output import card, emit, json_option
from idp.cli.parts import console, make_room
from idp.config import load
from idp.services.operations import chains
from idp.storage import revisions
from idp.storage.engine import open_database
from idp.storage.migrate import differences, upgrade

#: Fewer lines are taken in before a bar is drawn.
_LONG: Final = 5000


@click.group()
def command() -> None:
    """Upgrade and check the database."""


@command.command("upgrade")
@json_option
@click.pass_obj
def upgrade_command(config: Path, *, as_json: bool) -> None:
    """Bring the database to the newest migration; safe to run again, and on several nodes at once."""
    settings = load(config)
    make_room(settings)
    database = open_database(settings.database.url, pool_size=1)
    try:
        before = revisions.present(database)
        if before != revisions.expected():
            upgrade(database)
    finally:
        database.dispose()
    taken_in = _take_in(config, before)
    result = {"before": before, "now": revisions.expected(), "taken_in": taken_in}
    if as_json:
        emit(result)
        return
    if before == result["now"]:
        click.echo(f"The database is at {before} already.")
    else:
        click.echo(f"The database went from {before or 'nothing'} to {result['now']}.")
    for name, count in taken_in.items():
        click.echo(f"{count} earlier line(s) took their places in the chain of the {name}.")


def _take_in(config: Path, before: str | None) -> dict[str, int]:
    """Chain the lines of before there was a chain; what is interrupted goes on at the next upgrade (ADM-3)."""
    with console(config) as tools:
        if before != revisions.expected():
            chains.note_upgrade(tools, before, revisions.expected())
        waiting = chains.waiting(tools)
        is_shown = waiting > _LONG and sys.stderr.isatty()
        with click.progressbar(
            length=max(1, waiting), label="Chaining earlier lines", file=sys.stderr, hidden=not is_shown
        ) as bar:
            return chains.take_in(tools, bar.update)


@command.command("check")
@json_option
@click.pass_obj
def check_command(config: Path, *, as_json: bool) -> None:
    """Write to the database for real, and compare its tables with those of this program."""
    settings = load(config)
    database = open_database(settings.database.url, pool_size=1)
    try:
        revision = revisions.probe(database)
        found = differences(database) if revision == revisions.expected() else []
    finally:
        database.dispose()
    report = {
        "kind": "sqlite" if database.is_sqlite else "postgresql",
        "revision": revision,
        "expected": revisions.expected(),
        "writable": True,
        "differences": found,
    }
    emit(report) if as_json else card(report)
    if revision != revisions.expected():
        raise Refusal(
            "the database is not at the newest migration: run `idp database upgrade`", Exit.DATABASE
        )
    if found:
        raise Refusal("the tables are not those of this program", Exit.DATABASE)
