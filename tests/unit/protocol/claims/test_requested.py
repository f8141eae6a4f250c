"""What a request asks of the person, within the contract."""

from __future__ import annotations

import json

import pytest

from idp.domain.client import ClaimUse
from idp.domain.tokens import GrantedClaims
from idp.protocol.claims.requested import (
    NOTHING_REQUESTED,
    AskedClaims,
    Shortfall,
    asked_claims,
    granted_claims,
    parse,
    shortfall,
)
from idp.protocol.claims.syntax import ClaimsSyntaxError
from idp.protocol.parameters import LIMITS
from tests.support.authorization_requests import PARKING, a_client
from tests.support.certified import CONTRACT, asked_in, verified

EVERYTHING = frozenset({"openid", "profile", "email", "address", "phone"})


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "{",
        "null",
        "[]",
        '"x"',
        "1",
        '{"id_token": []}',
        '{"id_token": 1}',
        '{"userinfo": {"email": 1}}',
        '{"userinfo": {"email": {"essential": "yes"}}}',
        '{"userinfo": {"email": {"values": "x"}}}',
        '{"userinfo": {"email": null, "email": null}}',
        '{"userinfo": {}, "userinfo": {}}',
        '{"userinfo": {"x": {"value": NaN}}}',
        '{"userinfo": {"x": {"value": ' + "1" * 5000 + "}}}",
        "[" * 8000,
        '{"a":' * 201 + "1" + "}" * 201,
        json.dumps({"userinfo": {f"c{i}": {} for i in range(300)}}),
        '{"userinfo": {"x": {"value": 9007199254740993}}}',
        '{"userinfo": {"x": {"value": 1e400}}}',
        '{"userinfo": {"x": {"value": "\\ud800"}}}',
        '{"userinfo": {"\\udfff": null}}',
        '{"userinfo": {"verified_claims": null}}',
        '{"id_token": {"verified_claims": {"claims": {"given_name": null}}}}',
    ],
    ids=lambda raw: raw[:40] + f" ({len(raw)})",
)
def test_claims_parameter_that_is_no_request_is_refused(raw: str) -> None:
    """Broken, repeated, deep or numerous: refused before any work is spent on it."""
    with pytest.raises(ClaimsSyntaxError):
        parse(raw)


def test_claims_parameter_as_long_as_allowed_is_read_in_no_time() -> None:
    """The longest parameter holds some hundred claims, and no more work than that."""
    names = [f"c{number}" for number in range(600)]
    raw = json.dumps({"userinfo": dict.fromkeys(names)}, separators=(",", ":"))
    assert len(raw) < LIMITS["claims"]

    assert len(parse(raw).userinfo) == 600


def test_claims_parameter_gives_each_place_its_claims() -> None:
    """Essential or not, with values or without, by place; what is not understood is ignored."""
    requested = parse(
        '{"userinfo": {"given_name": {"essential": true}, "name#fr": null, "x": {"y": 1}},'
        ' "id_token": {"acr": {"values": ["a", "b"]}, "sub": {"value": 7}}, "other": 3}'
    )

    assert requested.userinfo["given_name"].essential
    assert not requested.userinfo["name"].essential
    assert requested.userinfo["x"].values == ()
    assert requested.id_token["acr"].values == ("a", "b")
    assert requested.subject == "7"


@pytest.mark.parametrize("raw", ["{}", '{"id_token": null}', '{"id_token": {"sub": null}}'])
def test_claims_parameter_without_subject_means_anybody(raw: str) -> None:
    """Only a `sub` with a value names somebody."""
    assert parse(raw).subject is None


@pytest.mark.rule("CON-1")
def test_claim_outside_of_the_contract_is_never_asked() -> None:
    """Neither a scope nor the `claims` parameter gives more than was agreed."""
    requested = parse('{"id_token": {"birthdate": {"essential": true}}, "userinfo": {"gender": null}}')

    asked = asked_claims(PARKING, EVERYTHING, requested)

    assert asked.names == {"family_name", "given_name", "email"}
    assert asked.id_token == ()


@pytest.mark.rule("CON-1")
def test_contract_alone_asks_nothing() -> None:
    """A claim that may be asked is not asked until a request does."""
    assert asked_claims(PARKING, frozenset({"openid"}), NOTHING_REQUESTED) == AskedClaims()


@pytest.mark.rule("CON-2")
def test_asked_claims_are_required_or_optional_by_contract() -> None:
    """What the client calls essential stays optional for the person: the contract decides."""
    requested = parse('{"id_token": {"email": {"essential": true}, "family_name": null}}')

    asked = asked_claims(PARKING, frozenset({"openid"}), requested)

    assert asked.required == ("family_name",)
    assert asked.optional == ("email",)
    assert asked.id_token == ("family_name", "email")
    assert asked.userinfo == ()


def test_single_claim_without_scope_is_asked_by_name() -> None:
    """Birth place and country have no scope: the `claims` parameter names them."""
    asked = asked_claims(PARKING, EVERYTHING, parse('{"userinfo": {"birthplace": null}}'))

    assert "birthplace" in asked.userinfo


def test_companion_goes_with_its_claim_and_is_not_asked_apart() -> None:
    """`email_verified` needs no contract of its own, and no consent of its own."""
    asked = asked_claims(PARKING, frozenset({"openid", "email"}), NOTHING_REQUESTED)

    assert asked.userinfo == ("email", "email_verified")
    assert asked.names == {"email"}
    assert granted_claims(asked, frozenset({"email"})) == GrantedClaims(userinfo=("email", "email_verified"))


