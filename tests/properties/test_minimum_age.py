"""Laws of the age that a service demands (CON-7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from idp.domain.minimum_age import AgeGate, age_on, gate, latest_birth

DAYS = some.dates(date(1900, 1, 1), date(2100, 12, 31))
AGES = some.integers(1, 25)


def opens(minimum_age: int, birthdate: str, today: date) -> bool:
    """Tell whether nobody is asked."""
    now = datetime.combine(today, time(12), UTC)
    return gate(minimum_age, birthdate, today, None, now) is AgeGate.OPEN


@pytest.mark.rule("CON-7")
@given(DAYS, DAYS, AGES, some.integers(0, 4000))
def test_who_is_old_enough_stays_so(born: date, today: date, minimum_age: int, days: int) -> None:
    """No later day closes what was open."""
    later = today + timedelta(days=days)

    assert not opens(minimum_age, born.isoformat(), today) or opens(minimum_age, born.isoformat(), later)


@pytest.mark.rule("CON-7")
@given(DAYS, DAYS, AGES)
def test_knowing_less_of_a_birth_never_opens_more(born: date, today: date, minimum_age: int) -> None:
    """A date without its day, or without its month, protects at least as much as the whole one."""
    whole, month, year = born.isoformat(), f"{born:%Y-%m}-00", f"{born:%Y}-00-00"

    assert opens(minimum_age, year, today) <= opens(minimum_age, month, today)
    assert opens(minimum_age, month, today) <= opens(minimum_age, whole, today)


@pytest.mark.rule("CON-7")
@given(DAYS, DAYS)
def test_age_grows_by_one_on_one_day_of_each_year(born: date, today: date) -> None:
    """And at no other moment."""
    grown = age_on(today + timedelta(days=1), born) - age_on(today, born)

    assert grown in {0, 1}
    tomorrow = today + timedelta(days=1)
    is_birthday = (tomorrow.month, tomorrow.day) == (born.month, born.day)
    is_after_29_february = (born.month, born.day) == (2, 29) and (tomorrow.month, tomorrow.day) == (3, 1)
    assert grown == 0 or is_birthday or is_after_29_february


@pytest.mark.rule("CON-7")
@given(some.text(max_size=12))
def test_no_text_is_misread(text: str) -> None:
    """Whatever stands where a birth date should, it is a day or nothing."""
    read = latest_birth(text)

    assert read is None or text.startswith(f"{read.year:04}")
