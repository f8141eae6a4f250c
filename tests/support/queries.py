"""Counts and keeps the statements that engines run, so that a test can hold them to a budget."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event

# SQLAlchemy sends these through the cursor on SQLite; they are the transaction, not a statement of it.
TRANSACTION_WORDS = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA")


@dataclass
class Recording:
    """What ran while a recording was on."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0
    rollbacks: int = 0

    @property
    def reads(self) -> list[str]:
        """The statements that only read, in order."""
        return [statement for statement in self.statements if is_read(statement)]

    @property
    def writes(self) -> list[str]:
        """The statements that may write, in order."""
        return [statement for statement in self.statements if not is_read(statement)]

    def __len__(self) -> int:
        """Count the statements, reads and writes alike."""
        return len(self.statements)

    def __str__(self) -> str:
        """Show the statements one a line, for the message of a failed assertion."""
        return "\n".join(" ".join(statement.split()) for statement in self.statements)


def is_read(statement: str) -> bool:
    """Say whether a statement starts as a query; a `WITH … UPDATE` is not told apart.

    Args:
        statement: SQL as sent.

    Returns:
        True for SELECT, WITH and VALUES.
    """
    return statement.lstrip(" (\n").upper().startswith(("SELECT", "WITH", "VALUES"))


@contextmanager
def recorded_queries(*engines: Engine) -> Iterator[Recording]:
    """Record every statement of every connection of some engines while the block runs.

    Args:
        engines: Those of the application under test: `database.reader, database.writer`.

    Yields:
        The recording, which grows as statements run.
    """
    recording = Recording()

    def on_statement(
        _connection: Connection,
        _cursor: object,
        statement: str,
        _parameters: object,
        _context: object,
        _many: bool,  # noqa: FBT001 - SQLAlchemy calls this with positions
    ) -> None:
        if not statement.lstrip().upper().startswith(TRANSACTION_WORDS):
            recording.statements.append(statement)

    def on_commit(_connection: Connection) -> None:
        recording.commits += 1

    def on_rollback(_connection: Connection) -> None:
        recording.rollbacks += 1

    listeners: tuple[tuple[str, Any], ...] = (
        ("before_cursor_execute", on_statement),
        ("commit", on_commit),
        ("rollback", on_rollback),
    )
    attached = [(engine, *listener) for engine in engines for listener in listeners]
    for engine, name, listener in attached:
        event.listen(engine, name, listener)
    try:
        yield recording
    finally:
        for engine, name, listener in attached:
            event.remove(engine, name, listener)
