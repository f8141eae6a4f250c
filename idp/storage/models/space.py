"""The space of a person: requests, favourites, rubriques, newsletters, changes of addresses (PRO)."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text, text

from idp.storage.models.metadata import metadata
from idp.storage.types import Digest, TZDateTime

#: Whom a service means by a subject: a keyed hash leads nowhere back. Of services that write for people alone.
client_subjects = Table(
    "client_subjects",
    metadata,
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), nullable=False, index=True),
)

service_requests = Table(
    "service_requests",
    metadata,
    Column("request_id", Text, primary_key=True),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), nullable=False),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("type", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("status_text", Text),
    Column("message", Text),
    Column("url", Text),
    Column("due_at", TZDateTime),
    Column("step", Integer),
    Column("steps", Integer),
    # By the service's clock: an older word does not replace a newer one.
    Column("updated_at", TZDateTime, nullable=False),
    Column("created_at", TZDateTime, nullable=False),
    Column("changed_at", TZDateTime, nullable=False),
    Column("read_at", TZDateTime),
    Column("closed_at", TZDateTime, index=True),
    CheckConstraint(
        "status IN ('ongoing', 'to_complete', 'to_pay', 'paid', 'closed', 'canceled')", name="status"
    ),
    Index("uq_service_requests_key", "account_id", "client_id", "type", "reference", unique=True),
)

#: Services that a person wants at hand, in the order they chose (PRO-4).
favourites = Table(
    "favourites",
    metadata,
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("position", Integer, nullable=False),
)

#: Sector pages that a person wants in the side menu (PRO-5).
shown_rubriques = Table(
    "shown_rubriques",
    metadata,
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True),
    Column("rubrique", Text, primary_key=True),
)

#: Subscriptions to lists that services own (PRO-7); each counts once it was confirmed by a mail.
newsletter_subscriptions = Table(
    "newsletter_subscriptions",
    metadata,
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True),
    Column("client_id", ForeignKey("clients.client_id", ondelete="CASCADE"), primary_key=True),
    # Of the list, as its service declares it.
    Column("name", Text, primary_key=True),
    # Of the link that confirms; it stays, so that who presses twice is told that it is done.
    Column("confirmation_hash", Digest, unique=True),
    # Of the link in each mail of the list, which ends it by one click (RFC 8058).
    Column("unsubscribe_hash", Digest, nullable=False, unique=True),
    Column("asked_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime),
    Column("confirmed_at", TZDateTime),
    Index("ix_newsletter_subscriptions_list", "client_id", "name", "unsubscribe_hash"),
)

#: Changes of the login address (PRO-1): the new one is proven first, the old one may undo it.
email_changes = Table(
    "email_changes",
    metadata,
    Column("change_id", Text, primary_key=True),
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), nullable=False, index=True),
    Column("old_email", Text, nullable=False),
    Column("new_email", Text, nullable=False),
    Column("new_canonical", Text, nullable=False),
    Column("code_hash", Digest),
    Column("code_expires_at", TZDateTime, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("mails_sent", Integer, nullable=False),
    Column("link_hash", Digest, unique=True),
    # Until when the new address may be proven; once it is, until when the old one may undo it.
    Column("expires_at", TZDateTime, nullable=False, index=True),
    Column("proven_at", TZDateTime),
    Column("undo_hash", Digest, unique=True),
    Column("undone_at", TZDateTime),
    Column("created_at", TZDateTime, nullable=False),
    Index("uq_email_changes_open", "account_id", unique=True,
          sqlite_where=text("proven_at IS NULL"), postgresql_where=text("proven_at IS NULL")),
)  # fmt: skip

#: Contact addresses that wait for the answer to a mail (PRO-2). A proven one is an attribute of the account.
contact_email_proofs = Table(
    "contact_email_proofs",
    metadata,
    Column("account_id", ForeignKey("accounts.account_id", ondelete="CASCADE"), primary_key=True),
    Column("email", Text, nullable=False),
    Column("link_hash", Digest, nullable=False, unique=True),
    Column("asked_at", TZDateTime, nullable=False),
    Column("expires_at", TZDateTime, nullable=False, index=True),
)
