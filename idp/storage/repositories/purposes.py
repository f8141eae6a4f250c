"""Queries about answers to purposes (CON-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from idp.domain.purposes import Choice
from idp.storage.models import purpose_choices

if TYPE_CHECKING:
    from sqlalchemy import Connection


def of_person(connection: Connection, account_id: str, client_id: str) -> tuple[Choice, ...]:
    """Read what a person answered to the purposes of a service, by name."""
    rows = connection.execute(
        select(
            purpose_choices.c.name,
            purpose_choices.c.version,
            purpose_choices.c.is_allowed,
            purpose_choices.c.changed_at,
        )
        .where(purpose_choices.c.account_id == account_id, purpose_choices.c.client_id == client_id)
        .order_by(purpose_choices.c.name)
    )
    return tuple(Choice(*row) for row in rows)