def test_companion_alone_is_nothing() -> None:
    """Without the address, that it is verified says too much of nothing."""
    requested = parse('{"id_token": {"email_verified": null}}')

    assert asked_claims(PARKING, frozenset({"openid"}), requested) == AskedClaims()
    assert asked_claims(a_client(claims=()), EVERYTHING, requested) == AskedClaims()


def test_companion_named_in_a_contract_is_not_asked() -> None:
    """A contract made elsewhere does not turn a companion into a question."""
    client = a_client(claims=(ClaimUse("email_verified", {"fr": "x"}),))

    assert asked_claims(client, EVERYTHING, NOTHING_REQUESTED) == AskedClaims()


@pytest.mark.rule("CON-2")
def test_refused_claim_is_not_granted() -> None:
    """Of what was asked, only what was allowed goes anywhere."""
    asked = AskedClaims(
        id_token=("given_name", "email", "email_verified"),
        userinfo=("family_name", "email", "email_verified"),
        required=("given_name", "family_name"),
        optional=("email",),
    )

    assert granted_claims(asked, frozenset({"given_name", "family_name"})) == GrantedClaims(
        ("given_name",), ("family_name",)
    )


@pytest.mark.rule("CON-1")
def test_shortfall_names_what_is_missing_and_what_is_not_certain_enough() -> None:
    """Only what is required and asked counts, each at the level of the contract."""
    client = a_client(
        claims=(
            ClaimUse("family_name", {"fr": "x"}, required=True, minimum_level=600),
            ClaimUse("birthdate", {"fr": "x"}, required=True, minimum_level=600),
            ClaimUse("gender", {"fr": "x"}, required=True),
            ClaimUse("given_name", {"fr": "x"}, required=True),
            ClaimUse("email", {"fr": "x"}, minimum_level=600),
            ClaimUse("phone_number", {"fr": "x"}, required=True),
        )
    )
    asked = asked_claims(client, frozenset({"openid", "profile", "email"}), NOTHING_REQUESTED)

    found = shortfall(client, asked, {"family_name": 100, "birthdate": 600, "gender": 100})

    assert found == Shortfall(missing=("given_name",), uncertified=("family_name",))


@pytest.mark.rule("FC-6", "CON-2")
def test_verified_claim_is_asked_of_the_person_like_any_other() -> None:
    """By its own name, within the contract; it goes where it was asked for, and nowhere else."""
    requested = parse(asked_in("id_token", verified("family_name", "birthdate", "email")))

    asked = asked_claims(PARKING, frozenset({"openid"}), requested)

    assert (asked.required, asked.optional) == (("family_name",), ())
    assert asked.id_token == asked.userinfo == asked.verified_userinfo == ()
    granted = granted_claims(asked, asked.names)
    assert [set(element.claims) for element in granted.verified_id_token] == [{"family_name"}]
    assert granted_claims(asked, frozenset()) == GrantedClaims()


@pytest.mark.rule("FC-6")
def test_place_of_birth_is_asked_of_the_person_as_its_parts() -> None:
    """They know where they were born; they don't know our names of claims."""
    requested = parse(asked_in("userinfo", verified("place_of_birth")))

    asked = asked_claims(a_client(claims=CONTRACT), frozenset({"openid"}), requested)

    assert asked.names == {"birthplace", "birthcountry"}


@pytest.mark.rule("FC-6")
def test_verified_claims_of_userinfo_are_not_asked_without_an_access_token() -> None:
    """As with any claim: there would be no place to give them."""
    requested = parse(asked_in("userinfo", verified("family_name")))

    asked = asked_claims(PARKING, frozenset({"openid"}), requested, only_id_token=True)

    assert asked == AskedClaims()


@pytest.mark.rule("FC-6")
def test_claim_wanted_verified_that_is_essential_or_required_is_to_be_certified() -> None:
    """Voluntary and optional: the service gets what there is."""
    client = a_client(
        claims=(
            ClaimUse("family_name", {"fr": "x"}, required=True),
            ClaimUse("given_name", {"fr": "x"}),
            ClaimUse("gender", {"fr": "x"}),
        )
    )
    element = verified("family_name", "gender") | {}
    element["claims"]["given_name"] = {"essential": True}

    asked = asked_claims(client, frozenset({"openid"}), parse(asked_in("userinfo", element)))

    assert set(asked.to_certify) == {"family_name", "given_name"}
    found = shortfall(client, asked, {"family_name": 100, "given_name": 600, "gender": 100})
    assert found == Shortfall(unverified=("family_name",))
    assert shortfall(client, asked, {}) == Shortfall(unverified=("family_name", "given_name"))


@pytest.mark.rule("FC-6")
def test_certification_goes_with_the_claims_of_its_place() -> None:
    """It speaks of them, and of nothing when none is there or allowed."""
    requested = parse(
        '{"userinfo": {"certification": null, "email": null}, "id_token": {"certification": null}}'
    )

    asked = asked_claims(PARKING, frozenset({"openid"}), requested)

    assert asked.userinfo == ("email", "certification")
    assert asked.id_token == ()
    assert asked.names == {"email"}
    assert granted_claims(asked, frozenset({"email"})).userinfo == ("email", "certification")
    assert granted_claims(asked, frozenset()).userinfo == ()
