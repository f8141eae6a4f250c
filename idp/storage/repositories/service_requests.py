"""Queries about what services write of people's requests (PRO-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, delete, func, select, update

from idp.domain.service_request import ServiceRequest, Status, Update
from idp.storage.models import accounts, client_subjects, service_requests
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

_TABLE = service_requests
_CHANGING = (
    "title",
    "status",
    "status_text",
    "message",
    "url",
    "due_at",
    "step",
    "steps",
    "updated_at",
    "changed_at",
    "read_at",
    "closed_at",
)


def know_subject(connection: Connection, client_id: str, subject: str, account_id: str) -> None:
    """Remember whom a service means by a subject."""
    statement = insert_into(connection, client_subjects).values(
        client_id=client_id, subject=subject, account_id=account_id
    )
    connection.execute(
        statement.on_conflict_do_nothing(
            index_elements=[client_subjects.c.client_id, client_subjects.c.subject]
        )
    )


def forget_subject(connection: Connection, client_id: str, account_id: str, now: datetime) -> None:
    """Let a service mean nobody by its subject any more: the consent is withdrawn.

    What it wrote is over, whatever it said last: nothing more can come, and nothing would ever close it.
    """
    of_both = _TABLE.c.client_id == client_id, _TABLE.c.account_id == account_id
    connection.execute(update(_TABLE).where(*of_both, _TABLE.c.closed_at.is_(None)).values(closed_at=now))
    connection.execute(
        delete(client_subjects).where(
            client_subjects.c.client_id == client_id, client_subjects.c.account_id == account_id
        )
    )


def account_of(connection: Connection, client_id: str, subject: str) -> str | None:
    """Find whom a service means, and keep the account from going until this transaction ends."""
    return connection.scalar(
        select(client_subjects.c.account_id)
        .join(accounts, accounts.c.account_id == client_subjects.c.account_id)
        .where(
            client_subjects.c.client_id == client_id,
            client_subjects.c.subject == subject,
            accounts.c.limited_at.is_(None),
        )
        .with_for_update(read=True, key_share=True)
    )


def put(connection: Connection, account_id: str, request: ServiceRequest) -> str | None:
    """Write what a service says; one statement decides, whatever arrives at once.

    Returns:
        Our identifier of the request: the one that was given when it is new; None when what is there is as new
        or newer.
    """
    said = request.update
    values: dict[str, Any] = {
        "request_id": request.request_id,
        "account_id": account_id,
        "client_id": request.client_id,
        "type": request.type,
        "reference": request.reference,
        "title": said.title,
        "status": said.status,
        "status_text": said.status_text,
        "message": said.message,
        "url": said.url,
        "due_at": said.due_at,
        "step": said.step,
        "steps": said.steps,
        "updated_at": said.updated_at,
        "created_at": request.created_at,
        "changed_at": request.changed_at,
        "read_at": None,
        "closed_at": request.closed_at,
    }
    statement = insert_into(connection, _TABLE).values(**values)
    changes: dict[str, Any] = {name: statement.excluded[name] for name in _CHANGING}
    # A request that is over stays over since then, whatever else is said of it.
    over = func.coalesce(_TABLE.c.closed_at, statement.excluded.closed_at)
    changes["closed_at"] = case((statement.excluded.closed_at.is_(None), None), else_=over)
    written = statement.on_conflict_do_update(
        index_elements=[_TABLE.c.account_id, _TABLE.c.client_id, _TABLE.c.type, _TABLE.c.reference],
        set_=changes,
        where=_TABLE.c.updated_at < statement.excluded.updated_at,
    ).returning(_TABLE.c.request_id)
    kept_id: str | None = connection.scalar(written)
    return kept_id


def find(
    connection: Connection, account_id: str, client_id: str, kind: str, reference: str
) -> ServiceRequest | None:
    """Read a request by the service's own key."""
    row = connection.execute(
        select(_TABLE).where(*_key(account_id, client_id, kind, reference))
    ).one_or_none()
    return None if row is None else _request_from(row)


def remove(connection: Connection, account_id: str, client_id: str, kind: str, reference: str) -> bool:
    """Take a request away; False when there is none."""
    result = connection.execute(delete(_TABLE).where(*_key(account_id, client_id, kind, reference)))
    return result.rowcount > 0


def count_of(connection: Connection, account_id: str, client_id: str) -> int:
    """Count what a service wrote for a person."""
    counted = (
        select(func.count())
        .select_from(_TABLE)
        .where(_TABLE.c.account_id == account_id, _TABLE.c.client_id == client_id)
    )
    return connection.scalar(counted) or 0


def of_account(connection: Connection, account_id: str) -> Sequence[ServiceRequest]:
    """List what services wrote for a person, the latest first."""
    rows = connection.execute(
        select(_TABLE)
        .where(_TABLE.c.account_id == account_id)
        .order_by(_TABLE.c.changed_at.desc(), _TABLE.c.request_id.desc())
    )
    return [_request_from(row) for row in rows]


def by_id(connection: Connection, account_id: str, request_id: str) -> ServiceRequest | None:
    """Read one request of a person; another's does not exist."""
    row = connection.execute(
        select(_TABLE).where(_TABLE.c.account_id == account_id, _TABLE.c.request_id == request_id)
    ).one_or_none()
    return None if row is None else _request_from(row)


def mark_read(
    connection: Connection,
    account_id: str,
    now: datetime,
    seen_at: datetime,
    request_id: str | None = None,
) -> int:
    """Put one request away as read, or all of them, as they were seen; gives back how many were unread."""
    unread = update(_TABLE).where(
        _TABLE.c.account_id == account_id, _TABLE.c.read_at.is_(None), _TABLE.c.changed_at <= seen_at
    )
    if request_id is not None:
        unread = unread.where(_TABLE.c.request_id == request_id)
    return connection.execute(unread.values(read_at=now)).rowcount


def mark_unread(connection: Connection, account_id: str, request_id: str) -> bool:
    """Let a request stand out again; False when there is none, or it does already."""
    statement = update(_TABLE).where(
        _TABLE.c.account_id == account_id,
        _TABLE.c.request_id == request_id,
        _TABLE.c.read_at.is_not(None),
    )
    return connection.execute(statement.values(read_at=None)).rowcount == 1


def _key(account_id: str, client_id: str, kind: str, reference: str) -> tuple[ColumnElement[bool], ...]:
    return (
        _TABLE.c.account_id == account_id,
        _TABLE.c.client_id == client_id,
        _TABLE.c.type == kind,
        _TABLE.c.reference == reference,
    )


def _request_from(row: Row[*tuple[Any, ...]]) -> ServiceRequest:
    return ServiceRequest(
        request_id=row.request_id,
        client_id=row.client_id,
        type=row.type,
        reference=row.reference,
        update=Update(
            title=row.title,
            status=Status(row.status),
            updated_at=row.updated_at,
            status_text=row.status_text,
            message=row.message,
            url=row.url,
            due_at=row.due_at,
            step=row.step,
            steps=row.steps,
        ),
        created_at=row.created_at,
        changed_at=row.changed_at,
        read_at=row.read_at,
        closed_at=row.closed_at,
    )
