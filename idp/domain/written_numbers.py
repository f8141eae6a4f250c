"""Numbers as people read them, in French and in English (UX-1)."""

from __future__ import annotations

from typing import Final

#: What stands between thousands. In French a narrow space that does not break (Imprimerie nationale; CLDR).
_THOUSANDS: Final = {"fr": "\N{NARROW NO-BREAK SPACE}", "en": ","}


def number(value: int, language: str) -> str:
    """Write a whole number: "12 500", "12,500"."""
    return f"{value:,}".replace(",", _THOUSANDS[language])
