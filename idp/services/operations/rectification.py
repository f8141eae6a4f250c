"""Rectifies what a person declared, at their request or a guardian's (PRI-4, ACC-7, S-441; RGPD article 16).

What the State certifies is rectified there, and comes to us with the next login through FranceConnect (FC-2).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.domain import contact_details, declared_identity
from idp.domain.civil_identity import apply_declared
from idp.domain.contact_details import PostalAddress, postal_address
from idp.domain.errors import RuleRefused
from idp.domain.events import AttributesRectified
from idp.services.account.contact_details import normalised_number
from idp.services.audit import record
from idp.services.messages import Mail, queue_mail
from idp.services.operations.accounts import find
from idp.storage.engine import retried
from idp.storage.repositories import accounts, attributes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.account import Account
    from idp.domain.civil_identity import Attribute
    from idp.services.tools import Tools
    from idp.storage.engine import Connection

_ACTOR: Final = "administrator"
_PHONE: Final = "phone_number"
_ADDRESS_FIELDS: Final = tuple(name for name in contact_details.FIELDS if name != _PHONE)
_IDENTITY: Final = (*declared_identity.FIELDS, *declared_identity.PLACES)
#: What may be rectified, by the names of the forms.
RECTIFIABLE: Final = (*_IDENTITY, *contact_details.FIELDS)


@dataclass(frozen=True, slots=True)
class Rectified:
    """It is written, and the person is mailed.

    Attributes:
        names: Wire names of what changed; empty when everything was so already, and nobody is mailed.
    """

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Faulty:
    """A value is malformed; nothing was written.

    Attributes:
        faults: Codes of what is wrong, by name.
    """

    faults: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Certified:
    """A value is certified, or proven: nobody here changes it (FC-2); nothing was written."""

    name: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such account."""


@retried
def rectify(
    tools: Tools, wanted: str, typed: Mapping[str, str], *, by: str, reason: str
) -> Rectified | Faulty | Certified | Unknown:
    """Write other values than the person declared; all of them or nothing.

    Args:
        tools: The parts.
        wanted: Identifier or address of the account.
        typed: Values by name, names of `RECTIFIABLE`; what is blank goes away.
        by: Which administrator.
        reason: A few words for the trail; nothing personal.
    """
    try:
        with tools.database.write() as connection:
            account = find(connection, wanted)
            if account is None or not accounts.hold(connection, account.account_id):
                return Unknown()
            return _rectified(tools, connection, account, typed, by=by, reason=reason)
    except RuleRefused as refused:
        # The transaction is undone: a certified value is certified anew by FranceConnect alone.
        return Certified(refused.subject)


def _rectified(
    tools: Tools, connection: Connection, account: Account, typed: Mapping[str, str], *, by: str, reason: str
) -> Rectified | Faulty:
    now, known = tools.clock(), attributes.read(connection, account.account_id)
    changes = {name: value for name, value in typed.items() if name in _IDENTITY}
    faults: dict[str, str] = dict(declared_identity.faults(changes, today=now.date()))
    faults |= _contact_changes(typed, known, changes)
    if faults:
        return Faulty(faults)
    declared = apply_declared(known, changes, now)
    names = tuple(sorted(name for name in changes if known.get(name) != declared.get(name)))
    if not names:
        return Rectified(())
    blocked = attributes.write(connection, account.account_id, known, declared, changed_by=_ACTOR, now=now)
    if blocked is not None:
        raise RuleRefused("FC-2", blocked)
    event = AttributesRectified(by, reason, names)
    record(connection, event, now, actor=_ACTOR, account_id=account.account_id)
    mail = Mail(account.email, "identity_rectified", account.language, {"at": now})
    queue_mail(tools, connection, mail, account_id=account.account_id)
    return Rectified(names)


def _contact_changes(
    typed: Mapping[str, str], known: Mapping[str, Attribute], changes: dict[str, str]
) -> dict[str, str]:
    """Add telephone number and address to the changes, as they are stored; give back what is wrong with them."""
    faults: dict[str, str] = {}
    if _PHONE in typed:
        number = normalised_number(typed[_PHONE])
        if number is None:
            faults[_PHONE] = contact_details.ContactFault.PHONE_MALFORMED
        else:
            changes[_PHONE] = number
    if any(name in typed for name in _ADDRESS_FIELDS):
        address = postal_address(_address_fields(known) | dict(typed))
        if isinstance(address, dict):
            faults |= address
        else:
            changes["address"] = "" if address is None else address.to_text()
    return faults


def _address_fields(known: Mapping[str, Attribute]) -> dict[str, str]:
    """Give the present address by the names of the form: a part of it may be rectified alone."""
    if "address" not in known:
        return {}
    address = PostalAddress.from_text(known["address"].value)
    return {name: getattr(address, name) for name in _ADDRESS_FIELDS}
