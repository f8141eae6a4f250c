"""The postal address that a person types: checked field by field, kept as the members of OIDC Core 5.1.1 (PRO-2).

Telephone numbers need the numbering plans of the world, which are a library's: see the use case.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from idp.domain.civil_identity import normalise_text

#: The fields of the form, in its order.
FIELDS: Final = ("phone_number", "street", "complement", "postal_code", "locality", "country")
#: Where the form begins; an address that says nothing else is none.
HOME_COUNTRY: Final = "France"

_LONGEST_LINE: Final = 120
_LONGEST_CODE: Final = 12
_FRENCH_CODE: Final = re.compile(r"[0-9]{5}")
_FOREIGN_CODE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z -]*")
#: Members of the claim, in the order in which they are written down.
_MEMBERS: Final = ("street_address", "postal_code", "locality", "country")


class ContactFault(StrEnum):
    """What is wrong with a field; the texts are in `templates/messages.html`, under the same names."""

    PHONE_MALFORMED = "phone_malformed"
    STREET_MISSING = "street_missing"
    POSTAL_CODE_FRENCH = "postal_code_french"
    POSTAL_CODE_MALFORMED = "postal_code_malformed"
    LOCALITY_MISSING = "locality_missing"
    COUNTRY_MISSING = "country_missing"
    LINE_TOO_LONG = "address_line_too_long"
    LINE_MALFORMED = "address_line_malformed"


_MISSING: Final = {
    "street": ContactFault.STREET_MISSING,
    "locality": ContactFault.LOCALITY_MISSING,
    "country": ContactFault.COUNTRY_MISSING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PostalAddress:
    """Where mail reaches a person.

    Attributes:
        street: Number and street, "bis" and commas as the person writes them.
        complement: Building, floor, hamlet; empty for none.
        postal_code: Empty where there are none.
        locality: Town.
        country: In words.
    """

    street: str
    complement: str = ""
    postal_code: str = ""
    locality: str
    country: str

    @classmethod
    def from_text(cls, text: str) -> PostalAddress:
        """Read what `to_text` wrote."""
        members: dict[str, str] = json.loads(text)
        street, _, complement = members.get("street_address", "").partition("\n")
        return cls(
            street=street,
            complement=complement,
            postal_code=members.get("postal_code", ""),
            locality=members.get("locality", ""),
            country=members.get("country", ""),
        )

    def to_text(self) -> str:
        """Write it down as it is stored: equal addresses are equal texts."""
        return json.dumps(self._members, ensure_ascii=False, separators=(",", ":"))

    @property
    def claim(self) -> dict[str, str]:
        """The members of the `address` claim (OIDC Core 5.1.1); none is empty."""
        return {"formatted": "\n".join(self.lines), **self._members}

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of an envelope below the name."""
        town = f"{self.postal_code} {self.locality}".strip()
        return tuple(line for line in (self.street, self.complement, town, self.country) if line)

    @property
    def _members(self) -> dict[str, str]:
        street = "\n".join(line for line in (self.street, self.complement) if line)
        values = (street, self.postal_code, self.locality, self.country)
        return {name: value for name, value in zip(_MEMBERS, values, strict=True) if value}


def postal_address(typed: Mapping[str, str]) -> PostalAddress | dict[str, ContactFault] | None:
    """Read the address that a person typed.

    Args:
        typed: Values by field name; an absent one is as good as a blank one.

    Returns:
        The address, normalised; what is wrong with each field, in the order of the form; None for no address.
    """
    fields = {name: normalise_text(typed.get(name, "")) for name in FIELDS if name != "phone_number"}
    if not any(value for name, value in fields.items() if name != "country"):
        return None
    is_french = fields["country"].casefold() == HOME_COUNTRY.casefold()
    if is_french:
        fields |= {"country": HOME_COUNTRY, "postal_code": fields["postal_code"].replace(" ", "")}
    found = {name: _fault(name, value, is_french=is_french) for name, value in fields.items()}
    faults = {name: fault for name, fault in found.items() if fault is not None}
    return faults or PostalAddress(**fields)


def _fault(name: str, value: str, *, is_french: bool) -> ContactFault | None:
    if name == "postal_code":
        return _postal_code_fault(value, is_french=is_french)
    if not value:
        return _MISSING.get(name)
    if len(value) > _LONGEST_LINE:
        return ContactFault.LINE_TOO_LONG
    is_fit = value.isprintable() and any(character.isalnum() for character in value)
    return None if is_fit else ContactFault.LINE_MALFORMED


def _postal_code_fault(value: str, *, is_french: bool) -> ContactFault | None:
    if is_french:
        return None if _FRENCH_CODE.fullmatch(value) else ContactFault.POSTAL_CODE_FRENCH
    is_fit = not value or (len(value) <= _LONGEST_CODE and _FOREIGN_CODE.fullmatch(value))
    return None if is_fit else ContactFault.POSTAL_CODE_MALFORMED
