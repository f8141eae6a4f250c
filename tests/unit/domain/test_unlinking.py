"""What an approved request makes of attributes, and what a message is stored as (FC-5)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from idp.domain.civil_identity import (
    GIVEN_NAMES,
    PIVOT,
    USAGE_NAME,
    Attribute,
    CivilIdentity,
    Gender,
    Level,
    Source,
    apply_certified,
    apply_declared,
    is_locked,
)
from idp.domain.unlinking import declared_again, normalise_message
from tests.support.clock import A_MONDAY_MORNING

NOW = A_MONDAY_MORNING
LATER = NOW + timedelta(days=30)
ANGELA = CivilIdentity(
    given_names=("Angela", "Claire"),
    birth_name="DUBOIS",
    birthdate="1962-08-24",
    gender=Gender.FEMALE,
    birthplace="75107",
    birthcountry="99100",
)
PHONE = Attribute("phone_number", "+33612345678", Source.DECLARED, Level.DECLARED, NOW)
EMAIL = Attribute("email", "a@example.fr", Source.MAIL, Level.PROVEN, NOW)


def certified(identity: CivilIdentity = ANGELA) -> dict[str, Attribute]:
    """Give what a login by FranceConnect leaves, beside what the person said and what our mail proved."""
    current = {"phone_number": PHONE, "email": EMAIL}
    return apply_certified(current, identity, NOW, usage_name="Durand")[0]


@pytest.mark.rule("FC-5", "FC-6")
def test_certified_values_are_kept_and_become_declared() -> None:
    """Every value stays, at level 100, from the moment of the approval."""
    before = certified()

    after, changes = declared_again(before, LATER)

    assert {name: one.value for name, one in after.items()} == {
        name: one.value for name, one in before.items()
    }
    lowered = {name: one for name, one in after.items() if name not in {"phone_number", "email"}}
    assert set(lowered) == PIVOT | {USAGE_NAME, GIVEN_NAMES}
    assert {(one.source, one.level, one.recorded_at) for one in lowered.values()} == {
        (Source.DECLARED, Level.DECLARED, LATER)
    }
    assert {change.name for change in changes} == set(lowered)
    assert not is_locked(after)


@pytest.mark.rule("FC-5")
def test_what_franceconnect_did_not_say_is_left_alone() -> None:
    """An address that our own mail proved is still proven, and keeps its date."""
    after, _ = declared_again(certified(), LATER)

    assert (after["phone_number"], after["email"]) == (PHONE, EMAIL)


@pytest.mark.rule("FC-5")
def test_value_certified_to_be_empty_goes_away() -> None:
    """Born abroad: FranceConnect says that there is no commune; nobody declares nothing."""
    abroad = CivilIdentity(
        given_names=("Ana",), birth_name="SILVA", birthdate="1980-01-01", birthcountry="99139"
    )

    after, changes = declared_again(certified(abroad), LATER)

    assert "birthplace" not in after
    assert [change.after for change in changes if change.name == "birthplace"] == [None]


@pytest.mark.rule("FC-5", "PRO-3")
def test_declared_again_identity_can_be_edited() -> None:
    """What was refused before is written now."""
    after, _ = declared_again(certified(), LATER)

    edited = apply_declared(after, {"family_name": "Dubois-Martin", "birthdate": None}, LATER)

    assert edited["family_name"].value == "Dubois-Martin"
    assert "birthdate" not in edited


@pytest.mark.rule("FC-5")
def test_second_approval_changes_nothing() -> None:
    """What is declared already is not touched."""
    once, _ = declared_again(certified(), LATER)

    assert declared_again(once, LATER + timedelta(days=1)) == (once, ())


@pytest.mark.parametrize(
    "typed,stored",
    [
        ("", ""),
        (" \r\n\t ", ""),
        ("  Bonjour  \r\n\r\n  à   tous\t!\r\n", "Bonjour\n\nà tous !"),
        ("e\N{COMBINING ACUTE ACCENT}", "é"),
        ("un\N{LINE SEPARATOR}deux", "un\ndeux"),
    ],
    ids=["nothing", "blanks", "lines", "decomposed", "another line break"],
)
def test_message_is_stored_in_one_form(typed: str, stored: str) -> None:
    """Line breaks are kept, everything else that is invisible is one space."""
    assert normalise_message(typed) == stored
