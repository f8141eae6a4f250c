"""`idp accounts`: show, lock, unlock, limit, unlimit, rectify, delete (ADM-1, ACC-7, LOG-6, PRI-4)."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import assert_never

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.operators import operator as acting
from idp.cli.operators import operator_option, reason_option, words
from idp.cli.output import card, confirm, emit, json_option, table, yes_option
from idp.cli.parts import console
from idp.cli.purges import purges_command, reapply_command
from idp.domain.account import Account
from idp.services.account import export
from idp.services.account.export import LANGUAGES
from idp.services.operations import accounts, limiting, rectification
from idp.services.operations.limiting import Limiting
from idp.services.operations.rectification import Certified, Faulty, Rectified, Unknown

_ACCOUNT = click.argument("account", metavar="ID_OR_ADDRESS")


@click.group()
def command() -> None:
    """Show, lock, limit, rectify and delete accounts."""


command.add_command(purges_command)
command.add_command(reapply_command)


@command.command("show")
@_ACCOUNT
@click.option("--reason", help="A few words for the record: that an account was looked at is recorded.")
@operator_option
@json_option
@click.pass_obj
def show_command(
    config: Path, account: str, reason: str | None, operator: str | None, *, as_json: bool
) -> None:
    """Show an account and the latest lines of its trail; never its identity or its password."""
    by, said = acting(operator), None if reason is None else words(reason)
    with console(config) as tools:
        found = accounts.show(tools, account, by=by, reason=said)
    if found is None:
        raise _unknown()
    members = {**_members(found.account), "sessions": found.sessions}
    events = [{"at": event["at"], "name": event["name"], "actor": event["actor"]} for event in found.events]
    if as_json:
        emit(members | {"events": events})
        return
    card(members)
    table(("at", "event", "by"), [tuple(event.values()) for event in events], empty="No event.")


@command.command("lock")
@_ACCOUNT
@click.option("--reason", required=True, help="A few words for the trail; nothing personal.")
@json_option
@click.pass_obj
def lock_command(config: Path, account: str, reason: str, *, as_json: bool) -> None:
    """Lock an account: its sessions end and its tokens die at once."""
    with console(config) as tools:
        found = accounts.lock(tools, account, reason)
    _done(found, "locked", as_json=as_json)


@command.command("unlock")
@_ACCOUNT
@json_option
@click.pass_obj
def unlock_command(config: Path, account: str, *, as_json: bool) -> None:
    """Let the owner sign in again."""
    with console(config) as tools:
        found = accounts.unlock(tools, account)
    _done(found, "unlocked", as_json=as_json)


@command.command("limit")
@_ACCOUNT
@reason_option
@operator_option
@json_option
@click.pass_obj
def limit_command(config: Path, account: str, reason: str, operator: str | None, *, as_json: bool) -> None:
    """Tell services nothing of the person any more; nothing is deleted, the person may still come in (PRI-4)."""
    by, said = acting(operator), words(reason)
    with console(config) as tools:
        outcome = limiting.limit(tools, account, by=by, reason=said)
    _limited(outcome, account, "limited", as_json=as_json)


@command.command("unlimit")
@_ACCOUNT
@reason_option
@operator_option
@json_option
@click.pass_obj
def unlimit_command(config: Path, account: str, reason: str, operator: str | None, *, as_json: bool) -> None:
    """Let services be told again what the person allows; the person is mailed."""
    by, said = acting(operator), words(reason)
    with console(config) as tools:
        outcome = limiting.unlimit(tools, account, by=by, reason=said)
    _limited(outcome, account, "not limited", as_json=as_json)


@command.command("rectify")
@_ACCOUNT
@click.argument("values", metavar="NAME=VALUE...", nargs=-1, required=True)
@reason_option
@operator_option
@json_option
@click.pass_obj
def rectify_command(
    config: Path, account: str, values: tuple[str, ...], reason: str, operator: str | None, *, as_json: bool
) -> None:
    """Rectify what the person declared, at their request or a guardian's (ACC-7); the person is mailed.

    An empty value takes it away. What FranceConnect certifies can't be rectified here (FC-2).
    """
    typed, by, said = _values(values), acting(operator), words(reason)
    with console(config) as tools:
        outcome = rectification.rectify(tools, account, typed, by=by, reason=said)
    match outcome:
        case Rectified(names):
            if as_json:
                emit({"account": account, "rectified": names})
            elif names:
                click.echo(f"Rectified: {', '.join(names)}; a mail tells the person.")
            else:
                click.echo("Everything was so already; nothing was changed.")
        case Faulty(faults):
            raise Refusal("; ".join(f"{name}: {fault}" for name, fault in faults.items()))
        case Certified(name):
            raise Refusal(f"{name} is certified: it is rectified where it was certified, never here (FC-2)")
        case Unknown():
            raise _unknown()
        case _:
            assert_never(outcome)


@command.command("delete")
@_ACCOUNT
@yes_option
@json_option
@click.pass_obj
def delete_command(config: Path, account: str, *, yes: bool, as_json: bool) -> None:
    """Erase every row that speaks of the person."""
    with console(config) as tools:
        if not accounts.exists(tools, account):
            raise _unknown()
        confirm("Everything kept on this person will be erased for good. Go on?", yes=yes)
        found = accounts.delete(tools, account)
    _done(found, "deleted", as_json=as_json)


@command.command("export")
@_ACCOUNT
@reason_option
@operator_option
@click.option("--language", type=click.Choice(LANGUAGES), help="Of the page in it; the person's by default.")
@click.option(
    "--output",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="A new file, which only you can read; the standard output when absent.",
)
@click.pass_obj
def export_command(
    config: Path,
    account: str,
    reason: str,
    operator: str | None,
    *,
    language: str | None,
    output: Path | None,
) -> None:
    """Hand out everything that is kept about a person, as a ZIP archive, to answer a request (PRI-4).

    The person finds this in the record of their account, with the reason.
    """
    by, said = acting(operator), words(reason)
    if output is None and sys.stdout.isatty():
        raise click.UsageError("an archive is no text: say --output FILE, or send the output somewhere")
    if output is not None and output.exists():
        raise Refusal(f"{output} is there already")
    with console(config) as tools:
        made = export.give_for(tools, account, language=language, by=by, reason=said)
    if made is None:
        raise _unknown()
    if output is None:
        sys.stdout.buffer.write(made.content)
        return
    _write_for_me(output, made.content)
    click.echo(f"Everything kept about the account is in {output}: hand it over safely, then delete it.")


def _write_for_me(file: Path, content: bytes) -> None:
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Refusal(f"{file}: {error.strerror}") from error
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _done(found: Account | None, what: str, *, as_json: bool) -> None:
    if found is None:
        raise _unknown()
    if as_json:
        emit({"account_id": found.account_id, "done": what})
    else:
        click.echo(f"Account {found.account_id} is {what}.")


def _values(given: tuple[str, ...]) -> dict[str, str]:
    typed: dict[str, str] = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals or name not in rectification.RECTIFIABLE or name in typed:
            raise click.UsageError(
                f"{name!r}: give NAME=VALUE once for each of {', '.join(rectification.RECTIFIABLE)}"
            )
        typed[name] = value
    return typed


def _limited(outcome: Limiting, account: str, what: str, *, as_json: bool) -> None:
    match outcome:
        case Limiting.UNKNOWN:
            raise _unknown()
        case Limiting.ALREADY:
            raise Refusal(f"the account is {what} already")
        case Limiting.DONE if as_json:
            emit({"account": account, "done": what})
        case Limiting.DONE:
            click.echo(f"The account is {what}; a mail tells the person.")
        case _:
            assert_never(outcome)


def _unknown() -> Refusal:
    return Refusal("no such account", Exit.NOT_FOUND)


def _members(account: Account) -> dict[str, object]:
    return {
        "account_id": account.account_id,
        "email": account.email,
        "state": account.state.value,
        "password_is_generated": account.password_is_generated,
        "language": account.language,
        "terms_version": account.terms_version,
        "created_at": account.created_at,
        "last_sign_in_at": account.last_sign_in_at,
        "limited_at": account.limited_at,
    }
