"""`idp keys`: init, list, rotate, retire (OPS-4)."""

from __future__ import annotations

import importlib
from datetime import timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from idp.cli.exits import Exit, Refusal, exit_for
from idp.cli.key_files import key_folder, utc_now
from idp.cli.output import confirm, emit, json_option, table, yes_option
from idp.config import Settings, load
from idp.crypto.keyring import HeldKey, KeyringError, KeyState

_HEADINGS = ("kid", "use", "algorithm", "state", "since", "made")


@click.group()
def command() -> None:
    """Make, list, rotate and retire the keys that sign and decrypt."""


@command.command("init")
@json_option
@click.pass_obj
def init_command(config: Path, *, as_json: bool) -> None:
    """Make what is missing: the root secret and an active key for each algorithm of the configuration."""
    settings = load(config)
    folder = key_folder(settings)
    present = {file.stem for file in folder.path.glob("*.json")}
    folder.initialise(settings.keys.every_algorithm, utc_now())
    keys = folder.keyring().keys
    _record_made(config, settings, [key for key in keys if key.kid not in present])
    _show(keys, as_json=as_json)


@command.command("list")
@json_option
@click.pass_obj
def list_command(config: Path, *, as_json: bool) -> None:
    """List the keys: next ones wait, active ones sign or are encrypted to, retired ones still verify and decrypt."""
    _show(key_folder(load(config)).keyring().keys, as_json=as_json)


@command.command("rotate")
@click.option("--alg", "algorithms", multiple=True, help="Only this algorithm; may be repeated.")
@click.option("--force", is_flag=True, help="Use the next key at once: the present one is compromised.")
@yes_option
@json_option
@click.pass_obj
def rotate_command(
    config: Path, algorithms: tuple[str, ...], *, force: bool, yes: bool, as_json: bool
) -> None:
    """Move the keys one step: make a next one known; or, when there is one, use it and retire the present one."""
    if force:
        confirm(
            "Clients that cached the keys will refuse our tokens until they fetch them again. Go on?", yes=yes
        )
    settings = load(config)
    key_rotation, console = _with_database()
    with console(config) as tools:
        present = tools.keys.keyring()
        wanted = algorithms or (*present.algorithms(), *present.encryption_algorithms())
        minimum_age = timedelta(seconds=settings.keys.next_minimum_age_seconds)
        try:
            moved = key_rotation.rotate(tools, wanted, minimum_age=minimum_age, force=force)
        except KeyringError as error:
            raise Refusal(str(error)) from error
    _show(moved, as_json=as_json)


@command.command("retire")
@click.argument("kid")
@click.option("--force", is_flag=True, help="Also when tokens of it may still be alive.")
@yes_option
@json_option
@click.pass_obj
def retire_command(config: Path, kid: str, *, force: bool, yes: bool, as_json: bool) -> None:
    """Remove a key whose tokens are all dead."""
    settings = load(config)
    key_rotation, console = _with_database()
    with console(config) as tools:
        if all(key.kid != kid for key in tools.keys.keyring().keys):
            raise Refusal(f"no key {kid}", Exit.NOT_FOUND)
        confirm(f"Remove key {kid} for good?", yes=yes)
        try:
            removed = key_rotation.retire(
                tools, kid, token_lifetime=longest_signed_life(settings), force=force
            )
        except KeyringError as error:
            raise Refusal(str(error)) from error
    emit(_members(removed)) if as_json else click.echo(f"Key {kid} is removed.")


def _record_made(config: Path, settings: Settings, made: list[HeldKey]) -> None:
    """Record new keys, unless there is no trail yet: on a new installation keys come before the database."""
    scheme, _, path = settings.database.url.partition(":///")
    if not made or (scheme == "sqlite" and not Path(path).is_file()):
        return
    key_rotation, console = _with_database()
    try:
        with console(config) as tools:
            key_rotation.tell(tools, made)
    except Exception as error:
        # The keys are made: what can't be recorded is said, and undoes nothing.
        known = (0, error.message) if isinstance(error, Refusal) else exit_for(error)
        if known is None:
            raise
        click.echo(f"Not recorded in the trail: {known[1]}", err=True)


def longest_signed_life(settings: Settings) -> timedelta:
    """Say how long a retired key must still verify: the longest signed token, and the cache of the JWK Set."""
    return timedelta(seconds=settings.tokens.id_token_seconds + settings.keys.next_minimum_age_seconds)


def _with_database() -> tuple[ModuleType, Any]:
    # Listing keys must not wait for the database's libraries.
    rotation = importlib.import_module("idp.services.operations.key_rotation")
    return rotation, importlib.import_module("idp.cli.parts").console


def _show(keys: tuple[HeldKey, ...], *, as_json: bool) -> None:
    if as_json:
        emit([_members(key) for key in keys])
        return
    order = list(KeyState)
    listed = sorted(keys, key=lambda key: (key.alg, order.index(key.state)))
    rows = [(key.kid, key.use, key.alg, key.state.value, key.state_since, key.created_at) for key in listed]
    table(_HEADINGS, rows, empty="There is no key: run `idp keys init`.")


def _members(key: HeldKey) -> dict[str, object]:
    return {
        "kid": key.kid,
        "use": key.use,
        "alg": key.alg,
        "state": key.state,
        "state_since": key.state_since,
        "created_at": key.created_at,
    }
