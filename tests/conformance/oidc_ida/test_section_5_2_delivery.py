"""OIDC IDA 5.1 and 5.2: the form of `verified_claims`, and where it is delivered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto import jwt
from tests.support.certified import CONTRACT, a_certified_account, asked_in, verified

if TYPE_CHECKING:
    from tests.support.provider import Provider

EVIDENCE = [
    {
        "type": {"value": "electronic_record"},
        "record": {"type": None, "source": {"name": None, "country": None, "country_code": None}},
    }
]


def delivered(provider: Provider, place: str, element: object) -> Any:
    """Give the `verified_claims` of one place for a certified person."""
    service = provider.a_client(claims=CONTRACT)
    browser = provider.signed_in(a_certified_account(provider))
    tokens = provider.tokens(browser, service, claims=asked_in(place, element))
    if place == "userinfo":
        return (provider.userinfo(tokens["access_token"]).json or {}).get("verified_claims")
    keys = provider.context.keys.keyring().public_keys()
    return jwt.verified_claims(tokens["id_token"], keys).get("verified_claims")


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.1", "SHALL")
@pytest.mark.parametrize("place", ["userinfo", "id_token"])
def test_element_is_what_the_schema_describes(lasting_provider: Provider, place: str) -> None:
    """Two members; texts where the schema has texts; no member that it forbids."""
    element = verified("family_name", "place_of_birth", assurance_level=None, time=None, evidence=EVIDENCE)

    found = delivered(lasting_provider, place, element)

    assert set(found) == {"verification", "claims"}
    verification = found["verification"]
    assert set(verification) == {"trust_framework", "assurance_level", "time", "evidence"}
    assert all(isinstance(verification[name], str) for name in ("trust_framework", "assurance_level", "time"))
    (evidence,) = verification["evidence"]
    assert set(evidence) == {"type", "record"}
    assert set(evidence["record"]) == {"type", "source"}
    assert set(evidence["record"]["source"]) == {"name", "country", "country_code"}
    assert set(found["claims"]["place_of_birth"]) <= {"country", "region", "locality"}


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "5.2", "MAY")
@pytest.mark.parametrize("place", ["userinfo", "id_token"])
def test_verified_claims_are_delivered_in_both_places(lasting_provider: Provider, place: str) -> None:
    """As one object for one element."""
    assert delivered(lasting_provider, place, verified("family_name"))["claims"] == {"family_name": "DUBOIS"}


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "9", "SHOULD")
def test_times_tell_nothing_of_where_the_person_was(lasting_provider: Provider) -> None:
    """In UTC."""
    found = delivered(lasting_provider, "userinfo", verified("family_name", time=None))

    assert found["verification"]["time"].endswith("Z")
