"""The outbox."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, Table, Text, text

from idp.storage.models.metadata import metadata
from idp.storage.types import TZDateTime

outbox = Table(
    "outbox",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    # Sealed: a mail carries a link or a code that opens an account.
    Column("payload", Text, nullable=False),
    Column("account_id", Text, index=True),
    Column("created_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False),
    Column("next_attempt_at", TZDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("last_error", Text),
    Column("delivered_at", TZDateTime),
    Column("dead_at", TZDateTime),
    Index("ix_outbox_due", "next_attempt_at",
          sqlite_where=text("delivered_at IS NULL AND dead_at IS NULL"),
          postgresql_where=text("delivered_at IS NULL AND dead_at IS NULL")),
)  # fmt: skip
