"""Makes chains for tests, and does to them what the database refuses: whoever holds its superuser can."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from idp.domain.ledger import Act, Document, Entry, Matter
from idp.services import ledger

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.storage.engine import Database

#: A consent that was given, in the words of a test.
WORDS = "Stationnement reçoit votre adresse électronique."


def an_entry(account_id: str, number: int = 0, **fields: Any) -> Entry:
    """Make an act, with changes."""
    usual: dict[str, Any] = {
        "matter": Matter.CONSENT,
        "act": Act.GIVEN,
        "account_id": account_id,
        "subject": f"subject-of-{account_id}",
        "client_id": "parking",
        "document": Document("policy", str(number)),
        "words": WORDS,
        "language": "fr",
        "channel": "consent",
        "details": {"scopes": ["openid"], "claims": ["email"]},
    }
    return Entry(**(usual | fields))


def entered(context: Context, *entries: Entry) -> list[str]:
    """Enter acts, each in a transaction of its own."""
    identifiers = []
    for entry in entries:
        with context.database.write() as connection:
            identifiers.append(ledger.enter(connection, entry, context.clock()))
    return identifiers


def without_triggers(database: Database) -> None:
    """Take away what refuses changes, as somebody who owns the database may."""
    tables = ("terms_versions", "shown_texts", "receipt_keys", "ledger_entries", "audit_events")
    names = [(f"tr_{table}_{event}_frozen", table) for table in tables for event in ("update", "delete")]
    with database.writer.begin() as connection:
        for name, table in names:
            connection.execute(text(f"DROP TRIGGER {name}" + ("" if database.is_sqlite else f" ON {table}")))


def tampered(database: Database, *statements: str) -> None:
    """Run statements past every rule, in one transaction."""
    with database.writer.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
