"""What services write for people: what became of their requests (PRO-6)."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Table, Text

from idp.storage.models.metadata import metadata
from idp.storage.types import TZDateTime

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
