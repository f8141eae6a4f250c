"""What a contract demands beside data: a parent's permission that stands, answers to purposes (CON-3, CON-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.storage.repositories import permissions, purposes

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.domain.purposes import Choice
    from idp.services.authorization.situation import Situation
    from idp.storage.engine import Connection


def hold(connection: Connection, situation: Situation) -> bool:
    """Keep the permission that a request stands on from being withdrawn until this transaction ends.

    Called before the consent is held or written, in the order in which a withdrawal takes them.

    Returns:
        False when it was withdrawn since it was read.
    """
    permission_id = situation.permission_id
    return permission_id is None or permissions.hold(connection, permission_id)


def choices(connection: Connection, client: Client, account_id: str) -> tuple[Choice, ...]:
    """Read what a person answered to the purposes of a service."""
    return purposes.of_person(connection, account_id, client.client_id) if client.purposes else ()
