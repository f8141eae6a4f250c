"""Who certifies what of a person, and what is locked (FC-2, FC-6, PRO-2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from idp.domain.civil_identity import (
    CONTACT_EMAIL,
    GIVEN_NAMES,
    LOCKED,
    PARTIAL_BIRTHDATE,
    PIVOT,
    PIVOT_ORDER,
    USAGE_NAME,
    Attribute,
    Change,
    CivilIdentity,
    Gender,
    Level,
    Source,
    apply_certified,
    apply_declared,
    apply_proven,
    civil_identity,
    differences,
    given_names,
    is_birthdate,
    is_locked,
    is_name,
    is_same_birthdate,
    normalise_text,
    pivot_fingerprint_input,
)
from idp.domain.errors import RuleRefused

NOW = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=400)
ANGELA = CivilIdentity(
    given_names=("Angela", "Claire", "Louise"),
    birth_name="DUBOIS",
    birthdate="1962-08-24",
    gender=Gender.FEMALE,
    birthplace="75107",
    birthcountry="99100",
)
VINCENT = CivilIdentity(
    given_names=("Vincent", "Guillaume"),
    birth_name="MARTIN",
    birthdate="1963-12-05",
    birthcountry="99352",
)


def declared(**values: str) -> dict[str, Attribute]:
    """Make attributes that the person declared."""
    return {
        name: Attribute(name, value, Source.DECLARED, Level.DECLARED, NOW) for name, value in values.items()
    }


def certified(identity: CivilIdentity = ANGELA) -> dict[str, Attribute]:
    """Make attributes that FranceConnect certified."""
    return apply_certified({}, identity, NOW)[0]


@pytest.mark.rule("FC-2")
@pytest.mark.parametrize("name", sorted(PIVOT))
@pytest.mark.parametrize("value", ["1990-01-01", "", None], ids=["another", "blank", "none"])
def test_certified_attribute_declared_anew_is_refused(name: str, value: str | None) -> None:
    """No form changes or empties a certified value."""
    with pytest.raises(RuleRefused) as refusal:
        apply_declared(certified(), {name: value}, LATER)

    assert (refusal.value.rule, refusal.value.subject) == ("FC-2", name)


@pytest.mark.rule("FC-2")
def test_birthplace_certified_as_none_is_locked_too() -> None:
    """Who is born abroad can't add a birth place to a certified identity: all six or none."""
    with pytest.raises(RuleRefused, match="FC-2: birthplace"):
        apply_declared(certified(VINCENT), {"birthplace": "75107"}, LATER)


@pytest.mark.rule("FC-2")
def test_one_locked_value_refuses_the_whole_write() -> None:
    """Nothing is half-written."""
    current = certified()

    with pytest.raises(RuleRefused):
        apply_declared(current, {USAGE_NAME: "Martin", "family_name": "Autre"}, LATER)
    assert current == certified()


@pytest.mark.rule("FC-2")
def test_locked_values_sent_back_unchanged_change_nothing() -> None:
    """Forms post read-only fields too, with spaces of their own."""
    current = certified()

    written = apply_declared(
        current, {"family_name": " DUBOIS ", "given_name": "Angela  Claire Louise"}, LATER
    )

    assert written == current


@pytest.mark.rule("FC-2")
def test_locked_identity_leaves_the_usage_name_free() -> None:
    """The name in use is not the register's: its owner may change it."""
    written = apply_declared(certified(), {USAGE_NAME: "Martin"}, LATER)

    assert written[USAGE_NAME] == Attribute(USAGE_NAME, "Martin", Source.DECLARED, Level.DECLARED, LATER)


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize("value", ["33600000001", None], ids=["written", "taken away"])
def test_certified_value_gives_way_to_no_mail(value: str | None) -> None:
    """What the State says of somebody is not changed by answering a mail of ours."""
    certified = Attribute("phone_number", "+33600000000", Source.FRANCECONNECT, Level.FRANCECONNECT, NOW)

    with pytest.raises(RuleRefused) as refused:
        apply_proven({"phone_number": certified}, "phone_number", value, LATER)

    assert (refused.value.rule, refused.value.subject) == ("FC-6", "phone_number")


