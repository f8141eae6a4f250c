"""Dates in words: ordinal in French on the first, on the clock of Paris, unbroken hours (UX-1)."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from babel.dates import format_date

from idp.domain.written_dates import day, moment, month

pytestmark = pytest.mark.rule("UX-1")


@pytest.mark.parametrize(
    "value, language, written",
    [
        (date(2026, 3, 1), "fr", "1er mars 2026"),
        (date(2026, 3, 1), "en", "1 March 2026"),
        (date(2026, 3, 2), "fr", "2 mars 2026"),
        (date(1962, 8, 31), "fr", "31 août 1962"),
        (date(1962, 8, 31), "en", "31 August 1962"),
        (date(2026, 3, 11), "fr", "11 mars 2026"),
    ],
)
def test_day_is_written_in_words(value: date, language: str, written: str) -> None:
    """The first of a month is an ordinal number in French, and no other day."""
    assert day(value, language) == written


@pytest.mark.parametrize("language", ["fr", "en"])
def test_months_are_those_of_the_language(language: str) -> None:
    """As the tables of Unicode have them."""
    for number in range(1, 13):
        assert month(date(2026, number, 1), language) == format_date(
            date(2026, number, 1), "MMMM y", locale=language
        )


@pytest.mark.parametrize(
    "value, language, written",
    [
        (datetime(2026, 11, 12, 13, 5, tzinfo=UTC), "fr", "12 novembre 2026 à 14\u00a0h\u00a005"),
        (datetime(2026, 11, 12, 13, 5, tzinfo=UTC), "en", "12 November 2026 at 14:05"),
        (datetime(2026, 7, 31, 22, 0, tzinfo=UTC), "fr", "1er août 2026 à 0\u00a0h\u00a000"),
        (datetime(2026, 7, 31, 22, 0, tzinfo=UTC), "en", "1 August 2026 at 00:00"),
    ],
    ids=["French", "English", "French, past midnight in Paris", "English, past midnight in Paris"],
)
def test_moment_is_on_the_clock_of_paris(value: datetime, language: str, written: str) -> None:
    """Winter and summer time; the hour does not break from its minutes."""
    assert moment(value, language) == written


def test_day_of_a_moment_is_that_of_paris() -> None:
    """Late in the evening of London it is tomorrow in Paris."""
    assert day(datetime(2026, 2, 28, 23, 30, tzinfo=UTC), "fr") == "1er mars 2026"
