"""Telephone number and postal address, as the person gives them (PRO-2)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

from idp.crypto.opaque import digest
from idp.domain.civil_identity import apply_declared
from idp.domain.contact_details import ContactFault, PostalAddress, postal_address
from idp.domain.errors import RuleRefused
from idp.domain.events import ContactDetailsEdited
from idp.services.account.profile import Locked, Outdated, Saved
from idp.services.audit import record
from idp.storage.repositories import accounts, attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.civil_identity import Attribute
    from idp.services.context import Context
    from idp.storage.engine import Connection

#: What a number without a country code is taken for.
_HOME_REGION: Final = "FR"
_NAMES: Final = ("phone_number", "address")


@dataclass(frozen=True, slots=True)
class KnownContactDetails:
    """What is known of how to reach a person.

    Attributes:
        phone_number: E.164; empty for none.
        address: None for none.
        edition: Names this very state of both: whoever saves says which one they saw.
    """

    phone_number: str
    address: PostalAddress | None
    edition: str


@dataclass(frozen=True, slots=True)
class Faulty:
    """Something is malformed; nothing was written."""

    faults: Mapping[str, ContactFault]


def known_contact_details(context: Context, account_id: str) -> KnownContactDetails:
    """Read how to reach a person."""
    with context.database.read() as connection:
        return _known(attributes.read(connection, account_id))


def declare(
    context: Context, account_id: str, typed: Mapping[str, str], *, edition: str
) -> Saved | Faulty | Outdated | Locked:
    """Write what a person declares; all of it or nothing, and over nothing that they have not seen.

    Args:
        context: The parts.
        account_id: Whose details.
        typed: Every field of the form by name; what is blank goes away.
        edition: The state that the page showed.
    """
    number, address = normalised_number(typed.get("phone_number", "")), postal_address(typed)
    faults = {"phone_number": ContactFault.PHONE_MALFORMED} if number is None else {}
    if isinstance(address, dict):
        faults |= address
    if number is None or isinstance(address, dict):
        return Faulty(faults)
    changes = {"phone_number": number, "address": "" if address is None else address.to_text()}
    try:
        with context.database.write() as connection:
            return _declared(context, connection, account_id, changes, edition)
    except RuleRefused as refused:
        # The transaction is undone: a proven number is changed by another proof.
        return Locked(refused.subject)


def shown_phone_number(number: str) -> str:
    """Write an E.164 number as people read it, in groups that no line breaks (UX-1)."""
    return grouped_phone_number(number).replace(" ", "\N{NO-BREAK SPACE}")


def grouped_phone_number(number: str) -> str:
    """Write an E.164 number in groups, with the spaces that people type."""
    try:
        return phonenumbers.format_number(phonenumbers.parse(number), PhoneNumberFormat.INTERNATIONAL)
    except NumberParseException:
        return number


def _declared(
    context: Context, connection: Connection, account_id: str, changes: Mapping[str, str], edition: str
) -> Saved | Outdated:
    now = context.clock()
    # Two tabs that save at the same moment: one after the other, so that the second is told.
    if not accounts.hold(connection, account_id):
        return Outdated()
    known = attributes.read(connection, account_id)
    declared = apply_declared(known, changes, now)
    edited = tuple(sorted(name for name in changes if known.get(name) != declared.get(name)))
    if not edited:
        return Saved()
    if _known(known).edition != edition:
        return Outdated()
    blocked = attributes.write(connection, account_id, known, declared, changed_by="person", now=now)
    if blocked is not None:
        raise RuleRefused("FC-6", blocked)
    record(connection, ContactDetailsEdited(edited), now, account_id=account_id)
    return Saved()


def _known(known: Mapping[str, Attribute]) -> KnownContactDetails:
    values = [known[name].value if name in known else "" for name in _NAMES]
    number, address = values
    return KnownContactDetails(
        phone_number=number,
        address=PostalAddress.from_text(address) if address else None,
        edition=digest("\x1f".join(values)).hex(),
    )


def normalised_number(typed: str) -> str | None:
    """Normalise a telephone number: E.164, empty for none; None when there is no such number."""
    if not typed.strip():
        return ""
    try:
        number = phonenumbers.parse(typed, _HOME_REGION)
    except NumberParseException:
        return None
    if number.extension or not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
