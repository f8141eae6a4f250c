"""What a service's contract demands beside data: an age, and answers to its purposes (CON-3, CON-7).

Nothing is read for a service that demands neither.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from idp.domain.minimum_age import AgeGate, gate
from idp.storage.repositories import permissions, purposes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.client import Client
    from idp.domain.purposes import Choice
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.attributes import StoredAttribute

#: Birthdays are counted where the city is.
PARIS: Final = ZoneInfo("Europe/Paris")


def age_gate(
    context: Context,
    connection: Connection,
    client: Client,
    account_id: str,
    known: Mapping[str, StoredAttribute],
) -> AgeGate:
    """Say whether the age of a person lets them go on to a service."""
    if client.minimum_age is None:
        return AgeGate.OPEN
    now = context.clock()
    birthdate = known.get("birthdate")
    permission = permissions.latest(connection, account_id, client.client_id)
    return gate(
        client.minimum_age,
        None if birthdate is None else birthdate.value,
        now.astimezone(PARIS).date(),
        permission,
        now,
    )


def choices(connection: Connection, client: Client, account_id: str) -> tuple[Choice, ...]:
    """Read what a person answered to the purposes of a service."""
    return purposes.of_person(connection, account_id, client.client_id) if client.purposes else ()
