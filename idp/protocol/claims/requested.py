"""The `claims` parameter, and what a request asks of the person (OIDC Core 5.5; CON-1)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.domain.client import Client
from idp.domain.tokens import GrantedClaims
from idp.protocol.claims.standard import COMPANIONS, claims_of

#: Objects and arrays in one `claims` parameter: bounds its depth and the work before it is parsed.
_MOST_CONTAINERS = 200


class ClaimsSyntaxError(ValueError):
    """The `claims` parameter is not what OIDC Core 5.5 describes."""


@dataclass(frozen=True, slots=True)
class ClaimRequest:
    """How one claim is asked for (OIDC Core 5.5.1).

    Attributes:
        essential: The client says that it can't do well without it.
        values: The values that would do, best first; empty when any does.
    """

    essential: bool = False
    values: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class RequestedClaims:
    """What the `claims` parameter asks, for each place."""

    id_token: Mapping[str, ClaimRequest] = field(default_factory=dict)
    userinfo: Mapping[str, ClaimRequest] = field(default_factory=dict)

    @property
    def subject(self) -> str | None:
        """The only person about whom an answer is wanted (OIDC Core 5.5.1); None for anybody."""
        asked = self.id_token.get("sub") or self.userinfo.get("sub")
        if asked is None or not asked.values:
            return None
        return str(asked.values[0])


NOTHING_REQUESTED = RequestedClaims()


@dataclass(frozen=True, slots=True)
class AskedClaims:
    """What a request asks of the person, within the client's contract.

    Attributes:
        id_token: Claims wanted in the ID Token, companions included.
        userinfo: Claims wanted at UserInfo, companions included.
        required: Those the contract says the service can't be given without.
        optional: Those the person can refuse one by one (CON-2).
    """

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Every claim that the person is asked for."""
        return frozenset(self.required + self.optional)


def parse(raw: str) -> RequestedClaims:
    """Read a `claims` parameter.

    Args:
        raw: As received; its length was bounded by `parameters`.

    Returns:
        The claims asked for in each place. Members that are not understood are ignored, as OIDC
        Core 5.5 demands; of a name with a language tag, the name counts.

    Raises:
        ClaimsSyntaxError: When it is no JSON object, has a repeated member, or is too deep.
    """
    if raw.count("{") + raw.count("[") > _MOST_CONTAINERS:
        raise ClaimsSyntaxError("too many objects and arrays")
    try:
        document = json.loads(raw, object_pairs_hook=_without_repeats, parse_constant=_refuse_constant)
    except ValueError as error:
        raise ClaimsSyntaxError("not a JSON document") from error
    if not isinstance(document, dict):
        raise ClaimsSyntaxError("not an object")
    return RequestedClaims(_place(document, "id_token"), _place(document, "userinfo"))


def asked_claims(
    client: Client, scopes: frozenset[str], requested: RequestedClaims, *, only_id_token: bool = False
) -> AskedClaims:
    """Say what a request asks of the person; a claim outside of the contract is never asked.

    In the code flow the claims of scopes go to UserInfo (OIDC Core 5.4), those of the `claims`
    parameter where it says.

    Args:
        client: Whose contract bounds it.
        scopes: What `scope.allowed` kept.
        requested: The `claims` parameter.
        only_id_token: The answer has an ID Token and no access token: claims of scopes go into it.

    Returns:
        The claims in the order of the contract. `value` and `values` do not narrow them: a person
        who has another value is asked all the same, and the client sees what it is.
    """
    to_userinfo = claims_of(scopes) | requested.userinfo.keys()
    to_id_token = frozenset(requested.id_token)
    if only_id_token:
        to_userinfo, to_id_token = frozenset(), to_id_token | claims_of(scopes)
    wanted = to_userinfo | to_id_token
    uses = [use for use in client.claims if use.name in wanted and use.name not in COMPANIONS]
    names = [use.name for use in uses]
    return AskedClaims(
        id_token=_within(names, to_id_token),
        userinfo=_within(names, to_userinfo),
        required=tuple(use.name for use in uses if use.required),
        optional=tuple(use.name for use in uses if not use.required),
    )


def granted_claims(asked: AskedClaims, granted: frozenset[str]) -> GrantedClaims:
    """Keep of what was asked what the person allowed (CON-2), with its companions."""
    return GrantedClaims(
        tuple(name for name in asked.id_token if COMPANIONS.get(name, name) in granted),
        tuple(name for name in asked.userinfo if COMPANIONS.get(name, name) in granted),
    )


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Which required claims a person can't be given about yet.

    Attributes:
        missing: They have no value.
        uncertified: They have one, below the level that the contract accepts.
    """

    missing: tuple[str, ...] = ()
    uncertified: tuple[str, ...] = ()


NO_SHORTFALL = Shortfall()


def shortfall(client: Client, asked: AskedClaims, levels: Mapping[str, int]) -> Shortfall:
    """Compare what the client requires with what is held on the person (CON-1, FC-6).

    Args:
        client: Whose contract says the levels.
        asked: What the request asks.
        levels: The certification level of each claim that has a value.
    """
    uses = [use for use in client.claims if use.name in asked.required]
    return Shortfall(
        tuple(use.name for use in uses if use.name not in levels),
        tuple(use.name for use in uses if levels.get(use.name, use.minimum_level) < use.minimum_level),
    )


def _within(names: list[str], wanted: frozenset[str]) -> tuple[str, ...]:
    kept = [name for name in names if name in wanted]
    return (*kept, *(name for name, base in COMPANIONS.items() if name in wanted and base in kept))


def _place(document: dict[str, Any], name: str) -> dict[str, ClaimRequest]:
    members = document.get(name)
    if members is None:
        return {}
    if not isinstance(members, dict):
        raise ClaimsSyntaxError("a place is not an object")
    return {claim.partition("#")[0]: _claim_request(asked) for claim, asked in members.items()}


def _claim_request(asked: object) -> ClaimRequest:
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


def _refuse_constant(name: str) -> object:
    raise ClaimsSyntaxError(name)
