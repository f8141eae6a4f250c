"""`idp outbox`: list, retry."""

from __future__ import annotations

from pathlib import Path

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.output import emit, json_option, table
from idp.cli.parts import console
from idp.services.operations import dead_letters


@click.group()
def command() -> None:
    """List messages that wait or were given up, and send them again."""


@command.command("list")
@click.option("--dead", "dead_only", is_flag=True, help="Only those that were given up.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
@click.pass_obj
def list_command(config: Path, limit: int, *, dead_only: bool, as_json: bool) -> None:
    """List messages, the latest first; what they say and to whom is sealed and not shown."""
    with console(config) as tools:
        messages = dead_letters.listed(tools, dead_only=dead_only, limit=limit)
    if as_json:
        emit([dict(message) for message in messages])
        return
    rows = [
        (
            message["message_id"],
            message["kind"],
            "given up" if message["dead_at"] else "waits",
            message["attempts"],
            message["last_error"],
            message["next_attempt_at"] if message["dead_at"] is None else None,
            message["expires_at"],
        )
        for message in messages
    ]
    table(("id", "kind", "state", "tries", "last error", "next try", "expires"), rows, empty="No message.")


@command.command("retry")
@click.argument("message_id", required=False)
@click.option("--all", "every", is_flag=True, help="Every message that was given up and has not expired.")
@json_option
@click.pass_obj
def retry_command(config: Path, message_id: str | None, *, every: bool, as_json: bool) -> None:
    """Send a message again, or all that were given up."""
    if (message_id is None) != every:
        raise click.UsageError("name one message, or say --all")
    with console(config) as tools:
        count = dead_letters.retry(tools, message_id)
    if message_id is not None and not count:
        raise Refusal("no such message, or it was delivered or has expired", Exit.NOT_FOUND)
    emit({"retried": count}) if as_json else click.echo(f"{count} message(s) will be tried again.")
