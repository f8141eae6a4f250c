"""Token families, authorization codes, tokens: hashes only."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Integer, Table, Text

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
    # RFC 9449 section 10: the key that the code is bound to.
    Column("dpop_jkt", Text),
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
    # "jkt:..." or "x5t#S256:..."; None for a token that whoever holds it may use.
    Column("confirmation", Text),
    # The APIs it is made for (RFC 8707); None for one of UserInfo.
    Column("audience", JSONText),
    Column("counter", Integer, nullable=False),
    Column("issued_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("consumed_at", TZDateTime),
    Column("revoked_at", TZDateTime),
)

#: Requests that a client pushed and that wait for the browser (RFC 9126).
pushed_requests = Table(
    "pushed_requests",
    metadata,
    Column("uri_hash", Digest, primary_key=True),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("parameters", JSONText, nullable=False),
    Column("is_signed", Boolean, nullable=False),
    Column("created_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("consumed_at", TZDateTime),
)

#: Devices that wait for a person elsewhere (RFC 8628).
device_authorizations = Table(
    "device_authorizations",
    metadata,
    Column("device_hash", Digest, primary_key=True),
    # Keyed: a user code is short enough to be guessed.
    Column("user_code_hash", Digest, nullable=False, unique=True),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("parameters", JSONText, nullable=False),
    Column("state", Text, nullable=False),
    Column(
        "family_id",
        ForeignKey("token_families.family_id", ondelete="CASCADE"),
        index=True,
    ),
    Column("interval_seconds", Integer, nullable=False),
    Column("polled_at", TZDateTime),
    Column("created_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("consumed_at", TZDateTime),
)
