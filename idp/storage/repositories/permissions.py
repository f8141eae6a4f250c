"""Queries about parents' permissions (CON-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, insert, select, update

from idp.domain.minimum_age import Permission, PermissionState
from idp.storage.models import accounts, parental_permissions

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

_TABLE = parental_permissions
_COLUMNS = tuple(column for column in _TABLE.c if column.name not in {"token_hash", "language"})
_LIVE = _TABLE.c.state.in_((PermissionState.ASKED, PermissionState.GIVEN))


def latest(connection: Connection, account_id: str, client_id: str) -> Permission | None:
    """Read the permission of a child for a service that counts: the live one, else how the last one ended."""
    row = connection.execute(
        select(*_COLUMNS)
        .where(
            _TABLE.c.account_id == account_id,
            _TABLE.c.client_id == client_id,
            _TABLE.c.state != PermissionState.CANCELED,
        )
        .order_by(
            case((_LIVE, 0), else_=1),
            _TABLE.c.answered_at.desc(),
            _TABLE.c.permission_id.desc(),
        )
        .limit(1)
    ).one_or_none()
    return None if row is None else _permission_from(row)


def find(connection: Connection, permission_id: str) -> Permission | None:
    """Read one permission."""
    row = connection.execute(select(*_COLUMNS).where(_TABLE.c.permission_id == permission_id)).one_or_none()
    return None if row is None else _permission_from(row)


def by_token(connection: Connection, token_hash: bytes) -> Permission | None:
    """Read the permission of a mailed link, wherever it stands."""
    row = connection.execute(select(*_COLUMNS).where(_TABLE.c.token_hash == token_hash)).one_or_none()
    return None if row is None else _permission_from(row)


def of_account(connection: Connection, account_id: str) -> list[Permission]:
    """List every permission of a child, the oldest first."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(_TABLE.c.account_id == account_id)
        .order_by(_TABLE.c.asked_at, _TABLE.c.permission_id)
    )
    return [_permission_from(row) for row in rows]


def alone(connection: Connection, account_id: str) -> bool:
    """Keep other acts on a child's permissions waiting until this transaction ends; False when the child is gone."""
    statement = (
        select(accounts.c.account_id)
        .where(accounts.c.account_id == account_id)
        .with_for_update(key_share=True)
    )
    return connection.scalar(statement) is not None


def hold(connection: Connection, permission_id: str) -> bool:
    """Keep a permission from being withdrawn until this transaction ends; False when it was."""
    statement = (
        select(_TABLE.c.permission_id)
        .where(_TABLE.c.permission_id == permission_id, _TABLE.c.state == PermissionState.GIVEN)
        .with_for_update(read=True)
    )
    return connection.scalar(statement) is not None


def add(connection: Connection, permission: Permission, *, token_hash: bytes, language: str) -> None:
    """Keep a permission that is asked for."""
    connection.execute(
        insert(_TABLE).values(
            permission_id=permission.permission_id,
            token_hash=token_hash,
            account_id=permission.account_id,
            client_id=permission.client_id,
            parent_email=permission.parent_email,
            state=permission.state,
            language=language,
            asked_at=permission.asked_at,
            expires_at=permission.expires_at,
        )
    )


def cancel_asked(connection: Connection, account_id: str, client_id: str, now: datetime) -> list[str]:
    """Cancel what waits for an answer, so that its link answers no more; gives back which."""
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.account_id == account_id,
            _TABLE.c.client_id == client_id,
            _TABLE.c.state == PermissionState.ASKED,
        )
        .values(state=PermissionState.CANCELED, answered_at=now)
        .returning(_TABLE.c.permission_id)
    )
    return list(connection.scalars(statement))


def answer(
    connection: Connection, token_hash: bytes, state: PermissionState, now: datetime
) -> Permission | None:
    """Take the parent's answer, once and in time; None when it comes too late."""
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.token_hash == token_hash,
            _TABLE.c.state == PermissionState.ASKED,
            _TABLE.c.expires_at > now,
        )
        .values(state=state, answered_at=now)
        .returning(*_COLUMNS)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _permission_from(row)


def withdraw(connection: Connection, permission_id: str, now: datetime) -> Permission | None:
    """Take a permission back; None when there is none to take."""
    statement = (
        update(_TABLE)
        .where(_TABLE.c.permission_id == permission_id, _TABLE.c.state == PermissionState.GIVEN)
        .values(state=PermissionState.WITHDRAWN, answered_at=now)
        .returning(*_COLUMNS)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _permission_from(row)


def _permission_from(row: Row[*tuple[Any, ...]]) -> Permission:
    return Permission(
        permission_id=row.permission_id,
        account_id=row.account_id,
        client_id=row.client_id,
        parent_email=row.parent_email,
        state=PermissionState(row.state),
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        answered_at=row.answered_at,
    )
