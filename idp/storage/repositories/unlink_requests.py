"""Queries about requests to end the link to FranceConnect, and the one write that lowers a level (FC-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, func, select, update

from idp.domain.unlinking import RequestState, UnlinkRequest
from idp.storage.models import account_attributes, accounts, unlink_requests
from idp.storage.repositories import attributes
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from idp.domain.civil_identity import Change

_REQUESTS = unlink_requests
_ATTRIBUTES = account_attributes
_COLUMNS = (
    _REQUESTS.c.request_id,
    _REQUESTS.c.account_id,
    _REQUESTS.c.state,
    _REQUESTS.c.message,
    _REQUESTS.c.created_at,
    _REQUESTS.c.decided_at,
    _REQUESTS.c.decided_by,
    _REQUESTS.c.decision_reason,
)
_BY_ID = select(*_COLUMNS).where(_REQUESTS.c.request_id == bindparam("id_"))
_HELD = _BY_ID.with_for_update()
_LATEST = (
    select(*_COLUMNS)
    .where(_REQUESTS.c.account_id == bindparam("id_"))
    .order_by(_REQUESTS.c.created_at.desc(), _REQUESTS.c.request_id.desc())
    .limit(1)
)
_LISTED = select(*_COLUMNS, accounts.c.email).join_from(_REQUESTS, accounts)


def create(connection: Connection, request: UnlinkRequest) -> bool:
    """Write a new request; False when the account has an open one: the unique index decides."""
    statement = (
        insert_into(connection, _REQUESTS)
        .values(
            request_id=request.request_id,
            account_id=request.account_id,
            state=request.state,
            message=request.message,
            created_at=request.created_at,
        )
        .on_conflict_do_nothing()
        .returning(_REQUESTS.c.request_id)
    )
    return connection.scalar(statement) is not None


def by_id(connection: Connection, request_id: str) -> UnlinkRequest | None:
    """Find a request."""
    row = connection.execute(_BY_ID, {"id_": request_id}).one_or_none()
    return None if row is None else _request_from(row)


def hold(connection: Connection, request_id: str) -> UnlinkRequest | None:
    """Find a request; whoever else decides about it waits for the end of this transaction."""
    row = connection.execute(_HELD, {"id_": request_id}).one_or_none()
    return None if row is None else _request_from(row)


def latest_of_account(connection: Connection, account_id: str) -> UnlinkRequest | None:
    """Find what an account asked last."""
    row = connection.execute(_LATEST, {"id_": account_id}).one_or_none()
    return None if row is None else _request_from(row)


def asked_since(connection: Connection, account_id: str, since: datetime) -> tuple[int, datetime | None]:
    """Count what an account asked after a moment, and tell when the first of it was."""
    row = connection.execute(
        select(func.count(), func.min(_REQUESTS.c.created_at)).where(
            _REQUESTS.c.account_id == account_id, _REQUESTS.c.created_at > since
        )
    ).one()
    return row[0], row[1]


def listed(connection: Connection, *, open_only: bool) -> list[tuple[UnlinkRequest, str]]:
    """List requests with the addresses of their accounts, the oldest first."""
    statement = _LISTED.order_by(_REQUESTS.c.created_at, _REQUESTS.c.request_id)
    if open_only:
        statement = statement.where(_REQUESTS.c.state == RequestState.OPEN)
    return [(_request_from(row), row.email) for row in connection.execute(statement)]


def decide(
    connection: Connection,
    request_id: str,
    state: RequestState,
    *,
    by: str,
    reason: str | None,
    now: datetime,
) -> UnlinkRequest | None:
    """Close an open request, at most once whatever the number of those who decide.

    Args:
        connection: The transaction of the decision.
        request_id: Which one.
        state: The decision.
        by: Who decided.
        reason: In their words.
        now: When.

    Returns:
        The request as it stands now; None when it was not open any more.
    """
    row = connection.execute(
        update(_REQUESTS)
        .where(_REQUESTS.c.request_id == request_id, _REQUESTS.c.state == RequestState.OPEN)
        .values(state=state, decided_at=now, decided_by=by, decision_reason=reason)
        .returning(*_COLUMNS)
    ).one_or_none()
    return None if row is None else _request_from(row)


def withdraw(connection: Connection, account_id: str, now: datetime) -> UnlinkRequest | None:
    """Close the open request of an account, if it has one, because the person says so."""
    row = connection.execute(
        update(_REQUESTS)
        .where(_REQUESTS.c.account_id == account_id, _REQUESTS.c.state == RequestState.OPEN)
        .values(state=RequestState.WITHDRAWN, decided_at=now, decided_by="person")
        .returning(*_COLUMNS)
    ).one_or_none()
    return None if row is None else _request_from(row)


def lower(connection: Connection, account_id: str, changes: Iterable[Change], now: datetime) -> None:
    """Write what `declared_again` changed, and keep each change: the only write of ours that lowers a level.

    Args:
        connection: The transaction that has ended the links of the account: before, the database refuses (FC-2).
        account_id: Whose attributes they are.
        changes: As listed, by name.
        now: When.
    """
    for change in changes:
        own = (_ATTRIBUTES.c.account_id == account_id) & (_ATTRIBUTES.c.name == change.name)
        after = change.after
        if after is None:
            connection.execute(delete(_ATTRIBUTES).where(own))
        else:
            values = {"source": after.source, "level": after.level, "recorded_at": after.recorded_at}
            connection.execute(update(_ATTRIBUTES).where(own).values(values))
        attributes.keep_change(connection, account_id, change, changed_by="administrator", now=now)


def _request_from(row: Row[*tuple[Any, ...]]) -> UnlinkRequest:
    return UnlinkRequest(
        row.request_id,
        row.account_id,
        RequestState(row.state),
        row.message,
        row.created_at,
        row.decided_at,
        row.decided_by,
        row.decision_reason,
    )
