"""What a receipt of an act says: the fields of ISO/IEC TS 27560, from an entry of the ledger (CON-5, S-436, S-437)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from idp.domain.client import LegalBasis
from idp.domain.data_words import claim_label, legal_basis_label, worded
from idp.domain.ledger import Act, Matter

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from idp.domain.client import Client
    from idp.domain.controller import Controller

#: Which version of the fields; the schema of the same number is published.
SCHEMA_VERSION: Final = "ISO/IEC TS 27560:2023, Mon Paris 1"
_RIGHTS: Final = ("access", "rectification", "erasure", "restriction", "portability")
_WITHDRAWABLE: Final = "withdrawal"
_COMPLAINT: Final = "complaint"
#: RGPD article 21: who may object.
_OBJECTION: Final = frozenset({LegalBasis.PUBLIC_INTEREST, LegalBasis.LEGITIMATE_INTEREST})
#: RGPD article 77; French law names the CNIL.
_AUTHORITY: Final = {
    "name": "Commission nationale de l’informatique et des libertés (CNIL)",
    "address": "3 place de Fontenoy, TSA 80715, 75334 Paris Cedex 07",
    "url": "https://www.cnil.fr/",
}
_CITY: Final = "city"
_OWN_SERVICE: Final = "Mon Paris"
_TERMS: Final = {"fr": "Utiliser le compte Mon Paris", "en": "To use the Mon Paris account"}
_PERMISSION: Final = {
    "fr": "Autorisation d’un parent pour utiliser ce service",
    "en": "A parent’s permission to use this service",
}
_RETENTION: Final = {
    "fr": "Tant que le compte existe ; cette preuve est effacée avec lui.",
    "en": "As long as the account exists; this proof is erased with it.",
}


@dataclass(frozen=True, slots=True)
class ProvenAct:
    """An entry of the ledger as it is read for its owner.

    Attributes:
        entry_id: Names it.
        matter: What it is about.
        act: What was done.
        at: When.
        subject: How the service knows the person, or how we name them towards themselves.
        client_id: Which service; None for the terms.
        document: Name, version and reference of what it refers to.
        text_hash: SHA-256 of the words, in hexadecimal.
        words: The exact words that were shown.
        language: Of the words.
        channel: Where the person acted.
        details: What else proves it.
        sequence: Its place in the ledger; None while it waits for one.
        link: Its link in the ledger, in hexadecimal.
    """

    entry_id: str
    matter: Matter
    act: Act
    at: datetime
    subject: str
    client_id: str | None
    document: Mapping[str, Any]
    text_hash: str
    words: str
    language: str
    channel: str
    details: Mapping[str, Any] = field(default_factory=dict)
    sequence: int | None = None
    link: str | None = None


@dataclass(frozen=True, slots=True)
class Addresses:
    """Our own addresses that stand in a receipt.

    Attributes:
        issuer: Our name as an issuer.
        schema: Of the fields.
        keys: Of the public keys.
        check: Where anyone checks a receipt.
        withdrawal: Where the person changes their mind.
        rights: Where the person uses their rights.
    """

    issuer: str
    schema: str
    keys: str
    check: str
    withdrawal: str
    rights: str


def receipt(
    act: ProvenAct, client: Client | None, controller: Controller, addresses: Addresses
) -> dict[str, Any]:
    """Write a receipt.

    What identifies the act comes from the ledger: document, version, words, claims by name. What describes the
    service is its contract of today; None when it is gone.
    """
    parties = _parties(act, client, controller, addresses)
    return {
        "schema": addresses.schema,
        "schema_version": SCHEMA_VERSION,
        "record_id": act.entry_id,
        "pii_principal_id": act.subject,
        "pii_processing": {
            "privacy_notice": {
                "name": act.document.get("name"),
                "version": act.document.get("version"),
                "reference": act.document.get("reference"),
                "hash": f"sha-256:{act.text_hash}",
                "text": act.words,
            },
            "language": act.language,
            "purposes": [_purpose(act, client, one, parties, addresses) for one in _grouped(act, client)],
        },
        "party_identification": parties,
        "event": {
            "event_time": act.at.isoformat(),
            "validity_duration": _validity(act),
            "entity_id": "parent" if act.matter is Matter.PERMISSION else act.subject,
            "event_type": act.matter.value,
            "event_state": act.act.value,
            "collection_method": act.channel,
        },
        "proof": {
            "ledger": "ledger",
            "sequence": act.sequence,
            "link": act.link,
            "keys": addresses.keys,
            "check": addresses.check,
        },
    }


@dataclass(frozen=True, slots=True)
class _Group:
    """Claims that serve one purpose."""

    purpose: str
    claims: tuple[tuple[str, str], ...] = ()
    recipients: tuple[str, ...] = ()


def _grouped(act: ProvenAct, client: Client | None) -> list[_Group]:
    language = act.language
    match act.matter:
        case Matter.TERMS:
            return [_Group(worded(_TERMS, language))]
        case Matter.PURPOSE:
            name = str(act.document.get("name"))
            known = None if client is None else client.purpose(name)
            title = worded(known.title, language) if known else ""
            return [_Group(title or name, recipients=tuple(act.details.get("recipients", ())))]
        case Matter.PERMISSION:
            states = [(name, act.act.value) for name in act.details.get("claims", ())]
            return [_Group(worded(_PERMISSION, language), tuple(states))]
        case _ if "newsletter" in act.details:
            return [_of_newsletter(act, client)]
        case _:
            return _by_reason(act, client)


def _of_newsletter(act: ProvenAct, client: Client | None) -> _Group:
    """Name a list by its title of today, and what its service reads of who is on it (PRO-7)."""
    name = str(act.details["newsletter"])
    known = None if client is None else client.newsletter(name)
    states = [(claim, act.act.value) for claim in act.details.get("claims", ())]
    return _Group(known.words(act.language)[0] if known else name, tuple(states))


def _by_reason(act: ProvenAct, client: Client | None) -> list[_Group]:
    groups: dict[str, list[tuple[str, str]]] = {}
    name_of_service = act.client_id or "" if client is None else client.name
    for name, state in _states(act).items():
        use = None if client is None else client.claim_use(name)
        reason = worded(use.reason, act.language) if use else ""
        groups.setdefault(reason or name_of_service, []).append((name, state))
    return [_Group(reason, tuple(claims)) for reason, claims in groups.items()] or [_Group(name_of_service)]


def _states(act: ProvenAct) -> dict[str, str]:
    """Say of each claim what became of it."""
    refused = dict.fromkeys(act.details.get("refused_claims", ()), Act.REFUSED.value)
    if act.act is Act.REFUSED:
        refused |= dict.fromkeys(act.details.get("asked", ()), Act.REFUSED.value)
    return dict.fromkeys(act.details.get("claims", ()), act.act.value) | refused


def _purpose(
    act: ProvenAct, client: Client | None, group: _Group, parties: list[dict[str, Any]], addresses: Addresses
) -> dict[str, Any]:
    language = act.language
    basis = _basis(act, client)
    rights = [*_RIGHTS, *(("objection",) if basis in _OBJECTION else ()), _COMPLAINT]
    is_withdrawable = act.matter is not Matter.TERMS
    if is_withdrawable:
        rights.insert(0, _WITHDRAWABLE)
    own = () if client is None else client.recipients
    retention = (
        worded(client.retention, language) if client is not None and act.matter is not Matter.TERMS else ""
    )
    return {
        "purpose": group.purpose,
        "services": [_service(act, client)],
        "lawful_basis": basis.value,
        "lawful_basis_label": legal_basis_label(basis, language),
        "pii_information": [_information(name, state, client, language) for name, state in group.claims],
        "pii_controllers": [party["party_id"] for party in parties],
        "storage_locations": [client.storage_location]
        if client is not None and client.storage_location
        else ["France"],
        "retention_period": retention or worded(_RETENTION, language),
        "jurisdictions": ["FR", "EU"],
        "recipient_third_parties": sorted({*own, *group.recipients}),
        "withdrawal_method": addresses.withdrawal if is_withdrawable else addresses.rights,
        "privacy_rights": rights,
        "rights_address": addresses.rights,
        "authority_party": dict(_AUTHORITY),
    }


def _service(act: ProvenAct, client: Client | None) -> str:
    return _OWN_SERVICE if act.client_id is None else act.client_id if client is None else client.name


def _information(name: str, state: str, client: Client | None, language: str) -> dict[str, Any]:
    use = None if client is None else client.claim_use(name)
    return {
        "pii_type": name,
        "pii_label": claim_label(name, language),
        "pii_optional": use is not None and not use.required,
        "state": state,
    }


def _basis(act: ProvenAct, client: Client | None) -> LegalBasis:
    match act.matter:
        case Matter.TERMS:
            return LegalBasis.CONTRACT
        case Matter.PURPOSE | Matter.PERMISSION:
            return LegalBasis.CONSENT
        case _:
            told = act.details.get("legal_basis")
            if told in set(LegalBasis):
                return LegalBasis(told)
            return LegalBasis.CONSENT if client is None else client.legal_basis


def _parties(
    act: ProvenAct, client: Client | None, controller: Controller, addresses: Addresses
) -> list[dict[str, Any]]:
    city = {
        "party_id": _CITY,
        "party_name": controller.name,
        "party_type": "organisation",
        "party_role": "controller",
        "party_address": controller.address or None,
        "party_contact": controller.contact or None,
        "party_phone": controller.phone or None,
        "party_url": addresses.issuer,
    }
    if act.client_id is None:
        return [city]
    service = {
        "party_id": act.client_id,
        "party_name": act.client_id if client is None else client.organisation or client.name,
        "party_type": "organisation",
        "party_role": "controller",
        "party_address": None,
        "party_contact": None
        if client is None
        else client.data_protection_contact or next(iter(client.contacts), None),
        "party_phone": None,
        "party_url": None if client is None else client.service_uri,
    }
    return [city, service]


def _validity(act: ProvenAct) -> str:
    if act.act is not Act.GIVEN:
        return "none"
    return "until_next_major_version" if act.matter is Matter.TERMS else "until_withdrawn"
