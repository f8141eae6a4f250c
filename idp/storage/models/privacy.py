"""Purposes, parents' permissions, disclosures, the end of accounts, requests of the RGPD."""

from __future__ import annotations

from sqlalchemy import Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text

from idp.storage.models.metadata import metadata
from idp.storage.types import Digest, TZDateTime

#: What a person answers to a purpose today (CON-3); what they answered before stands in the ledger.
purpose_choices = Table(
    "purpose_choices",
    metadata,
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("name", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("is_allowed", Boolean, nullable=False),
    Column("changed_at", TZDateTime, nullable=False),
)

#: Permissions that parents are asked for (CON-7).
parental_permissions = Table(
    "parental_permissions",
    metadata,
    Column("permission_id", Text, primary_key=True),
    # The one link of the mail: it answers, and later lists and takes back.
    Column("token_hash", Digest, nullable=False, unique=True),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), nullable=False),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("parent_email", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("asked_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False),
    Column("answered_at", TZDateTime),
    CheckConstraint("state IN ('asked', 'given', 'refused', 'withdrawn', 'canceled')", name="state"),
    Index("ix_parental_permissions_account_id", "account_id", "client_id"),
    Index("uq_parental_permissions_live", "account_id", "client_id", unique=True,
          sqlite_where=text("state IN ('asked', 'given')"),
          postgresql_where=text("state IN ('asked', 'given')")),
)  # fmt: skip

#: Which service was told which data of whom, by day; names, never values (PRI-2).
disclosures = Table(
    "disclosures",
    metadata,
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True),
    # No foreign key: the person may see what a service was told that is gone.
    Column("client_id", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    # Of the first of them, in UTC, such as "2026-11-22".
    Column("day", Text, primary_key=True),
    # Wire names, sorted, parted by spaces.
    Column("claims", Text, primary_key=True),
    Column("first_at", TZDateTime, nullable=False),
    Column("last_at", TZDateTime, nullable=False, index=True),
    Column("times", Integer, nullable=False),
    CheckConstraint("channel IN ('id_token', 'userinfo', 'introspection', 'api')", name="channel"),
)

#: Mails that warn of a deletion (LIF-2); one for each stage of a period without use.
lifecycle_warnings = Table(
    "lifecycle_warnings",
    metadata,
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True),
    # The latest use that it counts from: another use begins another period.
    Column("idle_since", TZDateTime, primary_key=True),
    # Days before the deletion.
    Column("stage", Integer, primary_key=True),
    # Of the outbox.
    Column("message_id", Text, nullable=False, unique=True),
    Column("queued_at", TZDateTime, nullable=False),
    # The date that the mail tells: the account lives until then whatever happens.
    Column("deletes_at", TZDateTime, nullable=False),
    # Told by whoever delivers it; the outbox forgets it sooner.
    Column("delivered_at", TZDateTime),
    # The recipient's server sent it back.
    Column("bounced_at", TZDateTime),
)

#: Accounts that were erased, by identifiers that name nobody: a restored backup erases them again (S-442).
purged_accounts = Table(
    "purged_accounts",
    metadata,
    Column("account_id", Text, primary_key=True),
    Column("purged_at", TZDateTime, nullable=False, index=True),
    # Who asked: "person", "administrator", "life_cycle" or "restore".
    Column("way", Text, nullable=False),
)

#: Security events that services were told, without the person they were about: the proof that they took them.
event_deliveries = Table(
    "event_deliveries",
    metadata,
    # Of the outbox, and the `jti` of the event.
    Column("message_id", Text, primary_key=True),
    Column("client_id", Text, nullable=False, index=True),
    Column("event", Text, nullable=False),
    Column("created_at", TZDateTime, nullable=False, index=True),
    Column("acknowledged_at", TZDateTime),
    Column("given_up_at", TZDateTime),
)

#: Requests of the RGPD (PRI-4), guardians' among them (ACC-7).
data_requests = Table(
    "data_requests",
    metadata,
    Column("request_id", Text, primary_key=True),
    # None for somebody without an account, or once the account is erased.
    Column("account_id", ForeignKey("accounts.account_id", ondelete="SET NULL"), index=True),
    Column("kind", Text, nullable=False),
    Column("channel", Text, nullable=False),
    # Asked by a parent or a guardian for the person.
    Column("is_of_guardian", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("received_at", TZDateTime, nullable=False),
    Column("due_at", TZDateTime, nullable=False, index=True),
    Column("extended_at", TZDateTime),
    Column("reminded_at", TZDateTime),
    Column("closed_at", TZDateTime),
    Column("closed_by", Text),
    # Of the administrator; nothing personal.
    Column("note", Text, nullable=False),
    Column("outcome", Text),
    CheckConstraint(
        "kind IN ('access', 'rectification', 'erasure', 'restriction', 'objection', 'portability')",
        name="kind",
    ),
    CheckConstraint("state IN ('open', 'done', 'refused')", name="state"),
)
