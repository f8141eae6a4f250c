"""What the pages may say of their accessibility: never more than a recent audit found (UX-2)."""

from __future__ import annotations

from datetime import date

import pytest

from idp.domain.accessibility import AccessibilityStatement, Conformity, conformity_of

AUDITED_ON = date(2024, 5, 17)


@pytest.mark.rule("UX-2")
@pytest.mark.parametrize("conformity", Conformity)
def test_state_without_an_audit_is_non_conforme(conformity: Conformity) -> None:
    """Whatever is configured, nobody has looked (S-422)."""
    statement = AccessibilityStatement(conformity)

    assert statement.conformity_on(AUDITED_ON) is Conformity.NONE
    assert not statement.has_expired(AUDITED_ON)


@pytest.mark.rule("UX-2")
@pytest.mark.parametrize(
    "today, expected",
    [
        (AUDITED_ON, Conformity.PARTIAL),
        (date(2027, 5, 16), Conformity.PARTIAL),
        (date(2027, 5, 17), Conformity.NONE),
        (date(2030, 1, 1), Conformity.NONE),
    ],
    ids=["that day", "three years but a day", "three years", "long after"],
)
def test_audit_counts_for_three_years(today: date, expected: Conformity) -> None:
    """Then it says nothing any more (S-425)."""
    statement = AccessibilityStatement(Conformity.PARTIAL, AUDITED_ON, rate=60)

    assert statement.conformity_on(today) is expected
    assert statement.has_expired(today) is (expected is Conformity.NONE)


@pytest.mark.rule("UX-2")
def test_audit_of_a_leap_day_ends_too() -> None:
    """Three years after a 29 February there is none."""
    assert AccessibilityStatement(audited_on=date(2024, 2, 29)).ends_on == date(2027, 2, 28)


@pytest.mark.rule("UX-2")
@pytest.mark.parametrize(
    "rate, expected",
    [
        (0, Conformity.NONE),
        (49, Conformity.NONE),
        (50, Conformity.PARTIAL),
        (99, Conformity.PARTIAL),
        (100, Conformity.TOTAL),
    ],
)
def test_percentage_makes_the_state(rate: int, expected: Conformity) -> None:
    """Half of the criteria is partial, all of them total (S-424)."""
    assert conformity_of(rate) is expected
    assert not AccessibilityStatement(expected, AUDITED_ON, rate=rate).is_contradictory()


@pytest.mark.rule("UX-2")
def test_state_that_its_audit_does_not_bear_out_is_contradictory() -> None:
    """Neither better nor worse than what was found; without an audit there is nothing to contradict."""
    assert AccessibilityStatement(Conformity.TOTAL, AUDITED_ON, rate=99).is_contradictory()
    assert AccessibilityStatement(Conformity.NONE, AUDITED_ON, rate=80).is_contradictory()
    assert not AccessibilityStatement(Conformity.TOTAL).is_contradictory()
