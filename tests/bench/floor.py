"""What nothing can be cheaper than: an empty answer of Flask on the same server, one signature, one commit."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import psycopg
from flask import Flask

from idp.cli.server.start import listening, serve_by_engine
from idp.config import Settings, load
from idp.crypto.jwt import sign
from tests.bench.processes import cpu_seconds

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from idp.crypto.keyring import SigningKey

_SIGNATURES = 2000
_COMMITS = 1000
_ROW = b"x" * 32
_CLAIMS = {"iss": "https://compte.example.org", "sub": "s" * 43, "aud": "service", "iat": 1, "exp": 2}


def signature_milliseconds(key: SigningKey) -> float:
    """Measure a signature.

    Args:
        key: Of the algorithm that new clients get.
    """

    def repeat() -> None:
        for _ in range(_SIGNATURES):
            sign(_CLAIMS, key)

    return _milliseconds(repeat, _SIGNATURES)


def sqlite_commit_milliseconds(path: Path) -> float:
    """Measure a transaction of one row, as durable as ours, straight through the driver.

    Args:
        path: Of a new database.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE floor (x BLOB)",
        ):
            connection.execute(statement)

        def repeat() -> None:
            for _ in range(_COMMITS):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO floor VALUES (?)", (_ROW,))
                connection.execute("COMMIT")

        return _milliseconds(repeat, _COMMITS)


def postgresql_commit_milliseconds(url: str, server: int) -> float:
    """Measure a transaction of one row on PostgreSQL, the server's processes included.

    Args:
        url: Of a database.
        server: Number of the server's first process.
    """
    with psycopg.connect(url, prepare_threshold=1) as connection:
        connection.execute("CREATE TABLE floor (x bytea)")
        connection.commit()

        def repeat() -> None:
            for _ in range(_COMMITS):
                connection.execute("INSERT INTO floor VALUES (%s)", (_ROW,))
                connection.commit()

        return _milliseconds(repeat, _COMMITS, server)


def _milliseconds(repeat: Callable[[], None], times: int, *servers: int) -> float:
    began = process_time() + cpu_seconds(*servers)
    repeat()
    return (process_time() + cpu_seconds(*servers) - began) / times * 1000


def empty_application() -> WSGIApplication:
    """Build the smallest application of Flask."""
    app = Flask("floor")
    app.add_url_rule("/", "empty", lambda: "")
    return app.wsgi_app


def main() -> None:
    """Serve the empty application as the configuration says."""
    settings = load(Path(sys.argv[1]))

    def unchanged() -> Settings:
        return settings

    serve_by_engine(unchanged, empty_application, lambda: None, listening(settings.server.bind))


if __name__ == "__main__":
    main()
