"""`idp permissions`: list and withdraw parents' permissions, for a guardian who calls (CON-7, ACC-7)."""

from __future__ import annotations

from pathlib import Path

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.operators import operator as acting
from idp.cli.operators import operator_option, reason_option, words
from idp.cli.output import confirm, emit, json_option, table, yes_option
from idp.cli.parts import console
from idp.domain.minimum_age import Permission
from idp.services.operations import permissions


@click.group()
def command() -> None:
    """List and withdraw the permissions that parents gave."""


@command.command("list")
@click.argument("account", metavar="ID_OR_ADDRESS")
@reason_option
@operator_option
@json_option
@click.pass_obj
def list_command(config: Path, account: str, reason: str, operator: str | None, *, as_json: bool) -> None:
    """List the permissions of a child, the oldest first; the trail keeps that they were read."""
    by, said = acting(operator), words(reason)
    with console(config) as tools:
        found = permissions.listed(tools, account, by=by, reason=said)
    if found is None:
        raise Refusal("no such account", Exit.NOT_FOUND)
    if as_json:
        emit([_members(one.permission) | {"service": one.service} for one in found])
        return
    rows = [
        (
            one.permission.permission_id,
            one.service,
            one.permission.parent_email,
            one.permission.state.value,
            one.permission.asked_at,
            one.permission.answered_at,
        )
        for one in found
    ]
    table(("id", "service", "parent", "state", "asked", "answered"), rows, empty="No permission.")


@command.command("withdraw")
@click.argument("permission_id", metavar="PERMISSION")
@reason_option
@operator_option
@yes_option
@json_option
@click.pass_obj
def withdraw_command(
    config: Path, permission_id: str, reason: str, operator: str | None, *, yes: bool, as_json: bool
) -> None:
    """Take a permission back: the service is told and can read nothing more, the child is mailed."""
    by, said = acting(operator), words(reason)
    confirm("The service loses its access to the child's data at once. Go on?", yes=yes)
    with console(config) as tools:
        done = permissions.withdraw(tools, permission_id, by=by, reason=said)
    if done is None:
        raise Refusal("no such permission, or it is not given", Exit.NOT_FOUND)
    if as_json:
        emit(_members(done))
        return
    click.echo(f"Permission {permission_id} is withdrawn; a mail tells the child.")


def _members(permission: Permission) -> dict[str, object]:
    return {
        "permission_id": permission.permission_id,
        "account_id": permission.account_id,
        "client_id": permission.client_id,
        "parent_email": permission.parent_email,
        "state": permission.state.value,
        "asked_at": permission.asked_at,
        "expires_at": permission.expires_at,
        "answered_at": permission.answered_at,
    }
