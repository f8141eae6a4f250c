"""What may be asked of `verified_claims`, and what of it is answered."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from idp.protocol.claims.syntax import ClaimRequest, ClaimsSyntaxError
from idp.protocol.claims.verified import (
    TRUST_FRAMEWORK,
    VERIFIABLE_CLAIMS,
    Certified,
    granted,
    parse,
    select,
    within,
)
from tests.support.certified import ANGELA, BORN, CERTIFIED, VERIFIED_AT, verified

EVERYTHING = frozenset(ANGELA)
OUR_EVIDENCE: dict[str, Any] = {"type": {"value": "electronic_record"}}
RECORD = OUR_EVIDENCE | {"record": {"type": None, "source": {"name": None}}}


def answered(
    *asked: dict[str, Any], held: Certified = CERTIFIED, allowed: frozenset[str] = EVERYTHING
) -> Any:
    """Ask, allow and answer, an hour after it was certified."""
    elements = granted(within(parse(list(asked)), EVERYTHING), allowed)
    return select(elements, held, VERIFIED_AT + timedelta(hours=1))


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize(
    "asked",
    [
        None,
        1,
        "given_name",
        [None],
        [[]],
        {},
        {"claims": {"given_name": None}},
        {"verification": None, "claims": {"given_name": None}},
        {"verification": {}, "claims": {"given_name": None}},
        {"verification": [], "claims": {"given_name": None}},
        {"verification": {"time": None}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": "eidas"}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": []}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": {"value": 1}}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": {"values": []}}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": {"values": "eidas"}}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": {"values": [None]}}, "claims": {"given_name": None}},
        {"verification": {"trust_framework": {"essential": "yes"}}, "claims": {"given_name": None}},
        verified("given_name", time=3600),
        verified("given_name", time={"max_age": "3600"}),
        verified("given_name", time={"max_age": -1}),
        verified("given_name", time={"max_age": True}),
        verified("given_name", assurance_level="low"),
        verified("given_name", assurance_process="a policy"),
        verified("given_name", evidence=None),
        verified("given_name", evidence={}),
        verified("given_name", evidence=[]),
        verified("given_name", evidence=[None]),
        verified("given_name", evidence=[{}]),
        verified("given_name", evidence=[{"type": None}]),
        verified("given_name", evidence=[{"type": {"values": ["document"]}}]),
        verified("given_name", evidence=[{"type": {"value": 1}}]),
        verified("given_name", evidence=[{"type": {"value": "document", "purpose": "x"}}]),
        {"verification": {"trust_framework": None}},
        {"verification": {"trust_framework": None}, "claims": {}},
        {"verification": {"trust_framework": None}, "claims": []},
        {"verification": {"trust_framework": None}, "claims": {"given_name": 1}},
        {"verification": {"trust_framework": None}, "claims": {"given_name": {"essential": 1}}},
        {"verification": {"trust_framework": None}, "claims": {"given_name": {"values": []}}},
        {"verification": {"trust_framework": None}, "claims": {"given_name": {"purpose": "no"}}},
        {"verification": {"trust_framework": None}, "claims": {"given_name": {"purpose": "x" * 301}}},
        {"verification": {"trust_framework": None}, "claims": {"given_name": {"purpose": 3}}},
        [verified("given_name")] * 11,
    ],
    ids=lambda asked: json.dumps(asked)[:90],
)
def test_request_of_another_form_is_refused(asked: object) -> None:
    """No verification, no trust framework, no claims, or a member that is not what the syntax has."""
    with pytest.raises(ClaimsSyntaxError):
        parse(asked)


@pytest.mark.parametrize("length", [3, 300])
def test_purpose_of_a_fair_length_is_taken(length: int) -> None:
    """Three to three hundred characters."""
    asked = verified("given_name") | {"claims": {"given_name": {"purpose": "é" * length}}}

    assert parse(asked)[0].claims == {"given_name": ClaimRequest()}


@pytest.mark.parametrize("asked", [[], {**verified(), "claims": None}, [{**verified(), "claims": None}]])
def test_request_for_no_claim_asks_for_nothing(asked: object) -> None:
    """The syntax allows null for all claims, and an empty array; we give nothing that is not named."""
    assert parse(asked) == ()


def test_request_keeps_how_each_claim_is_asked_for() -> None:
    """Essential, with values, in a language; members that nobody knows are left alone."""
    asked = verified(unknown="member", other=7) | {
        "claims": {
            "given_name": {"essential": True},
            "family_name#fr": {"values": ["DUBOIS", "DUPONT"], "mood": "good"},
            "COMPLETE $ AND UTTER NONSENSE @?": None,
        },
        "more": [],
    }

    (element,) = parse(asked)

    assert element.claims["given_name"].essential
    assert element.claims["family_name"].values == ("DUBOIS", "DUPONT")


@pytest.mark.rule("CON-1")
def test_claim_outside_of_the_contract_or_beyond_verification_is_dropped() -> None:
    """Neither an address, which FranceConnect does not vouch for, nor what was not agreed."""
    elements = parse([verified("email", "birthdate", "given_name"), verified("phone_number")])

    kept = within(elements, frozenset({"given_name", "email", "phone_number"}))

    assert [set(element.claims) for element in kept] == [{"given_name"}]


@pytest.mark.rule("CON-2")
def test_claim_that_was_refused_is_not_granted() -> None:
    """Each claim is allowed by its own name; an element without claims is gone."""
    elements = within(parse([verified("given_name", "gender"), verified("gender")]), EVERYTHING)

    assert [set(one.claims) for one in granted(elements, frozenset({"given_name"}))] == [{"given_name"}]


@pytest.mark.rule("CON-1", "CON-2")
@pytest.mark.parametrize("allowed", [{"birthplace"}, {"birthcountry"}, set()])
def test_place_of_birth_needs_both_its_parts(allowed: set[str]) -> None:
    """It says both, so that both must be in the contract and allowed."""
    elements = parse(verified("place_of_birth"))

    assert within(elements, frozenset(allowed)) == ()
    assert granted(within(elements, EVERYTHING), frozenset(allowed)) == ()


# Answers


@pytest.mark.rule("FC-6")
def test_plain_request_is_answered_with_the_trust_framework_alone() -> None:
    """Nothing of the verification that was not asked for."""
    assert answered(verified("given_name")) == {
        "verification": {"trust_framework": TRUST_FRAMEWORK},
        "claims": {"given_name": "Angela Claire Louise"},
    }


@pytest.mark.rule("FC-6")
def test_everything_can_be_asked_for() -> None:
    """Level, time and evidence, each member by its name."""
    evidence = [
        {
            "type": {"value": "electronic_record"},
            "record": {"type": None, "source": {"name": None, "country": None, "country_code": {}}},
        }
    ]

    answer = answered(verified(*VERIFIABLE_CLAIMS, assurance_level=None, time=None, evidence=evidence))

    assert answer == {
        "verification": {
            "trust_framework": "eidas",
            "assurance_level": "low",
            "time": "2026-11-20T08:30:00Z",
            "evidence": [
                {
                    "type": "electronic_record",
                    "record": {
                        "type": "population_register",
                        "source": {"name": "RNIPP (Insee)", "country": "France", "country_code": "FRA"},
                    },
                }
            ],
        },
        "claims": {**ANGELA, "place_of_birth": BORN},
    }


@pytest.mark.parametrize(
    "level, told", [("eidas1", "low"), ("eidas2", "substantial"), ("eidas3", "high"), ("other", "low")]
)
def test_level_is_in_the_words_of_eidas(level: str, told: str) -> None:
    """Never higher than what is known."""
    answer = answered(verified("gender", assurance_level=None), held=Certified(ANGELA, level, VERIFIED_AT))

    assert answer["verification"]["assurance_level"] == told


@pytest.mark.parametrize(
    "verification",
    [
        {"trust_framework": {"value": "de_aml"}},
        {"trust_framework": {"values": ["de_aml", "nist_800_63A"], "essential": False}},
        {"assurance_level": {"value": "high"}},
        {"assurance_level": {"values": ["substantial", "high"]}},
        {"time": {"max_age": 3599}},
        {"time": {"value": "2026-11-20"}},
        {"assurance_level": {"max_age": 10}},
        {"verification_process": {"value": "f24c6f"}},
        {"assurance_process": {"policy": {"value": "gpg45"}}},
        {"evidence": [{"type": {"value": "document"}}]},
        {"evidence": [OUR_EVIDENCE | {"record": {"type": {"value": "bank_account"}}}]},
        {"evidence": [OUR_EVIDENCE | {"check_details": [{"check_method": {"value": "vpip"}}]}]},
        {"evidence": [OUR_EVIDENCE | {"record": {"value": "x"}}]},
        {"evidence": [OUR_EVIDENCE | {"record": {"source": [{"value": "x"}]}}]},
        {"extension": [{"deep": {"values": ["x"]}}]},
    ],
    ids=json.dumps,
)
def test_demand_on_the_verification_that_is_not_met_takes_the_element_away(
    verification: dict[str, Any],
) -> None:
    """The whole element, and no error; the other elements stay."""
    demanding = verified("given_name", **verification)

    assert answered(demanding) is None
    assert answered(demanding, verified("gender"))["claims"] == {"gender": "female"}


@pytest.mark.parametrize(
    "verification",
    [
        {"trust_framework": {"value": "eidas"}},
        {"trust_framework": {"values": ["de_aml", "eidas"]}},
        {"trust_framework": {"essential": True}},
        {"assurance_level": {"values": ["low", "substantial", "high"]}},
        {"time": {"max_age": 3600}},
        {"time": {"max_age": 1000 * 365 * 86400}},
        {"time": {"max_age": 2**53}},
        {"evidence": [RECORD]},
        {"evidence": [{"type": {"value": "document"}}, RECORD]},
    ],
    ids=json.dumps,
)
def test_demand_on_the_verification_that_is_met_leaves_the_element(verification: dict[str, Any]) -> None:
    """Any of the values; the age of the verification at the request; one of several kinds of evidence."""
    assert answered(verified("given_name", **verification))["claims"]


@pytest.mark.parametrize(
    "verification",
    [
        {"verification_process": None},
        {"verification_process": {"essential": True}},
        {"assurance_process": {"policy": None}},
        {"extension": None},
        {"extension": "text"},
    ],
    ids=json.dumps,
)
def test_member_that_is_not_there_is_left_out(verification: dict[str, Any]) -> None:
    """Essential or not: what can't be told is not told, and the rest is."""
    assert answered(verified("gender", **verification))["verification"] == {"trust_framework": "eidas"}


