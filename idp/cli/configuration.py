"""`idp config`: check, show, example."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from idp.cli.configuration_documents import example_file
from idp.cli.exits import Exit, Refusal
from idp.cli.key_files import utc_now
from idp.cli.output import card, emit, json_option
from idp.config import ConfigurationError, FranceConnect, Settings, load, secret_from
from idp.domain.accessibility import Conformity

if TYPE_CHECKING:
    from datetime import date

_HIDDEN = "(hidden)"
_PORTALS = ("franceconnect", "franceconnect_plus")


@click.group()
def command() -> None:
    """Check and show the configuration."""


@command.command("check")
@json_option
@click.pass_obj
def check_command(config: Path, *, as_json: bool) -> None:
    """Read the file and the files that it names; say everything that is wrong, and what is out of date."""
    settings = load(config)
    found, old = list(problems(settings)), list(reminders(settings, utc_now().date()))
    if as_json:
        emit({"file": str(config), "problems": found, "reminders": old})
    elif not found:
        click.echo(f"{config} is right.")
    for reminder in old:
        click.echo(reminder, err=True)
    if found:
        raise Refusal("\n".join(found), Exit.CONFIGURATION)


@command.command("show")
@json_option
@click.pass_obj
def show_command(config: Path, *, as_json: bool) -> None:
    """Show every value in force, defaults included; secrets are hidden."""
    shown = hidden(load(config))
    if as_json:
        emit(shown)
        return
    for section, values in shown.items():
        click.secho(f"[{section}]", bold=True)
        card(values)
        click.echo()


@command.command("example")
def example_command() -> None:
    """Print a file with every key, its default, its unit and what it means."""
    click.echo(example_file(), nl=False)


def problems(settings: Settings) -> Iterator[str]:
    """Name what is wrong with the files that a configuration names."""
    secrets = {
        "keys.passphrase_file": settings.keys.passphrase_file,
        "mail.password_file": settings.mail.password_file,
    }
    for section in _PORTALS:
        portal: FranceConnect = getattr(settings, section)
        secrets[f"{section}.client_secret_file"] = portal.client_secret_file if portal.enabled else ""
    for key, file in secrets.items():
        try:
            secret_from("", file)
        except ConfigurationError as error:
            yield f"{key}: {error}"
    files = {
        "outbound.ca_bundle": settings.outbound.ca_bundle,
        "mutual_tls.ca_bundle": settings.mutual_tls.ca_bundle,
        "password.common_list": settings.password.common_list,
    }
    for key, file in files.items():
        if file and not Path(file).is_file():
            yield f"{key}: {file} is no file"
    if settings.city.templates and not Path(settings.city.templates).is_dir():
        yield f"city.templates: {settings.city.templates} is no folder"


def reminders(settings: Settings, today: date) -> Iterator[str]:
    """Name what was right once and has to be renewed; the provider serves all the same."""
    statement = settings.city.accessibility
    if statement.has_expired(today):
        yield (
            f"city.accessibility_audited_on: the audit counts no more since {statement.ends_on}; the pages say"
            f" {Conformity.NONE.value!r} until another one is entered (S-425)"
        )


def hidden(settings: Settings) -> dict[str, dict[str, Any]]:
    """Give every value, without secrets."""
    shown: dict[str, dict[str, Any]] = msgspec.to_builtins(settings)
    for section in _PORTALS:
        if shown[section]["client_secret"]:
            shown[section]["client_secret"] = _HIDDEN
    shown["database"]["url"] = without_password(shown["database"]["url"])
    return shown


def without_password(url: str) -> str:
    """Hide the password of a database URL."""
    scheme, separator, rest = url.partition("://")
    credentials, at, host = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    return f"{scheme}{separator}{user}{colon}{_HIDDEN if colon else ''}{at}{host}"
