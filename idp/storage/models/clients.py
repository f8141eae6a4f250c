"""Clients, their secrets, consents."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, Table, Text, text

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
    # The secret itself, encrypted: client_secret_jwt signs with it. None for every other method.
    Column("sealed", Text),
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

#: Origins of browser clients (OID-10): a preflight names an origin and no client.
client_origins = Table(
    "client_origins",
    metadata,
    Column("origin", Text, primary_key=True),
    Column(
        "client_id",
        ForeignKey("clients.client_id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
)

#: Logos that were uploaded; never fetched from anywhere.
client_logos = Table(
    "client_logos",
    metadata,
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
    Column("media_type", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False),
    Column("uploaded_at", TZDateTime, nullable=False),
)

#: Tokens that open the registration endpoint (RFC 7591 section 3, initial access token).
initial_access_tokens = Table(
    "initial_access_tokens",
    metadata,
    Column("token_id", Text, primary_key=True),
    Column("token_hash", Digest, nullable=False, unique=True),
    Column("label", Text, nullable=False),
    # None for any number of registrations.
    Column("uses_left", Integer),
    Column("created_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("revoked_at", TZDateTime),
)

#: Tokens by which clients that registered themselves manage their registration (RFC 7592).
client_registrations = Table(
    "client_registrations",
    metadata,
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
    Column("token_hash", Digest, nullable=False, unique=True),
    Column("created_at", TZDateTime, nullable=False),
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
