"""`idp unlink`: list, show, approve, refuse requests to end a link to FranceConnect (FC-5, ADM-1)."""

from __future__ import annotations

from pathlib import Path
from typing import assert_never

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.operators import operator as acting
from idp.cli.operators import operator_option
from idp.cli.output import card, confirm, emit, json_option, table, yes_option
from idp.cli.parts import console
from idp.domain.civil_identity import normalise_text
from idp.domain.unlinking import LONGEST_REASON, RequestState, UnlinkRequest
from idp.services.operations import unlinking
from idp.services.operations.unlinking import (
    AlreadyDecided,
    Approved,
    NotLinked,
    PasswordNeeded,
    Refused,
    RequestCard,
    Unknown,
)

_REQUEST = click.argument("request_id", metavar="REQUEST")
_FOR_GOOD = (
    "The account's link to FranceConnect ends, its identity is certified no longer, and {sessions} browser(s) "
    "that signed in by it are signed out. Only the person can link the account again. Go on?"
)


@click.group()
def command() -> None:
    """Decide on requests to end a link to FranceConnect."""


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those that were decided or withdrawn too.")
@operator_option
@json_option
@click.pass_obj
def list_command(config: Path, operator: str | None, *, every: bool, as_json: bool) -> None:
    """List the requests that wait, the oldest first; who read them is recorded."""
    by = acting(operator)
    with console(config) as tools:
        queue = unlinking.listed(tools, by=by, open_only=not every)
    if as_json:
        emit([_members(one.request) | {"email": one.email} for one in queue])
        return
    rows = [
        (
            one.request.request_id,
            one.email,
            one.request.state.value,
            one.request.created_at,
            one.request.decided_at,
            one.request.decided_by,
        )
        for one in queue
    ]
    headings = ("id", "address", "state", "asked", "decided", "by")
    table(headings, rows, empty="No request." if every else "No request waits.")


@command.command("show")
@_REQUEST
@operator_option
@json_option
@click.pass_obj
def show_command(config: Path, request_id: str, operator: str | None, *, as_json: bool) -> None:
    """Show a request and what the person wrote; never the identity. Who read it is recorded."""
    by = acting(operator)
    with console(config) as tools:
        found = unlinking.show(tools, request_id, by=by)
    if found is None:
        raise _unknown()
    members = _members(found.request) | _account_members(found)
    if as_json:
        emit(members)
        return
    # Line by line: a line break inside a text would be shown as something that could move the cursor.
    card(members | {"message": found.request.message.split("\n") if found.request.message else None})


@command.command("approve")
@_REQUEST
@click.option("--reason", help="A few words for the record.")
@operator_option
@yes_option
@json_option
@click.pass_obj
def approve_command(
    config: Path, request_id: str, reason: str | None, operator: str | None, *, yes: bool, as_json: bool
) -> None:
    """End the link: the identity is the person's own word from then on, and theirs to edit."""
    by, said = acting(operator), None if reason is None else _reason(reason) or None
    with console(config) as tools:
        found = unlinking.show(tools, request_id, by=by)
        if found is None:
            raise _unknown()
        _refuse_early(found)
        confirm(_FOR_GOOD.format(sessions=found.sessions), yes=yes)
        outcome = unlinking.approve(tools, request_id, by=by, reason=said)
    match outcome:
        case Approved(request, names, ended):
            done = {"attributes": names, "sessions_ended": ended}
            if as_json:
                emit(_members(request) | done)
                return
            click.echo(
                f"Request {request_id} is approved: the account is not linked to FranceConnect any more."
            )
            click.echo(f"{len(names)} attribute(s) declared, {ended} session(s) ended, a mail queued.")
        case Unknown():
            raise _unknown()
        case AlreadyDecided(request):
            raise _decided(request)
        case PasswordNeeded():
            raise _password_needed()
        case NotLinked():
            raise _not_linked()
        case _:
            assert_never(outcome)


@command.command("refuse")
@_REQUEST
@click.option("--reason", required=True, help="The person reads it: plain words, in their language.")
@operator_option
@yes_option
@json_option
@click.pass_obj
def refuse_command(
    config: Path, request_id: str, reason: str, operator: str | None, *, yes: bool, as_json: bool
) -> None:
    """Leave the link as it is, and mail the person why."""
    by, said = acting(operator), _reason(reason)
    if not said:
        raise click.UsageError("say why: the person reads the reason")
    with console(config) as tools:
        found = unlinking.show(tools, request_id, by=by)
        if found is None:
            raise _unknown()
        if not found.request.is_open:
            raise _decided(found.request)
        confirm("The person is mailed this refusal, and it can't be taken back. Go on?", yes=yes)
        outcome = unlinking.refuse(tools, request_id, by=by, reason=said)
    match outcome:
        case Refused(request):
            if as_json:
                emit(_members(request))
                return
            click.echo(f"Request {request_id} is refused; a mail tells the person why.")
        case Unknown():
            raise _unknown()
        case AlreadyDecided(request):
            raise _decided(request)
        case _:
            assert_never(outcome)


def _refuse_early(found: RequestCard) -> None:
    """Say what can't be approved before asking to confirm it; the use case decides once more."""
    if not found.request.is_open:
        raise _decided(found.request)
    if found.account.password_is_generated:
        raise _password_needed()
    if not found.portals:
        raise _not_linked()


def _reason(typed: str) -> str:
    reason = normalise_text(typed)
    if len(reason) > LONGEST_REASON or not reason.isprintable():
        raise click.UsageError(f"--reason is one text of at most {LONGEST_REASON} characters")
    return reason


def _unknown() -> Refusal:
    return Refusal("no such request: it never was, or was erased with its account", Exit.NOT_FOUND)


def _decided(request: UnlinkRequest) -> Refusal:
    by = "the person" if request.state is RequestState.WITHDRAWN else request.decided_by
    return Refusal(f"this request was {request.state} on {request.decided_at:%Y-%m-%d %H:%M} UTC by {by}")


def _password_needed() -> Refusal:
    return Refusal(
        "nobody knows the password of this account: without FranceConnect its owner could not sign in; "
        "they must choose a password first, the page of the request leads them to it"
    )


def _not_linked() -> Refusal:
    return Refusal(
        "the account is not linked to FranceConnect any more: refuse the request, it asks for nothing"
    )


def _members(request: UnlinkRequest) -> dict[str, object]:
    return {
        "request_id": request.request_id,
        "account_id": request.account_id,
        "state": request.state.value,
        "message": request.message,
        "created_at": request.created_at,
        "decided_at": request.decided_at,
        "decided_by": request.decided_by,
        "decision_reason": request.decision_reason,
    }


def _account_members(found: RequestCard) -> dict[str, object]:
    return {
        "email": found.account.email,
        "account_state": found.account.state.value,
        "password_is_generated": found.account.password_is_generated,
        "portals": found.portals,
        "franceconnect_sessions": found.sessions,
    }
