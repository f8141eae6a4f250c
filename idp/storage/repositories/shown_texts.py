"""Keeps the exact words that were shown to people, each text once (CON-5, CGU-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from idp.storage.models import shown_texts
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
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
