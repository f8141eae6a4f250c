"""Clients, their secrets, consents."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, text

from idp.storage.models.metadata import metadata
from idp.storage.types import Digest, JSONText, TZDateTime

clients = Table(
    "clients",
    metadata,
    Column("client_id", Text, primary_key=True),
    # Raised by every change, and read by the same statement as the client's use.
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("metadata", JSONText, nullable=False),
    Column("created_at", TZDateTime, nullable=False),
    Column("disabled_at", TZDateTime),
)

client_secrets = Table(
    "client_secrets",
    metadata,
    Column("secret_hash", Digest, primary_key=True),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("created_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime),
)

#: Identifiers of client assertions already seen (RFC 7523 section 3, `jti`): shared by every node.
client_assertions = Table(
    "client_assertions",
    metadata,
    Column("jti_hash", Digest, primary_key=True),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("expires_at", TZDateTime, nullable=False, index=True),
)

consents = Table(
    "consents",
    metadata,
    Column("consent_id", Text, primary_key=True),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), nullable=False),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("subject", Text, nullable=False),
    Column("scopes", JSONText, nullable=False),
    Column("claims", JSONText, nullable=False),
    Column("refused_claims", JSONText, nullable=False),
    Column("policy_version", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("granted_at", TZDateTime, nullable=False),
    Column("withdrawn_at", TZDateTime),
    Index("ix_consents_account_id", "account_id"),
    Index("uq_consents_live", "account_id", "client_id", unique=True,
          sqlite_where=text("withdrawn_at IS NULL"), postgresql_where=text("withdrawn_at IS NULL")),
)  # fmt: skip
