"""How many statements and transactions each operation takes, counted in process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.bench.visits import ALL, OPERATIONS, Visitor
from tests.bench.wire import Answer, Request, Steps
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flask import Flask
    from flask.testing import FlaskClient

    from idp.storage.engine import Database

#: The first time, clients are read and statements are prepared.
_WARM_UP = 2


@dataclass(frozen=True, slots=True)
class Statements:
    """What one operation asks of the database."""

    statements: int
    transactions: int


def count_statements(
    app: Flask, database: Database, visitor: Visitor, operations: Sequence[str]
) -> dict[str, Statements]:
    """Do each operation once with a recorder on.

    Args:
        app: As `idp.app` builds it.
        database: The one that the application uses.
        visitor: Of that database.
        operations: Names of `visits.OPERATIONS`.
    """
    # Cookies are the visitor's own: the operations write the header themselves.
    client = app.test_client(use_cookies=False)
    perform(client, ALL["prepare"](visitor))
    counted = {}
    for name in operations:
        operation = OPERATIONS[name]
        for _ in range(_WARM_UP):
            perform(client, operation(visitor))
        with recorded_queries(database.reader, database.writer) as recording:
            perform(client, operation(visitor))
        # A read outside a transaction is not committed, only the write side is.
        counted[name] = Statements(len(recording), recording.commits)
    return counted


def perform(client: FlaskClient, steps: Steps) -> None:
    """Do an operation in process.

    Args:
        client: Of the application.
        steps: Its requests.
    """
    request = next(steps)
    while True:
        try:
            request = steps.send(_answer(client, request))
        except StopIteration:
            return


def _answer(client: FlaskClient, request: Request) -> Answer:
    form = "application/x-www-form-urlencoded" if request.method == "POST" else None
    given = client.open(
        request.path,
        method=request.method,
        headers=list(request.headers),
        data=request.body or None,
        content_type=form,
        environ_overrides={"REMOTE_ADDR": "127.0.0.1"},
    )
    head = "\r\n".join([f"HTTP/1.1 {given.status}", *(f"{name}: {value}" for name, value in given.headers)])
    return Answer(given.status_code, head, given.get_data())
