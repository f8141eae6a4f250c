"""Ends a use case at each of its statements: by an error that nothing catches, and by killing its process.

What is found in the database afterwards is what was there before, or what the whole use case leaves.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from idp.storage.engine import open_database
from idp.storage.models import metadata

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from idp.services.context import Context
    from idp.storage.engine import Database

#: More statements than any use case has.
MOST = 200
_FINISHED = 0
_FAILED = 70

UseCase = Callable[["Context"], object]
Snapshot = dict[str, list[str]]


class PulledPlug(BaseException):
    """The process ends here: no `except Exception` of ours stops it."""


def snapshot(database: Database) -> Snapshot:
    """Read everything that a database holds, in an order that does not depend on where rows lie."""
    with database.read() as connection:
        return {
            table.name: sorted(map(str, connection.exec_driver_sql(f"SELECT * FROM {table.name}")))  # noqa: S608 - our own tables
            for table in metadata.sorted_tables
        }


def ends_by_error(context: Context, run: UseCase) -> Iterator[int]:
    """Run a use case again and again, each time ended one statement later, until it is through.

    Args:
        context: The parts.
        run: The use case.

    Yields:
        The number of the statement, or of the commit, that was not reached any more.
    """
    for number in count(1):
        assert number < MOST
        try:
            with _at_statement(context.database, number, _pull):
                run(context)
        except PulledPlug:
            yield number
        else:
            return


def ends_by_kill(context: Context, url: str, run: UseCase) -> Iterator[int]:
    """Do the same in processes of their own, each killed by SIGKILL at one statement later.

    Args:
        context: The parts; the connections of this process are closed before another one begins.
        url: Of the database, which each process opens anew.
        run: The use case.

    Yields:
        The number of the statement at which the process was killed.
    """
    for number in count(1):
        assert number < MOST
        context.database.dispose()
        child = os.fork()
        if child == 0:
            _run_and_leave(context, url, run, number)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            assert os.WTERMSIG(status) == signal.SIGKILL
            yield number
            continue
        assert os.WEXITSTATUS(status) == _FINISHED
        return


def _run_and_leave(context: Context, url: str, run: UseCase, number: int) -> None:
    """Be the process that is killed; nothing of the tests' own cleaning up may run in it."""
    code = _FAILED
    try:
        own = open_database(url)
        with _at_statement(own, number, _kill):
            run(replace(context, database=own))
        code = _FINISHED
    finally:
        os._exit(code)


@contextmanager
def _at_statement(database: Database, number: int, do: Callable[[], None]) -> Iterator[None]:
    """Do something just before one statement of a database, the commit included."""
    seen = count(1)

    def on_statement(*_: Any) -> None:
        if next(seen) == number:
            do()

    engines: tuple[Engine, ...] = (database.reader, database.writer)
    attached = [(engine, name) for engine in engines for name in ("before_cursor_execute", "commit")]
    for engine, name in attached:
        event.listen(engine, name, on_statement)
    try:
        yield
    finally:
        for engine, name in attached:
            event.remove(engine, name, on_statement)


def _pull() -> None:
    raise PulledPlug


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
