"""The database as it is opened: settings of SQLite and PostgreSQL, transactions, aware datetimes (OPS-2, OPS-5)."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError, StatementError

from idp.storage.engine import is_retryable, open_database, retried
from idp.storage.models import clients, token_families
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from idp.storage.engine import Database

MOMENT = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=UTC)


def a_row(client_id: str = "a", created_at: datetime = MOMENT) -> dict[str, object]:
    """Give a row of clients."""
    return {"client_id": client_id, "version": 1, "name": "A", "metadata": {}, "created_at": created_at}


@pytest.mark.rule("OPS-5")
def test_sqlite_is_durable_and_checks_references(sqlite_url: str) -> None:
    """WAL, an fsync at each commit, foreign keys, on readers and writers alike."""
    database = open_database(sqlite_url)
    found = []
    for engine in (database.reader, database.writer):
        with engine.connect() as connection:
            found.append(
                [
                    connection.scalar(text(f"PRAGMA {name}"))
                    for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
                ]
            )
    database.dispose()

    assert found == [["wal", 2, 1, 5000]] * 2


@pytest.mark.rule("OPS-5")
def test_sqlite_writer_takes_its_lock_before_it_reads(sqlite_url: str) -> None:
    """BEGIN IMMEDIATE: a read that becomes a write can't fail half-way."""
    database = open_database(sqlite_url)
    path = sqlite_url.removeprefix("sqlite:///")

    with database.write() as connection:
        connection.execute(select(clients.c.client_id))
        other = sqlite3.connect(path, timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
    database.dispose()


def test_reference_to_nothing_is_refused(database: Database) -> None:
    """Foreign keys hold on both databases."""
    row = {
        "family_id": "f", "client_id": "nobody", "subject": "s", "grant": {}, "created_at": MOMENT,
        "expires_at": MOMENT,
    }  # fmt: skip

    with pytest.raises(IntegrityError), database.write() as connection:
        connection.execute(insert(token_families).values(row))


def test_transaction_that_raises_leaves_nothing(database: Database) -> None:
    """All or nothing, and the next one goes on."""

    def fail() -> None:
        with database.write() as connection:
            connection.execute(insert(clients).values(a_row()))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    with database.read() as connection:
        assert connection.scalar(select(clients.c.client_id)) is None
    with database.write() as connection:
        connection.execute(insert(clients).values(a_row()))


def test_use_case_is_one_transaction(database: Database) -> None:
    """One commit for a block of several statements; none for reads."""
    with recorded_queries(database.reader, database.writer) as recording:
        with database.write() as connection:
            connection.execute(insert(clients).values(a_row("a")))
            connection.execute(insert(clients).values(a_row("b")))
        with database.read() as connection:
            connection.execute(select(clients.c.client_id))

    assert recording.commits == 1


def test_read_sees_what_was_committed_and_nothing_else(database: Database) -> None:
    """Neither a read nor its connection waits for a writer, and it never sees half of a transaction."""
    with database.write() as writer:
        writer.execute(insert(clients).values(a_row()))
        with database.read() as reader:
            assert reader.scalar(select(clients.c.client_id)) is None
    with database.read() as reader:
        assert reader.scalar(select(clients.c.client_id)) == "a"


def test_moment_comes_back_to_the_microsecond_whatever_the_zone(database: Database) -> None:
    """An hour that summer time repeats is one moment; the server's own zone changes nothing."""
    with database.write() as connection:
        connection.execute(insert(clients).values(a_row()))

    with database.read() as connection:
        found = connection.scalar(select(clients.c.created_at))
        raw = connection.scalar(text("SELECT created_at FROM clients"))

    assert found == MOMENT
    assert found.tzinfo is UTC
    assert raw == int(MOMENT.timestamp()) * 1_000_000 + 123456


def test_moment_without_a_zone_is_refused(database: Database) -> None:
    """A naive datetime does not enter."""
    naive = MOMENT.replace(tzinfo=None)

    with pytest.raises(StatementError, match="naive"), database.write() as connection:
        connection.execute(insert(clients).values(a_row(created_at=naive)))


@pytest.mark.rule("OPS-5")
def test_writers_of_one_process_wait_for_each_other(database: Database) -> None:
    """Sixteen threads write a hundred rows each of their own: none fails, none is lost."""
    failed: list[BaseException] = []

    def write(number: int) -> None:
        try:
            for row in range(10):
                with database.write() as connection:
                    connection.execute(insert(clients).values(a_row(f"{number}-{row}")))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test tells
            failed.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    with database.read() as connection:
        assert len(connection.execute(select(clients.c.client_id)).all()) == 160


def test_aborted_transaction_is_told_from_a_failed_one(postgresql_url: str) -> None:
    """Only a transaction that made way for another is worth trying again."""
    database = open_database(postgresql_url)
    codes = []
    for state in ("40001", "40P01", "23505"):
        statement = text(f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$")
        with pytest.raises(DBAPIError) as caught, database.write() as connection:
            connection.execute(statement)
        codes.append(is_retryable(caught.value))
    database.dispose()

    assert codes == [True, True, False]


@pytest.mark.parametrize(
    "state, aborted, tries",
    [("40P01", 1, 2), ("40001", 2, 3), ("40001", 9, 3), ("23505", 1, 1)],
    ids=["deadlock", "twice in a row", "again and again", "another error"],
)
def test_use_case_is_tried_again_when_it_made_way_for_another(
    postgresql_url: str, state: str, aborted: int, tries: int
) -> None:
    """Three times at most, and an error that would come again is raised at once."""
    database = open_database(postgresql_url)
    ran = []

    @retried
    def use_case(answer: str) -> str:
        ran.append(answer)
        with database.write() as connection:
            if len(ran) <= aborted:
                connection.execute(text(f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$"))
        return answer

    if aborted < tries:
        assert use_case("done") == "done"
    else:
        with pytest.raises(DBAPIError):
            use_case("done")
    database.dispose()

    assert len(ran) == tries


def test_statement_that_never_ends_is_stopped(postgresql_url: str) -> None:
    """The server itself stops what takes too long: the time limit is set on each connection."""
    database = open_database(postgresql_url)
    with database.read() as connection:
        limit = connection.scalar(text("SHOW statement_timeout"))
        connection.execute(text("SET statement_timeout = 50"))
        with pytest.raises(OperationalError):
            connection.execute(text("SELECT pg_sleep(5)"))
    database.dispose()

    assert limit == "5s"
