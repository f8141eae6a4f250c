"""What `idp ledger` and `idp audit` share: verify a chain, read statements about its end, show a line."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from idp.cli.exits import Exit, Refusal
from idp.cli.output import card, emit, table
from idp.cli.parts import console
from idp.services.operations import chains
from idp.services.operations.chains import Report, Unverifiable

if TYPE_CHECKING:
    from idp.domain.chain_check import Fault, StoredLine

#: A shorter one is read before a bar is drawn.
_LONG = 20_000


def verify(config: Path, name: str, head: Path | None, *, as_json: bool) -> None:
    """Verify a chain and say what was found.

    Raises:
        Refusal: Something was altered, or the statement can't be compared.
    """
    statement = None if head is None else read_statement(head)
    with console(config) as tools:
        length = chains.length(tools, name)
        is_shown = not as_json and length > _LONG and sys.stderr.isatty()
        with click.progressbar(
            length=max(1, length), label=f"Reading the {name}", file=sys.stderr, hidden=not is_shown
        ) as bar:
            try:
                report = chains.verify(tools, name, bar.update, statement=statement)
            except Unverifiable as error:
                raise Refusal(str(error)) from error
    emit(_report_members(report)) if as_json else _show(report)
    if report.faults:
        raise Refusal(
            f"the {name} is not as it was written: {len(report.faults)} fault(s). Change nothing, keep a copy of "
            "the database, and see docs/operations.md",
            Exit.ALTERED,
        )


def read_statement(file: Path) -> str:
    """Read what `idp ledger head --json` printed, or the signed statement alone.

    Raises:
        Refusal: It is neither.
    """
    text = file.read_text(encoding="utf-8", errors="replace").strip()
    if not text.startswith("{"):
        return text
    try:
        return str(json.loads(text)["statement"])
    except (ValueError, KeyError) as error:
        raise Refusal(f"{file} holds no statement about a head", Exit.USAGE) from error


def head(config: Path, name: str, *, as_json: bool) -> None:
    """State where a chain ends."""
    with console(config) as tools:
        stated = chains.state(tools, name)
    members = {"chain": stated.chain, "sequence": stated.sequence, "link": stated.link, "at": stated.at}
    if as_json:
        emit(members | {"statement": stated.document})
        return
    card(members)
    click.echo(
        "\nKeep what --json prints outside of this database: `verify --head FILE` compares it.", err=True
    )


def line_members(line: StoredLine) -> dict[str, Any]:
    """Give a line as it stands."""
    return {
        "sequence": line.sequence,
        **line.public,
        **line.personal,
        "is_erased": line.is_emptied,
        "link": line.link.hex(),
    }


def shown(config: Path, name: str, wanted: str, *, by: str, reason: str | None) -> dict[str, Any]:
    """Read one line by its place or its identifier.

    Raises:
        Refusal: There is no such line.
    """
    with console(config) as tools:
        line = chains.find(tools, name, wanted, by=by, reason=reason)
    if line is None:
        raise Refusal(f"the {name} has no such line", Exit.NOT_FOUND)
    members = line_members(line)
    return {key: value.hex() if isinstance(value, bytes) else value for key, value in members.items()}


def _show(report: Report) -> None:
    card(
        {
            "chain": report.chain,
            "lines": report.count,
            "from": report.first,
            "to": report.last,
            "emptied by an erasure": report.erased,
            "texts": report.texts,
            "statement": report.statement,
            "faults": len(report.faults),
        }
    )
    if report.faults:
        click.echo()
        rows = [
            (_place(fault), fault.kind.value, fault.line_id, fault.at, fault.text) for fault in report.faults
        ]
        table(("line", "fault", "id", "moment", "what"), rows, empty="")
    else:
        click.echo(f"\nThe {report.chain} is as it was written.")


def _place(fault: Fault) -> str | None:
    if fault.sequence is None or fault.until in {None, fault.sequence}:
        return None if fault.sequence is None else str(fault.sequence)
    return f"{fault.sequence}, {fault.until}"


def _report_members(report: Report) -> dict[str, Any]:
    return asdict(report) | {"faults": [asdict(fault) for fault in report.faults], "ok": not report.faults}
