"""New, migrated, empty databases at the price of a copy, on SQLite and on PostgreSQL.

The migrations run once per run and kind of database; the processes of pytest-xdist share what they made.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import cached_property
from itertools import count
from pathlib import Path
from tempfile import gettempdir, mkdtemp

import psycopg

from tests.support.postgresql import PostgreSQL

# The process that the user started names the folder; those of pytest-xdist inherit the name.
FOLDER = "IDP_TEST_DATABASES"
PREFIX = "idp-tests-"
TEMPLATE = "idp_template"
VERSION_15 = 15_00_00
KEPT = 4
# Copying a database is forty times quicker in memory than on a disk.
MEMORY = Path("/dev/shm")  # noqa: S108 - the folder below it is made by mkdtemp
ENOUGH_BYTES = 2 * 1024**3


class Databases:
    """Hands out databases.

    Args:
        folder: Shared by all processes of this run.
        upgrade: Brings the database of a URL to the newest migration.
    """

    def __init__(self, folder: Path, upgrade: Callable[[str], None]) -> None:
        self._folder = folder
        self._upgrade = upgrade
        self._names = (f"test_{os.getpid()}_{number}" for number in count(1))
        self._left: deque[str] = deque()

    @contextmanager
    def new(self, kind: str) -> Iterator[str]:
        """Make a migrated, empty database, and drop it after the block.

        Args:
            kind: `sqlite` or `postgresql`.

        Yields:
            Its URL.
        """
        make = {"sqlite": self._sqlite, "postgresql": self._postgresql}[kind]
        with make(next(self._names)) as url:
            yield url

    @contextmanager
    def _sqlite(self, name: str) -> Iterator[str]:
        path = self._folder / f"{name}.sqlite"
        shutil.copyfile(self._sqlite_template, path)
        try:
            yield f"sqlite:///{path}"
        finally:
            for file in self._folder.glob(f"{path.name}*"):
                file.unlink()

    @contextmanager
    def _postgresql(self, name: str) -> Iterator[str]:
        server = self._migrated_server
        # Before version 15 this strategy was the only one; where fsync is off it is the quick one.
        strategy = "STRATEGY file_copy" if self._administrator.info.server_version >= VERSION_15 else ""
        self._administrator.execute(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE} {strategy}'.encode())
        try:
            yield server.url(name)
        finally:
            # A connection closed a moment ago makes the server wait for a tenth of a second: drop it later.
            self._left.append(name)
            if len(self._left) > KEPT:
                drop = f'DROP DATABASE "{self._left.popleft()}" WITH (FORCE)'
                self._administrator.execute(drop.encode())

    @cached_property
    def server(self) -> PostgreSQL:
        """The PostgreSQL server of this run, started by whichever process asks first."""
        state = self._folder / "server.json"
        with locked(self._folder):
            if not state.exists():
                PostgreSQL.create(self._folder / "postgresql", copies_beside(self._folder)).save(state)
            return PostgreSQL.load(state)

    def close(self) -> None:
        """Close what this process holds; the server goes on for the others."""
        if "_administrator" in self.__dict__:
            self._administrator.close()

    @cached_property
    def _sqlite_template(self) -> Path:
        template = self._folder / "template.sqlite"
        with locked(self._folder):
            if not template.exists():
                new = template.with_suffix(".new")
                self._upgrade(f"sqlite:///{new}")
                # What still stands in the write-ahead log goes into the file that is copied.
                with closing(sqlite3.connect(new)) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                new.rename(template)
        return template

    @cached_property
    def _migrated_server(self) -> PostgreSQL:
        server = self.server
        with locked(self._folder):
            known = b"SELECT 1 FROM pg_database WHERE datname = %s"
            if not self._administrator.execute(known, [TEMPLATE]).fetchone():
                self._administrator.execute("CREATE DATABASE template_in_work")
                self._upgrade(server.url("template_in_work"))
                rename = f"ALTER DATABASE template_in_work RENAME TO {TEMPLATE}"
                self._administrator.execute(rename.encode())
        return server

    @cached_property
    def _administrator(self) -> psycopg.Connection:
        return psycopg.connect(self.server.url(), autocommit=True)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep the other processes of this run out while the block runs.

    Args:
        folder: Shared by them.

    Yields:
        Nothing.
    """
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_shared_folder() -> Path:
    """Make the folder of this run; called by the process that the user started.

    Returns:
        The folder, empty.
    """
    folder = Path(mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=quickest_place()))
    # Others may pass through, not look: the PostgreSQL server below it may belong to another user.
    folder.chmod(0o711)
    os.environ[FOLDER] = str(folder)
    return folder


def quickest_place() -> Path:
    """Choose where databases go.

    Returns:
        Memory when there is enough of it, else the folder for temporary files.
    """
    usable = MEMORY.is_dir() and os.access(MEMORY, os.W_OK | os.X_OK)
    if usable and shutil.disk_usage(MEMORY).free > ENOUGH_BYTES:
        return MEMORY
    return Path(gettempdir())


def copies_beside(folder: Path) -> Path:
    """Say where copies of programs go: memory is often mounted so that none may run from it.

    Args:
        folder: Of a run.

    Returns:
        A folder that may not exist.
    """
    return Path(gettempdir()) / f"{folder.name}-programs"


def shared_folder() -> Path:
    """Say where this run keeps its databases.

    Returns:
        The folder that the process started by the user made.
    """
    return Path(os.environ[FOLDER])


def clean_up(folder: Path) -> None:
    """Stop the PostgreSQL server of a run, and delete what the run made.

    Args:
        folder: Of that run.
    """
    state = folder / "server.json"
    if state.exists():
        PostgreSQL.load(state).stop()
    shutil.rmtree(copies_beside(folder), ignore_errors=True)
    shutil.rmtree(folder)


def clean_up_after_the_dead() -> None:
    """Clean up after runs that were killed before they could."""
    for folder in [*Path(gettempdir()).glob(f"{PREFIX}*"), *MEMORY.glob(f"{PREFIX}*")]:
        pid = folder.name.removeprefix(PREFIX).partition("-")[0]
        # Two runs that start together find the same folder: the second finds it gone.
        with suppress(FileNotFoundError):
            if folder.stat().st_uid == os.geteuid() and not is_alive(int(pid)):
                with locked(folder):
                    clean_up(folder)


def is_alive(pid: int) -> bool:
    """Say whether a process runs.

    Args:
        pid: Its number.

    Returns:
        True also for another user's.
    """
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
