"""`idp clients apply services.toml`: the services as a file describes them; the difference first (ADM-1, CON-1)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from idp.cli.client_form import asked_by, in_one_line, new_client, read_toml
from idp.cli.exits import Exit, Refusal
from idp.cli.output import cell, confirm, emit, json_option, secret, yes_option
from idp.cli.parts import console
from idp.protocol.clients.contract import asks_about_people
from idp.services.clients import declaration
from idp.services.clients.declaration import Applied, Declared, Faulty

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.services.clients.declaration import Difference, Plan, Step

_FILE: Final = click.Path(path_type=Path, dir_okay=False, exists=True)
_TABLE: Final = "service"


@click.command()
@click.argument("file", type=_FILE)
@click.option(
    "--dry-run", is_flag=True, help="Show the difference and change nothing; exit code 8 if there is one."
)
@click.option("--prune", is_flag=True, help="Close the services that the file does not name; erases nothing.")
@yes_option
@json_option
@click.pass_obj
def command(config: Path, file: Path, *, dry_run: bool, prune: bool, yes: bool, as_json: bool) -> None:
    """Bring the services in line with a file: [[service]] tables, each the whole of one service.

    Everything is checked before anything is written, and all of it is written or nothing. What the file leaves out
    of a service goes back to its default; secrets are made for new services and shown once.
    """
    declared = read(file)
    with console(config) as tools:
        planned = declaration.plan(tools, declared)
        if isinstance(planned, Faulty):
            told = [f"  {client_id}: {in_one_line(problem)}" for client_id, problem in planned.problems]
            raise Refusal("\n".join(["nothing was changed:", *told]))
        applied = None
        if not as_json:
            show(planned, prune=prune)
        if not dry_run and not planned.is_nothing(prune=prune):
            if planned.takes_away(prune=prune):
                confirm("This ends something that works today. Go on?", yes=yes)
            outcome = declaration.apply(tools, planned, prune=prune)
            if not isinstance(outcome, Applied):
                raise Refusal("somebody else changed a service at the same moment: look, and try again")
            applied = outcome
    if as_json:
        emit(_report(planned, applied, prune=prune))
    else:
        _tell(planned, applied, prune=prune, dry_run=dry_run)
    if dry_run and not planned.is_nothing(prune=prune):
        raise SystemExit(Exit.CHANGES)


def read(file: Path) -> list[Declared]:
    """Read the services of a file.

    Raises:
        Refusal: It is none; with everything that can't be read, by service.
    """
    tables = read_toml(file)
    services = tables.pop(_TABLE, [])
    if tables or not isinstance(services, list) or not services:
        raise Refusal(f"{file}: must have [[{_TABLE}]] tables, and nothing else")
    found: list[Declared] = []
    faults: list[str] = []
    for number, table in enumerate(services, 1):
        try:
            found.append(_declared(table, file))
        except Refusal as refusal:
            name = table.get("client_id") if isinstance(table, dict) else None
            told = refusal.message.removeprefix("nothing was stored: ")
            faults.append(f"  {name or f'service {number}'}: {told}")
    names = [one.client.client_id for one in found]
    faults += [f"  {name}: is there more than once" for name in dict.fromkeys(names) if names.count(name) > 1]
    if faults:
        raise Refusal("\n".join(["nothing was changed:", *faults]))
    return found


def show(planned: Plan, *, prune: bool) -> None:
    """Print what would change, a service each."""
    for step in planned.steps:
        sign, what = _outcome(step)
        click.echo(
            f"{click.style(sign, bold=True)} {step.client.client_id}  {cell(step.client.name)}: {what}"
        )
        for one in step.differences:
            click.echo(f"    {_line(one)}")
        if step.keeps_policy_version:
            click.echo("    Note: policy_version stays, so that nobody is asked again about this (CON-8).")
        for name in step.reworded:
            click.echo(
                f"    Note: {name} keeps its version, so that answers to the earlier words hold for these (CON-3)."
            )
    for client in planned.absent:
        what = "no longer in the file: closed" if prune else "not in the file: left as it is"
        click.echo(f"{'-' if prune else '?'} {client.client_id}  {cell(client.name)}: {what}")


def _declared(table: Any, file: Path) -> Declared:  # noqa: ANN401 - as the file has it
    if not isinstance(table, dict) or not isinstance(table.get("client_id"), str):
        raise Refusal("client_id must be a text")
    asked = asked_by(table, file)
    client = new_client(asked.attributes)
    if asks_about_people(client) and "legal_basis" not in table:
        # The default is consent: nobody may declare that without meaning it (S-431, D-19).
        raise Refusal("legal_basis must be named")
    return Declared(client, asked.logo)


def _outcome(step: Step) -> tuple[str, str]:
    if step.is_new:
        return "+", "created"
    return ("=", "unchanged") if step.is_nothing else ("~", "changed")


def _line(one: Difference) -> str:
    if one.before is None:
        return f"{one.name}: + {_value(one.after)}"
    if one.after is None:
        return f"{one.name}: - {_value(one.before)}"
    return f"{one.name}: {_value(one.before)} -> {_value(one.after)}"


def _value(value: Any) -> str:  # noqa: ANN401 - plain values of every kind
    return cell(json.dumps(value, ensure_ascii=False))


def _tell(planned: Plan, applied: Applied | None, *, prune: bool, dry_run: bool) -> None:
    if planned.is_nothing(prune=prune):
        click.echo("Nothing to do.")
    elif dry_run:
        click.echo("Nothing was changed: this was a dry run.")
    else:
        click.echo("Done.")
    for client_id, clear in ({} if applied is None else applied.secrets).items():
        secret(f"client_secret of {client_id}", clear)
    for step in planned.steps:
        if step.client.disabled_at is not None:
            click.echo(f"Note: {step.client.client_id} is closed; `idp clients enable` opens it.", err=True)


def _report(planned: Plan, applied: Applied | None, *, prune: bool) -> dict[str, Any]:
    secrets = {} if applied is None else applied.secrets
    services = [_described(step, secrets) for step in planned.steps]
    services += [_left(client, prune=prune) for client in planned.absent]
    return {"applied": applied is not None, "services": services}


def _described(step: Step, secrets: dict[str, str]) -> dict[str, Any]:
    changes = [{"field": one.name, "before": one.before, "after": one.after} for one in step.differences]
    found = {"client_id": step.client.client_id, "outcome": _outcome(step)[1], "changes": changes}
    made = secrets.get(step.client.client_id)
    return found if made is None else found | {"client_secret": made}


def _left(client: Client, *, prune: bool) -> dict[str, Any]:
    return {"client_id": client.client_id, "outcome": "closed" if prune else "not_in_file", "changes": []}
