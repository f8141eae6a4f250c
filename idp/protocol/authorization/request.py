"""The checks of an authorization request, in order (OIDC Core 3.1.2.2; RFC 6749 section 4.1.1).

`CHECKS` is the whole order. The first two decide who asks and where an answer may go: their errors
are `DirectError`, for our own page. From `answer_mode_is_allowed` on, errors are
`RedirectedError`, for the client (RFC 6749 section 4.1.2.1). Each check may read what those above
it have set in the `Draft`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from idp.domain.client import Client, GrantType
from idp.protocol.authorization import pkce, redirect_uri
from idp.protocol.authorization.redirect_uri import RedirectTarget
from idp.protocol.authorization.response_mode import RedirectedError, ResponseMode, ReturnAddress
from idp.protocol.claims import requested
from idp.protocol.claims.requested import AskedClaims, ClaimsSyntaxError, RequestedClaims
from idp.protocol.errors import DirectError, ErrorCode, Problem
from idp.protocol.parameters import Parameters, single_values
from idp.protocol.scope import OPENID, allowed
from idp.protocol.scope import parse as parse_scope

#: What the authorization endpoint defines; anything else is ignored (RFC 6749 section 3.1).
KNOWN_PARAMETERS: Final = frozenset(
    {
        "acr_values",
        "claims",
        "claims_locales",
        "client_id",
        "code_challenge",
        "code_challenge_method",
        "display",
        "id_token_hint",
        "login_hint",
        "max_age",
        "nonce",
        "prompt",
        "redirect_uri",
        "registration",
        "request",
        "request_uri",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "ui_locales",
    }
)
#: Every response type that is served, with the mode its answers take by default.
RESPONSE_TYPES: Final = {"code": ResponseMode.QUERY}
#: How a client may want the pages shown (OIDC Core 3.1.2.1); ours suit all of these.
DISPLAYS: Final = ("page", "popup", "touch", "wap")

_MODES: Final = {mode.value: mode for mode in ResponseMode}
_MAX_AGE = re.compile(r"[0-9]{1,10}")

FindClient = Callable[[str], Client | None]


class Prompt(StrEnum):
    """What the client wants the person asked, or not asked (OIDC Core 3.1.2.1)."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"


