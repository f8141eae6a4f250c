"""`idp ledger`: verify, head, show (CON-5, CGU-3)."""

from __future__ import annotations

from pathlib import Path

import click

from idp.cli import chain_reports
from idp.cli.operators import operator as acting
from idp.cli.operators import operator_option, words
from idp.cli.output import card, emit, json_option

_NAME = "ledger"
_HEAD = click.option(
    "--head",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="A statement of `head --json`, kept elsewhere: the chain has to contain it.",
)


@click.group()
def command() -> None:
    """Verify and show the ledger of proofs."""


@command.command("verify")
@_HEAD
@json_option
@click.pass_obj
def verify_command(config: Path, head: Path | None, *, as_json: bool) -> None:
    """Read every entry, and name each alteration and its place; code 6 when there is one."""
    chain_reports.verify(config, _NAME, head, as_json=as_json)


@command.command("head")
@json_option
@click.pass_obj
def head_command(config: Path, *, as_json: bool) -> None:
    """State where the ledger ends, signed, to be kept outside of the database."""
    chain_reports.head(config, _NAME, as_json=as_json)


@command.command("show")
@click.argument("entry", metavar="PLACE_OR_ID")
@click.option("--reason", help="A few words for the record: that an entry was read is recorded.")
@operator_option
@json_option
@click.pass_obj
def show_command(
    config: Path, entry: str, reason: str | None, operator: str | None, *, as_json: bool
) -> None:
    """Show one entry as it stands; it names people by opaque identifiers only."""
    by, said = acting(operator), None if reason is None else words(reason)
    members = chain_reports.shown(config, _NAME, entry, by=by, reason=said)
    emit(members) if as_json else card(members)
