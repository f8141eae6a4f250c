"""Queries about devices that wait for a person elsewhere (RFC 8628); the atomic `redeem`."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select, update

from idp.domain.device_authorization import DeviceAuthorization, DeviceState
from idp.storage.models import device_authorizations
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

_TABLE = device_authorizations
_SELECT = select(*(column for column in _TABLE.c if column.name != "user_code_hash"))
_BY_USER_CODE = _SELECT.where(_TABLE.c.user_code_hash == bindparam("hash_"))
_BY_DEVICE_CODE = _SELECT.where(_TABLE.c.device_hash == bindparam("hash_"))
_HOLD = _BY_DEVICE_CODE.where(_TABLE.c.client_id == bindparam("client_")).with_for_update()


def create(connection: Connection, device: DeviceAuthorization, *, user_code_hash: bytes) -> bool:
    """Keep what a device asks for until a person has answered; False when the user code is taken."""
    statement = (
        insert_into(connection, _TABLE)
        .values(
            device_hash=device.device_hash,
            user_code_hash=user_code_hash,
            client_id=device.client_id,
            parameters=device.parameters,
            state=device.state,
            interval_seconds=int(device.interval.total_seconds()),
            created_at=device.created_at,
            expires_at=device.expires_at,
        )
        .on_conflict_do_nothing(index_elements=[_TABLE.c.user_code_hash])
        # Not the count of rows: it is unknown after an insert on PostgreSQL.
        .returning(_TABLE.c.device_hash)
    )
    return connection.scalar(statement) is not None


def by_user_code(connection: Connection, user_code_hash: bytes) -> DeviceAuthorization | None:
    """Find a device by the code that it shows, whatever its state."""
    return _device_or_none(connection.execute(_BY_USER_CODE, {"hash_": user_code_hash}).one_or_none())


def by_device_code(connection: Connection, device_hash: bytes) -> DeviceAuthorization | None:
    """Find a device by the code that it keeps, whatever its state."""
    return _device_or_none(connection.execute(_BY_DEVICE_CODE, {"hash_": device_hash}).one_or_none())


def approve(connection: Connection, device_hash: bytes, family_id: str, now: datetime) -> bool:
    """Keep the person's yes: the tokens will be born of this family.

    Returns:
        False when there is nothing left to answer: unknown, expired, or answered before.
    """
    return _answer(connection, device_hash, now, state=DeviceState.ALLOWED, family_id=family_id)


def deny(connection: Connection, device_hash: bytes, now: datetime) -> bool:
    """Keep the person's no; False when there is nothing left to answer."""
    return _answer(connection, device_hash, now, state=DeviceState.REFUSED)


def redeem(connection: Connection, device_hash: bytes, client_id: str, now: datetime) -> str | None:
    """Use up a device code that was allowed, at most once whatever the number of concurrent callers.

    Returns:
        The family that the tokens are born of, if this call used the code up; None otherwise.
    """
    # One statement decides the winner.
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.device_hash == device_hash,
            _TABLE.c.client_id == client_id,
            _TABLE.c.state == DeviceState.ALLOWED,
            _TABLE.c.consumed_at.is_(None),
            _TABLE.c.expires_at > now,
        )
        .values(consumed_at=now)
        .returning(_TABLE.c.family_id)
    )
    family_id: str | None = connection.scalar(statement)
    return family_id


def hold(connection: Connection, device_hash: bytes, client_id: str) -> DeviceAuthorization | None:
    """Read a client's device and hold it until the transaction ends: two requests can't count for one."""
    row = connection.execute(_HOLD, {"hash_": device_hash, "client_": client_id}).one_or_none()
    return _device_or_none(row)


def poll(connection: Connection, device_hash: bytes, now: datetime, *, interval: timedelta) -> None:
    """Write that a device asked for tokens, and how long it has to wait from now on."""
    connection.execute(
        update(_TABLE)
        .where(_TABLE.c.device_hash == device_hash)
        .values(polled_at=now, interval_seconds=int(interval.total_seconds()))
    )


def _answer(connection: Connection, device_hash: bytes, now: datetime, **values: Any) -> bool:  # noqa: ANN401 - columns
    waiting: tuple[ColumnElement[bool], ...] = (
        _TABLE.c.device_hash == device_hash,
        _TABLE.c.state == DeviceState.PENDING,
        _TABLE.c.expires_at > now,
    )
    return connection.execute(update(_TABLE).where(*waiting).values(**values)).rowcount == 1


def _device_or_none(row: Row[*tuple[Any, ...]] | None) -> DeviceAuthorization | None:
    if row is None:
        return None
    members = row._asdict()
    interval = timedelta(seconds=members.pop("interval_seconds"))
    return DeviceAuthorization(**members | {"state": DeviceState(row.state), "interval": interval})
