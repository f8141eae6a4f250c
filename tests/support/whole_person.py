"""A person of whom every table speaks that can, for tests of what is left of them afterwards.

Rows are made from the tables themselves: a new table is filled without a line here, and found when it is left.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    func,
    insert,
    select,
)

from idp.crypto.opaque import new_id
from idp.domain.events import SignInRefused
from idp.domain.ledger import Act, Document, Entry, Matter
from idp.services import ledger
from idp.services.audit import record
from idp.services.sign_in import throttling
from idp.storage.models import metadata
from idp.storage.types import JSONText, TZDateTime

if TYPE_CHECKING:
    from datetime import datetime

    from idp.services.context import Context
    from idp.storage.engine import Database

#: Columns that name a person, whatever table they stand in.
NAMING: Final = frozenset(
    {"account_id", "email", "email_canonical", "subject", "upstream_subject", "parent_email"}
)
#: Tables that no person stands in, each with its reason. A new table is either filled below or named here.
NOBODY: Final = {
    "chain_heads": "ends of chains",
    "shown_texts": "words that were shown to everybody",
    "receipt_keys": "public keys",
    "terms_versions": "published texts",
    "clients": "services",
    "client_secrets": "services",
    "client_assertions": "services",
    "client_origins": "services",
    "client_logos": "services",
    "client_registrations": "services",
    "initial_access_tokens": "services",
    "event_deliveries": "services and moments, without the person",
    "purged_accounts": "identifiers that name nobody any more",
}
#: Tables that name nobody in a column of their own, and are filled below by what they hold.
BY_CONTENT: Final = frozenset({"pending_authorizations", "pushed_requests", "throttle_counters"})
#: Written by their services: their lines are chained.
_CHAINED: Final = frozenset({"audit_events", "ledger_entries"})
_QUOTED: Final = re.compile(r"'([^']+)'")


@dataclass(frozen=True)
class Needles:
    """What must be found nowhere afterwards.

    Attributes:
        account_id: Of the account.
        email: Its address.
        subject: As a service knows the person.
        family_name: Stands in every free text of the person.
    """

    account_id: str
    email: str = "margaux.tancrede@example.fr"
    subject: str = "pairwise-subject-of-margaux"
    family_name: str = "Tancrède-Quévilly"

    def found_in(self, database: Database) -> list[str]:
        """Say where something of the person stands: table, column, and what."""
        return [
            f"{table}.{column}: {needle}"
            for table, column, text in every_value(database)
            for needle in (self.account_id, self.email, self.subject, self.family_name)
            if needle in text and (table, column) != ("purged_accounts", "account_id")
        ]


def a_whole_person(context: Context, client_id: str) -> Needles:
    """Write an account and a row of the person's in every table that can hold one.

    Args:
        context: The parts.
        client_id: A registered service.
    """
    now = context.clock()
    needles = Needles(new_id(now))
    with context.database.write() as connection:
        fill(connection, needles, client_id, now)
        brakes = throttling.sign_in_brakes(
            context, canonical=needles.email, address="192.0.2.10", known_device=None
        )
        throttling.count(
            context,
            connection,
            [*brakes[:1], *throttling.reset_brakes(context, canonical=needles.email)],
            now,
        )
        record(connection, SignInRefused("wrong"), now, account_id=needles.account_id, client_id=client_id)
        entry = Entry(
            matter=Matter.CONSENT,
            act=Act.GIVEN,
            account_id=needles.account_id,
            subject=needles.subject,
            client_id=client_id,
            document=Document("consent", "1", None),
            words="Ce que tout le monde lit.",
            language="fr",
            channel="consent",
            details={"for": needles.family_name},
        )
        ledger.enter(connection, entry, now)
    return needles


def fill(connection: Connection, needles: Needles, client_id: str, now: datetime) -> None:
    """Write a row of the person's into every table that speaks of people."""
    known: dict[str, Any] = {"clients.client_id": client_id}
    for table in spoken(metadata):
        if table.name in _CHAINED:
            continue
        row = {column.name: _value(table, column, needles, known, now) for column in table.c}
        connection.execute(insert(table).values(**row))
        known |= {f"{table.name}.{name}": value for name, value in row.items()}
    for name in ("pending_authorizations", "pushed_requests"):
        table = metadata.tables[name]
        row = {column.name: _value(table, column, needles, known, now) for column in table.c}
        connection.execute(
            insert(table).values(**(row | {"parameters": {"login_hint": needles.email.upper()}}))
        )


def spoken(of: MetaData) -> list[Table]:
    """List the tables that speak of a person, those that others point at first."""
    found: list[Table] = []
    for table in of.sorted_tables:
        points_at = {key.column.table.name for column in table.c for key in column.foreign_keys}
        is_about = points_at & {one.name for one in found} or NAMING & set(table.c.keys())
        if is_about and table.name not in NOBODY:
            found.append(table)
    return found


def every_value(database: Database) -> Iterator[tuple[str, str, str]]:
    """Give every value of every table that the database has, whether we know the table or not."""
    present = MetaData()
    with database.read() as connection:
        present.reflect(connection)
        for table in present.sorted_tables:
            for row in connection.execute(select(table)).mappings():
                for column, value in row.items():
                    yield table.name, column, _text(value)


def counts(database: Database, names: list[str]) -> dict[str, int]:
    """Count the rows of some tables."""
    with database.read() as connection:
        return {
            name: connection.scalar(select(func.count()).select_from(metadata.tables[name])) or 0
            for name in names
        }


def _value(table: Table, column: Column[Any], needles: Needles, known: dict[str, Any], now: datetime) -> Any:
    for key in column.foreign_keys:
        if f"{key.column.table.name}.{key.column.name}" in known:
            return known[f"{key.column.table.name}.{key.column.name}"]
    named = {
        "account_id": needles.account_id,
        "email": needles.email,
        "email_canonical": needles.email,
        "subject": needles.subject,
        "client_id": known["clients.client_id"],
        "language": "fr",
        # An operator's, and words of ours about a request.
        "channel": "mail",
        "closed_by": "claire.martin",
        "request_id": new_id(now),
        # Live rows: what has ended is history, and history of a person goes too.
        "ended_at": None,
        "consumed_at": None,
        "withdrawn_at": None,
        "revoked_at": None,
    }
    choices = _choices(table, column)
    if choices:
        return choices[0]
    if column.name in named:
        return named[column.name]
    return _of_type(table, column, needles, now)


def _of_type(table: Table, column: Column[Any], needles: Needles, now: datetime) -> Any:
    match column.type:
        case JSONText():
            return {"name": needles.family_name, "login_hint": needles.email}
        case TZDateTime():
            return now
        case Boolean():
            return False
        case Integer():
            return 1
        case LargeBinary():
            return os.urandom(32)
        case _:
            return f"{needles.family_name} {table.name}.{column.name}"


def _choices(table: Table, column: Column[Any]) -> list[str]:
    """Read the words that a constraint lets a column hold."""
    return [
        word
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint) and str(constraint.sqltext).startswith(f"{column.name} IN")
        for word in _QUOTED.findall(str(constraint.sqltext))
    ]


def _text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


__all__ = ["BY_CONTENT", "NAMING", "NOBODY", "Needles", "a_whole_person", "counts", "every_value", "spoken"]
