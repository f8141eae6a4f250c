"""How a claim is asked for in the `claims` parameter (OIDC Core 5.5.1), and what may be read of one at all."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

#: Objects and arrays in one `claims` parameter: bounds its depth and the work before it is parsed.
_MOST_CONTAINERS = 200
#: What every reader of JSON takes for the same number (RFC 7493 section 2.2).
_LARGEST_NUMBER = 2**53


class ClaimsSyntaxError(ValueError):
    """The `claims` parameter is not what OIDC Core 5.5 or OIDC IDA 5.3 describes."""


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """How one claim is asked for (OIDC Core 5.5.1).

    Attributes:
        essential: The client says that it can't do well without it.
        values: The values that would do, best first; empty when any does.
    """

    essential: bool = False
    values: tuple[Any, ...] = ()


def read_document(raw: str) -> dict[str, Any]:
    """Read a JSON object that a client made, before anything is made of it.

    Args:
        raw: As received; its length was bounded by `parameters`.

    Raises:
        ClaimsSyntaxError: When it is no JSON object, has a repeated member, is too deep, or holds what
            could not be kept: a number beyond all readers, half of a character.
    """
    if raw.count("{") + raw.count("[") > _MOST_CONTAINERS:
        raise ClaimsSyntaxError("too many objects and arrays")
    try:
        document = json.loads(
            raw,
            object_pairs_hook=_without_repeats,
            parse_constant=_refuse_constant,
            parse_int=_number,
            parse_float=_number,
        )
        json.dumps(document, ensure_ascii=False).encode()
    except ValueError as error:
        raise ClaimsSyntaxError("not a JSON document") from error
    if not isinstance(document, dict):
        raise ClaimsSyntaxError("not an object")
    return document


def claim_name(member: str) -> str:
    """Give the name of a claim without its language tag (OIDC Core 5.2)."""
    return member.partition("#")[0]


def claim_request(asked: object) -> ClaimRequest:
    """Read how one claim is asked for.

    Args:
        asked: The value of its member, null for "in the default manner".

    Raises:
        ClaimsSyntaxError: When it is neither null nor such an object.
    """
    if asked is None:
        return ClaimRequest()
    if not isinstance(asked, dict):
        raise ClaimsSyntaxError("a claim request is neither null nor an object")
    essential = asked.get("essential", False)
    values = asked.get("values", [])
    if not isinstance(essential, bool) or not isinstance(values, list):
        raise ClaimsSyntaxError("essential is not a boolean or values not an array")
    if "value" in asked:
        values = [asked["value"]]
    return ClaimRequest(essential, tuple(values))


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ClaimsSyntaxError("a member is repeated")
    return document


def _number(digits: str) -> float:
    number = float(digits)
    if abs(number) >= _LARGEST_NUMBER:
        raise ClaimsSyntaxError("a number is too large")
    return int(number) if digits.lstrip("-").isdigit() else number


def _refuse_constant(name: str) -> object:
    raise ClaimsSyntaxError(name)
