"""Who vouches for a datum, and its value, in the words of the pages (FC-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol

from idp.domain.civil_identity import PARTIAL_BIRTHDATE, PIVOT_ORDER, USAGE_NAME, Level, is_same_birthdate
from idp.outbound import places
from idp.services.account.contact_details import shown_phone_number
from idp.web.language import language

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

_OVERSEAS = ("97", "98")


class Known(Protocol):
    """What a row needs of an attribute."""

    @property
    def value(self) -> str:
        """Its text."""
        ...

    @property
    def source(self) -> str:
        """Who said so."""
        ...

    @property
    def level(self) -> int:
        """How surely."""
        ...

    @property
    def recorded_at(self) -> datetime:
        """When it was last said."""
        ...


@dataclass(frozen=True, slots=True)
class ShownBirthdate:
    """A date of birth, of which the day or the month may be unknown (fr. né présumé; franceconnect.md 4.3).

    Attributes:
        on: The day; the first of what is unknown.
        known: What is known of it: "day" for all, "month" for the month and the year, "year".
        is_whole: Whether the register writes a whole date all the same.
    """

    on: date
    known: str
    is_whole: bool


def identity_row(
    name: str,
    value: Any,  # noqa: ANN401 - any claim's value
    level: int | None,
    recorded_at: datetime | None,
    *,
    source: str | None = None,
) -> dict[str, Any]:
    """Describe a datum as `components.html` shows it."""
    certified = level is not None and level >= Level.FRANCECONNECT
    # That there is none can be certified too: a birth place, for who was born abroad.
    is_there = value not in (None, "") or (value == "" and certified)
    return {
        "name": name,
        "value": shown_value(name, value),
        "provenance": provenance(level) if is_there else None,
        "certified_at": recorded_at if certified else None,
        "recorded_at": recorded_at if is_there else None,
        "source": source,
    }


def identity_rows(
    attributes: Mapping[str, Known], names: Sequence[str] = (*PIVOT_ORDER, USAGE_NAME)
) -> list[dict[str, Any]]:
    """Describe an identity: the pivot's six in their order, then the usage name; or those that are named."""
    return [_row(attributes, name) for name in names]


def provenance(level: int | None) -> str | None:
    """Name a level: certified by the State, verified by our own mail, declared by the person."""
    if level is None:
        return None
    if level >= Level.FRANCECONNECT:
        return "certified"
    return "verified" if level >= Level.PROVEN else "declared"


def shown_value(name: str, value: Any) -> Any:  # noqa: ANN401 - any claim's value
    """Give a value as the templates take it: places by name, a date for a birth date, one line for an address."""
    if name == "address" and isinstance(value, dict):
        return ", ".join(str(value.get("formatted", "")).splitlines())
    if not isinstance(value, str):
        return value
    match name:
        case "phone_number":
            return shown_phone_number(value)
        case "birthdate":
            return shown_birthdate(value)
        case "birthplace":
            return shown_commune(value)
        case "birthcountry":
            return places.country(value, language()) or value
        case _:
            return value


def shown_commune(code: str) -> str:
    """Name a commune with its department, for many have the same name; what no table has is shown as it came."""
    name = places.commune(code)
    if name is None:
        return code
    department = code[:3] if code.startswith(_OVERSEAS) else code[:2]
    return f"{name} ({department})"


def shown_birthdate(value: str, partial: str | None = None) -> ShownBirthdate | str:
    """Give a date of birth as the templates take it; a text that is none, as it is.

    Args:
        value: The register's.
        partial: The identity provider's, which may know that the register's is a supposition.
    """
    told = partial if partial is not None and is_same_birthdate(partial, value) else value
    try:
        on = date.fromisoformat(value.replace("-00", "-01"))
    except ValueError:
        return value
    known = ("day", "month", "year")[told.count("-00")]
    return ShownBirthdate(on, known, is_whole="-00" not in value)


def _row(attributes: Mapping[str, Known], name: str) -> dict[str, Any]:
    held = attributes.get(name)
    if held is None:
        return identity_row(name, None, None, None)
    row = identity_row(name, held.value, held.level, held.recorded_at, source=held.source)
    partial = attributes.get(PARTIAL_BIRTHDATE)
    if name == "birthdate" and partial is not None:
        row["value"] = shown_birthdate(held.value, partial.value)
    return row
