"""The databases that are measured: on a disk, as durable as in production."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from tests.support.postgresql import PostgreSQL

#: What the tests turn off for speed, and a city does not.
_DURABLE = ("fsync", "synchronous_commit", "full_page_writes", "autovacuum")


@dataclass(frozen=True, slots=True)
class Place:
    """A database that can be measured.

    Args:
        name: Kind and version.
        url: Empty.
        server: First process of the database's own; None for SQLite, which has none.
    """

    name: str
    url: str
    server: int | None

    @property
    def servers(self) -> tuple[int, ...]:
        """The database's processes, for `cpu_seconds`."""
        return () if self.server is None else (self.server,)


def sqlite(folder: Path, version: str) -> Place:
    """Name a new SQLite database.

    Args:
        folder: Where it will stand.
        version: Of the library.
    """
    return Place(f"SQLite {version}", f"sqlite:///{folder / 'idp.db'}", None)


@contextmanager
def postgresql(folder: Path) -> Iterator[tuple[Place, str]]:
    """Run a PostgreSQL server of the bench's own.

    Args:
        folder: Where it will stand; open to the user who runs it.

    Yields:
        The database, and the server's version.
    """
    server = PostgreSQL.create(folder / "postgresql", folder / "programs")
    try:
        with psycopg.connect(server.url(), autocommit=True) as connection:
            for name in _DURABLE:
                connection.execute(f"ALTER SYSTEM SET {name} = on".encode())
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE idp")
            version = connection.execute("SHOW server_version").fetchone()
        found = "" if version is None else str(version[0]).partition(" ")[0]
        pid = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
        yield Place(f"PostgreSQL {found}", server.url("idp"), pid), found
    finally:
        server.remove()
