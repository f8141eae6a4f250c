"""Keeps the exact words that were shown to people, each text once (CON-5, CGU-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select, type_coerce
from sqlalchemy.types import NullType

from idp.storage.models import shown_texts
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Connection


def keep(connection: Connection, text_hash: bytes, content: str, language: str, now: datetime) -> None:
    """Keep a text, unless it is there already."""
    statement = (
        insert_into(connection, shown_texts)
        .values(text_hash=text_hash, language=language, content=content, first_shown_at=now)
        .on_conflict_do_nothing(index_elements=[shown_texts.c.text_hash])
    )
    connection.execute(statement)


def find(connection: Connection, text_hash: bytes) -> str | None:
    """Read a text by its hash."""
    return connection.scalar(select(shown_texts.c.content).where(shown_texts.c.text_hash == text_hash))


def every(connection: Connection) -> Iterator[tuple[object, object]]:
    """Read each hash and its text as they are stored, whatever they are."""
    columns = (
        type_coerce(shown_texts.c.text_hash, NullType()),
        type_coerce(shown_texts.c.content, NullType()),
    )
    for row in connection.execute(select(*columns)):
        yield row[0], row[1]
