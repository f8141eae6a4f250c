"""Backups of a database as it stood at a moment, to be restored beside it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg


@contextmanager
def backup_of(url: str) -> Iterator[str]:
    """Copy a database to which nobody is connected at this moment, and drop the copy after the block.

    Args:
        url: Of the database.

    Yields:
        The URL of the copy.
    """
    copied = _of_sqlite(url) if url.startswith("sqlite") else _of_postgresql(url)
    with copied as copy:
        yield copy


@contextmanager
def _of_sqlite(url: str) -> Iterator[str]:
    path = Path(url.removeprefix("sqlite:///"))
    copy = path.with_suffix(".backup")
    # What still stands in the write-ahead log goes into the file that is copied.
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    shutil.copyfile(path, copy)
    try:
        yield f"sqlite:///{copy}"
    finally:
        for file in copy.parent.glob(f"{copy.name}*"):
            file.unlink()


@contextmanager
def _of_postgresql(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    name = parts.path.removeprefix("/")
    copy = f"{name}_backup"
    with psycopg.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True) as administrator:
        # A connection that was closed a moment ago may not have left yet.
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        )
        administrator.execute(f'CREATE DATABASE "{copy}" TEMPLATE "{name}"'.encode())
        try:
            yield urlunsplit(parts._replace(path=f"/{copy}"))
        finally:
            administrator.execute(f'DROP DATABASE "{copy}" WITH (FORCE)'.encode())
