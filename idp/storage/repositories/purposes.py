"""Queries about answers to purposes (CON-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from idp.domain.purposes import Choice
from idp.storage.models import purpose_choices
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from sqlalchemy import Connection

_COLUMNS = (
    purpose_choices.c.name,
    purpose_choices.c.version,
    purpose_choices.c.is_allowed,
    purpose_choices.c.changed_at,
)


def of_person(connection: Connection, account_id: str, client_id: str) -> tuple[Choice, ...]:
    """Read what a person answered to the purposes of a service, by name."""
    rows = connection.execute(
        select(*_COLUMNS)
        .where(purpose_choices.c.account_id == account_id, purpose_choices.c.client_id == client_id)
        .order_by(purpose_choices.c.name)
    )
    return tuple(Choice(*row) for row in rows)


def put(connection: Connection, account_id: str, client_id: str, choice: Choice) -> None:
    """Write an answer in the place of the one before it."""
    answer = {
        "version": choice.version,
        "is_allowed": choice.is_allowed,
        "changed_at": choice.changed_at,
    }
    keys = {"account_id": account_id, "client_id": client_id, "name": choice.name}
    statement = insert_into(connection, purpose_choices).values(**keys, **answer)
    connection.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=answer))


def remove(connection: Connection, account_id: str, client_id: str) -> tuple[Choice, ...]:
    """Take away whatever a person answered to a service; gives what it was, by name."""
    rows = connection.execute(
        delete(purpose_choices)
        .where(purpose_choices.c.account_id == account_id, purpose_choices.c.client_id == client_id)
        .returning(*_COLUMNS)
    )
    return tuple(sorted((Choice(*row) for row in rows), key=lambda choice: choice.name))
