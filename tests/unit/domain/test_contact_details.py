"""Postal addresses: read as people write them, checked, kept as the claim wants them (PRO-2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.contact_details import FIELDS, ContactFault, PostalAddress, postal_address

LOBAU = {
    "street": "4 bis, rue de Lobau",
    "complement": "Bât. C, 2ᵉ étage",
    "postal_code": "75004",
    "locality": "Paris",
    "country": "France",
}


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize(
    "typed",
    [{}, {"country": "France"}, {"country": "Belgique"}, dict.fromkeys(FIELDS, "  ")],
    ids=["nothing", "the country that the form begins with", "a country alone", "spaces"],
)
def test_form_that_says_nothing_is_no_address(typed: dict[str, str]) -> None:
    """What was there goes away."""
    assert postal_address(typed) is None


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize(
    "changes,faults",
    [
        ({"street": ""}, {"street": ContactFault.STREET_MISSING}),
        ({"locality": " "}, {"locality": ContactFault.LOCALITY_MISSING}),
        ({"country": ""}, {"country": ContactFault.COUNTRY_MISSING}),
        ({"postal_code": ""}, {"postal_code": ContactFault.POSTAL_CODE_FRENCH}),
        ({"postal_code": "7500"}, {"postal_code": ContactFault.POSTAL_CODE_FRENCH}),
        ({"postal_code": "7500A"}, {"postal_code": ContactFault.POSTAL_CODE_FRENCH}),
        (
            {"postal_code": "\N{ARABIC-INDIC DIGIT SEVEN}5004"},
            {"postal_code": ContactFault.POSTAL_CODE_FRENCH},
        ),
        (
            {"country": "Belgique", "postal_code": "1000/2"},
            {"postal_code": ContactFault.POSTAL_CODE_MALFORMED},
        ),
        (
            {"country": "Belgique", "postal_code": "1" * 13},
            {"postal_code": ContactFault.POSTAL_CODE_MALFORMED},
        ),
        ({"street": "a" * 121}, {"street": ContactFault.LINE_TOO_LONG}),
        ({"complement": "—"}, {"complement": ContactFault.LINE_MALFORMED}),
        ({"locality": "Par\N{ZERO WIDTH SPACE}is"}, {"locality": ContactFault.LINE_MALFORMED}),
        (
            {"street": "", "postal_code": "x", "locality": ""},
            {
                "street": ContactFault.STREET_MISSING,
                "postal_code": ContactFault.POSTAL_CODE_FRENCH,
                "locality": ContactFault.LOCALITY_MISSING,
            },
        ),
    ],
)
def test_address_that_nobody_could_deliver_to_says_why(
    changes: dict[str, str], faults: dict[str, ContactFault]
) -> None:
    """Every fault at once, each at its field, in the order of the form."""
    found = postal_address(LOBAU | changes)

    assert isinstance(found, dict)
    assert list(found.items()) == list(faults.items())


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize(
    "changes",
    [
        {"street": "  4 bis,   rue de Lobau "},
        {"postal_code": "75 004"},
        {"country": "FRANCE"},
        {"locality": "Paris\t"},
    ],
)
def test_address_is_kept_in_one_way_however_it_is_written(changes: dict[str, str]) -> None:
    """Spaces and capitals of a country make no other address."""
    assert postal_address(LOBAU | changes) == PostalAddress(**LOBAU)


@pytest.mark.rule("PRO-2")
@pytest.mark.parametrize(
    "changes",
    [
        {"country": "Irlande", "postal_code": ""},
        {"country": "Royaume-Uni", "postal_code": "SW1A 2AA"},
        {"country": "Pays-Bas", "postal_code": "1012 JS"},
        {"street": "12 ter, impasse de l’Œillet", "locality": "L’Haÿ-les-Roses", "postal_code": "94240"},
    ],
)
def test_addresses_of_other_places_are_welcome(changes: dict[str, str]) -> None:
    """Commas, "bis", apostrophes, ligatures; codes of other countries, or none."""
    assert isinstance(postal_address(LOBAU | changes), PostalAddress)


@pytest.mark.rule("PRO-2")
@pytest.mark.spec("OIDC Core", "5.1.1", "MAY")
def test_claim_has_the_members_of_the_standard() -> None:
    """Lines of one member are parted by a line feed, and none is empty."""
    assert PostalAddress(**LOBAU).claim == {
        "formatted": "4 bis, rue de Lobau\nBât. C, 2ᵉ étage\n75004 Paris\nFrance",
        "street_address": "4 bis, rue de Lobau\nBât. C, 2ᵉ étage",
        "postal_code": "75004",
        "locality": "Paris",
        "country": "France",
    }
    bare = PostalAddress(street="1 O’Connell Street", locality="Dublin", country="Irlande")
    assert bare.claim["formatted"] == "1 O’Connell Street\nDublin\nIrlande"
    assert "postal_code" not in bare.claim


LINES = st.text("abc é'", min_size=1).map(str.strip).filter(bool)


@pytest.mark.rule("PRO-2")
@given(LINES, LINES | st.just(""), LINES)
def test_address_comes_back_from_storage_as_it_was(street: str, complement: str, locality: str) -> None:
    """And equal addresses are equal texts, which is how a change is told."""
    address = PostalAddress(street=street, complement=complement, locality=locality, country="France")

    assert PostalAddress.from_text(address.to_text()) == address
