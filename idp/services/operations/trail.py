"""Reads the audit trail for an administrator, and records that it was read (ADM-3, S-456)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idp.domain.events import TrailRead
from idp.services.audit import record
from idp.services.operations.accounts import find
from idp.storage.repositories import audit
from idp.storage.repositories.audit import Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from idp.services.tools import Tools

_ACTOR: Final = "administrator"


def account_id_of(tools: Tools, named: str) -> str | None:
    """Name an account by its identifier, given that or its address; an identifier may be of one that is erased."""
    with tools.database.read() as connection:
        account = find(connection, named)
    if account is not None:
        return account.account_id
    return None if "@" in named else named


def show(tools: Tools, wanted: Wanted, *, limit: int, by: str, reason: str | None) -> list[dict[str, Any]]:
    """Give the latest lines, the last one first."""
    with tools.database.read() as connection:
        rows = [dict(row) for row in audit.latest(connection, wanted, limit=limit)]
    _record(tools, TrailRead("show", len(rows), by, reason), wanted)
    return rows


def export(tools: Tools, wanted: Wanted, *, by: str, reason: str | None) -> Iterator[dict[str, Any]]:
    """Give lines in the order of their moments, however many: first it is recorded that they are read."""
    with tools.database.read() as connection:
        count = audit.count(connection, wanted)
    _record(tools, TrailRead("export", count, by, reason), wanted)
    with tools.database.snapshot() as connection:
        for row in audit.every(connection, wanted):
            yield dict(row)


def _record(tools: Tools, event: TrailRead, wanted: Wanted) -> None:
    with tools.database.write() as connection:
        record(
            connection,
            event,
            tools.clock(),
            actor=_ACTOR,
            account_id=wanted.account_id,
            client_id=wanted.client_id,
        )


__all__ = ["Wanted", "account_id_of", "export", "show"]
