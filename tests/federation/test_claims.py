"""From FranceConnect's claims to a civil identity: what the State's register really holds (franceconnect.md 4.3)."""

from __future__ import annotations

from typing import Any

import pytest

from idp.demo.franceconnect.civil_register import confirm
from idp.demo.franceconnect.errors import IdentityRefused
from idp.demo.franceconnect.identities import all_identities
from idp.domain.civil_identity import Gender
from idp.federation.franceconnect.claims import received_identity
from idp.federation.upstream import UpstreamMisbehaved
from tests.support.franceconnect import IDENTITY, changed

pytestmark = pytest.mark.rule("FC-1", "FC-2")


def claims(**changes: Any) -> dict[str, Any]:
    """Give the claims of an ordinary person, with changes; None leaves one out."""
    return changed(IDENTITY, changes)


@pytest.mark.parametrize("login", sorted(all_identities()))
def test_every_test_identity_is_read_or_stopped_by_franceconnect_itself(login: str) -> None:
    """Whoever the register confirms, we can read: no name, place or date of the published sets is too much."""
    try:
        confirmed = confirm(all_identities()[login])
    except IdentityRefused:
        return

    received = received_identity(confirmed.claims)

    assert received.civil.birth_name == confirmed.claims["family_name"]
    assert " ".join(received.civil.given_names) == confirmed.claims["given_name"]


@pytest.mark.parametrize("name", ["given_name", "family_name", "birthdate", "birthcountry"])
@pytest.mark.parametrize("value", [None, "", "  ", 12, ["a"], {}, "a\x00b", "a\u202eb", "x" * 300])
def test_missing_or_malformed_claim_is_refused(name: str, value: object) -> None:
    """What FranceConnect always sends must be there, and be text that a page can bear."""
    with pytest.raises(UpstreamMisbehaved, match=f"userinfo.{name}"):
        received_identity(claims(**{name: value, "given_name_array": None}))


@pytest.mark.parametrize(
    "value",
    ["1990-13-01", "1990-1-1", "01/01/1990", "1990-00-12", "90-01-01", "1990-01-32", "1990-01-01T00:00"],
)
def test_malformed_birthdate_is_refused(value: str) -> None:
    """`YYYY-00-DD` is no date of any register."""
    with pytest.raises(UpstreamMisbehaved, match=r"userinfo\.birthdate"):
        received_identity(claims(birthdate=value))


@pytest.mark.parametrize("value", ["1992-11-00", "1992-00-00", "1900-01-10", "2000-02-29", "1815-12-10"])
def test_unusual_birthdate_is_kept_as_it_came(value: str) -> None:
    """Presumed births and old people exist; FranceConnect+ sends the zeros."""
    assert received_identity(claims(birthdate=value)).civil.birthdate == value


@pytest.mark.parametrize(
    "given,birthdate,kept",
    [
        ("1992-11-00", "1992-11-01", "1992-11-00"),
        ("1992-00-00", "1992-01-01", "1992-00-00"),
        ("1992-11-05", "1992-11-05", None),
        ("1992-10-00", "1992-11-01", None),
        ("n’importe quoi", "1992-11-01", None),
        (12, "1992-11-01", None),
    ],
)
def test_partial_birthdate_is_kept_when_it_is_the_registers(
    given: object, birthdate: str, kept: str | None
) -> None:
    """The identity provider's date tells that the day is unknown, if it is the same date."""
    received = received_identity(claims(idp_birthdate=given, birthdate=birthdate))

    assert received.partial_birthdate == kept


@pytest.mark.parametrize(
    "value,place", [("75107", "75107"), ("2A004", "2A004"), ("", ""), (None, ""), ("Alger", "Alger")]
)
def test_birthplace_may_be_a_code_empty_absent_or_text(value: str | None, place: str) -> None:
    """Born abroad: empty today, absent tomorrow, free text for a European identity."""
    assert received_identity(claims(birthplace=value)).civil.birthplace == place


@pytest.mark.parametrize("value", ["male", "female", "unspecified"])
def test_gender_has_three_values(value: str) -> None:
    """RNIPP knows a third one."""
    assert received_identity(claims(gender=value)).civil.gender is Gender(value)


