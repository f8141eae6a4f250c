"""Who acts and why: what an administrator says with an act, for the record (ADM-3)."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from typing import Final, TypeVar

import click

from idp.domain.civil_identity import normalise_text

Command = TypeVar("Command", bound=Callable[..., object])

LONGEST_REASON: Final = 500
_LONGEST_OPERATOR: Final = 100


def operator_option(command: Command) -> Command:
    """Give a command `--operator`."""
    return click.option(
        "--operator", help="Your name, for the record; that of your session on this machine when absent."
    )(command)


def reason_option(command: Command) -> Command:
    """Give a command `--reason`, which must be said."""
    return click.option(
        "--reason",
        required=True,
        help="A few words for the record; nothing personal, such as a case's number.",
    )(command)


def system_user() -> str:
    """Name the user of this machine; by number where the machine knows no name, as in many containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def operator(named: str | None) -> str:
    """Name who acts.

    Raises:
        UsageError: It is no name.
    """
    name = normalise_text(named if named is not None else system_user())
    if not name or len(name) > _LONGEST_OPERATOR or not name.isprintable():
        raise click.UsageError(f"--operator is a name of at most {_LONGEST_OPERATOR} characters")
    return name


def words(typed: str, option: str = "--reason", *, longest: int = LONGEST_REASON) -> str:
    """Take what an administrator says, as one line.

    Raises:
        UsageError: Nothing, too much, or what could move a cursor.
    """
    said = normalise_text(typed)
    if not said or len(said) > longest or not said.isprintable():
        raise click.UsageError(f"{option} is one text of at most {longest} characters, and not empty")
    return said
