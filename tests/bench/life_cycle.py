"""`python -m tests.bench.life_cycle`: how long the job over unused accounts takes among two million accounts (LIF-3).

Three cases, the database on a disk and as durable as in production: rows of before the latest use was kept, which the
first run fills in; a city in its usual state, where one account in twenty was warned and none is due; and the worst,
a dry run over a city that nobody uses any more.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

import click
from sqlalchemy import text

from idp.crypto.keyring import KeyFolder
from idp.domain.life_cycle import LifeCyclePolicy
from idp.outbound.http import NullHTTPClient
from idp.services.account import life_cycle
from idp.services.tools import Console
from idp.storage.engine import open_database
from idp.storage.migrate import upgrade
from tests.bench import places
from tests.support.clock import SettableClock
from tests.support.life_cycle import fill

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.bench.places import Place

POLICY = LifeCyclePolicy()
NOW = datetime(2029, 4, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)
_WARN = """
INSERT INTO lifecycle_warnings (account_id, idle_since, stage, message_id, queued_at, deletes_at, delivered_at)
SELECT account_id, last_active_at, {stage}, account_id || '/{stage}', last_active_at, {deletes_at}, {delivered_at}
FROM accounts WHERE last_active_at <= {before}
"""


def main() -> None:
    """Measure on each database."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.life_cycle", description=__doc__)
    parser.add_argument("--accounts", default=2_000_000, type=int)
    parser.add_argument("--databases", default="sqlite,postgresql")
    chosen = parser.parse_args()
    click.echo(f"load before: {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores; {chosen.accounts:,} accounts")
    folder = Path(mkdtemp(prefix="idp-bench-"))
    folder.chmod(0o711)
    try:
        for name in chosen.databases.split(","):
            with _place(name, folder) as place:
                _measure(place, chosen.accounts)
    finally:
        shutil.rmtree(folder)


@contextmanager
def _place(name: str, folder: Path) -> Iterator[Place]:
    with ExitStack() as stack:
        if name == "sqlite":
            yield places.sqlite(folder, sqlite3.sqlite_version)
        else:
            yield stack.enter_context(places.postgresql(folder))[0]


def _measure(place: Place, number: int) -> None:
    database = open_database(place.url)
    upgrade(database)
    keys = KeyFolder(Path("no-keys"), None, time.monotonic)
    tools = Console(database, SettableClock(NOW), keys, NullHTTPClient, "https://compte.example.org")

    def run() -> str:
        done = life_cycle.run(tools, POLICY)
        return f"{done.dated:,} dated, {done.looked_at:,} looked at, {done.warned:,} warned"

    def look() -> str:
        return f"{sum(1 for _ in life_cycle.foreseen(tools, POLICY)):,} looked at"

    click.echo(f"\n{place.name}")
    _timed("fill, undated", lambda: fill(database, number, first=NOW - 30 * DAY, last=None))
    _timed("first run: old rows are dated", run)
    _empty(database)
    _timed("fill, used evenly over 37 months", lambda: _a_city(database, number))
    _timed("usual run", run)
    _empty(database)
    first = POLICY.inactive_at(NOW) - 9000 * DAY
    _timed("fill, all abandoned", lambda: fill(database, number, first=first, last=first + 30 * DAY))
    _timed("dry run, all abandoned", look)
    database.dispose()


def _a_city(database: Database, number: int) -> None:
    """Warn everybody in the last 60 days, of a date that has not come: what the job reads and leaves alone."""
    fill(database, number, first=POLICY.idle_before(NOW) - 60 * DAY, last=NOW)
    before = _microseconds(POLICY.idle_before(NOW))
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        for stage in (60, 30, 7):
            connection.execute(
                text(
                    _WARN.format(
                        stage=stage,
                        deletes_at=_microseconds(NOW + 70 * DAY),
                        delivered_at=_microseconds(NOW - DAY),
                        before=before,
                    )
                )
            )
        connection.execute(text("ANALYZE lifecycle_warnings"))


def _empty(database: Database) -> None:
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text("DELETE FROM lifecycle_warnings"))
        connection.execute(text("DELETE FROM accounts"))
    if not database.is_sqlite:
        with database.read() as connection:
            connection.execute(text("SET statement_timeout = 0"))
            connection.execute(text("VACUUM accounts"))


def _timed(what: str, act: Callable[[], str | None]) -> None:
    wall, processor = time.perf_counter(), time.process_time()
    said = act()
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    click.echo(f"  {what:36} {wall:7.1f} s ({processor:.1f} s of our processor)  {said or ''}")


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


if __name__ == "__main__":
    main()