@pytest.mark.parametrize(
    "asked, told",
    [
        ({"record": None}, None),
        ({"record": {}}, None),
        ({"record": {"source": {"name": None}}}, None),
        ({"record": {"type": None}}, {"type": "population_register"}),
        ({"record": {"type": None, "source": None}}, {"type": "population_register"}),
        ({"record": {"type": None, "created_at": None}}, {"type": "population_register"}),
        ({"attachments": None}, None),
    ],
    ids=json.dumps,
)
def test_structure_is_asked_member_by_member(asked: dict[str, Any], told: dict[str, Any] | None) -> None:
    """Its name alone asks for nothing in it; without the type that the schema requires it is left out."""
    evidence = [{"type": {"value": "electronic_record"}, **asked}]

    (found,) = answered(verified("gender", evidence=evidence))["verification"]["evidence"]

    assert found == {"type": "electronic_record"} | ({} if told is None else {"record": told})


@pytest.mark.parametrize("values", [["DUPONT"], [7], [["DUBOIS"]], [{"a": 1}], [True]], ids=str)
def test_claim_with_another_value_is_left_out(values: list[Any]) -> None:
    """It alone; an element that has no claim then is left out too."""
    asked = verified() | {"claims": {"family_name": {"values": values}, "gender": None}}

    assert answered(asked)["claims"] == {"gender": "female"}
    assert answered(verified() | {"claims": {"family_name": {"values": values}}}) is None


def test_claim_with_one_of_the_values_is_told() -> None:
    """Text or object."""
    asked = verified() | {
        "claims": {"family_name": {"values": ["DUPONT", "DUBOIS"]}, "place_of_birth": {"value": dict(BORN)}}
    }

    assert answered(asked)["claims"] == {"family_name": "DUBOIS", "place_of_birth": BORN}


def test_claim_that_nobody_certified_is_left_out() -> None:
    """Essential or not; without any claim there is no element."""
    held = Certified({"gender": "female"}, "eidas1", VERIFIED_AT)
    essential = verified() | {"claims": {"given_name": {"essential": True}}}

    assert answered(essential, held=held) is None
    assert answered(essential, verified("gender"), held=held)["claims"] == {"gender": "female"}


def test_several_elements_are_answered_by_an_array() -> None:
    """Each by itself, the same claim in both when both ask for it."""
    answer = answered(verified("gender"), verified("gender", "birthdate", time=None))

    assert [element["claims"] for element in answer] == [
        {"gender": "female"},
        {"gender": "female", "birthdate": "1962-08-24"},
    ]
    assert [set(element["verification"]) for element in answer] == [
        {"trust_framework"},
        {"trust_framework", "time"},
    ]
