"""What a person sees first: who they are, what is missing, which services there are (PRO)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from idp.domain.civil_identity import PIVOT, CivilIdentity, Level, given_names
from idp.services.account import contact_email
from idp.services.sign_in import portals
from idp.storage.repositories import attributes, clients, franceconnect

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.domain.client import Client
    from idp.services.account.contact_email import WaitingContactEmail
    from idp.services.context import Context
    from idp.services.sign_in.sessions import SignedIn
    from idp.storage.repositories.attributes import StoredAttribute


class Task(StrEnum):
    """Something that a person may still do for their account; one for each cause."""

    CONTACT_EMAIL = "contact_email"
    #: Certifies the identity, and opens the account when the password is lost.
    FRANCECONNECT = "franceconnect"
    IDENTITY = "identity"
    #: FranceConnect alone opens the account.
    PASSWORD = "password"


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


@dataclass(frozen=True, slots=True)
class Completion:
    """What an account could still have.

    Attributes:
        tasks: In the order in which they are shown.
        contact_email: The address that waits for its proof.
    """

    tasks: tuple[Task, ...]
    contact_email: WaitingContactEmail | None


def to_complete(context: Context, present: SignedIn, seen: Overview) -> Completion:
    """Tell what a person may complete, each cause once (PRO).

    Args:
        context: The parts.
        present: Who is signed in; who came by FranceConnect is linked to it, and nothing is looked up.
        seen: What is known of them.
    """
    account = present.account
    waiting = contact_email.waiting(context, account.account_id)
    may_link = bool(portals.portals(context)) and not _is_linked(context, present)
    wanted = {
        Task.CONTACT_EMAIL: waiting is not None,
        # An identity that nobody certifies, and a password that is the only way in, are one cause.
        Task.FRANCECONNECT: may_link,
        Task.IDENTITY: seen.identity_state == "empty" and not may_link,
        Task.PASSWORD: account.password_is_generated,
    }
    return Completion(tuple(task for task, is_wanted in wanted.items() if is_wanted), waiting)


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


def _is_linked(context: Context, present: SignedIn) -> bool:
    if present.session.upstream is not None:
        return True
    with context.database.read() as connection:
        return bool(franceconnect.links_of_account(connection, present.account.account_id))


def _display_name(known: dict[str, StoredAttribute]) -> str | None:
    values = {name: attribute.value for name, attribute in known.items()}
    identity = CivilIdentity(given_names=given_names(values), birth_name=values.get("family_name", ""))
    return identity.display_name(values.get("preferred_username", "")) or None


def _state(known: dict[str, StoredAttribute]) -> Literal["certified", "declared", "empty"]:
    levels = [known[name].level for name in PIVOT if name in known]
    if not levels:
        return "empty"
    return "certified" if max(levels) >= Level.FRANCECONNECT else "declared"
