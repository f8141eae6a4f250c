"""Keeps every public key that ever signed a receipt or a certificate: these are verified for years (CON-5)."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A public key, with what authenticates it."""

    kid: str
    jwk: dict[str, Any]
    seal: bytes


def keep(connection: Connection, key: KeptKey, now: datetime) -> None:
    """Keep a public key, unless it is there already."""
    statement = (
        insert_into(connection, receipt_keys)
        .values(kid=key.kid, jwk=key.jwk, seal=key.seal, first_used_at=now)
        .on_conflict_do_nothing(index_elements=[receipt_keys.c.kid])
    )
    connection.execute(statement)


def every(connection: Connection) -> list[KeptKey]:
    """Give every key, the oldest first."""
    columns = (receipt_keys.c.kid, receipt_keys.c.jwk, receipt_keys.c.seal)
    order = (receipt_keys.c.first_used_at, receipt_keys.c.kid)
    return [KeptKey(*row) for row in connection.execute(select(*columns).order_by(*order))]
