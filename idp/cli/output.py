"""Tables for people, `--json` for programs, confirmations (ADM-2)."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from textwrap import indent
from typing import Any, TypeVar

import click
import msgspec

from idp.cli.exits import Exit, Refusal

Command = TypeVar("Command", bound=Callable[..., object])


def json_option(command: Command) -> Command:
    """Give a command `--json`."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")(command)


def yes_option(command: Command) -> Command:
    """Give a command `--yes`."""
    return click.option("--yes", is_flag=True, help="Do not ask; for scripts.")(command)


def emit(value: object) -> None:
    """Print a value as JSON; moments in RFC 3339, bytes in hexadecimal."""
    encoded = msgspec.json.encode(value, enc_hook=str, order="deterministic")
    click.echo(msgspec.json.format(encoded, indent=2).decode())


def table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    empty: str,
    alarming: Collection[int] = (),
) -> None:
    """Print rows as a table.

    Args:
        columns: Headings.
        rows: Cells; None is a dash, moments are shortened.
        empty: What to say when there is none.
        alarming: Places of the rows that are shown in red, on a terminal that has colours.
    """
    if not rows:
        click.echo(empty)
        return
    tables = importlib.import_module("idp.cli.tables")
    tables.show(columns, [[cell(value) for value in row] for row in rows], alarming)


def card(members: Mapping[str, object]) -> None:
    """Print one thing, a line for each member."""
    width = max(map(len, members))
    for name, value in members.items():
        shown = cell(value).split("\n")
        click.echo(f"{click.style(name.ljust(width), bold=True)}  {shown[0]}")
        for line in shown[1:]:
            click.echo(f"{' ' * width}  {line}")


def cell(value: Any) -> str:  # noqa: ANN401 - whatever is shown
    """Write one value for a person."""
    if value is None or (not value and not isinstance(value, bool | int)):
        return "–"
    match value:
        case datetime():
            return f"{value:%Y-%m-%d %H:%M}"
        case bool():
            return "yes" if value else "no"
        case dict():
            return "\n".join(_named(name, cell(inner)) for name, inner in value.items())
        case frozenset() | set():
            return "\n".join(sorted(map(cell, value)))
        case list() | tuple():
            return "\n".join(map(cell, value))
        case _:
            # A name or a reason that came from elsewhere must not move the cursor of this terminal.
            return "".join(character if character.isprintable() else "�" for character in str(value))


def _named(name: object, text: str) -> str:
    # What has several lines stands below its name, so that no line is taken for the next member's.
    return f"{name}: {text}" if "\n" not in text else f"{name}:\n{indent(text, '  ')}"


def confirm(question: str, *, yes: bool) -> None:
    """Ask before what can't be undone.

    Raises:
        Refusal: The answer is no, or nobody can answer and `--yes` was not given.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refusal("this can't be undone: say --yes", Exit.USAGE)
    if not click.confirm(question, default=False):
        raise Refusal("nothing was changed")


def secret(label: str, value: str) -> None:
    """Show a secret: once, to this terminal, kept nowhere by us."""
    click.echo(f"{click.style(label, bold=True)}  {value}")
    click.echo("Note it now: it is kept as a hash and can't be shown again.", err=True)
