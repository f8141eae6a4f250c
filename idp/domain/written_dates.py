"""Days and moments in words, in French and in English, on the clock of Paris: the same on pages and in mails (UX-1)."""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

#: Days begin, and are counted, where the city is.
PARIS: Final = ZoneInfo("Europe/Paris")
_NO_BREAK: Final = "\N{NO-BREAK SPACE}"
_MONTHS: Final = {
    "fr": (
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
    ),
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
}


def day(value: date, language: str) -> str:
    """Write a day: "1er mars 2026", "1 March 2026".

    Args:
        value: A date, or an aware datetime, whose day in Paris is meant.
        language: "fr" or "en".
    """
    local = value.astimezone(PARIS) if isinstance(value, datetime) else value
    # In French the first of a month is an ordinal number, and no other day.
    number = "1er" if language == "fr" and local.day == 1 else str(local.day)
    return f"{number} {month(local, language)}"


def month(value: date, language: str) -> str:
    """Write a month and its year, for a date whose day nobody knows."""
    return f"{_MONTHS[language][value.month - 1]} {value.year}"


def moment(value: datetime, language: str) -> str:
    """Write an aware moment: "12 novembre 2026 à 14 h 05", "12 November 2026 at 14:05"."""
    local = value.astimezone(PARIS)
    if language == "fr":
        return f"{day(local, language)} à {local.hour}{_NO_BREAK}h{_NO_BREAK}{local.minute:02}"
    return f"{day(local, language)} at {local.hour:02}:{local.minute:02}"
