"""The database: engines and their settings for SQLite and PostgreSQL, reads and writes (OPS-2).

SQLite: WAL, `synchronous=FULL`, foreign keys, writers by `BEGIN IMMEDIATE` and one writer at a time in a
process; its own busy wait has no queue, and a lock before it brings p99 from a second to 30 ms.
PostgreSQL: READ COMMITTED, enough where one statement decides; a read outside a transaction is one round trip.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager, nullcontext
from functools import wraps
from sqlite3 import SQLITE_BUSY, SQLITE_CONSTRAINT_FOREIGNKEY
from sqlite3 import Error as DriverError
from sqlite3 import OperationalError as DriverOperationalError
from time import monotonic, sleep
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from idp.storage.chains import OPERATOR, WAITING, write_lines

__all__ = [
    "DATABASE_AWAY",
    "Connection",
    "Database",
    "is_retryable",
    "open_database",
    "points_at_nothing",
    "retried",
]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from sqlite3 import Connection as SQLiteConnection

    from sqlalchemy import URL

    from idp.storage.chains import Line, Seal

#: What the driver or the pool raises when the database is away, locked or failing over: answered by 503.
#: InternalError is what PostgreSQL answers once it has become a read-only replica.
DATABASE_AWAY = (InterfaceError, InternalError, OperationalError, PoolTimeoutError)
#: PostgreSQL aborts a transaction so that another may go on: serialization failure, deadlock.
_RETRY_STATES = frozenset({"40001", "40P01"})
_FOREIGN_KEY_STATE: Final = "23503"
#: How often a transaction is tried: whoever is aborted twice more meets a load that no retry helps against.
_TRIES: Final = 3
_BUSY_SECONDS = 5
_STATEMENT_TIMEOUT_MS = 5000
_BEGIN = "BEGIN IMMEDIATE"
#: How often a writer looks whether the writer of another process has ended. SQLite's own wait grows to a tenth of
#: a second, so that whoever has waited long waits longer: with two processes the slowest twentieth took 50 ms.
_TURN_SECONDS = 0.001
_DO_NOT_WAIT = "PRAGMA busy_timeout=0"
_WAIT = f"PRAGMA busy_timeout={_BUSY_SECONDS * 1000}"
#: The rest of an error code says more precisely what was busy.
_PRIMARY_CODE = 0xFF
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    _WAIT,
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)


class Database:
    """Two ways in: `read()` for statements that change nothing, `write()` for one transaction.

    Args:
        url: Such as `sqlite:////var/lib/idp/idp.db` or `postgresql://user@host/name`.
        pool_size: Connections kept for each way; threads of the process.
        seal: Authenticates the ends of the chains of lines; None where there are no keys.
        operator: Who runs the command that writes, named with each act of an administrator; None for a server.
    """

    def __init__(
        self, url: str, *, pool_size: int = 5, seal: Seal | None = None, operator: str | None = None
    ) -> None:
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        make = _sqlite_engine if self.is_sqlite else _postgresql_engine
        self.reader = make(parsed, pool_size, autocommit=True)
        self.writer = make(parsed, pool_size, autocommit=False)
        self._seal = seal
        self._operator = operator
        self._write_lock: threading.Lock | nullcontext[None] = (
            threading.Lock() if self.is_sqlite else nullcontext()
        )

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a connection for reads; each statement sees what was committed before it."""
        with self.reader.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Give a connection for reads that all see the same moment, however long they take.

        On SQLite text that is no UTF-8 comes out with replacement characters: who looks for altered rows must be
        able to read them.
        """
        with self.reader.connect() as connection:
            if not self.is_sqlite:
                yield connection.execution_options(isolation_level="REPEATABLE READ")
                return
            driver = cast("SQLiteConnection", connection.connection.dbapi_connection)
            usual = driver.text_factory
            driver.text_factory = _readable
            driver.execute("BEGIN")
            try:
                yield connection
            finally:
                driver.execute("ROLLBACK")
                driver.text_factory = usual

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give a connection in one transaction: committed at the end of the block, undone if anything is raised.

        A refusal that must be recorded is a value, not an exception. Lines of the trail and of the ledger are
        written last.
        """
        with self._write_lock, self.writer.begin() as connection:
            if self.is_sqlite:
                _begin_immediately(connection)
            lines: list[Line] = []
            # Of the pool's connection, which outlives this one: what is undone must not wait for the next.
            connection.info[WAITING] = lines
            connection.info[OPERATOR] = self._operator
            yield connection
            if lines:
                write_lines(connection, lines, self._seal)

    def dispose(self) -> None:
        """Close every connection; after a fork the child calls it before its first use."""
        self.reader.dispose()
        self.writer.dispose()

    def forget(self) -> None:
        """Drop connections inherited by a fork without closing the parent's."""
        self.reader.dispose(close=False)
        self.writer.dispose(close=False)


