"""Who vouches for a datum, in the words of the pages (FC-6)."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from idp.domain.civil_identity import Level

if TYPE_CHECKING:
    from datetime import datetime


def identity_row(name: str, value: Any, level: int | None, recorded_at: datetime | None) -> dict[str, Any]:  # noqa: ANN401 - any claim's value
    """Describe a datum as `components.html` shows it."""
    certified = level is not None and level >= Level.FRANCECONNECT
    return {
        "name": name,
        "value": _shown(name, value),
        "provenance": None if value in (None, "") else provenance(level),
        "certified_at": recorded_at if certified else None,
    }


def provenance(level: int | None) -> str | None:
    """Name a level: certified by the State, verified by our own mail, declared by the person."""
    if level is None:
        return None
    if level >= Level.FRANCECONNECT:
        return "certified"
    return "verified" if level >= Level.PROVEN else "declared"


def _shown(name: str, value: Any) -> Any:  # noqa: ANN401 - any claim's value
    if name != "birthdate" or not isinstance(value, str):
        return value
    try:
        return date.fromisoformat(value)
    except ValueError:
        # A day or month that the register does not know (franceconnect.md 4.3): shown as it is.
        return value
