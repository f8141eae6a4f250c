"""`idp accounts purges`, `idp accounts reapply-purges`: what was erased stays erased after a restore (S-369, S-442)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

import click

from idp.cli.exits import Refusal
from idp.cli.output import emit, json_option
from idp.cli.parts import console
from idp.services.operations import purges

#: A restored database may bring thousands back.
_TOLD_EVERY: Final = 100
_EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)


@click.command("purges")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), help="Only those erased on this day (UTC) or later."
)
@json_option
@click.pass_obj
def purges_command(config: Path, since: datetime | None, *, as_json: bool) -> None:
    """List accounts that were erased, by identifiers that name nobody any more.

    Keep the list outside of the database: after a restore, `idp accounts reapply-purges` erases them again.
    """
    moment = _EVER if since is None else since.replace(tzinfo=UTC)
    with console(config) as tools:
        listed = purges.listed(tools, moment)
        if as_json:
            emit([asdict(one) for one in listed])
            return
        for one in listed:
            click.echo(f"{one.account_id} {one.purged_at.isoformat()} {one.way}")


@click.command("reapply-purges")
@click.argument("file", type=click.File(encoding="utf-8"), required=False)
@json_option
@click.pass_obj
def reapply_command(config: Path, file: TextIO | None, *, as_json: bool) -> None:
    """Erase again whom a restored backup has brought back: whoever FILE or the database says was erased.

    FILE is what `idp accounts purges` wrote, - for standard input. Run it before the provider starts; it can be
    stopped and run again.
    """
    try:
        known = purges.parsed(file or ())
    except purges.Malformed as error:
        raise Refusal(str(error)) from error
    erased = 0
    with console(config) as tools:
        for erased, _ in enumerate(purges.reapply(tools, known), start=1):
            if erased % _TOLD_EVERY == 0:
                click.echo(f"{erased} accounts erased again …", err=True)
    emit({"listed": len(known), "erased": erased}) if as_json else click.echo(
        f"{erased} account(s) were here again and are erased; {len(known)} were listed."
    )
