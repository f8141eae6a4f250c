"""Claims as they go on the wire."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idp.protocol.claims.standard import PERSON_CLAIMS
from idp.protocol.claims.values import claim_values, full_name

ZOE = {
    "given_name": "Zoé Claire",
    "given_name_array": '["Zoé Claire"]',
    "family_name": "Lœvenbrück",
    "preferred_username": "D’Aÿ",
    "gender": "female",
    "birthdate": "1980-02-29",
    "birthplace": "75107",
    "birthcountry": "99100",
    "email": "zoe@example.org",
    "phone_number": "+33612345678",
    "phone_number_verified": True,
    "address": '{"street_address":"4 bis, rue Lobau","postal_code":"75004","locality":"Paris"}',
    "language": "fr",
    "updated_at": datetime(2026, 11, 20, 12, 0, 0, 900_000, tzinfo=UTC),
    "password_hash": "never",
}


def test_claims_not_named_are_not_given() -> None:
    """Only what is asked for leaves, whatever is held."""
    assert claim_values(ZOE, ()) == {}
    assert claim_values(ZOE, ["gender"]) == {"gender": "female"}


def test_every_claim_has_its_value() -> None:
    """Each claim of the discovery document can be given."""
    assert claim_values(ZOE, PERSON_CLAIMS) == {
        "name": "Zoé Claire D’Aÿ",
        "family_name": "Lœvenbrück",
        "given_name": "Zoé Claire",
        "preferred_username": "D’Aÿ",
        "gender": "female",
        "birthdate": "1980-02-29",
        "locale": "fr-FR",
        "updated_at": 1_795_176_000,
        "email": "zoe@example.org",
        "email_verified": True,
        "address": {
            "formatted": "4 bis, rue Lobau\n75004 Paris",
            "street_address": "4 bis, rue Lobau",
            "postal_code": "75004",
            "locality": "Paris",
        },
        "phone_number": "+33612345678",
        "phone_number_verified": True,
        "given_name_array": ["Zoé Claire"],
        "birthplace": "75107",
        "birthcountry": "99100",
    }


@pytest.mark.spec("OIDC Core", "5.3.2", "SHOULD NOT")
@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"birthplace": "", "email": "", "phone_number": None, "address": "", "language": "de"},
        {"address": None, "given_name": "", "family_name": None},
    ],
)
def test_claim_without_value_is_left_out(attributes: dict[str, object]) -> None:
    """An empty or unknown value is no claim, neither null nor empty."""
    assert claim_values(attributes, PERSON_CLAIMS) == {}


def test_phone_number_that_was_not_proven_says_so() -> None:
    """False is a value: the claim is given."""
    values = claim_values({"phone_number": "+33612345678"}, ["phone_number_verified"])

    assert values == {"phone_number_verified": False}


@pytest.mark.parametrize(
    "attributes, name",
    [
        ({"given_name": "Zoé", "family_name": "Ÿ"}, "Zoé Ÿ"),
        ({"given_name": "Zoé", "family_name": "Ÿ", "preferred_username": ""}, "Zoé Ÿ"),
        ({"family_name": "Ÿ"}, "Ÿ"),
        ({"given_name": "Zoé"}, "Zoé"),
        ({}, None),
    ],
)
def test_name_is_made_of_what_there_is(attributes: dict[str, str], name: str | None) -> None:
    """The name in use comes before the name at birth; either part may be missing."""
    assert full_name(attributes) == name


def test_locale_of_english_is_given() -> None:
    """The second language of the pages has a locale too."""
    assert claim_values({"language": "en"}, ["locale"]) == {"locale": "en-GB"}
