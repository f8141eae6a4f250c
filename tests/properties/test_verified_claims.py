"""Laws of `verified_claims`: a request is a filter, whatever it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.protocol.claims.requested import parse
from idp.protocol.claims.syntax import ClaimsSyntaxError
from idp.protocol.claims.verified import VERIFIABLE_CLAIMS, Certified, granted, select, within
from tests.support.certified import ANGELA, BORN

#: The machine may be busy with other tests; what is tried is quick.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
CLAIMS = (*VERIFIABLE_CLAIMS, "email", "phone_number", "nickname")
TEXTS = st.sampled_from(
    ["eidas", "low", "high", "electronic_record", "population_register", "RNIPP (Insee)", "x"]
)
DEMANDS = st.one_of(
    st.none(),
    st.fixed_dictionaries(
        {},
        optional={
            "value": TEXTS,
            "values": st.lists(TEXTS, min_size=1, max_size=3),
            "essential": st.booleans(),
            "purpose": st.sampled_from(["abc", "Pour le service."]),
        },
    ),
)
TIMES = st.one_of(st.none(), st.fixed_dictionaries({"max_age": st.integers(0, 10**9)}))
SOURCES = st.dictionaries(
    st.sampled_from(["name", "country", "country_code", "locality"]), DEMANDS, max_size=4
)
EVIDENCE = st.fixed_dictionaries(
    {"type": st.fixed_dictionaries({"value": st.sampled_from(["electronic_record", "document"])})},
    optional={
        "record": st.fixed_dictionaries(
            {}, optional={"type": DEMANDS, "source": SOURCES, "created_at": TIMES}
        ),
        "check_details": st.lists(st.fixed_dictionaries({"check_method": DEMANDS}), min_size=1, max_size=2),
    },
)
ELEMENTS = st.fixed_dictionaries(
    {
        "verification": st.fixed_dictionaries(
            {"trust_framework": DEMANDS},
            optional={
                "assurance_level": DEMANDS,
                "time": TIMES,
                "verification_process": st.none(),
                "evidence": st.lists(EVIDENCE, min_size=1, max_size=2),
            },
        ),
        "claims": st.dictionaries(st.sampled_from(CLAIMS), DEMANDS, min_size=1),
    }
)
HELD = st.builds(
    Certified,
    st.dictionaries(st.sampled_from(VERIFIABLE_CLAIMS), st.just("")).map(
        lambda names: {name: ({**ANGELA, "place_of_birth": BORN})[name] for name in names}
    ),
    st.sampled_from(["eidas1", "eidas2", "eidas3"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - bounds are naive
)
NAMES = st.frozensets(st.sampled_from(CLAIMS))
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
#: JSON of any shape, in the place of a request.
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["verification", "claims", "trust_framework", "evidence", "type", "value", "values"]
            )
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


def is_part_of(told: Any, asked: Any) -> bool:
    """Tell whether every member that is told was asked for, at every depth."""
    if isinstance(told, dict):
        return isinstance(asked, dict) and all(
            name in asked and is_part_of(inner, asked[name]) for name, inner in told.items()
        )
    if isinstance(told, list):
        return isinstance(asked, list) and all(any(is_part_of(one, each) for each in asked) for one in told)
    return True


@pytest.mark.rule("FC-6", "CON-1", "CON-2")
@PATIENT
@given(st.lists(ELEMENTS, max_size=4), HELD, NAMES, NAMES)
def test_answer_is_part_of_the_request_of_the_consent_and_of_what_is_certified(
    asked: list[dict[str, Any]], held: Certified, contract: frozenset[str], allowed: frozenset[str]
) -> None:
    """Nothing is added: not a member, not a claim, not a value; and no element is without claims."""
    parts = {"place_of_birth": {"birthplace", "birthcountry"}}
    requested = parse(json.dumps({"userinfo": {"verified_claims": asked}})).verified_userinfo

    answer = select(granted(within(requested, contract), allowed), held, NOW)

    for element in [] if answer is None else answer if isinstance(answer, list) else [answer]:
        assert set(element) == {"verification", "claims"}
        assert any(
            is_part_of(element["verification"], one["verification"])
            and element["claims"].keys() <= one["claims"].keys()
            for one in asked
        )
        assert element["verification"]["trust_framework"] == "eidas"
        assert element["claims"]
        for name, value in element["claims"].items():
            assert held.values[name] == value
            assert parts.get(name, {name}) <= contract & allowed


@pytest.mark.rule("FC-6")
@PATIENT
@given(ELEMENTS, HELD)
def test_more_demands_never_tell_more(asked: dict[str, Any], held: Certified) -> None:
    """What is asked without any demand is told at least as much."""
    everything = {"verification": {"trust_framework": None}, "claims": dict.fromkeys(asked["claims"])}
    strict, free = (
        select(
            granted(
                within(
                    parse(json.dumps({"id_token": {"verified_claims": one}})).verified_id_token,
                    frozenset(CLAIMS),
                ),
                frozenset(CLAIMS),
            ),
            held,
            NOW,
        )
        for one in (asked, everything)
    )

    if isinstance(strict, dict):
        assert isinstance(free, dict)
        assert strict["claims"].items() <= free["claims"].items()


@pytest.mark.rule("OID-3")
@PATIENT
@given(ANYTHING)
def test_claims_parameter_of_any_shape_is_read_or_refused(anything: object) -> None:
    """One error class for whatever may come, and nothing else."""
    try:
        parse(json.dumps({"userinfo": {"verified_claims": anything}}))
    except ClaimsSyntaxError:
        return
