"""What a person types of their own identity: every fault of every field, at once."""

from __future__ import annotations

from datetime import date

import pytest

from idp.domain.declared_identity import FIELDS, IdentityFault, faults

TODAY = date(2026, 3, 2)
WELL = {
    "given_name": "Zoé Claire",
    "family_name": "Œuvré",
    "preferred_username": "D’Ÿ-Ñandú",
    "gender": "male",
    "birthdate": "1990-02-03",
}


@pytest.mark.rule("ACC-1", "PRO-3")
@pytest.mark.parametrize(
    "name, typed, fault",
    [
        ("given_name", "Zoé2", IdentityFault.NAME_MALFORMED),
        ("given_name", "—", IdentityFault.NAME_MALFORMED),
        ("family_name", "<b>", IdentityFault.NAME_MALFORMED),
        ("family_name", "a" * 257, IdentityFault.NAME_TOO_LONG),
        ("preferred_username", "@zoe", IdentityFault.NAME_MALFORMED),
        ("gender", "unspecified", IdentityFault.GENDER_UNKNOWN),
        ("gender", "F", IdentityFault.GENDER_UNKNOWN),
        ("birthdate", "03/02/1990", IdentityFault.BIRTHDATE_MALFORMED),
        ("birthdate", "1990-02-30", IdentityFault.BIRTHDATE_MALFORMED),
        ("birthdate", "19900203", IdentityFault.BIRTHDATE_MALFORMED),
        ("birthdate", "2026-03-03", IdentityFault.BIRTHDATE_FUTURE),
        ("birthdate", "1889-12-31", IdentityFault.BIRTHDATE_TOO_OLD),
    ],
)
def test_fault_of_one_field_is_named(name: str, typed: str, fault: IdentityFault) -> None:
    """And of that field only."""
    assert faults(WELL | {name: typed}, today=TODAY) == {name: fault}


@pytest.mark.rule("ACC-1")
def test_every_fault_is_named_at_once_in_the_order_of_the_form() -> None:
    """The person corrects all of them in one go."""
    found = faults(dict.fromkeys(FIELDS, "1"), today=TODAY)

    assert tuple(found) == FIELDS


@pytest.mark.rule("ACC-1", "PRO-2")
def test_well_formed_identity_has_no_fault() -> None:
    """Letters of every script, apostrophes, hyphens; today is a date of birth."""
    assert faults(WELL, today=TODAY) == {}
    assert faults(WELL | {"birthdate": "2026-03-02"}, today=TODAY) == {}


@pytest.mark.rule("ACC-1", "PRO-3")
@pytest.mark.parametrize(
    "typed", [{}, {"given_name": "O"}, dict.fromkeys(FIELDS, " \t")], ids=["none", "one", "blank"]
)
def test_identity_goes_as_far_as_the_person_gives_it(typed: dict[str, str]) -> None:
    """No field is demanded (S-429)."""
    assert faults(typed, today=TODAY) == {}
