"""What a person types of their own identity, checked field by field so that every fault is told at once (ACC-1, PRO-3).

`civil_identity.apply_declared` writes it, and refuses what is malformed once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum

from idp.domain.civil_identity import FIRST_YEAR, LONGEST_NAME, Gender, is_birthdate, is_name, normalise_text

#: The fields of the form, in its order.
FIELDS = ("given_name", "family_name", "preferred_username", "gender", "birthdate")
#: What a person is not asked for, but may change once FranceConnect has said it and the link has ended (FC-5).
PLACES = ("birthplace", "birthcountry")

#: The genders that a person may say; FranceConnect has a third.
_GENDERS = (Gender.FEMALE, Gender.MALE)


class IdentityFault(StrEnum):
    """What is wrong with a field; the texts are in `templates/messages.html`, under the same names."""

    NAME_MALFORMED = "name_malformed"
    NAME_TOO_LONG = "name_too_long"
    GENDER_UNKNOWN = "gender_unknown"
    BIRTHDATE_MALFORMED = "birthdate_malformed"
    BIRTHDATE_FUTURE = "birthdate_future"
    BIRTHDATE_TOO_OLD = "birthdate_too_old"


def faults(typed: Mapping[str, str], *, today: date) -> dict[str, IdentityFault]:
    """Name what is wrong with each field, places too, in the order of the form; empty when all is well.

    Nothing is demanded: a person says as much as they like (ACC-1, S-429), and a service that needs more asks for it.

    Args:
        typed: Values by wire name; an absent one is as good as a blank one.
        today: The date that birth dates are compared with.
    """
    names = (*FIELDS, *PLACES)
    found = {name: _fault(name, normalise_text(typed.get(name, "")), today) for name in names}
    return {name: fault for name, fault in found.items() if fault is not None}


def _fault(name: str, value: str, today: date) -> IdentityFault | None:
    if not value:
        return None
    if name == "birthdate":
        return None if is_birthdate(value, today=today) else _birthdate_fault(value, today)
    if name == "gender":
        return None if value in _GENDERS else IdentityFault.GENDER_UNKNOWN
    if len(value) > LONGEST_NAME:
        return IdentityFault.NAME_TOO_LONG
    if name in PLACES:
        return None if value.isprintable() else IdentityFault.NAME_MALFORMED
    return None if is_name(value) else IdentityFault.NAME_MALFORMED


def _birthdate_fault(value: str, today: date) -> IdentityFault:
    try:
        born = date.fromisoformat(value)
    except ValueError:
        return IdentityFault.BIRTHDATE_MALFORMED
    if born > today:
        return IdentityFault.BIRTHDATE_FUTURE
    return IdentityFault.BIRTHDATE_TOO_OLD if born.year < FIRST_YEAR else IdentityFault.BIRTHDATE_MALFORMED
