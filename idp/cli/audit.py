"""`idp audit`: show, export, verify, head (ADM-3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import msgspec

from idp.cli import chain_reports
from idp.cli.exits import Exit, Refusal
from idp.cli.operators import operator, operator_option, words
from idp.cli.output import emit, json_option, table
from idp.cli.parts import console
from idp.services.operations import trail
from idp.services.operations.trail import Wanted
from idp.services.tools import Tools

Command = TypeVar("Command", bound=Callable[..., object])

_NAME: Final = "audit"
_MOMENT: Final = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"])
_OPTIONS: Final = (
    click.option("--since", type=_MOMENT, help="Of this moment and later, UTC."),
    click.option("--until", type=_MOMENT, help="Before this moment, UTC."),
    click.option("--account", metavar="ID_OR_ADDRESS", help="About this account."),
    click.option("--client", metavar="ID", help="About this client."),
    click.option("--event", help='Of this name, such as "account.locked", or family, such as "account".'),
    click.option("--actor", type=click.Choice(["person", "administrator", "client", "system"])),
    click.option("--reason", help="A few words for the record: reading the trail is recorded too."),
    operator_option,
)


def filters(command: Command) -> Command:
    """Give a command the options that choose lines."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


@click.group()
def command() -> None:
    """Show, export and verify the audit trail."""


@command.command("show")
@filters
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
@click.pass_obj
def show_command(config: Path, /, *, limit: int, as_json: bool, **chosen: Any) -> None:  # noqa: ANN401 - options
    """Show the latest lines, the last one first."""
    by, reason = _who(chosen)
    with console(config) as tools:
        rows = trail.show(tools, _wanted(tools, chosen), limit=limit, by=by, reason=reason)
    if as_json:
        emit([_members(row) for row in rows])
        return
    shown = [
        (
            row["at"],
            row["name"],
            row["actor"],
            row["account_id"],
            row["client_id"],
            row["details"],
            row["sequence"],
        )
        for row in rows
    ]
    table(("at", "event", "by", "account", "client", "details", "line"), shown, empty="No such line.")


@command.command("export")
@filters
@click.pass_obj
def export_command(config: Path, /, **chosen: Any) -> None:  # noqa: ANN401 - options
    """Print lines as JSON, one a line, in the order of their moments."""
    by, reason = _who(chosen)
    with console(config) as tools:
        for row in trail.export(tools, _wanted(tools, chosen), by=by, reason=reason):
            click.echo(msgspec.json.encode(_members(row), order="deterministic"))


@command.command("verify")
@click.option(
    "--head",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A statement of `head --json`, kept elsewhere: the chain has to contain it.",
)
@json_option
@click.pass_obj
def verify_command(config: Path, head: Path | None, *, as_json: bool) -> None:
    """Read every line, and name each alteration and its place; code 6 when there is one."""
    chain_reports.verify(config, _NAME, head, as_json=as_json)


@command.command("head")
@json_option
@click.pass_obj
def head_command(config: Path, *, as_json: bool) -> None:
    """State where the trail ends, signed, to be kept outside of the database."""
    chain_reports.head(config, _NAME, as_json=as_json)


def _who(chosen: dict[str, Any]) -> tuple[str, str | None]:
    reason = chosen.pop("reason")
    return operator(chosen.pop("operator")), None if reason is None else words(reason)


def _wanted(tools: Tools, chosen: dict[str, Any]) -> Wanted:
    account_id = None
    if chosen["account"] is not None:
        account_id = trail.account_id_of(tools, chosen["account"])
        if account_id is None:
            raise Refusal("no such account", Exit.NOT_FOUND)
    return Wanted(
        since=_utc(chosen["since"]),
        until=_utc(chosen["until"]),
        account_id=account_id,
        client_id=chosen["client"],
        name=chosen["event"],
        actor=chosen["actor"],
    )


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.replace(tzinfo=UTC)


def _members(row: dict[str, Any]) -> dict[str, Any]:
    """Give a line with what it takes to follow the chain through an export."""
    return {name: value.hex() if isinstance(value, bytes) else value for name, value in row.items()}