@pytest.mark.rule("FC-2")
def test_part_of_a_locked_identity_is_not_proven_by_mail() -> None:
    """All six are locked together, those included that the register left out."""
    certified, _ = apply_certified({}, ANGELA, NOW)
    del certified["gender"]

    with pytest.raises(RuleRefused) as refused:
        apply_proven(certified, "gender", "male", LATER)

    assert refused.value.rule == "FC-2"


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "level, source",
    [(Level.DECLARED, Source.DECLARED), (Level.PROVEN, Source.MAIL)],
    ids=lambda one: one.name,
)
def test_proven_value_replaces_what_was_declared_or_proven_before(level: Level, source: Source) -> None:
    """It has its level, its source and its date; the rest of the person stays."""
    before = declared(given_name="Zoé") | {
        CONTACT_EMAIL: Attribute(CONTACT_EMAIL, "old@example.org", source, level, NOW)
    }

    after = apply_proven(before, CONTACT_EMAIL, "new@example.org", LATER)

    proven = Attribute(CONTACT_EMAIL, "new@example.org", Source.MAIL, Level.PROVEN, LATER)
    assert after == before | {CONTACT_EMAIL: proven}
    assert differences(before, after) == (Change(CONTACT_EMAIL, before[CONTACT_EMAIL], proven),)


@pytest.mark.rule("FC-6")
def test_proven_value_is_taken_away_and_nothing_else() -> None:
    """Its owner may do without; what is not there is no error."""
    before = declared(given_name="Zoé")
    proven = apply_proven(before, CONTACT_EMAIL, "new@example.org", NOW)

    assert apply_proven(proven, CONTACT_EMAIL, None, LATER) == before
    assert apply_proven(before, CONTACT_EMAIL, None, LATER) == before


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize("value", ["+33612345678", ""], ids=["another", "blank"])
def test_proven_attribute_declared_anew_is_refused(value: str) -> None:
    """A level never goes down by an ordinary write."""
    proven = Attribute("phone_number", "+33600000000", Source.MAIL, Level.PROVEN, NOW)

    with pytest.raises(RuleRefused, match="FC-6: phone_number"):
        apply_declared({"phone_number": proven}, {"phone_number": value}, LATER)


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize(
    "name, value",
    [
        ("given_name", "Jean_Paul"),
        ("family_name", "<b>"),
        (USAGE_NAME, "King, Countess"),
        ("birthdate", "2026-03-02"),
        ("gender", "other"),
        ("address", "1 rue\x00"),
        ("address", "x" * 1001),
    ],
)
def test_malformed_value_is_refused(name: str, value: str) -> None:
    """The rule holds whatever form the value came through."""
    with pytest.raises(RuleRefused) as refusal:
        apply_declared({}, {name: value}, NOW)

    assert (refusal.value.rule, refusal.value.subject) == ("PRO-2", name)


@pytest.mark.rule("PRO-2", "FC-6")
def test_declared_values_are_written_in_normal_form() -> None:
    """What is stored has a source, a level and a date, and one spelling."""
    written = apply_declared(
        {},
        {
            "family_name": "  De\u0301sire\u0301 ",
            "birthdate": "2026-03-01",
            "gender": "female",
            "address": "12 bis, rue d’Aligre",
            "birthplace": None,
        },
        NOW,
    )

    assert written == declared(
        family_name="Désiré",
        birthdate="2026-03-01",
        gender="female",
        address="12 bis, rue d’Aligre",
    )


def test_declared_value_left_blank_is_taken_away() -> None:
    """What a person no longer wants to say is no longer held."""
    assert apply_declared(declared(birthplace="Paris"), {"birthplace": " "}, LATER) == {}


@pytest.mark.rule("FC-2", "FC-6")
def test_certified_identity_replaces_what_was_declared() -> None:
    """All six become certified, whatever the person had written, and the history says what was."""
    current = declared(given_name="Angie", birthplace="Lyon", address="12 rue X")

    written, changes = apply_certified(current, VINCENT, LATER)

    assert is_locked(written)
    assert all(
        written[name].level is Level.FRANCECONNECT and written[name].source is Source.FRANCECONNECT
        for name in PIVOT
    )
    assert civil_identity(written) == VINCENT
    assert written["address"] == current["address"]
    assert {change.name for change in changes} == LOCKED
    assert Change("birthplace", current["birthplace"], written["birthplace"]) in changes


@pytest.mark.rule("FC-3")
def test_same_identity_certified_again_refreshes_dates_without_a_change() -> None:
    """A login through FranceConnect that brings nothing new is no line of history."""
    written, changes = apply_certified(certified(), ANGELA, LATER)

    assert changes == ()
    assert written["birthdate"].recorded_at == LATER


