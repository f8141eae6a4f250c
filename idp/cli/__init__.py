"""The `idp` command line, for administrators (ADM-1, ADM-2).

Each command is imported when it is called: listing keys does not pay for Flask. Exit codes are in `idp.cli.exits`.
Shell completion: `eval "$(_IDP_COMPLETE=bash_source idp)"`, likewise for zsh and fish.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Final, cast

import click

from idp.cli.exits import Exit, Refusal, exit_for

#: Where each command is; the first sentence of its help, so that `idp --help` imports none of them.
COMMANDS: Final = {
    "accounts": ("idp.cli.accounts", "Show, lock, limit, rectify and delete accounts."),
    "audit": ("idp.cli.audit", "Show, export and verify the audit trail."),
    "clients": ("idp.cli.clients", "Register and change the services that sign people in here."),
    "config": ("idp.cli.configuration", "Check and show the configuration."),
    "database": ("idp.cli.database", "Upgrade and check the database."),
    "demo": ("idp.cli.demo", "Run everything on this machine: provider, FranceConnect, two services, mail."),
    "events": ("idp.cli.events", "List the events that services were told of."),
    "franceconnect-simulator": ("idp.cli.simulator", "Run the simulator of FranceConnect alone."),
    "keys": ("idp.cli.keys", "Make, list, rotate and retire signing keys."),
    "ledger": ("idp.cli.ledger", "Verify and show the ledger of proofs."),
    "lifecycle": ("idp.cli.lifecycle", "Warn of the deletion of unused accounts, and delete them."),
    "outbox": ("idp.cli.outbox", "List messages that wait or were given up, and send them again."),
    "requests": ("idp.cli.requests", "Track requests of the RGPD and their 30-day deadline."),
    "permissions": ("idp.cli.permissions", "List and withdraw the permissions that parents gave."),
    "run": ("idp.cli.run", "Run the provider."),
    "terms": ("idp.cli.terms", "Publish, list, read and compare versions of the terms of use."),
    "unlink": ("idp.cli.unlink", "Decide on requests to end a link to FranceConnect."),
    "worker": ("idp.cli.worker", "Deliver messages and purge what expired, until stopped."),
}


class LazyGroup(click.Group):
    """Knows its commands by name and imports the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name every command."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        return cast("click.Command", module.command)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List every command with its sentence."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file; $IDP_CONFIG, else ./config.toml.",
)
@click.version_option(package_name="idp", prog_name="idp")
@click.pass_context
def group(ctx: click.Context, config: Path | None) -> None:
    """Identity provider for the residents of a city.

    \b
    Exit codes: 0 done, 1 refused, 2 wrong usage, 3 configuration or keys,
    4 not found, 5 database, 6 a proof or the trail was altered,
    7 done, but some people could not be told.
    """  # noqa: D301 - the character that keeps a paragraph of click from being filled
    ctx.obj = config or Path(os.environ.get("IDP_CONFIG", "config.toml"))


def main() -> None:
    """Run the command line; what goes wrong is one sentence and an exit code, never a trace."""
    try:
        group.main(prog_name="idp", standalone_mode=False)
    except click.exceptions.Exit as exit_asked:
        sys.exit(exit_asked.exit_code)
    except click.Abort:
        click.echo("Stopped; nothing was changed.", err=True)
        sys.exit(Exit.REFUSED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # `idp clients list | head`: the reader has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(Exit.OK)
    except Exception as error:
        known = exit_for(error)
        if known is None:
            raise
        Refusal(str(known[1]), known[0]).show()
        sys.exit(known[0])
