"""Keeps every public key that ever signed a receipt or a certificate: these are verified for years (CON-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idp.storage.models import receipt_keys
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


def is_kept(connection: Connection, kid: str) -> bool:
    """Tell whether a key is kept already."""
    return connection.scalar(select(receipt_keys.c.kid).where(receipt_keys.c.kid == kid)) is not None


def keep(connection: Connection, kid: str, jwk: dict[str, Any], now: datetime) -> None:
    """Keep a public key, unless it is there already."""
    statement = (
        insert_into(connection, receipt_keys)
        .values(kid=kid, jwk=jwk, first_used_at=now)
        .on_conflict_do_nothing(index_elements=[receipt_keys.c.kid])
    )
    connection.execute(statement)


def every(connection: Connection) -> list[dict[str, Any]]:
    """Give every key, the oldest first."""
    order = (receipt_keys.c.first_used_at, receipt_keys.c.kid)
    return list(connection.scalars(select(receipt_keys.c.jwk).order_by(*order)))