def is_retryable(error: DBAPIError) -> bool:
    """Tell whether the transaction was aborted only to let another go on, so that trying again is right."""
    return getattr(error.orig, "sqlstate", None) in _RETRY_STATES


def points_at_nothing(error: Exception) -> bool:
    """Tell whether a row was refused because what it belongs to is gone: an account erased at this very moment."""
    if not isinstance(error, IntegrityError):
        return False
    if isinstance(error.orig, DriverError):
        return error.orig.sqlite_errorcode == SQLITE_CONSTRAINT_FOREIGNKEY
    return getattr(error.orig, "sqlstate", None) == _FOREIGN_KEY_STATE


_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


def retried(use_case: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Run a use case again when PostgreSQL aborted its transaction so that another could go on.

    For a use case that is one transaction and changes nothing outside of it: what was aborted has left no trace.
    """

    @wraps(use_case)
    def run(*args: _Given.args, **kwargs: _Given.kwargs) -> _Result:
        for _ in range(_TRIES - 1):
            try:
                return use_case(*args, **kwargs)
            except DBAPIError as error:
                if not is_retryable(error):
                    raise
        return use_case(*args, **kwargs)

    return run


def open_database(
    url: str, *, pool_size: int = 5, seal: Seal | None = None, operator: str | None = None
) -> Database:
    """Open the database named by the URL; nothing is read or created yet."""
    return Database(url, pool_size=pool_size, seal=seal, operator=operator)


def _sqlite_engine(url: URL, pool_size: int, *, autocommit: bool) -> Engine:
    engine = create_engine(
        url,
        connect_args={"check_same_thread": False},
        poolclass=QueuePool,
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_BUSY_SECONDS,
        # Nothing is open to roll back on the read side, and the write side ends each transaction itself.
        pool_reset_on_return=None if autocommit else "rollback",
    )

    @event.listens_for(engine, "connect")
    def configure(dbapi_connection: SQLiteConnection, _record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's record
        # The driver would send a deferred BEGIN of its own, which fails when a read becomes a write.
        dbapi_connection.isolation_level = None
        for pragma in _PRAGMAS:
            dbapi_connection.execute(pragma)

    return engine


def _readable(text: bytes) -> str:
    return text.decode(errors="replace")


def _begin_immediately(connection: Connection) -> None:
    # Not by a "begin" event: one listener makes SQLAlchemy prepare events for each statement. Straight to the
    # driver: as a statement of SQLAlchemy it would cost as much as one that reads a row.
    driver = cast("SQLiteConnection", connection.connection.dbapi_connection)
    driver.execute(_DO_NOT_WAIT)
    try:
        _take_turn(driver)
    finally:
        driver.execute(_WAIT)


def _take_turn(driver: SQLiteConnection) -> None:
    latest = monotonic() + _BUSY_SECONDS
    while True:
        try:
            driver.execute(_BEGIN)
        except DriverOperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE != SQLITE_BUSY or monotonic() > latest:
                raise OperationalError(_BEGIN, None, error) from error
            sleep(_TURN_SECONDS)
        else:
            return


def _postgresql_engine(url: URL, pool_size: int, *, autocommit: bool) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        connect_args={
            "connect_timeout": _BUSY_SECONDS,
            "options": f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c timezone=UTC",
            # Prepared at the second use: the hot statements are few and always the same.
            "prepare_threshold": 1,
        },
        isolation_level="AUTOCOMMIT" if autocommit else "READ COMMITTED",
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_BUSY_SECONDS,
        pool_recycle=600,
        # A restarted server leaves dead connections behind: the first one met empties the pool.
        pool_reset_on_return=None if autocommit else "rollback",
    )
    # Two tokens in one INSERT instead of two in a pipeline: a quarter less work, client and server together.
    engine.dialect.use_insertmanyvalues_wo_returning = True
    return engine
