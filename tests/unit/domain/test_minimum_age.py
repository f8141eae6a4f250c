"""Who is old enough, whatever is known of the birth date (CON-7)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from idp.domain.email_address import EmailAddress
from idp.domain.minimum_age import (
    ASK_AGAIN_AFTER,
    AgeGate,
    Permission,
    PermissionState,
    age_on,
    first_name,
    gate,
    is_own_address,
    latest_birth,
    masked,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TODAY = date(2026, 3, 2)
CHILD = "2012-01-01"


def a_permission(state: PermissionState, *, expires_at: datetime = NOW + timedelta(days=1)) -> Permission:
    """Make a permission of a child for a service."""
    answered_at = None if state is PermissionState.ASKED else NOW
    return Permission("p", "a", "c", "parent@example.org", state, NOW, expires_at, answered_at)


@pytest.mark.rule("CON-7")
@pytest.mark.parametrize(
    "birthdate",
    [None, "", "hier", "2012-1-1", "0000-01-01", "0000-00-00", "2012-13-01", "2012-02-30", "2011-02-29",
     "2012-01-01T00:00", "\N{FULLWIDTH DIGIT TWO}012-01-01", "-2012-01-01"],
    ids=["absent", "empty", "word", "short", "no year", "nothing known", "thirteenth month", "30 February",
         "29 February of an ordinary year", "moment", "other digits", "negative"],
)  # fmt: skip
def test_birth_date_that_is_none_opens_nothing(birthdate: str | None) -> None:
    """No birth date that can be read, no access: a permission does not stand for it either."""
    given = a_permission(PermissionState.GIVEN)

    assert gate(15, birthdate, TODAY, given, NOW) is AgeGate.UNKNOWN


@pytest.mark.rule("CON-7")
@pytest.mark.parametrize(
    "birthdate, latest",
    [
        ("1962-00-00", date(1962, 12, 31)),
        ("2011-02-00", date(2011, 2, 28)),
        ("2012-02-00", date(2012, 2, 29)),
        ("2011-12-00", date(2011, 12, 31)),
        # A day without its month says nothing more than the year.
        ("2011-00-15", date(2011, 12, 31)),
        ("2011-03-02", date(2011, 3, 2)),
        ("9999-12-00", None),
    ],
    ids=[
        "year",
        "February",
        "February of a leap year",
        "December",
        "no month",
        "whole",
        "end of the calendar",
    ],
)
def test_partial_birth_date_is_read_as_the_latest_one(birthdate: str, latest: date | None) -> None:
    """What is not known is taken as late as it can be: the person counts as younger, and is protected."""
    assert latest_birth(birthdate) == latest


@pytest.mark.rule("CON-7")
@pytest.mark.parametrize(
    "today, age",
    [(date(2027, 2, 28), 14), (date(2027, 3, 1), 15), (date(2028, 2, 28), 15), (date(2028, 2, 29), 16)],
    ids=["ordinary year, the day before", "ordinary year", "leap year, the day before", "leap year"],
)
def test_birthday_of_29_february_is_1_march_of_ordinary_years(today: date, age: int) -> None:
    """The protection ends on the day that the law counts, and never a day early."""
    assert age_on(today, date(2012, 2, 29)) == age


@pytest.mark.rule("CON-7")
def test_person_is_old_enough_on_the_birthday_itself() -> None:
    """The day before, a parent is asked; on the day, nobody is."""
    assert gate(15, "2011-03-03", TODAY, None, NOW) is AgeGate.NEEDS_PERMISSION
    assert gate(15, "2011-03-02", TODAY, None, NOW) is AgeGate.OPEN


@pytest.mark.rule("CON-7")
def test_presumed_birth_of_1962_is_old_enough_without_a_question() -> None:
    """A resident whose day of birth the register does not know is not taken for a child."""
    assert gate(15, "1962-00-00", TODAY, None, NOW) is AgeGate.OPEN


@pytest.mark.rule("CON-7")
def test_presumed_birth_in_the_year_of_the_fifteenth_birthday_waits_for_its_end() -> None:
    """Whoever may still be fourteen is treated as fourteen until the year is over."""
    assert gate(15, "2011-00-00", TODAY, None, NOW) is AgeGate.NEEDS_PERMISSION
    assert gate(15, "2011-00-00", date(2026, 12, 31), None, NOW) is AgeGate.OPEN


@pytest.mark.rule("CON-7")
@pytest.mark.parametrize(
    "permission, expected",
    [
        (None, AgeGate.NEEDS_PERMISSION),
        (a_permission(PermissionState.ASKED), AgeGate.WAITING),
        (a_permission(PermissionState.ASKED, expires_at=NOW), AgeGate.NEEDS_PERMISSION),
        (a_permission(PermissionState.GIVEN), AgeGate.OPEN),
        # The time to answer is over, the answer is not.
        (a_permission(PermissionState.GIVEN, expires_at=NOW), AgeGate.OPEN),
        (a_permission(PermissionState.REFUSED), AgeGate.REFUSED),
        (a_permission(PermissionState.WITHDRAWN), AgeGate.NEEDS_PERMISSION),
        (a_permission(PermissionState.CANCELED), AgeGate.NEEDS_PERMISSION),
    ],
    ids=[
        "never asked",
        "asked",
        "asked too long ago",
        "given",
        "given long ago",
        "refused",
        "withdrawn",
        "canceled",
    ],
)
def test_child_goes_on_by_a_permission_that_stands_alone(
    permission: Permission | None, expected: AgeGate
) -> None:
    """Only a yes that was not taken back opens."""
    assert gate(15, CHILD, TODAY, permission, NOW) is expected


@pytest.mark.rule("CON-7")
def test_service_without_an_age_asks_nobody() -> None:
    """Not even for a birth date."""
    assert gate(None, None, TODAY, None, NOW) is AgeGate.OPEN


@pytest.mark.rule("CON-7")
def test_parent_is_asked_again_only_a_week_after_a_no() -> None:
    """Nobody is worn down by mails; after a withdrawal nothing keeps from asking."""
    refused = a_permission(PermissionState.REFUSED)

    assert not refused.may_be_asked_again(NOW + ASK_AGAIN_AFTER - timedelta(seconds=1))
    assert refused.may_be_asked_again(NOW + ASK_AGAIN_AFTER)
    assert a_permission(PermissionState.WITHDRAWN).may_be_asked_again(NOW)


@pytest.mark.rule("CON-7")
@pytest.mark.parametrize(
    "typed, is_own",
    [
        ("zoe@example.org", True),
        ("ZOE@Example.ORG", True),
        ("zoe+maman@example.org", True),
        ("zoee@example.org", False),
        ("zoe@example.com", False),
    ],
    ids=["same", "other case", "tagged", "other name", "other domain"],
)
def test_own_mailbox_is_known_in_every_spelling(typed: str, is_own: bool) -> None:  # noqa: FBT001 - a case
    """A child does not answer for a parent at another spelling of the own address."""
    canonical = typed.lower()

    assert is_own_address(EmailAddress(typed, canonical), "zoe@example.org") is is_own
    assert is_own_address(EmailAddress("a@example.org", "a@example.org"), "no address") is False


@pytest.mark.rule("CON-7", "PRI-3")
@pytest.mark.parametrize(
    "given_names, named",
    [
        ("Zoé Claire", "Zoé"),
        ("Jean-Noël", "Jean-Noël"),
        ("", None),
        ("http://gagnez.example", None),
        ("a" * 41, None),
    ],
    ids=["two", "hyphen", "none", "address", "long"],
)
def test_parent_reads_the_first_name_and_nothing_else(given_names: str, named: str | None) -> None:
    """What a child may type as a name carries no message to a stranger."""
    assert first_name(given_names) == named


@pytest.mark.rule("PRI-3")
def test_masked_address_shows_its_first_letter_and_its_domain() -> None:
    """Enough to know it again."""
    assert masked("parent@example.org") == "p•••@example.org"
