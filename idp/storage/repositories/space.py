"""Queries about favourites and rubriques (PRO-4, PRO-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select

from idp.storage.models import favourites, shown_rubriques

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection


def favourites_of(connection: Connection, account_id: str) -> list[str]:
    """List the services that a person wants at hand, in their order."""
    statement = (
        select(favourites.c.client_id)
        .where(favourites.c.account_id == account_id)
        .order_by(favourites.c.position, favourites.c.client_id)
    )
    return list(connection.scalars(statement))


def put_favourites(connection: Connection, account_id: str, client_ids: Sequence[str]) -> None:
    """Write the whole list, while the account is held."""
    connection.execute(delete(favourites).where(favourites.c.account_id == account_id))
    if client_ids:
        connection.execute(
            insert(favourites),
            [
                {"account_id": account_id, "client_id": client_id, "position": position}
                for position, client_id in enumerate(client_ids, start=1)
            ],
        )


def rubriques_of(connection: Connection, account_id: str) -> frozenset[str]:
    """List the rubriques that a person wants in their menu."""
    statement = select(shown_rubriques.c.rubrique).where(shown_rubriques.c.account_id == account_id)
    return frozenset(connection.scalars(statement))


def put_rubriques(connection: Connection, account_id: str, rubriques: Iterable[str]) -> None:
    """Write the whole choice, while the account is held."""
    connection.execute(delete(shown_rubriques).where(shown_rubriques.c.account_id == account_id))
    rows = [{"account_id": account_id, "rubrique": rubrique} for rubrique in sorted(set(rubriques))]
    if rows:
        connection.execute(insert(shown_rubriques), rows)
