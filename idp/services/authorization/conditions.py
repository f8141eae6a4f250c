"""What a service's contract demands beside data: an age, and answers to its purposes (CON-3, CON-7).

Nothing is read for a service that demands neither.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.domain.minimum_age import AgeGate, gate
from idp.domain.written_dates import PARIS
from idp.storage.repositories import attributes, permissions, purposes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.client import Client
    from idp.domain.minimum_age import Permission
    from idp.domain.purposes import Choice
    from idp.services.authorization.situation import Situation
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.attributes import StoredAttribute


@dataclass(frozen=True, slots=True)
class Age:
    """Whether a person's age lets them go on.

    Attributes:
        gate: The answer.
        permission_id: The parent's permission that it stands on; None when it needs none, or has none.
    """

    gate: AgeGate
    permission_id: str | None = None


#: Of a service that sets no age.
ANY_AGE: Final = Age(AgeGate.OPEN)


def age_gate(
    context: Context,
    connection: Connection,
    client: Client,
    account_id: str,
    known: Mapping[str, StoredAttribute],
) -> Age:
    """Say whether the age of a person lets them go on to a service, and by which permission."""
    if client.minimum_age is None:
        return ANY_AGE
    alone = _gate(context, client, known, None)
    if alone in {AgeGate.OPEN, AgeGate.UNKNOWN}:
        return Age(alone)
    permission = permissions.latest(connection, account_id, client.client_id)
    answer = _gate(context, client, known, permission)
    stands_on = permission if answer is AgeGate.OPEN else None
    return Age(answer, None if stands_on is None else stands_on.permission_id)


def age_alone(context: Context, connection: Connection, client: Client, account_id: str) -> AgeGate:
    """Say whether a person may go on to a service without anybody's permission."""
    return _gate(context, client, attributes.of_account(connection, account_id), None)


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


def _gate(
    context: Context, client: Client, known: Mapping[str, StoredAttribute], permission: Permission | None
) -> AgeGate:
    now = context.clock()
    birthdate = known.get("birthdate")
    return gate(
        client.minimum_age,
        None if birthdate is None else birthdate.value,
        # Birthdays are counted where the city is.
        now.astimezone(PARIS).date(),
        permission,
        now,
    )
