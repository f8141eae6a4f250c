"""Minimum age and parental permission (CON-7, S-452; Loi 78-17 article 45)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from idp.domain.email_address import EmailAddress, parse

#: After a no, so long before a parent is asked again: nobody is to be worn down by mails.
ASK_AGAIN_AFTER: Final = timedelta(days=7)
#: Longer words are no first name.
_LONGEST_NAME: Final = 40
_BIRTHDATE: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_LAST_MONTH: Final = 12


class AgeGate(StrEnum):
    """Whether the age of the person lets them go on."""

    OPEN = "open"
    UNKNOWN = "unknown"
    NEEDS_PERMISSION = "needs_permission"
    WAITING = "waiting"
    REFUSED = "refused"


class PermissionState(StrEnum):
    """Where a parent's permission stands."""

    ASKED = "asked"
    GIVEN = "given"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Permission:
    """A parent's permission for one child and one service.

    Attributes:
        permission_id: Names it.
        account_id: The child's.
        client_id: The service.
        parent_email: Where the parent is asked; shown masked to the child.
        state: Where it stands.
        asked_at: When the mail was asked for.
        expires_at: Until when the parent may answer.
        answered_at: When they did.
    """

    permission_id: str
    account_id: str
    client_id: str
    parent_email: str
    state: PermissionState
    asked_at: datetime
    expires_at: datetime
    answered_at: datetime | None = None

    def ask_again_at(self) -> datetime | None:
        """Say from when a parent may be asked again after a no; None when nothing keeps from it."""
        if self.state is not PermissionState.REFUSED or self.answered_at is None:
            return None
        return self.answered_at + ASK_AGAIN_AFTER

    def may_be_asked_again(self, now: datetime) -> bool:
        """Tell whether another mail may be asked for."""
        until = self.ask_again_at()
        return until is None or now >= until


def gate(
    minimum_age: int | None, birthdate: str | None, today: date, permission: Permission | None, now: datetime
) -> AgeGate:
    """Say whether a person may go on to a service.

    Args:
        minimum_age: Of the service; None for any.
        birthdate: As known, `YYYY-MM-DD`, parts of it may be zero; None when it is not.
        today: In Europe/Paris, at the moment of the request.
        permission: The latest one of this child for this service.
        now: The same moment.
    """
    if minimum_age is None:
        return AgeGate.OPEN
    born = latest_birth(birthdate)
    if born is None:
        return AgeGate.UNKNOWN
    if age_on(today, born) >= minimum_age:
        return AgeGate.OPEN
    return _of_permission(permission, now)


def latest_birth(birthdate: str | None) -> date | None:
    """Read a birth date in the child's favour of protection: what is not known is taken as late as it can be.

    Returns:
        None when the year is not known, or the text is no date.
    """
    found = _BIRTHDATE.fullmatch(birthdate or "")
    if found is None:
        return None
    year, month, day = (int(part) for part in found.groups())
    if year == 0:
        return None
    try:
        return date(year, month, day) if month and day else _end_of(year, month)
    except ValueError:
        return None


def age_on(today: date, born: date) -> int:
    """Count the birthdays; somebody born on 29 February has theirs on 1 March of ordinary years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def is_own_address(address: EmailAddress, own: str) -> bool:
    """Tell whether an address leads to the child's own mailbox: the same one, or the same with another `+tag`.

    What stands after a plus may mean another mailbox somewhere; a parent who has such a one gives another.
    """
    known = parse(own, allow_localhost=True)
    return known is not None and _mailbox(address) == _mailbox(known)


def masked(address: str) -> str:
    """Show enough of an address for who gave it to know it again: its first character and its domain."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}•••@{domain}"


def first_name(given_names: str) -> str | None:
    """Give the one name by which a mail to a parent names the child; None when there is none that looks like one.

    Only letters, hyphens and apostrophes of one word: what a child may type as a name carries no message.
    """
    word = next(iter(given_names.split()), "")
    is_name = all(letter.isalpha() or letter in "-'’" for letter in word)
    return word if 0 < len(word) <= _LONGEST_NAME and is_name else None


def _mailbox(address: EmailAddress) -> tuple[str, str]:
    local, _, domain = address.canonical.rpartition("@")
    return local.partition("+")[0], domain


def _end_of(year: int, month: int) -> date:
    """Give the last day of a month, or of the year when the month is not known."""
    last = month or _LAST_MONTH
    following = date(year + 1, 1, 1) if last == _LAST_MONTH else date(year, last + 1, 1)
    return date.fromordinal(following.toordinal() - 1)


def _of_permission(permission: Permission | None, now: datetime) -> AgeGate:
    if permission is None:
        return AgeGate.NEEDS_PERMISSION
    match permission.state:
        case PermissionState.GIVEN:
            return AgeGate.OPEN
        case PermissionState.ASKED:
            return AgeGate.WAITING if now < permission.expires_at else AgeGate.NEEDS_PERMISSION
        case PermissionState.REFUSED:
            return AgeGate.REFUSED
        case PermissionState.WITHDRAWN | PermissionState.CANCELED:
            return AgeGate.NEEDS_PERMISSION