@pytest.mark.rule("FC-2", "FC-3")
def test_usage_name_from_the_identity_provider_is_declared_and_follows_it() -> None:
    """FranceConnect passes the usage name on without certifying it."""
    first, _ = apply_certified({}, ANGELA, NOW, usage_name="King, Countess of Lovelace")
    second, changes = apply_certified(first, ANGELA, LATER, usage_name="Byron")

    assert first[USAGE_NAME].level is Level.DECLARED
    assert [change.name for change in changes] == [USAGE_NAME]
    assert second[USAGE_NAME].value == "Byron"


@pytest.mark.rule("FC-2")
@pytest.mark.parametrize("value", ["[]", '["Angie"]', "", None])
def test_list_of_given_names_is_locked_with_the_six(value: str | None) -> None:
    """It says what `given_name` says: who may not change the one may not change the other."""
    with pytest.raises(RuleRefused) as refused:
        apply_declared(certified(), {GIVEN_NAMES: value}, LATER)

    assert (refused.value.rule, refused.value.subject) == ("FC-2", GIVEN_NAMES)


@pytest.mark.rule("PRO-2")
def test_list_of_given_names_is_nobody_s_to_type() -> None:
    """No form has it: it comes from FranceConnect or not at all."""
    with pytest.raises(RuleRefused) as refused:
        apply_declared({}, {GIVEN_NAMES: '["Angie"]'}, LATER)

    assert (refused.value.rule, refused.value.subject) == ("PRO-2", GIVEN_NAMES)


@pytest.mark.rule("FC-2")
def test_given_names_with_a_space_come_back_as_they_were_certified() -> None:
    """Jean Philippe is one given name; the text alone could not say so."""
    born = replace(ANGELA, given_names=("Jean Philippe", "Pierre", "O’Neil", "Zoé"))

    written = certified(born)

    assert civil_identity(written) == born
    assert written["given_name"].value == "Jean Philippe Pierre O’Neil Zoé"
    assert written[GIVEN_NAMES].level is Level.FRANCECONNECT
    assert "Zoé" in written[GIVEN_NAMES].value


@pytest.mark.rule("FC-5")
def test_given_names_typed_after_an_unlink_take_the_list_away() -> None:
    """Names that a person types replace the list too, which would contradict them; other fields leave it."""
    released = {
        name: replace(one, source=Source.DECLARED, level=Level.DECLARED) for name, one in certified().items()
    }

    renamed = apply_declared(released, {"given_name": "Jean Philippe"}, LATER)

    assert GIVEN_NAMES not in renamed
    assert civil_identity(renamed).given_names == ("Jean", "Philippe")
    assert GIVEN_NAMES in apply_declared(released, {"family_name": "Martin"}, LATER)


@pytest.mark.parametrize(
    "values, names",
    [
        ({}, ()),
        ({"given_name": "Zoé Claire"}, ("Zoé", "Claire")),
        ({"given_name": "Zoé Claire", GIVEN_NAMES: '["Zoé Claire"]'}, ("Zoé Claire",)),
        ({"given_name": "Zoé Anne", GIVEN_NAMES: '["Zoé Claire"]'}, ("Zoé", "Anne")),
        ({GIVEN_NAMES: '["Zoé"]'}, ()),
    ],
    ids=["none", "typed", "certified", "older list", "list alone"],
)
def test_given_names_are_those_of_the_list_while_it_says_the_same(
    values: dict[str, str], names: tuple[str, ...]
) -> None:
    """The text is the truth; the list only says where its spaces are."""
    assert given_names(values) == names


@pytest.mark.parametrize(
    "one, other, same",
    [
        ("1992-11-00", "1992-11-01", True),
        ("1992-00-00", "1992-01-01", True),
        ("1992-11-00", "1992-11-00", True),
        ("1992-11-00", "1992-11-02", False),
        ("1992-00-00", "1992-11-01", False),
        ("1992-00-00", "1993-01-01", False),
        ("2000-00-00", "2000-01-01", True),
    ],
)
def test_birth_date_with_unknown_parts_is_the_first_of_them(one: str, other: str, *, same: bool) -> None:
    """The register writes 01 for what it does not know, identity providers write 00."""
    assert is_same_birthdate(one, other) is same
    assert is_same_birthdate(other, one) is same


