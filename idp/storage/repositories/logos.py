"""Queries about logos that administrators uploaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from idp.storage.models import client_logos

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class StoredLogo:
    """An image as it was uploaded.

    Attributes:
        media_type: What its first bytes say that it is.
        content: The image.
        digest: Of the content: its name for caches.
    """

    media_type: str
    content: bytes
    digest: str


def find(connection: Connection, client_id: str) -> StoredLogo | None:
    """Read the logo of a client."""
    row = connection.execute(
        select(client_logos.c.media_type, client_logos.c.content, client_logos.c.digest).where(
            client_logos.c.client_id == client_id
        )
    ).one_or_none()
    return None if row is None else StoredLogo(row.media_type, bytes(row.content), row.digest)


def put(connection: Connection, client_id: str, logo: StoredLogo, now: datetime) -> None:
    """Give a client a logo in place of the one it has."""
    remove(connection, client_id)
    connection.execute(
        insert(client_logos).values(
            client_id=client_id,
            media_type=logo.media_type,
            content=logo.content,
            digest=logo.digest,
            uploaded_at=now,
        )
    )


def remove(connection: Connection, client_id: str) -> None:
    """Take a client's logo away, if it has one."""
    connection.execute(delete(client_logos).where(client_logos.c.client_id == client_id))