_PROMPTS: Final = {prompt.value: prompt for prompt in Prompt}


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check.

    Attributes:
        client: Who asks.
        address: Where the answer goes, and how, with the `state` to return.
        response_type: What is asked: "code".
        scopes: Those asked that the client may have; `openid` always among them.
        nonce: To be returned unchanged in the ID Token.
        code_challenge: S256; None only for a client that was opted out of PKCE.
        prompt: Values that are not understood were dropped, as OIDC Core 3.1.2.1 suggests.
        max_age: Seconds since the authentication that the client accepts; 0 asks for a new one.
        acr_values: Levels that the client would like, best first: a voluntary claim.
        essential_acr_values: Levels one of which the client demands (OIDC Core 5.5.1.1).
        login_hint: Unverified; fills a field, proves nothing.
        id_token_hint: Unverified; who decides verifies it first.
        ui_locales: Languages by preference.
        requested_claims: The `claims` parameter.
        asked: What all of this asks of the person, within the client's contract.
        display: One of `DISPLAYS`, or None.
        parameters: What was received, one value each, so that a pending request can be parsed anew.
    """

    client: Client
    address: ReturnAddress
    response_type: str
    scopes: frozenset[str]
    nonce: str | None
    code_challenge: str | None
    prompt: frozenset[Prompt]
    max_age: int | None
    acr_values: tuple[str, ...]
    essential_acr_values: tuple[str, ...]
    login_hint: str | None
    id_token_hint: str | None
    ui_locales: tuple[str, ...]
    requested_claims: RequestedClaims
    asked: AskedClaims
    display: str | None
    parameters: Mapping[str, str]

    @property
    def redirect_target(self) -> RedirectTarget:
        """The proven redirect URI."""
        return self.address.target

    @property
    def state(self) -> str | None:
        """The `state` to return unchanged."""
        return self.address.state

    @property
    def response_mode(self) -> ResponseMode:
        """How the answer is carried."""
        return self.address.mode

    @property
    def is_silent(self) -> bool:
        """Tell whether no page may be shown (`prompt=none`)."""
        return Prompt.NONE in self.prompt

    def refusal(self, code: ErrorCode, description: str | None = None, *, reason: str) -> RedirectedError:
        """Make the error that tells the client no; the caller raises it."""
        return RedirectedError(code, description, reason=reason, address=self.address)


@dataclass(slots=True)
class Draft:
    """A request on its way through `CHECKS`; an attribute without a value is set by a check."""

    received: Parameters
    find_client: FindClient
    now: datetime
    client: Client = field(init=False)
    address: ReturnAddress = field(init=False)
    response_type: str = field(init=False)
    scopes: frozenset[str] = field(init=False)
    code_challenge: str | None = None
    prompt: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    requested_claims: RequestedClaims = requested.NOTHING_REQUESTED

    def get(self, name: str) -> str | None:
        """Give the value of a parameter; None when absent."""
        return self.received.values.get(name)

    def words(self, name: str) -> tuple[str, ...]:
        """Give the space-separated values of a parameter, in order."""
        return tuple(self.received.values.get(name, "").split())

    def refusal(self, code: ErrorCode, description: str | None = None, *, reason: str) -> RedirectedError:
        """Make an error for the client; the check raises it."""
        return RedirectedError(code, description, reason=reason, address=self.address)


def parse(pairs: Iterable[tuple[str, str]], find_client: FindClient, now: datetime) -> AuthorizationRequest:
    """Turn what was received into a request that may be decided.

    Args:
        pairs: Names and values of the query or the form, decoded; or the items of the `parameters`
            of a request parsed before.
        find_client: Gives the client of an id; None when there is none.
        now: The present moment.

    Returns:
        The request: nothing downstream knows how it came.

    Raises:
        DirectError: invalid_request, invalid_client or unauthorized_client, when the client or its
            redirect URI is not proven.
        RedirectedError: Any other fault, for the client.
    """
    draft = Draft(single_values(pairs, KNOWN_PARAMETERS), find_client, now)
    for check in CHECKS:
        check(draft)
    return _finished(draft)


def client_is_known(draft: Draft) -> None:
    """Find who asks."""
    client_id = draft.get("client_id")
    if client_id is None:
        raise DirectError(
            ErrorCode.INVALID_REQUEST,
            "The client_id is missing, repeated or malformed.",
            reason="client_id absent, repeated or malformed",
            problem=Problem.CLIENT_MISSING,
        )
    client = draft.find_client(client_id)
    if client is None:
        raise DirectError(
            ErrorCode.INVALID_CLIENT,
            "There is no such client.",
            reason="unknown client_id",
            problem=Problem.CLIENT_UNKNOWN,
        )
    if not client.is_enabled(draft.now):
        raise DirectError(
            ErrorCode.UNAUTHORIZED_CLIENT,
            "The client is disabled.",
            reason="client disabled",
            problem=Problem.CLIENT_DISABLED,
            client=client,
        )
    draft.client = client


def redirect_uri_matches(draft: Draft) -> None:
    """Prove where the answer goes; OIDC Core 3.1.2.1 requires the parameter of every request."""
    raw = draft.get("redirect_uri")
    if raw is None:
        raise DirectError(
            ErrorCode.INVALID_REQUEST,
            "The redirect_uri is missing, repeated or malformed.",
            reason="redirect_uri absent, repeated or malformed",
            problem=Problem.REDIRECT_URI_MISSING,
            client=draft.client,
        )
    target = redirect_uri.match(draft.client, raw)
    if target is None:
        raise DirectError(
            ErrorCode.INVALID_REQUEST,
            "The redirect_uri is not registered for this client.",
            reason="redirect_uri not registered",
            problem=Problem.REDIRECT_URI_UNKNOWN,
            client=draft.client,
        )
    default = RESPONSE_TYPES.get(draft.get("response_type") or "", ResponseMode.QUERY)
    draft.address = ReturnAddress(target, default, draft.get("state"))


def answer_mode_is_allowed(draft: Draft) -> None:
    """Settle how the answer is carried (OIDC Core 3.1.2.1; ASVS v5.0.0-10.4.12).

    Until this passes, an error goes back in the mode that the response type has by default.
    """
    raw = draft.get("response_mode")
    if raw is None:
        return
    mode = _MODES.get(raw) if raw in draft.client.response_modes else None
    if mode is None:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "The response_mode is unknown or not allowed for this client.",
            reason="response_mode not allowed",
        )
    draft.address = ReturnAddress(draft.address.target, mode, draft.address.state)


def parameters_are_single(draft: Draft) -> None:
    """Refuse what came twice, too long, or with characters that no parameter has."""
    if draft.received.repeated:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "A parameter is included more than once.",
            reason=f"repeated: {' '.join(sorted(draft.received.repeated))}",
        )
    if draft.received.malformed:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "A parameter is too long or has a forbidden character.",
            reason=f"malformed: {' '.join(sorted(draft.received.malformed))}",
        )


def no_request_object(draft: Draft) -> None:
    """Refuse what is not supported by the name that OIDC Core 3.1.2.6 gives to the refusal."""
    for name, code in (
        ("request", ErrorCode.REQUEST_NOT_SUPPORTED),
        ("request_uri", ErrorCode.REQUEST_URI_NOT_SUPPORTED),
        ("registration", ErrorCode.REGISTRATION_NOT_SUPPORTED),
    ):
        if draft.get(name) is not None:
            raise draft.refusal(code, reason=f"{name} not supported")


def response_type_is_allowed(draft: Draft) -> None:
    """Check that we serve the response type, and that the client may use it."""
    raw = draft.get("response_type")
    if raw is None:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "The response_type is missing.",
            reason="response_type absent",
        )
    if raw not in RESPONSE_TYPES:
        raise draft.refusal(ErrorCode.UNSUPPORTED_RESPONSE_TYPE, reason="response_type not served")
    client = draft.client
    if raw not in client.response_types or GrantType.AUTHORIZATION_CODE not in client.grant_types:
        raise draft.refusal(ErrorCode.UNAUTHORIZED_CLIENT, reason="response_type not the client's")
    draft.response_type = raw


def scope_asks_for_openid(draft: Draft) -> None:
    """Keep the scopes that the client may have; without `openid` there is nothing we can do."""
    raw = draft.get("scope")
    scopes = None if raw is None else parse_scope(raw)
    if scopes is None or OPENID not in scopes:
        raise draft.refusal(
            ErrorCode.INVALID_SCOPE,
            "The scope is malformed or does not contain openid.",
            reason="scope absent, malformed or without openid",
        )
    draft.scopes = allowed(draft.client, scopes)
    if OPENID not in draft.scopes:
        raise draft.refusal(ErrorCode.INVALID_SCOPE, reason="openid not allowed for this client")


def proof_key_is_given(draft: Draft) -> None:
    """Demand a code challenge with S256 (RFC 7636 section 4.4.1; OID-1)."""
    challenge, method = draft.get("code_challenge"), draft.get("code_challenge_method")
    if challenge is None and method is None:
        if draft.client.require_pkce or draft.client.is_public:
            raise draft.refusal(
                ErrorCode.INVALID_REQUEST,
                "A code_challenge is required.",
                reason="code_challenge absent",
            )
        return
    # An absent method would mean "plain" (RFC 7636 section 4.3), which is not supported.
    if method != pkce.METHOD:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "The code_challenge_method must be S256.",
            reason="code_challenge_method is not S256",
        )
    if challenge is None or not pkce.is_challenge(challenge):
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "The code_challenge is missing or malformed.",
            reason="code_challenge absent or malformed",
        )
    draft.code_challenge = challenge


def prompt_is_consistent(draft: Draft) -> None:
    """Read `prompt`.

    OIDC Core 3.1.2.1: "If this parameter contains none with any other value, an error is
    returned"; a value that is not understood may be ignored, which lets clients use new ones.
    """
    words = draft.words("prompt")
    if Prompt.NONE in words and len(set(words)) > 1:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "The prompt value none excludes any other.",
            reason="prompt none with another value",
        )
    draft.prompt = frozenset(_PROMPTS[word] for word in words if word in _PROMPTS)


def max_age_is_a_number(draft: Draft) -> None:
    """Read `max_age`: seconds, zero included; anything else would be a silent loss of a demand."""
    raw = draft.get("max_age")
    if raw is None:
        return
    if _MAX_AGE.fullmatch(raw) is None:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "The max_age is not a number of seconds.",
            reason="max_age is not a number",
        )
    draft.max_age = int(raw)


def claims_are_readable(draft: Draft) -> None:
    """Read the `claims` parameter (OIDC Core 5.5)."""
    raw = draft.get("claims")
    if raw is None:
        return
    try:
        draft.requested_claims = requested.parse(raw)
    except ClaimsSyntaxError as error:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "The claims parameter is not valid.",
            reason=f"claims: {error}",
        ) from error


Check = Callable[[Draft], None]
#: Every check, in order.
CHECKS: Final[tuple[Check, ...]] = (
    # Errors of these are for our own page.
    client_is_known,
    redirect_uri_matches,
    # Errors of these go back to the client.
    answer_mode_is_allowed,
    parameters_are_single,
    no_request_object,
    response_type_is_allowed,
    scope_asks_for_openid,
    proof_key_is_given,
    prompt_is_consistent,
    max_age_is_a_number,
    claims_are_readable,
)


def _finished(draft: Draft) -> AuthorizationRequest:
    voluntary, essential = _levels(draft)
    display = draft.get("display")
    return AuthorizationRequest(
        client=draft.client,
        address=draft.address,
        response_type=draft.response_type,
        scopes=draft.scopes,
        nonce=draft.get("nonce"),
        code_challenge=draft.code_challenge,
        prompt=draft.prompt,
        max_age=draft.max_age,
        acr_values=voluntary,
        essential_acr_values=essential,
        login_hint=draft.get("login_hint"),
        id_token_hint=draft.get("id_token_hint"),
        ui_locales=draft.words("ui_locales"),
        requested_claims=draft.requested_claims,
        asked=requested.asked_claims(draft.client, draft.scopes, draft.requested_claims),
        display=display if display in DISPLAYS else None,
        parameters=draft.received.values,
    )


def _levels(draft: Draft) -> tuple[tuple[str, ...], tuple[str, ...]]:
    # OIDC Core 5.5.1.1: `acr` as a claim takes the place of `acr_values`; asked for without a
    # value it demands nothing.
    asked = draft.requested_claims.id_token.get("acr")
    levels = tuple(str(value) for value in asked.values) if asked is not None else ()
    if asked is None or not levels:
        return draft.words("acr_values"), ()
    return ((), levels) if asked.essential else (levels, ())