@pytest.mark.parametrize("value", [None, ""])
def test_gender_may_be_missing(value: str | None) -> None:
    """A European identity (eIDAS) may come without."""
    assert received_identity(claims(gender=value)).civil.gender is None


def test_unknown_gender_is_refused() -> None:
    """Any other word is nobody's."""
    with pytest.raises(UpstreamMisbehaved, match=r"userinfo\.gender"):
        received_identity(claims(gender="M"))


@pytest.mark.parametrize(
    "name", ["O", "É", "x" * 256, "L'O'N'S A-A", "D\u2019Arc", "DURANTéàèùòœæŒÆ", "J.-B.", "Ÿ", "Nguyễn"]
)
def test_names_are_kept_as_they_are(name: str) -> None:
    """Nothing narrower than the register is asked of a name."""
    received = received_identity(claims(family_name=name, given_name_array=[name]))

    assert received.civil.birth_name == name
    assert received.civil.given_names == (name,)


def test_given_name_may_hold_a_space() -> None:
    """The array is used rather than splitting the text."""
    listed = ["Jean Philippe", "Pierre", "Louis"]

    assert received_identity(claims(given_name_array=listed)).civil.given_names == tuple(listed)


@pytest.mark.parametrize("value", ["Jean", 12, [12], [], [""], ["a"] * 60, [["a"]]])
def test_malformed_array_of_given_names_is_refused(value: object) -> None:
    """A claim of another type is no name."""
    with pytest.raises(UpstreamMisbehaved, match=r"userinfo\.given_name"):
        received_identity(claims(given_name_array=value))


@pytest.mark.parametrize("value", [None, ""])
def test_absent_and_empty_usage_name_are_the_same(value: str | None) -> None:
    """Most people have none."""
    assert received_identity(claims(preferred_username=value)).preferred_username is None


@pytest.mark.parametrize("value", [None, "", 12, "a\x00@b"])
def test_unusable_address_is_no_reason_to_turn_a_person_away(value: object) -> None:
    """It only pre-fills a field."""
    assert received_identity(claims(email=value)).email is None


# FranceConnect+: the identity provider's values, and the register's own beside them


@pytest.mark.rule("FC-2")
def test_values_of_the_register_are_certified_where_both_came() -> None:
    """What the RNIPP vouches for is what is locked; the identity provider's spelling is not."""
    received = received_identity(
        claims(
            family_name="Dubois-Martin",
            rnipp_family_name="DUBOIS",
            given_name="Angela",
            given_name_array=["Angela"],
            rnipp_given_name="Angela Claire",
            rnipp_gender="female",
            birthplace="Alger",
            rnipp_birthplace="",
            rnipp_birthcountry="99352",
        )
    )

    assert received.civil.birth_name == "DUBOIS"
    assert received.civil.given_names == ("Angela", "Claire")
    assert (received.civil.birthplace, received.civil.birthcountry) == ("", "99352")


@pytest.mark.rule("FC-2")
@pytest.mark.parametrize("partial", ["1992-11-00", "1992-00-00"])
def test_birth_date_of_the_identity_provider_stays_beside_the_register_s(partial: str) -> None:
    """FranceConnect+ sends 00 for what is not known; the register's date has 01 (franceconnect.md 4.3)."""
    whole = partial.replace("-00", "-01")

    received = received_identity(claims(birthdate=partial, rnipp_birthdate=whole))

    assert (received.civil.birthdate, received.partial_birthdate) == (whole, partial)


@pytest.mark.parametrize("name", ["family_name", "given_name", "birthdate", "gender", "birthcountry"])
@pytest.mark.parametrize("value", [12, "a\x00b", "x" * 300], ids=["number", "control", "endless"])
def test_malformed_value_of_the_register_is_refused(name: str, value: object) -> None:
    """It is no better than another; the identity provider's does not stand in for it."""
    with pytest.raises(UpstreamMisbehaved, match=r"userinfo\."):
        received_identity(claims(**{f"rnipp_{name}": value}))


def test_value_of_the_register_that_is_null_is_absent() -> None:
    """A claim of null is a claim that was left out (OIDC Core 5.3.2)."""
    assert received_identity(claims(rnipp_family_name=None)).civil.birth_name == claims()["family_name"]
