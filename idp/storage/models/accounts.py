"""Accounts, identities, FranceConnect links, sign-ups, mailed links, terms."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    text,
    true,
)

from idp.storage.models.metadata import metadata
from idp.storage.types import Digest, JSONText, TZDateTime

accounts = Table(
    "accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("email", Text, nullable=False),
    Column("email_canonical", Text, nullable=False, unique=True),
    Column("password_hash", Text, nullable=False),
    Column("password_is_generated", Boolean, nullable=False),
    Column("password_changed_at", TZDateTime, nullable=False),
    Column("state", Text, nullable=False),
    Column("state_reason", Text),
    Column("language", Text, nullable=False),
    Column("terms_version", Text, nullable=False),
    Column("created_at", TZDateTime, nullable=False),
    Column("last_sign_in_at", TZDateTime),
    # The login before the latest one: what "last login" means to who has just signed in.
    Column("previous_sign_in_at", TZDateTime),
    # A login or a reactivation, or the creation: what inactivity is counted from (LIF-1). None in a row of before
    # this column, until `idp lifecycle run` has filled it in.
    Column("last_active_at", TZDateTime),
    # Set while nothing may be told to services (PRI-4; RGPD article 18).
    Column("limited_at", TZDateTime),
    Column("limited_reason", Text),
    # The minor version of the terms whose notice the person has put away.
    Column("terms_notice_seen", Text),
    CheckConstraint("state IN ('active', 'locked')", name="state"),
    # Read in this order, a batch after the other.
    Index("ix_accounts_last_active_at", "last_active_at", "account_id"),
)

account_attributes = Table(
    "account_attributes",
    metadata,
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True),
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("recorded_at", TZDateTime, nullable=False),
)

account_attribute_changes = Table(
    "account_attribute_changes",
    metadata,
    Column("change_id", Text, primary_key=True),
    Column(
        "account_id",
        ForeignKey("accounts.account_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("name", Text, nullable=False),
    Column("old_value", Text),
    Column("new_value", Text),
    Column("source", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("changed_by", Text, nullable=False),
    Column("changed_at", TZDateTime, nullable=False),
)

franceconnect_links = Table(
    "franceconnect_links",
    metadata,
    Column("link_id", Text, primary_key=True),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), nullable=False, index=True),
    # "franceconnect" or "franceconnect_plus": two portals of the State, each with subjects of its own.
    Column("provider", Text, nullable=False, server_default="franceconnect"),
    Column("upstream_subject", Text, nullable=False),
    Column("pivot_hash", Digest, nullable=False),
    # The level of assurance of the latest login through it: what `verified_claims` tells.
    Column("level", Text, nullable=False, server_default="eidas1"),
    Column("linked_at", TZDateTime, nullable=False),
    Column("last_sign_in_at", TZDateTime, nullable=False),
    Column("ended_at", TZDateTime),
    Column("ended_reason", Text),
    # ACC-6: one identity, one account, and the reverse, at each portal; ended links are history and free the identity.
    Index("uq_franceconnect_links_live_account", "provider", "account_id", unique=True,
          sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
    Index("uq_franceconnect_links_live_subject", "provider", "upstream_subject", unique=True,
          sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
    Index("uq_franceconnect_links_live_pivot", "provider", "pivot_hash", unique=True,
          sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
)  # fmt: skip

#: Requests to end a link, decided by a manager (FC-5).
unlink_requests = Table(
    "unlink_requests",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("state", Text, nullable=False),
    # What the person wrote; shown to the manager alone.
    Column("message", Text, nullable=False),
    Column("created_at", TZDateTime, nullable=False),
    Column("decided_at", TZDateTime),
    Column("decided_by", Text),
    Column("decision_reason", Text),
    CheckConstraint("state IN ('open', 'approved', 'refused', 'withdrawn')", name="state"),
    Index("uq_unlink_requests_open", "account_id", unique=True,
          sqlite_where=text("state = 'open'"), postgresql_where=text("state = 'open'")),
)  # fmt: skip

signups = Table(
    "signups",
    metadata,
    Column("signup_hash", Digest, primary_key=True),
    Column("browser_hash", Digest, nullable=False),
    Column("email", Text, nullable=False),
    Column("email_canonical", Text, nullable=False, index=True),
    Column("language", Text, nullable=False),
    Column("pending_id", Text),
    Column("code_hash", Digest),
    Column("code_expires_at", TZDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("mails_sent", Integer, nullable=False),
    Column("link_hash", Digest, unique=True),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("proven_at", TZDateTime),
    Column("consumed_at", TZDateTime),
    Column("created_at", TZDateTime, nullable=False),
    # The identity that FranceConnect certified, sealed, when the account is created through it (ACC-2).
    Column("franceconnect", Text),
)

account_links = Table(
    "account_links",
    metadata,
    Column("token_hash", Digest, primary_key=True),
    Column(
        "account_id",
        ForeignKey("accounts.account_id", ondelete="CASCADE"),
        nullable=False,
        index=True,
    ),
    Column("purpose", Text, nullable=False),
    Column("pending_id", Text),
    Column("created_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("consumed_at", TZDateTime),
)

terms_versions = Table(
    "terms_versions",
    metadata,
    Column("version", Text, primary_key=True),
    Column("language", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("text_hash", Digest, nullable=False),
    Column("effective_at", TZDateTime, nullable=False),
    Column("published_at", TZDateTime, nullable=False),
    # A major one is accepted anew; a minor one is announced (CGU-2).
    Column("is_major", Boolean, nullable=False, server_default=true()),
    # What changes, in a few sentences.
    Column("summary", Text),
)

throttle_counters = Table(
    "throttle_counters",
    metadata,
    Column("key_hash", Digest, primary_key=True),
    Column("state", JSONText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
)
