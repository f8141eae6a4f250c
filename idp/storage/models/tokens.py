"""Token families, authorization codes, tokens: hashes only."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Integer, Table, Text

from idp.storage.models.metadata import metadata
from idp.storage.types import Digest, JSONText, TZDateTime

token_families = Table(
    "token_families",
    metadata,
    Column("family_id", Text, primary_key=True),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), index=True),
    # No foreign keys to consents and sessions: both are purged before the family is.
    Column("consent_id", Text),
    Column("session_id", Text, index=True),
    Column("subject", Text, nullable=False),
    # Everything a token says and no statement asks for, in one column: one decode instead of nine.
    Column("grant", JSONText, nullable=False),
    Column("created_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("revoked_at", TZDateTime),
    Column("revoked_reason", Text),
)

authorization_codes = Table(
    "authorization_codes",
    metadata,
    Column("code_hash", Digest, primary_key=True),
    Column(
        "family_id",
        ForeignKey("token_families.family_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("client_id", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("code_challenge", Text),
    Column("expires_at", TZDateTime, nullable=False),
    Column("consumed_at", TZDateTime),
)

tokens = Table(
    "tokens",
    metadata,
    Column("token_hash", Digest, primary_key=True),
    Column(
        "family_id",
        ForeignKey("token_families.family_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("kind", Text, nullable=False),
    Column("client_id", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("counter", Integer, nullable=False),
    Column("issued_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("consumed_at", TZDateTime),
    Column("revoked_at", TZDateTime),
)
