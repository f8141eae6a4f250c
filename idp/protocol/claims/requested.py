"""The `claims` parameter, and what a request asks of the person (OIDC Core 5.5; CON-1)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from idp.domain.civil_identity import Level
from idp.domain.client import Client
from idp.domain.tokens import GrantedClaims
from idp.protocol.claims import verified
from idp.protocol.claims.standard import CERTIFICATION, COMPANIONS, PURPOSES, claims_of
from idp.protocol.claims.syntax import (
    ClaimRequest,
    ClaimsSyntaxError,
    claim_name,
    claim_request,
    read_document,
)
from idp.protocol.claims.verified import VERIFIED_CLAIMS, VerifiedRequest, parts_of


@dataclass(frozen=True, slots=True)
class RequestedClaims:
    """What the `claims` parameter asks, for each place; what it asks as verified stands apart."""

    id_token: Mapping[str, ClaimRequest] = field(default_factory=dict)
    userinfo: Mapping[str, ClaimRequest] = field(default_factory=dict)
    verified_id_token: tuple[VerifiedRequest, ...] = ()
    verified_userinfo: tuple[VerifiedRequest, ...] = ()

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
        verified_id_token: What is wanted as `verified_claims` in the ID Token.
        verified_userinfo: The same at UserInfo.
        to_certify: Those wanted as verified that the service can hardly do without: FranceConnect is offered.
    """

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    verified_id_token: tuple[VerifiedRequest, ...] = ()
    verified_userinfo: tuple[VerifiedRequest, ...] = ()
    to_certify: tuple[str, ...] = ()

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
        ClaimsSyntaxError: When it is no JSON object, has a repeated member, is too deep, or asks for
            verified claims otherwise than OIDC IDA 5.3 says.
    """
    document = read_document(raw)
    id_token, userinfo = _place(document, "id_token"), _place(document, "userinfo")
    return RequestedClaims(
        _claim_requests(id_token),
        _claim_requests(userinfo),
        _verified_requests(id_token),
        _verified_requests(userinfo),
    )


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
    contract = frozenset(use.name for use in client.claims)
    verified_id_token = verified.within(requested.verified_id_token, contract)
    verified_userinfo = verified.within(requested.verified_userinfo, contract)
    if only_id_token:
        to_userinfo, to_id_token = frozenset(), to_id_token | claims_of(scopes)
        verified_userinfo = ()
    as_verified = _wanted_as_verified((*verified_id_token, *verified_userinfo))
    wanted = to_userinfo | to_id_token | as_verified.keys()
    uses = [use for use in client.claims if use.name in wanted and use.name not in COMPANIONS]
    names = [use.name for use in uses]
    return AskedClaims(
        id_token=_within(names, to_id_token) + _purposes(client, to_id_token),
        userinfo=_within(names, to_userinfo),
        required=tuple(use.name for use in uses if use.required),
        optional=tuple(use.name for use in uses if not use.required),
        verified_id_token=verified_id_token,
        verified_userinfo=verified_userinfo,
        to_certify=tuple(
            use.name for use in uses if use.name in as_verified and (use.required or as_verified[use.name])
        ),
    )


def granted_claims(asked: AskedClaims, allowed: frozenset[str]) -> GrantedClaims:
    """Keep of what was asked what the person allowed (CON-2), with what goes along."""
    return GrantedClaims(
        _allowed(asked.id_token, allowed),
        _allowed(asked.userinfo, allowed),
        verified.granted(asked.verified_id_token, allowed),
        verified.granted(asked.verified_userinfo, allowed),
    )


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Which required claims a person can't be given about yet.

    Attributes:
        missing: They have no value.
        uncertified: They have one, below the level that the contract accepts.
        unverified: They are wanted as `verified_claims`, and are not certified.
    """

    missing: tuple[str, ...] = ()
    uncertified: tuple[str, ...] = ()
    unverified: tuple[str, ...] = ()


NO_SHORTFALL = Shortfall()


def shortfall(client: Client, asked: AskedClaims, levels: Mapping[str, int]) -> Shortfall:
    """Compare what the client requires with what is held on the person (CON-1, FC-6).

    Args:
        client: Whose contract says the levels.
        asked: What the request asks.
        levels: The certification level of each claim that has a value.
    """
    # What is wanted as verified alone can't be filled in on a page of ours: typing it proves nothing.
    plain = {*asked.id_token, *asked.userinfo}
    uses = [use for use in client.claims if use.name in asked.required and use.name in plain]
    return Shortfall(
        tuple(use.name for use in uses if use.name not in levels),
        tuple(use.name for use in uses if levels.get(use.name, use.minimum_level) < use.minimum_level),
        tuple(name for name in asked.to_certify if levels.get(name, 0) < Level.FRANCECONNECT),
    )


def _wanted_as_verified(elements: Iterable[VerifiedRequest]) -> dict[str, bool]:
    """Name the claims of the contract that are wanted as verified, each with whether it is essential."""
    wanted: dict[str, bool] = {}
    for element in elements:
        for name, asked in element.claims.items():
            wanted |= {part: wanted.get(part, False) or asked.essential for part in parts_of(name)}
    return wanted


def _within(names: list[str], wanted: frozenset[str]) -> tuple[str, ...]:
    kept = [name for name in names if name in wanted]
    along = [name for name, base in COMPANIONS.items() if name in wanted and base in kept]
    if kept and CERTIFICATION in wanted:
        along.append(CERTIFICATION)
    return (*kept, *along)


def _purposes(client: Client, wanted: frozenset[str]) -> tuple[str, ...]:
    return (PURPOSES,) if client.purposes and PURPOSES in wanted else ()


def _allowed(names: tuple[str, ...], allowed: frozenset[str]) -> tuple[str, ...]:
    kept = tuple(name for name in names if COMPANIONS.get(name, name) in allowed)
    if kept and CERTIFICATION in names:
        kept += (CERTIFICATION,)
    return (*kept, PURPOSES) if PURPOSES in names else kept


def _place(document: dict[str, Any], name: str) -> dict[str, Any]:
    members = document.get(name)
    if members is None:
        return {}
    if not isinstance(members, dict):
        raise ClaimsSyntaxError("a place is not an object")
    return members


def _claim_requests(members: dict[str, Any]) -> dict[str, ClaimRequest]:
    return {
        claim_name(member): claim_request(asked)
        for member, asked in members.items()
        if member != VERIFIED_CLAIMS
    }


def _verified_requests(members: dict[str, Any]) -> tuple[VerifiedRequest, ...]:
    return verified.parse(members[VERIFIED_CLAIMS]) if VERIFIED_CLAIMS in members else ()
