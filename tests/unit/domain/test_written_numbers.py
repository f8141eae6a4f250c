"""Numbers in each language (UX-1)."""

from __future__ import annotations

import pytest
from babel.numbers import format_decimal

from idp.domain.written_numbers import number

pytestmark = pytest.mark.rule("UX-1")


@pytest.mark.parametrize("language", ["fr", "en"])
@pytest.mark.parametrize("value", [0, 7, 999, 1000, 12500, 1234567, -4200])
def test_thousands_stand_apart_as_in_the_language(value: int, language: str) -> None:
    """As the tables of Unicode have it; no line breaks within a number."""
    written = number(value, language)

    assert written == format_decimal(value, locale=language)
    assert " " not in written
