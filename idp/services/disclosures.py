"""The log of disclosures: what every service was told of a person (PRI-2, S-455).

An answer to a service notes it in memory, which costs microseconds and no statement; a thread of each process
writes what was noted, about each second, in one batch. What a crash can lose: docs/decisions/0023.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from threading import Event, Lock, Thread, main_thread
from typing import TYPE_CHECKING, Any, Final

from idp.domain.disclosure import Disclosure, told_claims
from idp.outbound.logs import get_logger
from idp.protocol.claims.verified import VERIFIED_CLAIMS
from idp.storage.repositories import disclosures

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from idp.domain.disclosure import Way
    from idp.storage.engine import Database

_LOG: Final = get_logger("idp.disclosures")
#: What one process keeps in memory at most: some seconds of the fastest server, and a few megabytes.
_CAPACITY: Final = 10_000
#: A second is what a crash can lose.
_INTERVAL_SECONDS: Final = 1.0
_Noted = tuple[str, str, "Way", tuple[str, ...], tuple[str, ...], "datetime"]
_Key = tuple[str, str, "Way", str, tuple[str, ...]]


class DisclosureLog:
    """What this process has told and not yet written; any thread may note, any may write.

    Args:
        capacity: How many answers and rows wait at most. Whoever adds one more writes first, and fails when that
            fails: what can't be recorded isn't told.
    """

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._noted: deque[_Noted] = deque()
        self._totals: dict[_Key, Disclosure] = {}
        self._writing = Lock()

    def note(
        self,
        database: Database,
        way: Way,
        whom: tuple[str, str],
        claims: Mapping[str, Any],
        at: datetime,
    ) -> None:
        """Note what is told, before it is sent; outside of any transaction.

        Args:
            database: Where it will be written.
            way: How it is told.
            whom: The account, and the service that is told.
            claims: The members of the answer; only their names are kept.
            at: When.

        Raises:
            OperationalError: Too much waits already, and the database is away.
        """
        if len(self._noted) + len(self._totals) >= self._capacity:
            self.flush(database)
        verified = _names_within(claims[VERIFIED_CLAIMS]) if VERIFIED_CLAIMS in claims else ()
        # One append needs no lock; the rest of the work is the writer's.
        self._noted.append((*whom, way, tuple(claims), verified, at))

    def flush(self, database: Database) -> int:
        """Write everything that was noted before; what can't be written stays, for the next try.

        Returns:
            How many rows were written.
        """
        with self._writing:
            self._add_up()
            rows = [self._totals[key] for key in sorted(self._totals)]
            if rows:
                with database.write() as connection:
                    disclosures.add(connection, rows)
                self._totals.clear()
            return len(rows)

    def _add_up(self) -> None:
        # Only what is there now: notes come on while this runs.
        for _ in range(len(self._noted)):
            account_id, client_id, way, names, verified, at = self._noted.popleft()
            claims, day = told_claims(names, verified), at.date().isoformat()
            key = (account_id, client_id, way, day, claims)
            before = self._totals.get(key)
            if before is None:
                self._totals[key] = Disclosure(account_id, client_id, way, day, claims, at, at, 1)
            else:
                self._totals[key] = replace(
                    before,
                    first_at=min(before.first_at, at),
                    last_at=max(before.last_at, at),
                    times=before.times + 1,
                )


class DisclosureWriter:
    """Writes a log about each second, by a thread of its own; started in each process that serves.

    Args:
        log: What to write.
        database: Where.
        interval: Seconds between two looks.
    """

    def __init__(
        self, log: DisclosureLog, database: Database, *, interval: float = _INTERVAL_SECONDS
    ) -> None:
        self._log = log
        self._database = database
        self._interval = interval
        self._stop = Event()
        # No daemon: a process that ends by itself waits for the last batch.
        self._thread = Thread(target=self._work, name="disclosures")

    def start(self) -> None:
        """Start the thread; after the fork of the process that serves."""
        self._thread.start()

    def close(self) -> None:
        """Write what is left and end the thread."""
        self._stop.set()
        self._thread.join()

    def _work(self) -> None:
        while main_thread().is_alive() and not self._stop.wait(self._interval):
            self._write()
        self._write()

    def _write(self) -> None:
        try:
            self._log.flush(self._database)
        except Exception:  # noqa: BLE001 - whatever it is, what was noted is kept, and the thread must go on
            _LOG.exception("disclosures_wait")


def _names_within(elements: dict[str, Any] | list[dict[str, Any]]) -> tuple[str, ...]:
    each = elements if isinstance(elements, list) else [elements]
    return tuple(name for element in each for name in element["claims"])