@pytest.mark.rule("FC-2", "FC-6")
def test_partial_birth_date_stands_beside_the_register_s() -> None:
    """What the identity provider knows less well never replaces what the register says, and is not certified."""
    born = replace(ANGELA, birthdate="1992-11-01")

    written, _ = apply_certified({}, born, NOW, partial_birthdate="1992-11-00")

    assert written["birthdate"].value == "1992-11-01"
    assert written[PARTIAL_BIRTHDATE].value == "1992-11-00"
    assert written[PARTIAL_BIRTHDATE].level is Level.DECLARED
    assert civil_identity(written) == born


@pytest.mark.rule("FC-5")
def test_partial_birth_date_goes_when_another_date_is_declared() -> None:
    """Once unlinked, a person's own date is not doubted."""
    held, _ = apply_certified(
        {}, replace(ANGELA, birthdate="1992-11-01"), NOW, partial_birthdate="1992-11-00"
    )
    released = {
        name: replace(one, source=Source.DECLARED, level=Level.DECLARED) for name, one in held.items()
    }

    written = apply_declared(released, {"birthdate": "1992-11-17"}, LATER)

    assert PARTIAL_BIRTHDATE not in written


@pytest.mark.parametrize("birthdate, kept", [("1992-11-01", True), ("1992-11-17", False)])
def test_partial_birth_date_goes_when_the_register_knows_better(birthdate: str, *, kept: bool) -> None:
    """A login by another identity provider, which says nothing, keeps it; a corrected date does not."""
    born = replace(ANGELA, birthdate="1992-11-01")
    held, _ = apply_certified({}, born, NOW, partial_birthdate="1992-11-00")

    written, _ = apply_certified(held, replace(born, birthdate=birthdate), LATER)

    assert (PARTIAL_BIRTHDATE in written) is kept


@pytest.mark.parametrize("usage_name", ["Byron", ""])
def test_usage_name_that_the_person_wrote_stays(usage_name: str) -> None:
    """The identity provider's usage name never replaces the person's own."""
    own = declared(preferred_username="Dubois-Martin")

    written, _ = apply_certified(own, ANGELA, LATER, usage_name=usage_name)

    assert written[USAGE_NAME] == own[USAGE_NAME]


@pytest.mark.rule("FC-2")
@pytest.mark.parametrize(
    "attributes, locked",
    [
        ({}, False),
        (declared(given_name="Angela"), False),
        ({"birthdate": certified()["birthdate"]}, True),
        (
            {"email": Attribute("email", "a@b.fr", Source.FRANCECONNECT, Level.FRANCECONNECT, NOW)},
            False,
        ),
    ],
    ids=["nothing", "declared", "one certified", "certified outside the pivot"],
)
def test_pivot_is_locked_when_one_of_six_is_certified(
    *, attributes: dict[str, Attribute], locked: bool
) -> None:
    """One certified value locks all six."""
    assert is_locked(attributes) is locked


def test_differences_between_two_states_name_what_went_and_came() -> None:
    """The history holds what was and what has become."""
    before, after = declared(birthplace="Paris"), declared(gender="male")

    assert differences(before, after) == (
        Change("birthplace", before["birthplace"], None),
        Change("gender", None, after["gender"]),
    )


def test_civil_identity_of_nobody_is_empty() -> None:
    """A new account has no civil identity yet."""
    assert civil_identity({}) == CivilIdentity()


def test_pivot_has_six_attributes_in_an_order() -> None:
    """Pages show the six in one order."""
    assert frozenset(PIVOT_ORDER) == PIVOT
    assert len(PIVOT_ORDER) == 6


@pytest.mark.parametrize(
    "identity, usage_name, shown",
    [
        (ANGELA, "", "Angela DUBOIS"),
        (ANGELA, " Martin ", "Angela Martin"),
        (CivilIdentity(birth_name="O"), "", "O"),
        (CivilIdentity(given_names=("Jean Philippe", "Pierre")), "", "Jean Philippe"),
        (CivilIdentity(), "", ""),
    ],
)
def test_display_name_is_first_given_name_and_name_in_use(
    identity: CivilIdentity, usage_name: str, shown: str
) -> None:
    """People are greeted by the name they go by."""
    assert identity.display_name(usage_name) == shown


