"""Exit codes, which programs rely on, and the errors that lead to them (ADM-2)."""

from __future__ import annotations

import sys
from enum import IntEnum
from typing import Final

import click


class Exit(IntEnum):
    """How a command ended."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    CONFIGURATION = 3
    NOT_FOUND = 4
    DATABASE = 5
    ALTERED = 6
    UNDELIVERABLE = 7
    CHANGES = 8
    OVERDUE = 9


class Refusal(click.ClickException):
    """A command can't do what it was asked.

    Args:
        message: What is wrong and what to do, for a person.
        code: For a program.
    """

    def __init__(self, message: str, code: Exit = Exit.REFUSED) -> None:
        super().__init__(message)
        self.exit_code = int(code)  # type: ignore[misc] # click reads it from the instance


#: By name, since importing the classes would import the database and the keys for every command.
_KNOWN: Final = {
    ("idp.config", "ConfigurationError"): Exit.CONFIGURATION,
    ("idp.crypto.keyring", "KeyringError"): Exit.CONFIGURATION,
    ("idp.storage.revisions", "DatabaseUnwritable"): Exit.DATABASE,
    ("idp.domain.errors", "RuleRefused"): Exit.REFUSED,
}


def exit_for(error: Exception) -> tuple[Exit, str] | None:
    """Say how a command ends by an error of ours, and what to tell the person.

    Returns:
        None for an error that nobody foresaw: it keeps its trace.
    """
    for kind in type(error).__mro__:
        known = _KNOWN.get((kind.__module__, kind.__name__))
        if known is not None:
            return known, str(error)
    storage = sys.modules.get("idp.storage.engine")
    if storage is not None and isinstance(error, storage.DATABASE_AWAY):
        # The driver's own words: they name host and file, which the administrator needs, and no password.
        return Exit.DATABASE, f"the database does not answer: {str(getattr(error, 'orig', error)).strip()}"
    return None
