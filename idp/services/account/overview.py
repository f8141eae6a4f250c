"""What a person sees first: who they are, what is missing, which services there are (PRO)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from idp.domain.civil_identity import PIVOT, CivilIdentity, Level, given_names
from idp.storage.repositories import attributes, clients

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.domain.client import Client
    from idp.services.context import Context
    from idp.storage.repositories.attributes import StoredAttribute


@dataclass(frozen=True, slots=True)
class Overview:
    """What is known of a person.

    Attributes:
        display_name: What to call them; None when no name is known.
        identity_state: Whether the State certifies the identity, the person declared one, or there is none.
        known: Every attribute, by wire name.
    """

    display_name: str | None
    identity_state: Literal["certified", "declared", "empty"]
    known: dict[str, StoredAttribute]


def of_account(context: Context, account: Account) -> Overview:
    """Read what is known of a person."""
    with context.database.read() as connection:
        known = attributes.of_account(connection, account.account_id)
    return Overview(_display_name(known), _state(known), known)


def open_services(context: Context) -> list[Client]:
    """List the services that a person may go to: enabled, and with an address of their own (CGU-4).

    A service that registered itself is nobody's recommendation (S-73).
    """
    now = context.clock()
    with context.database.read() as connection:
        every = clients.every_in_public(connection)
    return [
        client
        for client in every
        if client.is_enabled(now) and client.service_uri is not None and client.is_verified
    ]


def _display_name(known: dict[str, StoredAttribute]) -> str | None:
    values = {name: attribute.value for name, attribute in known.items()}
    identity = CivilIdentity(given_names=given_names(values), birth_name=values.get("family_name", ""))
    return identity.display_name(values.get("preferred_username", "")) or None


def _state(known: dict[str, StoredAttribute]) -> Literal["certified", "declared", "empty"]:
    levels = [known[name].level for name in PIVOT if name in known]
    if not levels:
        return "empty"
    return "certified" if max(levels) >= Level.FRANCECONNECT else "declared"
