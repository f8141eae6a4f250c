"""`idp events`: list (LIF-4, CON-3, S-443)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from idp.cli.output import emit, json_option, table
from idp.cli.parts import console
from idp.services.operations import dead_letters


@click.group()
def command() -> None:
    """List the events that services were told of."""


@command.command("list")
@click.option("--waiting", "waiting_only", is_flag=True, help="Only those that were not acknowledged.")
@click.option("--client", "client_id", help="Only those of one service.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
@json_option
@click.pass_obj
def list_command(
    config: Path, client_id: str | None, limit: int, *, waiting_only: bool, as_json: bool
) -> None:
    """List which service took which event, and when; whom an event was about is kept nowhere.

    `idp outbox retry ID` tries one that was given up again.
    """
    with console(config) as tools:
        found = dead_letters.events(tools, waiting_only=waiting_only, client_id=client_id, limit=limit)
    if as_json:
        emit(found)
        return
    rows = [
        (
            one["message_id"],
            one["client_id"],
            one["event"].rpartition("/")[2],
            one["created_at"],
            _state(one),
            one["attempts"],
            one["last_error"],
        )
        for one in found
    ]
    table(("id", "service", "event", "since", "state", "tries", "last error"), rows, empty="No event.")


def _state(one: dict[str, Any]) -> str:
    if one["acknowledged_at"] is not None:
        return f"taken {one['acknowledged_at']:%Y-%m-%d %H:%M} UTC"
    return "given up" if one["given_up_at"] is not None else "waits"
