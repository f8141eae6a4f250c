"""`idp clients token`: create, list, revoke the tokens that let a service register itself (RFC 7591; OID-7, ADM-2)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Final

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.output import emit, json_option, secret, table
from idp.cli.parts import console
from idp.config import load
from idp.domain.client import RegistrationMode
from idp.services.clients import initial_access
from idp.storage.repositories.registrations import InitialToken

_MOST_DAYS: Final = 366


@click.group()
def command() -> None:
    """Make tokens that let a service register itself."""


@command.command("create")
@click.option("--label", required=True, help="For whom; you will read it in the list.")
@click.option("--uses", type=click.IntRange(1, 10_000), help="How many services it may register; any number.")
@click.option(
    "--days", type=click.IntRange(1, _MOST_DAYS), default=30, show_default=True, help="How long it lives."
)
@json_option
@click.pass_obj
def create_command(config: Path, label: str, uses: int | None, days: int, *, as_json: bool) -> None:
    """Make a token, shown once."""
    with console(config) as tools:
        made = initial_access.make(tools, label, uses=uses, lifetime=timedelta(days=days))
    if RegistrationMode(load(config).registration.mode) is RegistrationMode.OFF:
        click.echo("Note: nobody can use it before [registration] mode is token.", err=True)
    if as_json:
        emit(_members(made.kept) | {"token": made.token})
        return
    click.echo(f"{click.style('token_id', bold=True)}  {made.kept.token_id}")
    secret("token   ", made.token)


@command.command("list")
@json_option
@click.pass_obj
def list_command(config: Path, *, as_json: bool) -> None:
    """List the tokens, the oldest first; those that ended are forgotten after a week."""
    with console(config) as tools:
        tokens = initial_access.every(tools)
        now = tools.clock()
    if as_json:
        emit([_members(token) | {"is_live": token.is_live(now)} for token in tokens])
        return
    rows = [
        (
            token.token_id,
            token.label,
            "live" if token.is_live(now) else "ended",
            "any number" if token.uses_left is None else token.uses_left,
            token.expires_at,
        )
        for token in tokens
    ]
    table(("id", "for", "state", "uses left", "ends"), rows, empty="There is no token.")


@command.command("revoke")
@click.argument("token_id")
@json_option
@click.pass_obj
def revoke_command(config: Path, token_id: str, *, as_json: bool) -> None:
    """End a token at once; services that registered with it stay."""
    with console(config) as tools:
        if not initial_access.revoke(tools, token_id):
            raise Refusal(f"no token {token_id} that has not ended", Exit.NOT_FOUND)
    emit({"token_id": token_id, "done": "revoked"}) if as_json else click.echo(f"{token_id} is revoked.")


def _members(token: InitialToken) -> dict[str, object]:
    return {
        "token_id": token.token_id,
        "label": token.label,
        "uses_left": token.uses_left,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
    }