@pytest.mark.parametrize(
    "birthdate, presumed",
    [("1992-11-00", True), ("1992-00-00", True), ("1992-11-01", False), ("", False)],
)
def test_birthdate_with_unknown_parts_is_presumed(*, birthdate: str, presumed: bool) -> None:
    """The register does not always know the day."""
    assert CivilIdentity(birthdate=birthdate).is_birthdate_presumed is presumed


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize(
    "name",
    [
        "O",
        "É",
        "Nuñez",
        "DURANTéàèùòœæŒÆ",
        "L'HERBETTE--ANONYME",
        "L’Haÿ",
        "Anne-Laure",
        "J. R.",
        "Ałła",
        "Nguyễn",
        "Владимир",
        "محمد",
        "नरेन्द्र",
        "山田",
        "x" * 256,
    ],
)
def test_every_letter_of_unicode_makes_a_name(name: str) -> None:
    """Names are not only those that fit a French typewriter."""
    assert is_name(normalise_text(name))


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize(
    "name",
    ["", "-", "' .", "R2D2", "a×b", "a÷b", "a_b", "a,b", "<b>", "a\u200bb", "a\nb", "😀", "x" * 257],
    ids=ascii,
)
def test_what_holds_no_letter_or_something_else_is_no_name(name: str) -> None:
    """Digits, operators, markup and invisible characters are in nobody's name."""
    assert not is_name(name)


@pytest.mark.parametrize(
    "text, normal",
    [
        ("  Jean\u00a0 Paul\n", "Jean Paul"),
        ("Anne\u2010Laure", "Anne-Laure"),
        ("Anne\u2011Laure", "Anne-Laure"),
        ("Zoe\u0308", "Zoë"),
    ],
    ids=ascii,
)
def test_text_is_stored_in_one_spelling(text: str, normal: str) -> None:
    """Spaces, hyphens and accents that look the same are the same."""
    assert normalise_text(text) == normal


@pytest.mark.parametrize(
    "text",
    ["2026-03-01", "1890-01-01", "2024-02-29", "1992-11-00", "1992-00-00", "2026-00-00", "2026-03-00"],
)
def test_real_birthdate_is_accepted(text: str) -> None:
    """From the oldest person alive to a child born today, known to the day or not."""
    assert is_birthdate(text, today=date(2026, 3, 1))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "24/08/1962",
        "1962-8-24",
        "1962-08-24 ",
        "1962-08-24\n",
        "١٩٦٢-٠٨-٢٤",
        "1889-12-31",
        "2026-03-02",
        "2026-04-00",
        "2023-02-29",
        "1962-13-01",
        "1962-13-00",
        "1962-01-32",
        "1977-00-03",
        "0000-00-00",
    ],
)
def test_unreal_birthdate_is_refused(text: str) -> None:
    """A date that is no date, not yet, or of nobody alive."""
    assert not is_birthdate(text, today=date(2026, 3, 1))


@pytest.mark.rule("FC-3")
def test_fingerprint_is_the_same_whatever_the_spelling() -> None:
    """Accents, case, hyphens and the cut of given names don't hide that two identities are one person's."""
    one = CivilIdentity(given_names=("Zoé-Anne", "Cœur"), birth_name="L’Haÿ Straße", birthdate="1962-08-24")
    other = CivilIdentity(
        given_names=("ZOE ANNE COEUR",), birth_name="L'HAY  STRASSE", birthdate="1962-08-24"
    )

    assert pivot_fingerprint_input(one) == pivot_fingerprint_input(other)


@pytest.mark.rule("FC-3")
@pytest.mark.parametrize(
    "other",
    [
        CivilIdentity(given_names=("Angela",), birth_name="Claire Louise DUBOIS"),
        CivilIdentity(given_names=("Angela", "Claire", "Louise", "DUBOIS")),
        VINCENT,
        CivilIdentity(),
    ],
)
def test_fingerprint_differs_between_people(other: CivilIdentity) -> None:
    """A word that moves from one field to another makes another person."""
    assert pivot_fingerprint_input(other) != pivot_fingerprint_input(ANGELA)


def test_fingerprint_of_a_known_identity_is_fixed() -> None:
    """Stored hashes depend on each byte: a change here needs a new version mark and a migration."""
    assert pivot_fingerprint_input(ANGELA) == (
        b"pivot-1\x1fANGELA CLAIRE LOUISE\x1fDUBOIS\x1fFEMALE\x1f1962 08 24\x1f75107\x1f99100"
    )
