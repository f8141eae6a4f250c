"""What a client is told of a person, in the ID Token and at UserInfo: the claims that were granted, and no other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idp.domain.civil_identity import CONTACT_EMAIL, Level, Source
from idp.outbound import places
from idp.protocol.claims.place_of_birth import place_of_birth
from idp.protocol.claims.purposes import purposes_claim
from idp.protocol.claims.standard import CERTIFICATION, PURPOSES
from idp.protocol.claims.values import Proof, certification, claim_values
from idp.protocol.claims.verified import PARTS, VERIFIABLE_CLAIMS, VERIFIED_CLAIMS, Certified, select
from idp.storage.repositories import accounts, assurance, attributes, clients, purposes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.client import Client
    from idp.domain.tokens import TokenFamily, VerifiedElement
    from idp.storage.engine import Connection
    from idp.storage.repositories.attributes import StoredAttribute


@dataclass(frozen=True, slots=True)
class Place:
    """What was granted for one place: an ID Token, or UserInfo.

    Attributes:
        names: Plain claims.
        elements: What is told as `verified_claims`.
    """

    names: tuple[str, ...]
    elements: tuple[VerifiedElement, ...]

    def __bool__(self) -> bool:
        """Tell whether anything of the person has to be read."""
        return bool(self.names or self.elements)


@dataclass(frozen=True, slots=True)
class Holder:
    """Of whom is told, as the account was just read."""

    account_id: str
    email: str
    language: str | None


def of_id_token(family: TokenFamily) -> Place:
    """Give what was granted for the ID Token."""
    return Place(family.claims.id_token, family.claims.verified_id_token)


def of_userinfo(family: TokenFamily) -> Place:
    """Give what was granted for UserInfo."""
    return Place(family.claims.userinfo, family.claims.verified_userinfo)


def person_claims(connection: Connection, family: TokenFamily) -> dict[str, Any]:
    """Read the claims about the person for an ID Token; nothing is read when none were granted."""
    place = of_id_token(family)
    account = accounts.by_id(connection, family.account_id) if place and family.account_id else None
    if account is None:
        return {}
    return told(connection, family, place, Holder(account.account_id, account.email, account.language))


def told(connection: Connection, family: TokenFamily, place: Place, holder: Holder) -> dict[str, Any]:
    """Read what is told of a person in one place: one statement, one more with verified claims, two with purposes.

    Args:
        connection: To read from.
        family: What was granted, and when.
        place: Which part of it.
        holder: The family's person.
    """
    known = attributes.of_account(connection, holder.account_id)
    # Not a claim, and no change of it is told by `updated_at`: services get it with their lists alone (PRO-7).
    known.pop(CONTACT_EMAIL, None)
    claims = _plain(known, holder, place.names)
    if CERTIFICATION in place.names:
        certified = certification(_proofs(known), claims)
        claims |= {CERTIFICATION: certified} if certified else {}
    if place.elements:
        verified = _verified(connection, family, known, place.elements, holder.account_id)
        claims |= {VERIFIED_CLAIMS: verified} if verified else {}
    if PURPOSES in place.names:
        client = clients.by_id(connection, family.client_id)
        claims |= {} if client is None else purposes_of(connection, client, holder.account_id)
    return claims


def purposes_of(connection: Connection, client: Client, account_id: str) -> dict[str, Any]:
    """Read what a person answered to the purposes that a client declares, as a claim (CON-3)."""
    choices = purposes.of_person(connection, account_id, client.client_id)
    return {PURPOSES: purposes_claim(client.purposes, choices)}


def _plain(known: Mapping[str, StoredAttribute], holder: Holder, names: tuple[str, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {name: attribute.value for name, attribute in known.items()}
    latest = max((attribute.recorded_at for attribute in known.values()), default=None)
    values |= {"email": holder.email, "language": holder.language, "updated_at": latest}
    return claim_values(values, names)


def _proofs(known: Mapping[str, StoredAttribute]) -> dict[str, Proof]:
    proofs = {
        name: Proof(attribute.level, attribute.source, attribute.recorded_at)
        for name, attribute in known.items()
    }
    # The login address is proven by our own mail (ACC-4).
    return proofs | {"email": Proof(Level.PROVEN, Source.MAIL)}


def _verified(
    connection: Connection,
    family: TokenFamily,
    known: Mapping[str, StoredAttribute],
    elements: tuple[VerifiedElement, ...],
    account_id: str,
) -> dict[str, Any] | list[dict[str, Any]] | None:
    certified = {name: one for name, one in known.items() if one.level >= Level.FRANCECONNECT}
    values = _verifiable(certified)
    level = assurance.level_of_account(connection, account_id) if values else None
    if level is None:
        return None
    at = min(certified[name].recorded_at for name in values if name in certified)
    # The family is as old as the answer to the request.
    return select(elements, Certified(values, level, at), family.created_at)


def _verifiable(certified: Mapping[str, StoredAttribute]) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: certified[name].value
        for name in VERIFIABLE_CLAIMS
        if name in certified and certified[name].value
    }
    if certified.keys() >= set(PARTS["place_of_birth"]):
        place, country = (certified[part].value for part in PARTS["place_of_birth"])
        born = place_of_birth(place, country, places.commune(place))
        values |= {"place_of_birth": born} if born else {}
    return values
