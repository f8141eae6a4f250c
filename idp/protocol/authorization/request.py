"""The checks of an authorization request, in order (OIDC Core 3.1.2.2; RFC 6749 section 4.1.1).

`CHECKS` is the whole order. The first two decide who asks and where an answer may go: their errors
are `DirectError`, for our own page. From `answer_mode_is_allowed` on, errors are
`RedirectedError`, for the client (RFC 6749 section 4.1.2.1). Each check may read what those above
it have set in the `Draft`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from idp.domain.client import Client
from idp.domain.pending_authorization import DIRECT, RequestOrigin
from idp.protocol.authorization import pkce, redirect_uri, response_type
from idp.protocol.authorization.redirect_uri import RedirectTarget
from idp.protocol.authorization.response_mode import (
    RedirectedError,
    ResponseMode,
    ReturnAddress,
    requested_mode,
)
from idp.protocol.claims import requested
from idp.protocol.claims.requested import AskedClaims, RequestedClaims
from idp.protocol.claims.standard import SCOPE_CLAIMS
from idp.protocol.claims.syntax import ClaimsSyntaxError
from idp.protocol.errors import DirectError, ErrorCode, Problem
from idp.protocol.parameters import Parameters, single_values
from idp.protocol.scope import OFFLINE_ACCESS, OPENID, allowed
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
        "dpop_jkt",
        "id_token_hint",
        "login_hint",
        "max_age",
        "nonce",
        "prompt",
        "redirect_uri",
        "registration",
        "request",
        "request_uri",
        "resource",
        "response_mode",
        "response_type",
        "scope",
        "state",
        "ui_locales",
    }
)
#: How a client may want the pages shown (OIDC Core 3.1.2.1); ours suit all of these.
DISPLAYS: Final = ("page", "popup", "touch", "wap")

_THUMBPRINT = re.compile(r"[A-Za-z0-9\-_]{43}")
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
        response_type: What is asked, its words in order: one of `RESPONSE_TYPES`.
        scopes: Those asked that the client may have; without `openid` it is OAuth alone, and there is no ID Token.
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
        resources: APIs that the tokens shall be for (RFC 8707); empty for UserInfo.
        dpop_jkt: The key that the code shall be bound to (RFC 9449 section 10).
        origin: How it came.
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
    resources: tuple[str, ...]
    dpop_jkt: str | None
    origin: RequestOrigin
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
    def gives_code(self) -> bool:
        """Tell whether the answer holds a code."""
        return "code" in self.response_type.split()

    @property
    def gives_token(self) -> bool:
        """Tell whether the answer itself holds an access token (implicit and hybrid flows)."""
        return "token" in self.response_type.split()

    @property
    def gives_id_token(self) -> bool:
        """Tell whether the answer itself holds an ID Token (implicit and hybrid flows)."""
        return "id_token" in self.response_type.split()

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
    origin: RequestOrigin = DIRECT
    client: Client = field(init=False)
    address: ReturnAddress = field(init=False)
    response_type: str = field(init=False)
    scopes: frozenset[str] = field(init=False)
    code_challenge: str | None = None
    dpop_jkt: str | None = None
    resources: tuple[str, ...] = ()
    prompt: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    requested_claims: RequestedClaims = requested.NOTHING_REQUESTED

    def get(self, name: str) -> str | None:
        """Give the value of a parameter; None when absent."""
        return self.received.values.get(name)

    @property
    def wanted(self) -> str:
        """The response type as it was received; empty when absent."""
        return self.received.values.get("response_type", "")

    def asks_for(self, word: str) -> bool:
        """Tell whether a word is in the response type as it was received."""
        return word in self.words("response_type")

    def words(self, name: str) -> tuple[str, ...]:
        """Give the space-separated values of a parameter, in order."""
        return tuple(self.received.values.get(name, "").split())

    def refusal(self, code: ErrorCode, description: str | None = None, *, reason: str) -> RedirectedError:
        """Make an error for the client; the check raises it."""
        return RedirectedError(code, description, reason=reason, address=self.address)


def parse(
    pairs: Iterable[tuple[str, str]],
    find_client: FindClient,
    now: datetime,
    origin: RequestOrigin = DIRECT,
) -> AuthorizationRequest:
    """Turn what was received into a request that may be decided.

    Args:
        pairs: Names and values of the query or the form, decoded; or the items of the `parameters`
            of a request parsed before.
        find_client: Gives the client of an id; None when there is none.
        now: The present moment.
        origin: How it came: pushed, signed, for a device. Who says so has proven it.

    Returns:
        The request: nothing downstream knows how it came.

    Raises:
        DirectError: invalid_request, invalid_client or unauthorized_client, when the client or its
            redirect URI is not proven.
        RedirectedError: Any other fault, for the client.
    """
    draft = Draft(single_values(pairs, KNOWN_PARAMETERS), find_client, now, origin)
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
    is_device = draft.origin.device is not None
    target = redirect_uri.own_page(raw) if is_device else redirect_uri.match(draft.client, raw)
    if target is None:
        raise DirectError(
            ErrorCode.INVALID_REQUEST,
            "The redirect_uri is not registered for this client.",
            reason="redirect_uri not registered",
            problem=Problem.REDIRECT_URI_UNKNOWN,
            client=draft.client,
        )
    signed_for = draft.client if draft.client.signs_messages and not is_device else None
    draft.address = ReturnAddress(
        target, response_type.default_mode(draft.wanted), draft.get("state"), signed_for
    )


def answer_mode_is_allowed(draft: Draft) -> None:
    """Settle how the answer is carried (OIDC Core 3.1.2.1; JARM 2.3; ASVS v5.0.0-10.4.12).

    Until this passes, an error goes back in the mode that the response type has by default.
    """
    raw = draft.get("response_mode")
    if raw is None:
        return
    address, client = draft.address, draft.client
    found = requested_mode(raw, address.mode, is_in_front=response_type.is_in_front(draft.wanted))
    # FAPI 2.0 Message Signing 5.4: such a client takes signed answers and no others.
    is_missing_signature = found is not None and client.signs_messages and not found[1]
    if found is None or raw not in client.response_modes or is_missing_signature:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "The response_mode is unknown or not allowed for this client.",
            reason="response_mode not allowed",
        )
    mode, is_signed = found
    draft.address = replace(address, mode=mode, signed_for=client if is_signed else None)


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


def request_came_as_demanded(draft: Draft) -> None:
    """Refuse a plain request of a client that pushes or signs its own (RFC 9126 section 6; RFC 9101 section 10.5).

    FAPI 2.0 Security Profile 5.3.2.2: "shall reject authorization requests sent without" a pushed request.
    """
    client, origin = draft.client, draft.origin
    if origin.device is not None:
        return
    if (client.require_pushed_requests or client.is_fapi2) and origin.pushed is None:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "This client must push its requests.",
            reason="request not pushed",
        )
    if (client.require_signed_requests or client.signs_messages) and not origin.is_signed:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "This client must sign its requests.",
            reason="request not signed",
        )


def nothing_is_nested(draft: Draft) -> None:
    """Refuse a request object, which was taken apart before, and registration in passing (OIDC Core 3.1.2.6)."""
    for name, code in (
        ("request", ErrorCode.REQUEST_NOT_SUPPORTED),
        ("request_uri", ErrorCode.REQUEST_URI_NOT_SUPPORTED),
        ("registration", ErrorCode.REGISTRATION_NOT_SUPPORTED),
    ):
        if draft.get(name) is not None:
            raise draft.refusal(code, reason=f"{name} not supported here")


def response_type_is_allowed(draft: Draft) -> None:
    """Check that we serve the response type, and that the client may use it."""
    raw = draft.get("response_type")
    if raw is None:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "The response_type is missing.",
            reason="response_type absent",
        )
    wanted = response_type.canonical(raw)
    if wanted not in response_type.RESPONSE_TYPES:
        raise draft.refusal(ErrorCode.UNSUPPORTED_RESPONSE_TYPE, reason="response_type not served")
    if draft.origin.device is None and not response_type.is_allowed(draft.client, wanted):
        raise draft.refusal(ErrorCode.UNAUTHORIZED_CLIENT, reason="response_type not the client's")
    draft.response_type = wanted


def scope_is_meaningful(draft: Draft) -> None:
    """Keep the scopes that the client may have.

    Without `openid` the request is OAuth's alone: what speaks of a person is dropped, and something must be left.
    """
    raw = draft.get("scope")
    scopes = None if raw is None else parse_scope(raw)
    kept = frozenset[str]() if scopes is None else allowed(draft.client, scopes)
    if OPENID not in kept:
        kept -= frozenset(SCOPE_CLAIMS)
    if not kept - {OFFLINE_ACCESS} or (OPENID not in kept and draft.asks_for("id_token")):
        raise draft.refusal(
            ErrorCode.INVALID_SCOPE,
            "The scope is malformed, does not contain openid, or the client may not have it.",
            reason="scope absent, malformed, or nothing is left of it",
        )
    draft.scopes = kept


def nonce_is_given(draft: Draft) -> None:
    """Demand a nonce where the answer itself holds an ID Token (OIDC Core 3.2.2.1, 3.3.2.11)."""
    if draft.asks_for("id_token") and draft.get("nonce") is None:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST,
            "A nonce is required for this response_type.",
            reason="nonce absent",
        )


def resources_are_allowed(draft: Draft) -> None:
    """Keep the APIs that the tokens are for; one that the client may not ask is an error (RFC 8707 section 2)."""
    draft.resources = tuple(dict.fromkeys(draft.words("resource")))
    if not set(draft.resources) <= set(draft.client.resources):
        raise draft.refusal(ErrorCode.INVALID_TARGET, reason="resource not allowed for the client")


def code_key_is_a_thumbprint(draft: Draft) -> None:
    """Read `dpop_jkt`, which binds the code to a key (RFC 9449 section 10)."""
    raw = draft.get("dpop_jkt")
    if raw is not None and _THUMBPRINT.fullmatch(raw) is None:
        raise draft.refusal(
            ErrorCode.INVALID_REQUEST, "The dpop_jkt is malformed.", reason="dpop_jkt malformed"
        )
    draft.dpop_jkt = raw


def proof_key_is_given(draft: Draft) -> None:
    """Demand a code challenge with S256 (RFC 7636 section 4.4.1; OID-1)."""
    challenge, method = draft.get("code_challenge"), draft.get("code_challenge_method")
    if challenge is None and method is None:
        client = draft.client
        is_demanded = client.require_pkce or client.is_public or client.is_fapi2
        if is_demanded and draft.asks_for("code") and draft.origin.device is None:
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
        draft.max_age = draft.client.default_max_age
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
    nothing_is_nested,
    request_came_as_demanded,
    response_type_is_allowed,
    scope_is_meaningful,
    nonce_is_given,
    proof_key_is_given,
    code_key_is_a_thumbprint,
    resources_are_allowed,
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
        asked=requested.asked_claims(
            draft.client,
            draft.scopes,
            draft.requested_claims,
            # OIDC Core 5.4: without an access token there is no UserInfo to read them from.
            only_id_token=draft.response_type == "id_token",
        ),
        display=display if display in DISPLAYS else None,
        resources=draft.resources,
        dpop_jkt=draft.dpop_jkt,
        origin=draft.origin,
        parameters=draft.received.values,
    )


def _levels(draft: Draft) -> tuple[tuple[str, ...], tuple[str, ...]]:
    # OIDC Core 5.5.1.1: `acr` as a claim takes the place of `acr_values`; asked for without a
    # value it demands nothing.
    asked = draft.requested_claims.id_token.get("acr")
    levels = tuple(str(value) for value in asked.values) if asked is not None else ()
    if asked is None or not levels:
        return draft.words("acr_values") or draft.client.default_acr_values, ()
    return ((), levels) if asked.essential else (levels, ())
