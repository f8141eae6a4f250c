"""Sessions, known devices, pending authorizations, journeys through FranceConnect."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, ForeignKey, Table, Text, false

from idp.storage.models.metadata import metadata
from idp.storage.types import Digest, JSONText, TZDateTime

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", Text, primary_key=True),
    Column("cookie_hash", Digest, nullable=False, unique=True),
    Column(
        "account_id",
        ForeignKey("accounts.account_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("created_at", TZDateTime, nullable=False),
    Column("last_seen_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("authenticated_at", TZDateTime, nullable=False),
    Column("amr", JSONText, nullable=False),
    Column("acr", Text, nullable=False),
    Column("upstream", Text),
    # FranceConnect's raw ID token, sealed: its logout wants it back (franceconnect.md 5).
    Column("upstream_id_token", Text),
    Column("browser", Text, nullable=False),
)

devices = Table(
    "devices",
    metadata,
    Column("device_hash", Digest, primary_key=True),
    Column(
        "account_id",
        ForeignKey("accounts.account_id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
    Column("created_at", TZDateTime, nullable=False),
    Column("last_seen_at", TZDateTime, nullable=False),
)

pending_authorizations = Table(
    "pending_authorizations",
    metadata,
    Column("pending_id", Text, primary_key=True),
    Column("browser_hash", Digest, nullable=False),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("parameters", JSONText, nullable=False),
    Column("pushed_hash", Digest),
    Column("is_signed", Boolean, nullable=False, server_default=false()),
    Column("device_hash", Digest),
    Column("created_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("authenticated_at", TZDateTime),
    Column("account_selected_at", TZDateTime),
    Column("consented_at", TZDateTime),
    Column("step_up_declined_at", TZDateTime),
)

franceconnect_journeys = Table(
    "franceconnect_journeys",
    metadata,
    Column("state_hash", Digest, primary_key=True),
    Column("browser_hash", Digest, nullable=False, index=True),
    # Which portal it goes through: "franceconnect" or "franceconnect_plus".
    Column("provider", Text, nullable=False, server_default="franceconnect"),
    # The level of assurance that it was asked for: what comes back must reach it. None for a logout.
    Column("level", Text),
    # What the journey is for: sign_in, link, reauthenticate, logout.
    Column("purpose", Text, nullable=False),
    Column("nonce_hash", Digest),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), index=True),
    Column("pending_id", Text),
    Column("continue_to", Text),
    Column("created_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("consumed_at", TZDateTime),
    # What FranceConnect certified, sealed, while the person chooses what to do with it.
    Column("identity", Text),
)
