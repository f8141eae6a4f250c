"""Queries about parents' permissions (CON-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idp.domain.minimum_age import Permission, PermissionState
from idp.storage.models import parental_permissions

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_COLUMNS = tuple(column for column in parental_permissions.c if column.name not in {"token_hash", "language"})


def latest(connection: Connection, account_id: str, client_id: str) -> Permission | None:
    """Read the latest permission of a child for a service, wherever it stands."""
    row = connection.execute(
        select(*_COLUMNS)
        .where(parental_permissions.c.account_id == account_id, parental_permissions.c.client_id == client_id)
        .order_by(parental_permissions.c.permission_id.desc())
        .limit(1)
    ).one_or_none()
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
