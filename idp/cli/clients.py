"""`idp clients`: create, list, show, check, update, apply, rotate-secret, disable, enable, delete (ADM-1, CON-1)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from idp.cli import client_files, client_tokens
from idp.cli.client_form import Asked, asked, changed_client, in_words, new_client
from idp.cli.client_options import GroupedCommand, client_options
from idp.cli.exits import Exit, Refusal
from idp.cli.output import card, confirm, emit, json_option, secret, table, yes_option
from idp.cli.parts import console
from idp.domain.client import CertificateSubject, Client, Encryption
from idp.protocol.clients.contract import missing
from idp.services.clients import registry
from idp.services.clients.registry import ChangedMeanwhile, Invalid, Registered, Taken, Unknown
from idp.services.tools import Tools

_CLIENT = click.argument("client_id")


@click.group()
def command() -> None:
    """Register and change the services that sign people in here."""


@command.command("create", cls=GroupedCommand)
@click.option("--id", "client_id", help="Made here when absent.")
@client_options
@json_option
@click.pass_obj
def create_command(config: Path, /, *, client_id: str | None, as_json: bool, **flags: Any) -> None:  # noqa: ANN401 - the flags of a client
    """Register a service; its secret, if it has one, is shown once."""
    wanted = asked(flags)
    named = {"client_id": client_id} if client_id else {}
    with console(config) as tools:
        match registry.create(tools, new_client(wanted.attributes | named), wanted.logo):
            case Registered() as registered:
                _warn_of_legacy(wanted)
                _warn_of_gaps(registered.client)
                _show_registered(registered, "registered", as_json=as_json)
            case Invalid(problems):
                raise Refusal(in_words(problems))
            case Taken():
                raise Refusal(f"client {client_id} exists already")


@command.command("list")
@json_option
@click.pass_obj
def list_command(config: Path, *, as_json: bool) -> None:
    """List the services, by name."""
    with console(config) as tools:
        clients = registry.every(tools)
        now = tools.clock()
    if as_json:
        emit([_members(client) for client in clients])
        return
    rows = [
        (
            client.client_id,
            client.name,
            "on" if client.is_enabled(now) else "off",
            client.is_verified,
            client.authentication_method.value,
        )
        for client in clients
    ]
    table(("id", "name", "state", "verified", "authenticates by"), rows, empty="No service is registered.")


@command.command("show")
@_CLIENT
@json_option
@click.pass_obj
def show_command(config: Path, client_id: str, *, as_json: bool) -> None:
    """Show everything a service registered."""
    with console(config) as tools:
        client = _found(tools, client_id)
    if as_json:
        emit(_members(client))
        return
    # Most of what can be registered is for few services: a person reads what this one has.
    card({name: value for name, value in _members(client).items() if value not in (None, "", (), [], {})})


@command.command("check")
@json_option
@click.pass_obj
def check_command(config: Path, *, as_json: bool) -> None:
    """List what contracts lack before people can be told who does what with their data; exit code 1 if anything."""
    with console(config) as tools:
        found = [(client, tuple(missing(client))) for client in registry.every(tools)]
    lacking = [(client, lacks) for client, lacks in found if lacks]
    if as_json:
        emit([_lacking(client, lacks) for client, lacks in lacking])
    else:
        rows = [
            (client.client_id, client.name, field, message)
            for client, all_ in lacking
            for field, message in all_
        ]
        table(("id", "name", "field", "what is missing"), rows, empty="Every contract is complete.")
    if lacking:
        raise SystemExit(Exit.REFUSED)


@command.command("update", cls=GroupedCommand)
@_CLIENT
@client_options
@json_option
@click.pass_obj
def update_command(config: Path, /, client_id: str, *, as_json: bool, **flags: Any) -> None:  # noqa: ANN401 - the flags of a client
    """Change what a service registered; what is not named stays.

    A repeatable flag replaces its whole list; an empty value takes away.
    """
    wanted = asked(flags)
    if wanted.is_nothing:
        raise click.UsageError("say what to change")
    with console(config) as tools:
        changed = changed_client(_found(tools, client_id), wanted.attributes)
        match registry.update(tools, changed, wanted.logo, without_logo=wanted.without_logo):
            case Registered() as registered:
                _warn_of_legacy(wanted)
                _warn_of_gaps(registered.client)
                _show_registered(registered, "changed", as_json=as_json)
            case Invalid(problems):
                raise Refusal(in_words(problems))
            case Unknown():
                raise _unknown(client_id)
            case ChangedMeanwhile():
                raise Refusal("somebody else changed this client at the same moment: look, and try again")


@command.command("rotate-secret")
@_CLIENT
@click.option(
    "--grace-hours",
    type=click.IntRange(0, 24 * 90),
    default=24,
    show_default=True,
    help="How long the old secret goes on; 0 for one that leaked.",
)
@json_option
@click.pass_obj
def rotate_secret_command(config: Path, client_id: str, grace_hours: int, *, as_json: bool) -> None:
    """Make a new secret, shown once; the old one goes on for a while."""
    with console(config) as tools:
        match registry.rotate_secret(tools, client_id, timedelta(hours=grace_hours)):
            case Registered() as registered:
                _show_registered(registered, "given a new secret", as_json=as_json)
            case Invalid(problems):
                raise Refusal(in_words(problems))
            case Unknown():
                raise _unknown(client_id)


@command.command("disable")
@_CLIENT
@json_option
@click.pass_obj
def disable_command(config: Path, client_id: str, *, as_json: bool) -> None:
    """Close a service at once; the tokens it holds die."""
    _switch(config, client_id, registry.disable, "disabled", as_json=as_json)


@command.command("enable")
@_CLIENT
@json_option
@click.pass_obj
def enable_command(config: Path, client_id: str, *, as_json: bool) -> None:
    """Open a service again."""
    _switch(config, client_id, registry.enable, "enabled", as_json=as_json)


@command.command("delete")
@_CLIENT
@yes_option
@json_option
@click.pass_obj
def delete_command(config: Path, client_id: str, *, yes: bool, as_json: bool) -> None:
    """Erase a service, with the consents that people gave it."""
    with console(config) as tools:
        client = _found(tools, client_id)
        confirm(f"Erase {client.name} and every consent given to it?", yes=yes)
        if not registry.delete(tools, client_id):
            raise _unknown(client_id)
    emit({"client_id": client_id, "done": "deleted"}) if as_json else click.echo(f"{client.name} is erased.")


command.add_command(client_files.command, "apply")
command.add_command(client_tokens.command, "token")


def _lacking(client: Client, lacks: tuple[tuple[str, str], ...]) -> dict[str, object]:
    told = [{"field": field, "message": message} for field, message in lacks]
    return {"client_id": client.client_id, "name": client.name, "lacks": told}


def _warn_of_gaps(client: Client) -> None:
    fields_ = ", ".join(dict.fromkeys(field for field, _ in missing(client)))
    if fields_:
        # Told, and not refused: a service is tried out before its contract is whole (S-431).
        click.echo(
            f"Note: people can't be told everything about this service: {fields_}. See `idp clients check`.",
            err=True,
        )


def _warn_of_legacy(wanted: Asked) -> None:
    if wanted.is_legacy:
        # RFC 9700 section 2.1.2: such tokens leak through the browser's history, logs and scripts.
        click.echo(
            "Note: id_token and token in a response type are legacy, and off unless asked for as you did: tokens"
            " pass through the browser. Services of today use code with PKCE.",
            err=True,
        )


def _switch(
    config: Path,
    client_id: str,
    switch: Callable[[Tools, str], Registered | Unknown],
    what: str,
    *,
    as_json: bool,
) -> None:
    with console(config) as tools:
        outcome = switch(tools, client_id)
    if isinstance(outcome, Unknown):
        raise _unknown(client_id)
    _show_registered(outcome, what, as_json=as_json)


def _found(tools: Tools, client_id: str) -> Client:
    found = registry.find(tools, client_id)
    if isinstance(found, Unknown):
        raise _unknown(client_id)
    return found


def _unknown(client_id: str) -> Refusal:
    return Refusal(f"no client {client_id}", Exit.NOT_FOUND)


def _show_registered(registered: Registered, what: str, *, as_json: bool) -> None:
    client = registered.client
    if as_json:
        shown = _members(client)
        emit(shown if registered.secret is None else shown | {"client_secret": registered.secret})
        return
    click.echo(f"{client.name} is {what}.")
    click.echo(f"{click.style('client_id    ', bold=True)}  {client.client_id}")
    if registered.secret is not None:
        secret("client_secret", registered.secret)


def _members(client: Client) -> dict[str, object]:
    shown: dict[str, object] = {
        field.name: getattr(client, field.name)
        for field in fields(client)
        if field.name not in {"secrets", "claims", "purposes", "newsletters"}
    }
    for name, value in shown.items():
        if isinstance(value, Encryption | CertificateSubject):
            shown[name] = asdict(value)
    shown["claims"] = [
        {"name": use.name, "reason": use.reason, "required": use.required, "minimum_level": use.minimum_level}
        for use in client.claims
    ]
    shown["purposes"] = [asdict(one) for one in client.purposes]
    shown["newsletters"] = [asdict(one) for one in client.newsletters]
    # When, never which: hashes are of no use to anybody.
    shown["secrets"] = [{"made": one.created_at, "ends": one.expires_at} for one in client.secrets]
    return shown
