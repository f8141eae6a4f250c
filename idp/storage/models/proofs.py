"""The ledger of proofs and the audit trail: two chains of hashes, to which rows are only ever added."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, text

from idp.storage.models.metadata import metadata
from idp.storage.types import Digest, JSONText, TZDateTime

#: Where each chain ends, and where what is left of it begins.
chain_heads = Table(
    "chain_heads",
    metadata,
    Column("chain", Text, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("link", Digest, nullable=False),
    # HMAC of both: who can write here but does not hold the keys can't make a chain anew.
    Column("seal", Digest),
    # The last line that its retention took away: what is left follows it.
    Column("anchor_sequence", Integer, nullable=False, server_default="0"),
    Column("anchor_link", Digest, nullable=False),
    CheckConstraint("chain IN ('audit', 'ledger')", name="chain"),
)

audit_events = Table(
    "audit_events",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("at", TZDateTime, nullable=False, index=True),
    Column("actor", Text, nullable=False),
    # No foreign key: the line outlives the account it speaks of, and then names nobody.
    Column("account_id", Text, index=True),
    Column("client_id", Text),
    Column("details", JSONText, nullable=False),
    # None in a line of before there was a chain, until `idp database upgrade` has taken it in.
    Column("sequence", Integer),
    # None once an erasure took the personal part away.
    Column("salt", Digest),
    Column("personal_hash", Digest),
    Column("link", Digest),
    Index("uq_audit_events_sequence", "sequence", unique=True),
)

ledger_entries = Table(
    "ledger_entries",
    metadata,
    Column("entry_id", Text, primary_key=True),
    Column("matter", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("at", TZDateTime, nullable=False),
    # The personal part: None once the account is erased.
    Column("account_id", Text),
    Column("subject", Text),
    Column("client_id", Text),
    # Name, version and reference of the document.
    Column("document", JSONText),
    # Of `shown_texts`.
    Column("text_hash", Digest),
    Column("language", Text),
    Column("channel", Text),
    Column("details", JSONText),
    # Of an erasure: the places of the lines whose personal part it took away.
    Column("erased", JSONText),
    Column("sequence", Integer),
    Column("salt", Digest),
    Column("personal_hash", Digest),
    Column("link", Digest),
    Index("uq_ledger_entries_sequence", "sequence", unique=True),
    Index("ix_ledger_entries_account_id", "account_id", "sequence",
          sqlite_where=text("account_id IS NOT NULL"), postgresql_where=text("account_id IS NOT NULL")),
)  # fmt: skip

#: The exact words that were shown, each text once; no value of a person.
shown_texts = Table(
    "shown_texts",
    metadata,
    Column("text_hash", Digest, primary_key=True),
    Column("language", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("first_shown_at", TZDateTime, nullable=False),
)

#: Public keys that ever signed a receipt or a certificate: these are verified for years, and keys rotate.
receipt_keys = Table(
    "receipt_keys",
    metadata,
    Column("kid", Text, primary_key=True),
    Column("jwk", JSONText, nullable=False),
    # HMAC of both: who can write here but does not hold the keys can't have a key of their own believed.
    Column("seal", Digest, nullable=False),
    Column("first_used_at", TZDateTime, nullable=False),
)
