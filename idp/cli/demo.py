"""`idp demo`: everything on one machine, FranceConnect simulator included (OPS-1, FC-8)."""

from __future__ import annotations

from pathlib import Path

import click

from idp.cli.demonstration.run import run, since_start

_MOST_PORT = 65_000


@click.command()
@click.option(
    "--port-base",
    type=click.IntRange(1, _MOST_PORT),
    default=8000,
    show_default=True,
    help="The provider's port; FranceConnect, parking, Explorateurs and mail take the next four.",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var/demo"),
    show_default=True,
    help="Folder of everything that is kept.",
)
def command(port_base: int, data: Path) -> None:
    """Run the provider, FranceConnect, two services and a mail catcher on this machine, until Ctrl-C."""
    run(data, port_base, since_start())
