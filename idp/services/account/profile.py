"""The identity that a person declares, and what of it is locked (PRO-3, FC-2)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from idp.crypto.opaque import digest
from idp.domain import declared_identity
from idp.domain.civil_identity import PIVOT_ORDER, USAGE_NAME, apply_declared, is_locked, normalise_text
from idp.domain.errors import RuleRefused
from idp.domain.events import IdentityEdited
from idp.services.audit import record
from idp.storage.repositories import accounts, attributes, franceconnect

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from idp.domain.civil_identity import Attribute
    from idp.domain.declared_identity import IdentityFault
    from idp.services.context import Context
    from idp.storage.engine import Connection


_SHOWN = (*PIVOT_ORDER, USAGE_NAME)
_MOST_MODIFICATIONS = 10
# Enough for ten acts that change everything, contact details between them.
_MOST_CHANGES = 200


@dataclass(frozen=True, slots=True)
class KnownIdentity:
    """What is known of a person."""

    attributes: Mapping[str, Attribute]

    @property
    def is_certified(self) -> bool:
        """Tell whether the pivot identity is locked."""
        return is_locked(self.attributes)

    @property
    def declared_places(self) -> tuple[str, ...]:
        """Name the places of birth that stand since a link ended: the form has fields for those (FC-5)."""
        if self.is_certified:
            return ()
        return tuple(name for name in declared_identity.PLACES if name in self.attributes)

    @property
    def edition(self) -> str:
        """Name this very state of the values: whoever saves says which one they saw."""
        values = (self.attributes[name].value if name in self.attributes else "" for name in _SHOWN)
        return digest("\x1f".join(values)).hex()


@dataclass(frozen=True, slots=True)
class Saved:
    """It is written, or was so already."""


@dataclass(frozen=True, slots=True)
class Faulty:
    """Something is malformed; nothing was written."""

    faults: Mapping[str, IdentityFault]


@dataclass(frozen=True, slots=True)
class Outdated:
    """Somebody saved other values since the page was shown, in another tab; nothing was written."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A certified value would have changed; nothing was written (FC-2)."""

    name: str


@dataclass(frozen=True, slots=True)
class Modification:
    """What one act changed of an identity (FC-6).

    Attributes:
        at: When.
        changed_by: "person", "franceconnect" or "administrator".
        names: Wire names, in the order of the pages.
    """

    at: datetime
    changed_by: str
    names: tuple[str, ...]


def known_identity(context: Context, account_id: str) -> KnownIdentity:
    """Read what is known of a person."""
    with context.database.read() as connection:
        return KnownIdentity(attributes.read(connection, account_id))


def modifications(context: Context, account_id: str) -> list[Modification]:
    """List what was changed of an identity and by whom, latest first; one entry for what one act changed.

    No values: somebody who changed their name or their gender finds the former ones on no page of ours.
    """
    with context.database.read() as connection:
        changes = attributes.latest_changes(connection, account_id, _MOST_CHANGES)
    of_identity = [change for change in changes if change.name in _SHOWN]
    return [
        Modification(at, changed_by, tuple(sorted({one.name for one in acts}, key=_SHOWN.index)))
        for (at, changed_by), acts in groupby(of_identity, key=lambda one: (one.changed_at, one.changed_by))
    ][:_MOST_MODIFICATIONS]


def declare(
    context: Context, account_id: str, typed: Mapping[str, str], *, edition: str | None = None
) -> Saved | Faulty | Outdated | Locked:
    """Write what a person declares; all of it or nothing, and over nothing that they have not seen.

    Args:
        context: The parts.
        account_id: Whose identity.
        typed: Values by wire name; what is absent stays as it is, what is blank goes away. Other names than those of
            the form are not looked at.
        edition: The state that the page showed; None when no page did.
    """
    try:
        with context.database.write() as connection:
            return _declared(context, connection, account_id, typed, edition)
    except RuleRefused as refused:
        # The transaction is undone; the page says which value is locked, and why.
        return Locked(refused.subject)


def _declared(
    context: Context, connection: Connection, account_id: str, typed: Mapping[str, str], edition: str | None
) -> Saved | Faulty | Outdated:
    now = context.clock()
    # The links first, then the account: the order of `certification.wait_for_turn`. Two tabs that save at the same
    # moment go one after the other, so that the second is told.
    franceconnect.hold_links(connection, account_id)
    if not accounts.hold(connection, account_id):
        return Outdated()
    known = KnownIdentity(attributes.read(connection, account_id))
    fields = (*declared_identity.FIELDS, *known.declared_places)
    changes = {name: typed[name] for name in fields if name in typed}
    faults = _faults(known.attributes, changes, now.date())
    if faults:
        return Faulty(faults)
    declared = apply_declared(known.attributes, changes, now)
    edited = tuple(sorted(name for name in changes if known.attributes.get(name) != declared.get(name)))
    if not edited:
        return Saved()
    if edition not in {None, known.edition}:
        return Outdated()
    blocked = attributes.write(
        connection, account_id, known.attributes, declared, changed_by="person", now=now
    )
    if blocked is not None:
        raise RuleRefused("FC-2", blocked)
    record(connection, IdentityEdited(edited), now, account_id=account_id)
    return Saved()


def _faults(
    known: Mapping[str, Attribute], changes: Mapping[str, str], today: date
) -> dict[str, IdentityFault]:
    """Name what is wrong in what really changes: a certified value sent back as it was may have any form."""
    changed = {
        name: value
        for name, value in changes.items()
        if normalise_text(value) != normalise_text(known[name].value if name in known else "")
    }
    return declared_identity.faults(changed, today=today)
