"""Shows what a service received from Mon Paris, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

LABELS = {
    "given_name": "Prénoms",
    "family_name": "Nom de naissance",
    "preferred_username": "Nom d’usage",
    "gender": "Sexe",
    "birthdate": "Date de naissance",
    "email": "Adresse électronique",
    "phone_number": "Téléphone",
    "address": "Adresse postale",
}

GENDERS = {"female": "Féminin", "male": "Masculin", "unspecified": "Non précisé"}

MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


def received(userinfo: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """List the claims received, in a fixed order, each with its name, its French label and its value in words."""
    return [
        (name, label, _in_words(name, userinfo[name])) for name, label in LABELS.items() if userinfo.get(name)
    ]


def _in_words(name: str, value: Any) -> str:  # noqa: ANN401 - A claim is any JSON value.
    """Write a claim as people do."""
    if name == "address" and isinstance(value, dict):
        return str(value.get("formatted") or ", ".join(str(part) for part in value.values()))
    if name == "gender":
        return GENDERS.get(str(value), str(value))
    if name == "birthdate":
        return _birthdate(str(value))
    return str(value)


def _birthdate(text: str) -> str:
    """Write a birth date; one that is only partly known stays as received."""
    try:
        return long_date(date.fromisoformat(text))
    except ValueError:
        return text


def long_date(day: date) -> str:
    """Write a date in French: 1er mars 2026."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {MONTHS[day.month - 1]} {day.year}"


def short_date(day: date) -> str:
    """Write a date with figures: 01/03/2026."""
    return day.strftime("%d/%m/%Y")
