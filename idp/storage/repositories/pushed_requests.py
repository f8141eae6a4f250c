"""Queries about pushed requests; the atomic `consume` (RFC 9126)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update

from idp.protocol.authorization.pushed import PushedRequest
from idp.storage.models import pushed_requests

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_INSERT = insert(pushed_requests)
_BY_HASH = select(
    pushed_requests.c.client_id,
    pushed_requests.c.parameters,
    pushed_requests.c.is_signed,
    pushed_requests.c.created_at,
    pushed_requests.c.expires_at,
    pushed_requests.c.consumed_at,
).where(pushed_requests.c.uri_hash == bindparam("hash_"))
# One statement decides the winner.
# RFC 9126 section 4: "SHOULD treat request_uri values as one-time use but MAY allow for duplicate requests due
# to a user reloading": it may be opened again, and is answered once.
_CONSUME = (
    update(pushed_requests)
    .where(pushed_requests.c.uri_hash == bindparam("hash_"), pushed_requests.c.consumed_at.is_(None))
    .values(consumed_at=bindparam("now_"))
)


def create(connection: Connection, pushed: PushedRequest, *, uri_hash: bytes) -> None:
    """Keep a request until the browser brings its name."""
    connection.execute(
        _INSERT,
        {
            "uri_hash": uri_hash,
            "client_id": pushed.client_id,
            "parameters": pushed.parameters,
            "is_signed": pushed.is_signed,
            "created_at": pushed.created_at,
            "expires_at": pushed.expires_at,
        },
    )


def find(connection: Connection, uri_hash: bytes) -> PushedRequest | None:
    """Read a request whatever its state; None when there is none of that name."""
    row = connection.execute(_BY_HASH, {"hash_": uri_hash}).one_or_none()
    if row is None:
        return None
    members = row._asdict()
    pairs = tuple((name, value) for name, value in members.pop("parameters"))
    return PushedRequest(parameters=pairs, **members)


def consume(connection: Connection, uri_hash: bytes, now: datetime) -> bool:
    """Use up a request with its answer, at most once whatever the number of concurrent callers.

    Its time is not looked at: the browser came before the end, and the person may take as long as the page lets
    them (RGAA 13.1).

    Returns:
        True if this call used it up; False if it is unknown or answered already.
    """
    return connection.execute(_CONSUME, {"hash_": uri_hash, "now_": now}).rowcount == 1
