"""Queries about requests of the RGPD (PRI-4, ACC-7); each step of one is decided by one statement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from idp.domain.data_request import DataRequest, RequestChannel, RequestKind, RequestState
from idp.storage.models import data_requests

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, RowMapping

_TABLE = data_requests
_IS_OPEN = _TABLE.c.state == RequestState.OPEN


def add(connection: Connection, request: DataRequest) -> None:
    """Write a request that was received."""
    values: dict[str, Any] = {name: getattr(request, name) for name in DataRequest.__dataclass_fields__}
    connection.execute(insert(_TABLE).values(**values))


def by_id(connection: Connection, request_id: str) -> DataRequest | None:
    """Find a request."""
    row = connection.execute(select(_TABLE).where(_TABLE.c.request_id == request_id)).mappings().one_or_none()
    return None if row is None else _request_from(row)


def listed(connection: Connection, *, open_only: bool) -> list[DataRequest]:
    """List the requests that wait, or all of them, the most urgent first."""
    statement = select(_TABLE).order_by(_TABLE.c.due_at, _TABLE.c.request_id)
    if open_only:
        statement = statement.where(_IS_OPEN)
    return [_request_from(row) for row in connection.execute(statement).mappings()]


def of_account(connection: Connection, account_id: str) -> list[DataRequest]:
    """List the requests of an account, the latest first."""
    statement = (
        select(_TABLE)
        .where(_TABLE.c.account_id == account_id)
        .order_by(_TABLE.c.received_at.desc(), _TABLE.c.request_id.desc())
    )
    return [_request_from(row) for row in connection.execute(statement).mappings()]


def extend(connection: Connection, request: DataRequest, due_at: datetime, now: datetime) -> bool:
    """Move the deadline of an open request, once and before it has passed; False when that can't be."""
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.request_id == request.request_id,
            _IS_OPEN,
            _TABLE.c.extended_at.is_(None),
            _TABLE.c.due_at > now,
        )
        # The reminders begin anew with the deadline.
        .values(due_at=due_at, extended_at=now, reminded_at=None)
    )
    return connection.execute(statement).rowcount == 1


def close(
    connection: Connection, request_id: str, state: RequestState, *, by: str, outcome: str, now: datetime
) -> bool:
    """Answer an open request; False when somebody was first."""
    statement = (
        update(_TABLE)
        .where(_TABLE.c.request_id == request_id, _IS_OPEN)
        .values(state=state, closed_at=now, closed_by=by, outcome=outcome)
    )
    return connection.execute(statement).rowcount == 1


def remind(connection: Connection, request: DataRequest, now: datetime) -> bool:
    """Remember that the city is reminded of a request; False when another process has just done it."""
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.request_id == request.request_id,
            _IS_OPEN,
            _TABLE.c.due_at == request.due_at,
            _TABLE.c.reminded_at.is_not_distinct_from(request.reminded_at),
        )
        .values(reminded_at=now)
    )
    return connection.execute(statement).rowcount == 1


def _request_from(row: RowMapping) -> DataRequest:
    values = dict(row)
    values |= {
        "kind": RequestKind(values["kind"]),
        "channel": RequestChannel(values["channel"]),
        "state": RequestState(values["state"]),
    }
    return DataRequest(**values)
