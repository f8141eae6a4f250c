"""`idp lifecycle`: run, status, undeliverable, bounce (LIF-1, LIF-2, LIF-3)."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.output import card, emit, json_option, table
from idp.cli.parts import console
from idp.config import load
from idp.domain.email_address import parse
from idp.domain.life_cycle import Delete, LifeCyclePolicy, Unwarned, Wait, Warn
from idp.outbound.delivery_status import failures, own_message_id
from idp.services.account import life_cycle
from idp.services.account.life_cycle import Due, Limits, Run
from idp.services.tools import Console

#: No report of a mail server is longer; the mail that it returns has no attachment.
_LONGEST_REPORT: Final = 10 * 1024 * 1024


@click.group()
def command() -> None:
    """Warn of the deletion of unused accounts, and delete them."""


@command.command("run")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would be done, and when.")
@click.option("--limit", type=click.IntRange(1), help="Stop after so many warnings and deletions.")
@json_option
@click.pass_obj
def run_command(config: Path, limit: int | None, *, dry_run: bool, as_json: bool) -> None:
    """Warn and delete what is due; the worker does the same on its timer.

    It can be stopped at any point and run again, and several may run at once. Exit code 7: done, but no mail reaches
    the owners of some accounts; see `idp lifecycle undeliverable`.
    """
    policy, batch = _settings(config)
    with console(config) as tools:
        if dry_run:
            unwarned = _foresee(tools, policy, batch, limit, as_json=as_json)
        else:
            done = _run(tools, policy, Limits(batch, limit))
            _tell(done, as_json=as_json)
            unwarned = done.unwarned
    if unwarned:
        raise click.exceptions.Exit(Exit.UNDELIVERABLE)


@command.command("status")
@json_option
@click.pass_obj
def status_command(config: Path, *, as_json: bool) -> None:
    """Count unused accounts by what has become of them."""
    policy, batch = _settings(config)
    with console(config) as tools:
        found = life_cycle.status(tools, policy, batch)
    members = asdict(found)
    stages = {f"{stage} days": found.warned[stage] for stage in sorted(found.warned, reverse=True)}
    if as_json:
        emit(members | {"warned": {str(stage): count for stage, count in sorted(found.warned.items())}})
        return
    card(
        {
            "warned, by latest mail": stages,
            "first mail under way": found.underway,
            "due for a mail": found.due_for_warning,
            "of them, mail was away": found.blocked_by_outage,
            "due for deletion": found.due_for_deletion,
            "can't be warned": found.unwarned,
            "kept (limited, request)": found.kept,
            "not dated yet": found.undated,
        }
    )


@command.command("undeliverable")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True)
@json_option
@click.pass_obj
def undeliverable_command(config: Path, limit: int, *, as_json: bool) -> None:
    """List accounts whose owners no mail reaches: they stay until a manager decides."""
    policy, batch = _settings(config)
    with console(config) as tools:
        found = [_row(due) for due in islice(life_cycle.undeliverable(tools, policy, batch), limit)]
    if as_json:
        emit(found)
        return
    columns = ("account", "unused since", "latest mail", "mails", "why")
    members = ("account_id", "idle_since", "latest_mail", "mails", "last_error")
    table(columns, [[row[name] for name in members] for row in found], empty="Every owner can be warned.")


@command.command("bounce")
@click.argument("returned", metavar="[ADDRESS|MESSAGE-ID]", required=False)
@click.option("--stdin", "from_stdin", is_flag=True, help="Read a delivery status notification (RFC 3464).")
@json_option
@click.pass_obj
def bounce_command(config: Path, returned: str | None, *, from_stdin: bool, as_json: bool) -> None:
    """Record that a mail server sent a warning back: it counts for nothing, and the deletion waits."""
    if (returned is None) != from_stdin:
        raise click.UsageError("name an address or a Message-ID, or say --stdin")
    wanted = _reported() if returned is None else [_named(returned)]
    with console(config) as tools:
        count = sum(life_cycle.bounce(tools, message_id=one, address=other) for one, other in wanted)
    if not count and returned is not None:
        raise Refusal("no warning of the present period is known by that", Exit.NOT_FOUND)
    emit({"recorded": count}) if as_json else click.echo(f"{count} account(s): the warning did not arrive.")


def _settings(config: Path) -> tuple[LifeCyclePolicy, int]:
    found = load(config).life_cycle
    days = tuple(timedelta(days=days) for days in found.warning_days)
    return LifeCyclePolicy(found.inactivity_months, days), found.batch


def _run(tools: Console, policy: LifeCyclePolicy, limits: Limits) -> Run:
    with click.progressbar(
        length=life_cycle.expected(tools, policy),
        label="Unused accounts",
        file=sys.stderr,
        # A log is no place for a bar.
        hidden=not sys.stderr.isatty(),
    ) as bar:
        return life_cycle.run(tools, policy, limits, bar.update)


def _tell(done: Run, *, as_json: bool) -> None:
    if as_json:
        emit(asdict(done))
        return
    click.echo(
        f"{done.looked_at} unused account(s): {done.warned} warned, {done.deleted} deleted, "
        f"{done.unwarned} can't be warned."
    )
    if done.dated:
        click.echo(f"{done.dated} account(s) were dated by their latest sign-in.")
    if not done.is_whole:
        click.echo("Some are left for the next run.")


def _foresee(tools: Console, policy: LifeCyclePolicy, batch: int, limit: int | None, *, as_json: bool) -> int:
    due = (one for one in life_cycle.foreseen(tools, policy, batch) if not isinstance(one.step, Wait))
    rows = [_row(one) for one in islice(due, limit)]
    if as_json:
        emit(rows)
    else:
        _show(rows)
        click.echo("Dry run: nothing was written.", err=True)
    return sum(row["act"] == "unwarned" for row in rows)


def _show(rows: Iterable[dict[str, Any]]) -> None:
    words = {"warn": "warning", "delete": "deletion", "unwarned": "unreachable"}
    cells = [(row["account_id"], row["idle_since"], words[row["act"]], row["deletes_at"]) for row in rows]
    table(("account", "unused since", "due", "deleted on"), cells, empty="Nothing is due.")


def _row(due: Due) -> dict[str, Any]:
    account, acts = due.account, {Warn: "warn", Delete: "delete", Unwarned: "unwarned", Wait: "wait"}
    return {
        "account_id": account.account_id,
        "idle_since": account.idle_since,
        "act": acts[type(due.step)],
        "deletes_at": due.step.deletes_at,
        "mails": len(account.warnings),
        "latest_mail": account.warnings[-1].queued_at if account.warnings else None,
        "last_error": account.last_error,
    }


def _reported() -> list[tuple[str | None, str | None]]:
    raw = sys.stdin.buffer.read(_LONGEST_REPORT)
    # The message says more than the address: a bounce of another mail of ours is none of a warning.
    return [
        (failure.message_id, None if failure.message_id else failure.address)
        for failure in failures(raw)
        if failure.message_id or failure.address
    ]


def _named(returned: str) -> tuple[str | None, str | None]:
    message_id = own_message_id(returned)
    if message_id is not None:
        return message_id, None
    if parse(returned) is None:
        raise Refusal("that is neither an e-mail address nor a Message-ID of ours", Exit.USAGE)
    return None, returned
