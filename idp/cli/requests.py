"""`idp requests`: add, list, show, extend, close, remind of requests of the RGPD (PRI-4, ACC-7, ADM-1)."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.operators import operator as acting
from idp.cli.operators import operator_option, words
from idp.cli.output import card, emit, json_option, table
from idp.cli.parts import console
from idp.config import load
from idp.domain.data_request import RequestChannel, RequestKind, RequestState
from idp.services.operations import data_requests
from idp.services.operations.data_requests import Problem, Received

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.domain.data_request import DataRequest

_REQUEST = click.argument("request_id", metavar="REQUEST")
_NOT_FOUND: Final = frozenset({Problem.UNKNOWN, Problem.UNKNOWN_ACCOUNT})


@click.group()
def command() -> None:
    """Track requests of the RGPD and their 30-day deadline."""


@command.command("add")
@click.argument("kind", type=click.Choice([kind.value for kind in RequestKind]))
@click.option(
    "--account", metavar="ID_OR_ADDRESS", help="Whose data; nothing for somebody without an account."
)
@click.option(
    "--channel",
    type=click.Choice([channel.value for channel in RequestChannel]),
    default=RequestChannel.MAIL.value,
    show_default=True,
    help="How it came.",
)
@click.option(
    "--received-at",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="When it came, UTC; now otherwise. The deadline counts from that day.",
)
@click.option(
    "--guardian", is_flag=True, help="A parent or a guardian asks for the person: say --note (ACC-7)."
)
@click.option(
    "--note",
    help="For the record, nothing personal: how the identity, or the guardian's authority, was checked.",
)
@operator_option
@json_option
@click.pass_obj
def add_command(
    config: Path,
    *,
    kind: str,
    account: str | None,
    channel: str,
    received_at: datetime | None,
    guardian: bool,
    note: str | None,
    operator: str | None,
    as_json: bool,
) -> None:
    """Write a request down; the person is mailed by when they are answered."""
    received = Received(
        RequestKind(kind),
        RequestChannel(channel),
        account,
        received_at.replace(tzinfo=UTC) if received_at else None,
        guardian,
        "" if note is None else words(note, "--note"),
    )
    by = acting(operator)
    with console(config) as tools:
        added, now = data_requests.add(tools, received, by=by), tools.clock()
    _say(added, now, "is written down", as_json=as_json)


@command.command("list")
@click.option("--all", "every", is_flag=True, help="Those that were answered too.")
@click.option("--check", is_flag=True, help="End with code 9 when an answer is late; for scripts.")
@json_option
@click.pass_obj
def list_command(config: Path, *, every: bool, check: bool, as_json: bool) -> None:
    """List the requests that wait, the most urgent first; late ones in red."""
    with console(config) as tools:
        found, now = data_requests.listed(tools, open_only=not every), tools.clock()
    if as_json:
        emit([_members(one, now) for one in found])
    else:
        _show_table(found, now, empty="No request." if every else "No request waits.")
    late = sum(one.is_overdue(now) for one in found)
    if check and late:
        raise Refusal(f"{late} request(s) late", Exit.OVERDUE)


@command.command("show")
@_REQUEST
@json_option
@click.pass_obj
def show_command(config: Path, request_id: str, *, as_json: bool) -> None:
    """Show a request."""
    with console(config) as tools:
        found, now = data_requests.show(tools, request_id), tools.clock()
    if found is None:
        raise Refusal(Problem.UNKNOWN.value, Exit.NOT_FOUND)
    (emit if as_json else card)(_members(found, now))


@command.command("extend")
@_REQUEST
@click.option("--reason", required=True, help="The person reads it: plain words, in their language.")
@operator_option
@json_option
@click.pass_obj
def extend_command(
    config: Path, request_id: str, reason: str, operator: str | None, *, as_json: bool
) -> None:
    """Take two more months, once, before the deadline; the person is told why (RGPD article 12, 3)."""
    by, said = acting(operator), words(reason)
    with console(config) as tools:
        extended, now = data_requests.extend(tools, request_id, by=by, reason=said), tools.clock()
    _say(extended, now, "is extended", as_json=as_json)


@command.command("close")
@_REQUEST
@click.option("--outcome", required=True, help="What was done, or why not; the person reads it.")
@click.option("--refused", is_flag=True, help="It was not done; the outcome says why.")
@operator_option
@json_option
@click.pass_obj
def close_command(
    config: Path, request_id: str, outcome: str, operator: str | None, *, refused: bool, as_json: bool
) -> None:
    """Write down what was answered, and mail the person."""
    by, said = acting(operator), words(outcome, "--outcome")
    with console(config) as tools:
        closed = data_requests.close(tools, request_id, by=by, outcome=said, is_refused=refused)
        now = tools.clock()
    _say(closed, now, "is refused" if refused else "is done", as_json=as_json)


@command.command("remind")
@json_option
@click.pass_obj
def remind_command(config: Path, *, as_json: bool) -> None:
    """Mail city.support_email what comes due: 10 and 3 days before, and once late. `idp worker` does it by itself."""
    to = load(config).city.support_email
    if not to:
        raise Refusal("city.support_email is empty: there is nobody to remind", Exit.CONFIGURATION)
    with console(config) as tools:
        named, now = data_requests.remind(tools, to), tools.clock()
    if as_json:
        emit([_members(one, now) for one in named])
        return
    click.echo(
        f"A mail names {len(named)} request(s)." if named else "Nobody has to be reminded of anything."
    )


def _say(outcome: DataRequest | Problem, now: datetime, what: str, *, as_json: bool) -> None:
    if isinstance(outcome, Problem):
        raise Refusal(outcome.value, Exit.NOT_FOUND if outcome in _NOT_FOUND else Exit.REFUSED)
    if as_json:
        emit(_members(outcome, now))
        return
    click.echo(f"Request {outcome.request_id} {what}.")
    if outcome.is_open:
        click.echo(f"Answer by {outcome.last_day:%Y-%m-%d}: {_left(outcome, now)}.")


def _show_table(found: Sequence[DataRequest], now: datetime, *, empty: str) -> None:
    rows = [
        (
            one.request_id,
            f"{one.kind.value} (art. {one.kind.article})",
            one.account_id,
            "guardian" if one.is_of_guardian else "person",
            f"{one.received_at:%Y-%m-%d}",
            f"{one.last_day:%Y-%m-%d}" + (" (extended)" if one.extended_at else ""),
            _left(one, now) if one.is_open else one.state.value,
        )
        for one in found
    ]
    late = {place for place, one in enumerate(found) if one.is_overdue(now)}
    headings = ("id", "kind", "account", "asked by", "received", "answer by", "left")
    table(headings, rows, empty=empty, alarming=late)


def _left(request: DataRequest, now: datetime) -> str:
    days = request.days_left(now)
    if request.is_overdue(now):
        return f"{-days} day(s) late"
    return f"{days} day(s) left" if days else "today is the last day"


def _members(request: DataRequest, now: datetime) -> dict[str, object]:
    members = {name: getattr(request, name) for name in request.__dataclass_fields__}
    is_open = request.state is RequestState.OPEN
    return members | {
        "article": request.kind.article,
        "last_day": request.last_day.isoformat(),
        "days_left": request.days_left(now) if is_open else None,
        "overdue": request.is_overdue(now),
    }
