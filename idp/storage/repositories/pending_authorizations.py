"""Queries about authorization requests that wait for the person."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from idp.domain.pending_authorization import PendingAuthorization, RequestOrigin
from idp.storage.models import pending_authorizations

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_TABLE = pending_authorizations
_BY_ID = select(*(column for column in _TABLE.c if column.name != "browser_hash")).where(
    _TABLE.c.pending_id == bindparam("id_"), _TABLE.c.browser_hash == bindparam("browser")
)
#: Marks that a step of the way may set.
MARKS = frozenset({"authenticated_at", "account_selected_at", "consented_at", "step_up_declined_at"})
_INSERT = insert(_TABLE)
_MARK = {
    mark: update(_TABLE).where(_TABLE.c.pending_id == bindparam("id_")).values({mark: bindparam("now_")})
    for mark in MARKS
}
_CLOSE = (
    update(_TABLE)
    .where(_TABLE.c.pending_id == bindparam("id_"), _TABLE.c.expires_at > bindparam("until_"))
    .values(expires_at=bindparam("until_"))
)


def create(connection: Connection, pending: PendingAuthorization, *, browser_hash: bytes) -> None:
    """Keep a request until the person has answered."""
    connection.execute(
        _INSERT,
        {
            "pending_id": pending.pending_id,
            "browser_hash": browser_hash,
            "client_id": pending.client_id,
            "parameters": pending.parameters,
            "pushed_hash": pending.origin.pushed,
            "is_signed": pending.origin.is_signed,
            "device_hash": pending.origin.device,
            "created_at": pending.created_at,
            "expires_at": pending.expires_at,
        },
    )


def find(connection: Connection, pending_id: str, *, browser_hash: bytes) -> PendingAuthorization | None:
    """Find a request by its identifier, in the browser that brought it and no other."""
    row = connection.execute(_BY_ID, {"id_": pending_id, "browser": browser_hash}).one_or_none()
    if row is None:
        return None
    members = row._asdict()
    origin = RequestOrigin(members.pop("pushed_hash"), members.pop("is_signed"), members.pop("device_hash"))
    return PendingAuthorization(**members, origin=origin)


def mark(connection: Connection, pending_id: str, mark: str, now: datetime) -> None:
    """Write that the person passed a step: one of `MARKS`."""
    if mark not in MARKS:
        raise ValueError(mark)
    connection.execute(_MARK[mark], {"id_": pending_id, "now_": now})


def close(connection: Connection, pending_id: str, expires_at: datetime) -> None:
    """Let an answered request end soon: a double click gets the same answer, the back button a clear page."""
    connection.execute(_CLOSE, {"id_": pending_id, "until_": expires_at})
