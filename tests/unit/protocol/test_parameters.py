"""Reading parameters: once, not empty, bounded, fit."""

from __future__ import annotations

import pytest

from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.parameters import LIMIT, LIMITS, endpoint_values, single_values

KNOWN = frozenset({"state", "nonce", "claims", "code"})


@pytest.mark.rule("OID-9")
@pytest.mark.parametrize(
    "value",
    ["a\x00b", "a\r\nSet-Cookie: x", "a\tb", "a\x7fb", "a\x85b", "\ud800", "a\udfff", "a\ufffdb"],
    ids=["NUL", "CR LF", "tab", "DEL", "C1 control", "high surrogate", "low surrogate", "no UTF-8"],
)
def test_value_with_unfit_character_is_malformed(value: str) -> None:
    """Controls, lone surrogates and bytes that were no UTF-8 are refused, never passed on."""
    found = single_values([("state", value)], KNOWN)

    assert found.values == {}
    assert found.malformed == {"state"}
    assert found.is_broken("state")


@pytest.mark.parametrize("name, limit", [*LIMITS.items(), ("nonce", LIMIT)])
def test_value_beyond_its_limit_is_malformed(name: str, limit: int) -> None:
    """Each parameter has a longest length; one character more is too long."""
    known = frozenset({name})

    assert single_values([(name, "a" * limit)], known).values == {name: "a" * limit}
    assert single_values([(name, "a" * (limit + 1))], known).malformed == {name}


@pytest.mark.parametrize(
    "value",
    ["a b", "é", "\u0001\u0301"[1:], "“œuf” 🥚", "\u00a0", '"><script>', "{}", "%ED%A0%80"],
)
def test_value_that_is_strange_but_fit_is_kept_unchanged(value: str) -> None:
    """Hostile or foreign text is data: it is returned as it came."""
    assert single_values([("state", value)], KNOWN).values == {"state": value}


def test_claims_parameter_on_several_lines_is_kept() -> None:
    """JSON may be pretty-printed."""
    assert single_values([("claims", "{\r\n\t}")], KNOWN).get("claims") == "{\r\n\t}"
    assert single_values([("claims", "{\x0b}")], KNOWN).malformed == {"claims"}
    assert single_values([("claims", '{"é": 1}')], KNOWN).get("claims") == '{"é": 1}'


def test_parameter_repeated_and_malformed_is_repeated() -> None:
    """A parameter is broken in one way at a time, the first that was met."""
    found = single_values([("state", "\x00"), ("state", "")], KNOWN)

    assert found.repeated == {"state"}
    assert found.malformed == frozenset()
    assert found.get("state") is None


def test_endpoint_values_with_repeated_parameter_raises_invalid_request() -> None:
    """At a back-channel endpoint a repeated parameter ends the request."""
    with pytest.raises(EndpointError) as caught:
        endpoint_values([("code", "a"), ("code", "a")], KNOWN)

    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert "code" in caught.value.reason


def test_endpoint_values_with_malformed_parameter_raises_invalid_request() -> None:
    """At a back-channel endpoint a malformed parameter ends the request."""
    with pytest.raises(EndpointError) as caught:
        endpoint_values([("code", "\x00")], KNOWN)

    assert caught.value.code is ErrorCode.INVALID_REQUEST


def test_endpoint_values_gives_what_came_once() -> None:
    """Known parameters with a value are given; unknown and empty ones are not."""
    assert endpoint_values([("code", "a"), ("state", ""), ("x", "y")], KNOWN) == {"code": "a"}
