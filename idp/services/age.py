"""Whether a person's age lets them go on to a service (CON-7). Nothing is read for a service that sets none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.domain.minimum_age import AgeGate, gate
from idp.domain.written_dates import PARIS
from idp.storage.repositories import attributes, permissions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.client import Client
    from idp.domain.minimum_age import Permission
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


def gate_of(
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


def gate_alone(context: Context, connection: Connection, client: Client, account_id: str) -> AgeGate:
    """Say whether a person may go on to a service without anybody's permission."""
    return _gate(context, client, attributes.of_account(connection, account_id), None)


def is_open(context: Context, connection: Connection, client: Client, account_id: str) -> bool:
    """Tell whether a person may go on to a service today, alone or by a permission that stands."""
    if client.minimum_age is None:
        return True
    known = attributes.of_account(connection, account_id)
    return gate_of(context, connection, client, account_id, known).gate is AgeGate.OPEN


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
