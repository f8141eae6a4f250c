"""Who vouches for a datum, in the words of the pages (FC-6)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from idp.domain.civil_identity import PIVOT_ORDER, USAGE_NAME, Level
from idp.services.account.contact_details import shown_phone_number

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from idp.domain.civil_identity import Attribute


def identity_row(name: str, value: Any, level: int | None, recorded_at: datetime | None) -> dict[str, Any]:  # noqa: ANN401 - any claim's value
    """Describe a datum as `components.html` shows it."""
    certified = level is not None and level >= Level.FRANCECONNECT
    return {
        "name": name,
        "value": shown_value(name, value),
        "provenance": None if value in (None, "") else provenance(level),
        "certified_at": recorded_at if certified else None,
    }


def identity_rows(attributes: Mapping[str, Attribute]) -> list[dict[str, Any]]:
    """Describe an identity: the pivot's six in their order, then the usage name."""
    return [
        identity_row(name, attributes[name].value, attributes[name].level, attributes[name].recorded_at)
        if name in attributes
        else identity_row(name, None, None, None)
        for name in (*PIVOT_ORDER, USAGE_NAME)
    ]


def provenance(level: int | None) -> str | None:
    """Name a level: certified by the State, verified by our own mail, declared by the person."""
    if level is None:
        return None
    if level >= Level.FRANCECONNECT:
        return "certified"
    return "verified" if level >= Level.PROVEN else "declared"


def shown_value(name: str, value: Any) -> Any:  # noqa: ANN401 - any claim's value
    """Give a value as the templates take it: a date for a whole birth date, one line for an address."""
    if name == "address" and isinstance(value, dict):
        return ", ".join(str(value.get("formatted", "")).splitlines())
    if name == "phone_number" and isinstance(value, str):
        return shown_phone_number(value)
    if name != "birthdate" or not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        # A day or month that the register does not know (franceconnect.md 4.3): shown as it is.
        return value
