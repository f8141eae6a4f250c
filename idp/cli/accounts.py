"""`idp accounts`: show, lock, unlock, delete (ADM-1, ACC-7, LOG-6)."""

from __future__ import annotations

from pathlib import Path

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.output import card, confirm, emit, json_option, table, yes_option
from idp.cli.parts import console
from idp.domain.account import Account
from idp.services.operations import accounts

_ACCOUNT = click.argument("account", metavar="ID_OR_ADDRESS")


@click.group()
def command() -> None:
    """Show, lock, unlock and delete accounts."""


@command.command("show")
@_ACCOUNT
@json_option
@click.pass_obj
def show_command(config: Path, account: str, *, as_json: bool) -> None:
    """Show an account and the latest lines of its trail; never its identity or its password."""
    with console(config) as tools:
        found = accounts.show(tools, account)
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


@command.command("delete")
@_ACCOUNT
@yes_option
@json_option
@click.pass_obj
def delete_command(config: Path, account: str, *, yes: bool, as_json: bool) -> None:
    """Erase every row that speaks of the person."""
    with console(config) as tools:
        if accounts.show(tools, account) is None:
            raise _unknown()
        confirm("Everything kept on this person will be erased for good. Go on?", yes=yes)
        found = accounts.delete(tools, account)
    _done(found, "deleted", as_json=as_json)


def _done(found: Account | None, what: str, *, as_json: bool) -> None:
    if found is None:
        raise _unknown()
    if as_json:
        emit({"account_id": found.account_id, "done": what})
    else:
        click.echo(f"Account {found.account_id} is {what}.")


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
    }
