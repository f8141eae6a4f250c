"""Parking rights: sample data, kept per subject.

A real service would have its own business rules and payment; these are just enough for each
button of the personal space to do something that can be seen.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

Status = Literal["active", "unpaid", "cancelled"]

YEAR = timedelta(days=365)
#: A right can be renewed from two months before its end.
RENEWAL_WINDOW = timedelta(days=60)
#: The first change of address is free, the next ones are not.
ADDRESS_CHANGE_PRICE = 10

_PLATE = re.compile(r"([A-Z]{2})[ -]?([0-9]{3})[ -]?([A-Z]{2})")
_OLD_PLATE = re.compile(r"([0-9]{1,4})[ -]?([A-Z]{2,3})[ -]?([0-9]{2}|2[AB])")
_PARIS_POSTCODE = re.compile(r"\b(?:750(?:0[1-9]|1[0-9]|20)|75116)\b")

MAX_ADDRESS_LENGTH = 200

_SAMPLE_ADDRESS = "12 bis, rue des Amandiers, 75020 Paris"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS rights (
    id INTEGER PRIMARY KEY,
    subject TEXT NOT NULL,
    plate TEXT NOT NULL,
    address TEXT NOT NULL,
    status TEXT NOT NULL,
    requested_on TEXT NOT NULL,
    valid_until TEXT,
    address_changes INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS rights_of_subject ON rights (subject);
-- Mon Paris keeps the answers about mobile providers, which earlier versions kept here.
DROP TABLE IF EXISTS mobile_consents;
"""


@dataclass(frozen=True)
class Right:
    """A right to park near home, or the request for one."""

    id: int
    plate: str
    address: str
    status: Status
    requested_on: date
    valid_until: date | None
    address_changes: int

    def is_over(self, today: date) -> bool:
        """Tell whether an activated right has ended."""
        return self.status == "active" and self.valid_until is not None and self.valid_until < today

    def is_running(self, today: date) -> bool:
        """Tell whether the right can be used and changed."""
        return self.status == "active" and not self.is_over(today)

    def is_renewable(self, today: date) -> bool:
        """Tell whether the end is near or past."""
        ends = self.valid_until
        return self.status == "active" and ends is not None and ends - today <= RENEWAL_WINDOW

    @property
    def address_change_price(self) -> int:
        """Return what the next change of address costs, in euros."""
        return ADDRESS_CHANGE_PRICE if self.address_changes else 0


def read_plate(text: str) -> str | None:
    """Write a number plate as it stands on the car; None when it is not one."""
    typed = text.strip().upper()
    match = _PLATE.fullmatch(typed)
    if match is not None:
        return "-".join(match.groups())
    match = _OLD_PLATE.fullmatch(typed)
    return None if match is None else " ".join(match.groups())


def read_address(text: str) -> str | None:
    """Accept an address in Paris; None when it is not one."""
    typed = " ".join(text.split())
    fits = len(typed) <= MAX_ADDRESS_LENGTH and _PARIS_POSTCODE.search(typed) is not None
    return typed if fits else None


class ParkingStore:
    """The rights, in one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._database() as database:
            database.executescript(_SCHEMA)

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction."""
        with closing(sqlite3.connect(self._path, timeout=5)) as database, database:
            yield database

    def rights(self, subject: str, today: date) -> list[Right]:
        """List a person's rights, the newest first; a newcomer gets sample ones."""
        found = self._select(subject)
        if not found:
            self._add_samples(subject, today)
            found = self._select(subject)
        return found

    def _select(self, subject: str) -> list[Right]:
        with self._database() as database:
            rows = database.execute(
                "SELECT id, plate, address, status, requested_on, valid_until, address_changes"
                " FROM rights WHERE subject = ? ORDER BY requested_on DESC, id DESC",
                (subject,),
            )
            return [_right(row) for row in rows]

    def right(self, subject: str, right_id: int) -> Right | None:
        """Find one right of this person."""
        return next((right for right in self._select(subject) if right.id == right_id), None)

    def is_newcomer(self, subject: str) -> bool:
        """Tell whether nothing is kept of this person yet."""
        return not self._select(subject)

    def request(self, subject: str, plate: str, address: str, today: date) -> Right:
        """Ask for a right, which waits for its payment."""
        self._insert(subject, plate, address, status="unpaid", requested_on=today)
        return max(self._select(subject), key=lambda right: right.id)

    def pay(self, right: Right, today: date) -> None:
        """Activate a right for a year."""
        self._update(right, "status = 'active', valid_until = ?", (today + YEAR).isoformat())

    def cancel(self, right: Right) -> None:
        """Give up a request that is not paid."""
        self._update(right, "status = 'cancelled'")

    def change_plate(self, right: Right, plate: str) -> None:
        """Move a right to another vehicle."""
        self._update(right, "plate = ?", plate)

    def change_address(self, right: Right, address: str) -> None:
        """Move a right to another home."""
        self._update(right, "address_changes = address_changes + 1, address = ?", address)

    def forget(self, subject: str) -> None:
        """Erase what is kept of a person whose account at Mon Paris is gone."""
        with self._database() as database:
            database.execute("DELETE FROM rights WHERE subject = ?", (subject,))

    def _insert(
        self,
        subject: str,
        plate: str,
        address: str,
        *,
        status: Status,
        requested_on: date,
        valid_until: date | None = None,
        address_changes: int = 0,
    ) -> None:
        ends = None if valid_until is None else valid_until.isoformat()
        with self._database() as database:
            database.execute(
                "INSERT INTO rights (subject, plate, address, status, requested_on, valid_until,"
                " address_changes) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (subject, plate, address, status, requested_on.isoformat(), ends, address_changes),
            )

    def _update(self, right: Right, change: str, *values: str) -> None:
        """Change a right; the clauses are constants of this class."""
        with self._database() as database:
            database.execute(f"UPDATE rights SET {change} WHERE id = ?", (*values, right.id))  # noqa: S608 - No input in it.

    def _add_samples(self, subject: str, today: date) -> None:
        """Give a newcomer one right of each kind."""
        day = timedelta(days=1)
        self._insert(
            subject,
            "AB-305-WX",
            _SAMPLE_ADDRESS,
            status="cancelled",
            requested_on=today - 420 * day,
        )
        self._insert(
            subject,
            "CN-719-PA",
            _SAMPLE_ADDRESS,
            status="active",
            requested_on=today - 345 * day,
            valid_until=today + 20 * day,
            address_changes=1,
        )
        self._insert(
            subject,
            "FK-482-ZD",
            _SAMPLE_ADDRESS,
            status="active",
            requested_on=today - 65 * day,
            valid_until=today + 300 * day,
        )
        self._insert(
            subject,
            "GH-264-LT",
            _SAMPLE_ADDRESS,
            status="unpaid",
            requested_on=today - 2 * day,
        )


def _right(row: tuple[int, str, str, Status, str, str | None, int]) -> Right:
    """Read a row."""
    right_id, plate, address, status, requested_on, valid_until, address_changes = row
    ends = None if valid_until is None else date.fromisoformat(valid_until)
    requested = date.fromisoformat(requested_on)
    return Right(right_id, plate, address, status, requested, ends, address_changes)
