"""`ProtocolError`: the class says how it travels, the code says what it means (OID-9).

    ProtocolError(code, description, *, reason)
    ├── DirectError       our own error page; never redirected (RFC 6749 section 4.1.2.1)
    ├── RedirectedError   through the browser to the client; stands in
    │                     `authorization/response_mode.py`, beside the `ReturnAddress` it needs
    ├── EndpointError     JSON at the back-channel endpoints (RFC 6749 section 5.2)
    │   └── FaultyRequest the same at our own interfaces, naming each member that is wrong
    └── BearerError       WWW-Authenticate at /userinfo (RFC 6750 section 3.1)

`description` is public, ASCII and constant, never a value of the request: it ends up in headers
and on pages. `reason` is for the log only, and names no person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from idp.domain.client import Client
from idp.domain.faults import Fault
from idp.domain.tokens import PROOF_ALGORITHMS

#: The protection space named in every challenge (RFC 9110 section 11.5).
REALM = "mon-paris"


class ErrorCode(StrEnum):
    """What went wrong, in the words of the standards."""

    # RFC 6749 sections 4.1.2.1 and 5.2
    INVALID_REQUEST = "invalid_request"
    INVALID_CLIENT = "invalid_client"
    INVALID_GRANT = "invalid_grant"
    UNAUTHORIZED_CLIENT = "unauthorized_client"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"
    INVALID_SCOPE = "invalid_scope"
    ACCESS_DENIED = "access_denied"
    SERVER_ERROR = "server_error"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"
    # OIDC Core 3.1.2.6
    INTERACTION_REQUIRED = "interaction_required"
    LOGIN_REQUIRED = "login_required"
    ACCOUNT_SELECTION_REQUIRED = "account_selection_required"
    CONSENT_REQUIRED = "consent_required"
    REQUEST_NOT_SUPPORTED = "request_not_supported"
    REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"
    REGISTRATION_NOT_SUPPORTED = "registration_not_supported"
    # OpenID Connect Core Error Code unmet_authentication_requirements 1.0
    UNMET_AUTHENTICATION_REQUIREMENTS = "unmet_authentication_requirements"
    # RFC 6750 section 3.1
    INVALID_TOKEN = "invalid_token"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    # RFC 7009 section 2.2.1
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"
    # RFC 7591 section 3.2.2
    INVALID_REDIRECT_URI = "invalid_redirect_uri"
    INVALID_CLIENT_METADATA = "invalid_client_metadata"
    # RFC 8628 section 3.5
    AUTHORIZATION_PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    EXPIRED_TOKEN = "expired_token"
    # RFC 8707 section 2
    INVALID_TARGET = "invalid_target"
    # RFC 9101 section 6
    INVALID_REQUEST_URI = "invalid_request_uri"
    INVALID_REQUEST_OBJECT = "invalid_request_object"
    # RFC 9449 sections 5, 8
    INVALID_DPOP_PROOF = "invalid_dpop_proof"
    USE_DPOP_NONCE = "use_dpop_nonce"
    # RFC 9470 section 3
    INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication"
    # Our own: /api/purposes (CON-3)
    UNKNOWN_PURPOSE = "unknown_purpose"
    PURPOSE_VERSION_MISMATCH = "purpose_version_mismatch"
    # Our own: /api/subjects (PRO-6)
    UNKNOWN_SUBJECT = "unknown_subject"
    UNKNOWN_REQUEST = "unknown_request"
    OUTDATED_UPDATE = "outdated_update"
    TOO_MANY_REQUESTS = "too_many_requests"
    # Our own: /api/newsletters (PRO-7)
    UNKNOWN_NEWSLETTER = "unknown_newsletter"


#: What each code says when the one who raises it has nothing more precise to say.
DESCRIPTIONS = {
    ErrorCode.INVALID_REQUEST: "The request is missing a parameter or has an invalid one.",
    ErrorCode.INVALID_CLIENT: "Client authentication failed.",
    ErrorCode.INVALID_GRANT: "The grant is invalid, expired, revoked or was issued to another client.",
    ErrorCode.UNAUTHORIZED_CLIENT: "The client is not allowed to do this.",
    ErrorCode.UNSUPPORTED_GRANT_TYPE: "This grant type is not supported.",
    ErrorCode.UNSUPPORTED_RESPONSE_TYPE: "This response type is not supported.",
    ErrorCode.INVALID_SCOPE: "The scope is missing, malformed or not allowed.",
    ErrorCode.ACCESS_DENIED: "The person or the provider refused the request.",
    ErrorCode.SERVER_ERROR: "The provider met an unexpected condition.",
    ErrorCode.TEMPORARILY_UNAVAILABLE: "The provider is unable to answer now; try again later.",
    ErrorCode.INTERACTION_REQUIRED: "The person has to do something before this can go on.",
    ErrorCode.LOGIN_REQUIRED: "The person has to sign in.",
    ErrorCode.ACCOUNT_SELECTION_REQUIRED: "The person has to choose an account.",
    ErrorCode.CONSENT_REQUIRED: "The person has to give consent.",
    ErrorCode.REQUEST_NOT_SUPPORTED: "The request parameter is not supported.",
    ErrorCode.REQUEST_URI_NOT_SUPPORTED: "The request_uri parameter is not supported.",
    ErrorCode.REGISTRATION_NOT_SUPPORTED: "The registration parameter is not supported.",
    ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS: "The required authentication level is out of reach.",
    ErrorCode.INVALID_TOKEN: "The access token is invalid, expired or revoked.",
    ErrorCode.INSUFFICIENT_SCOPE: "The access token does not give access to this.",
    ErrorCode.UNSUPPORTED_TOKEN_TYPE: "This kind of token can not be revoked here.",
    ErrorCode.INVALID_REDIRECT_URI: "A redirect URI is not acceptable.",
    ErrorCode.INVALID_CLIENT_METADATA: "The client metadata is not acceptable.",
    ErrorCode.AUTHORIZATION_PENDING: "The person has not answered yet.",
    ErrorCode.SLOW_DOWN: "The client asks too often; wait five seconds more between two requests.",
    ErrorCode.EXPIRED_TOKEN: "The device code has expired; start again.",
    ErrorCode.INVALID_TARGET: "The resource is unknown, malformed or not allowed for this client.",
    ErrorCode.INVALID_REQUEST_URI: "The request_uri is unknown, expired, used or not allowed.",
    ErrorCode.INVALID_REQUEST_OBJECT: "The request object is not valid.",
    ErrorCode.INVALID_DPOP_PROOF: "The DPoP proof is missing or not valid.",
    ErrorCode.USE_DPOP_NONCE: "The DPoP proof needs the nonce of this answer.",
    ErrorCode.INSUFFICIENT_USER_AUTHENTICATION: "A fresher or stronger login of the person is needed.",
    ErrorCode.UNKNOWN_PURPOSE: "The client declares no purpose of this name.",
    ErrorCode.PURPOSE_VERSION_MISMATCH: "The purpose is worded otherwise now; show the new words first.",
    ErrorCode.UNKNOWN_SUBJECT: "The client knows nobody by this subject, or not any more.",
    ErrorCode.UNKNOWN_REQUEST: "There is no request of this type and identifier.",
    ErrorCode.OUTDATED_UPDATE: "What is kept of this request is as new or newer.",
    ErrorCode.TOO_MANY_REQUESTS: "The client has written too many requests of this person.",
    ErrorCode.UNKNOWN_NEWSLETTER: "The client declares no list of this name.",
}


class ProtocolError(Exception):
    """A request that breaks a rule of the wire.

    Attributes:
        code: What it means, for programs.
        description: What it means, for the developer of the client: ASCII and constant.
        reason: What happened exactly, for our log only.
    """

    def __init__(self, code: ErrorCode, description: str | None = None, *, reason: str) -> None:
        super().__init__(code, reason)
        self.code = code
        self.description = DESCRIPTIONS[code] if description is None else description
        self.reason = reason

    def __str__(self) -> str:
        """Say what a log line needs; answers are made from `code` and `description`."""
        return f"{self.code}: {self.reason}"

    @property
    def body(self) -> Mapping[str, Any]:
        """The members of the JSON answer (RFC 6749 section 5.2)."""
        return {"error": self.code.value, "error_description": self.description}


class Problem(StrEnum):
    """What our own error page has to explain to the person, in words of their language."""

    CLIENT_MISSING = "client_missing"
    CLIENT_UNKNOWN = "client_unknown"
    CLIENT_DISABLED = "client_disabled"
    REDIRECT_URI_MISSING = "redirect_uri_missing"
    REDIRECT_URI_UNKNOWN = "redirect_uri_unknown"
    HINT_INVALID = "hint_invalid"
    REQUEST_MALFORMED = "request_malformed"
    REQUEST_EXPIRED = "request_expired"


class DirectError(ProtocolError):
    """An error for our own page: nothing proves that anybody else may hear of it.

    RFC 6749 section 4.1.2.1: "MUST NOT automatically redirect the user-agent to the invalid
    redirection URI".

    Attributes:
        problem: What the page explains.
        client: The service concerned, when it is known, so that the page can name it.
    """

    status = 400

    def __init__(
        self,
        code: ErrorCode,
        description: str | None = None,
        *,
        reason: str,
        problem: Problem = Problem.REQUEST_MALFORMED,
        client: Client | None = None,
    ) -> None:
        super().__init__(code, description, reason=reason)
        self.problem = problem
        self.client = client


class EndpointError(ProtocolError):
    """An error answered as JSON at /token, /revoke and /introspect (RFC 6749 section 5.2).

    Attributes:
        used_basic: True when the client tried the Authorization header.
    """

    def __init__(
        self,
        code: ErrorCode,
        description: str | None = None,
        *,
        reason: str,
        used_basic: bool = False,
    ) -> None:
        super().__init__(code, description, reason=reason)
        self.used_basic = used_basic

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _ENDPOINT_STATUS.get(self.code, 400)

    @property
    def headers(self) -> dict[str, str]:
        """The challenge, for a client that used the Authorization header, and for no other.

        A browser opens a password dialog of its own at a Basic challenge: a client that runs in a
        page must not cause one.
        """
        if self.code is ErrorCode.INVALID_CLIENT and self.used_basic:
            # RFC 6749 section 5.2: "MUST respond with an HTTP 401 (Unauthorized) status code and
            # include the "WWW-Authenticate" response header field matching the authentication
            # scheme used by the client".
            return {"WWW-Authenticate": f'Basic realm="{REALM}", charset="UTF-8"'}
        return {}


class FaultyRequest(EndpointError):
    """An error of our own interfaces that names each member that is wrong, by what the client called it.

    Attributes:
        faults: All of them, so that nobody corrects one to meet the next.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(
            ErrorCode.INVALID_REQUEST,
            "Some members are wrong; `faults` names each of them.",
            # Names of members come from the client: only ours go to the log.
            reason="faults: " + " ".join(sorted({fault.problem for fault in faults})),
        )
        self.faults = tuple(faults)

    @property
    def body(self) -> Mapping[str, Any]:
        """The members of the JSON answer."""
        named = [{"member": fault.member, "problem": fault.problem} for fault in self.faults]
        return {**super().body, "faults": named}


_ENDPOINT_STATUS = {
    ErrorCode.INVALID_CLIENT: 401,
    # RFC 6750 section 3.1: what is wrong with the token of a registration request (RFC 7591 section 3).
    ErrorCode.INVALID_TOKEN: 401,
    ErrorCode.SERVER_ERROR: 500,
    ErrorCode.TEMPORARILY_UNAVAILABLE: 503,
    ErrorCode.UNKNOWN_PURPOSE: 404,
    ErrorCode.PURPOSE_VERSION_MISMATCH: 409,
    ErrorCode.UNKNOWN_SUBJECT: 404,
    ErrorCode.UNKNOWN_REQUEST: 404,
    ErrorCode.OUTDATED_UPDATE: 409,
    ErrorCode.TOO_MANY_REQUESTS: 409,
    ErrorCode.UNKNOWN_NEWSLETTER: 404,
}


class TokenScheme(StrEnum):
    """How an access token is presented (RFC 6750 section 2.1; RFC 9449 section 7.1)."""

    BEARER = "Bearer"
    DPOP = "DPoP"


class BearerError(ProtocolError):
    """An error told in the WWW-Authenticate header of a protected resource (RFC 6750 section 3).

    Attributes:
        scheme: In which the token was presented, or should have been.
        scope: The scope that would do, for insufficient_scope.
        acr: The level that would do, for insufficient_user_authentication.
        max_age: How old the login may be, in seconds, for insufficient_user_authentication.
        token_presented: False when the request had no credentials at all.
    """

    def __init__(
        self,
        code: ErrorCode,
        description: str | None = None,
        *,
        reason: str,
        scheme: TokenScheme = TokenScheme.BEARER,
        scope: str | None = None,
        acr: str | None = None,
        max_age: int | None = None,
        token_presented: bool = True,
    ) -> None:
        super().__init__(code, description, reason=reason)
        self.scheme = scheme
        self.scope = scope
        self.acr = acr
        self.max_age = max_age
        self.token_presented = token_presented

    @classmethod
    def without_token(cls) -> BearerError:
        """Say that a token is needed, and nothing more."""
        return cls(ErrorCode.INVALID_TOKEN, reason="no access token", token_presented=False)

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return _BEARER_STATUS.get(self.code, 400)

    @property
    def headers(self) -> dict[str, str]:
        """The challenge.

        RFC 6750 section 3.1: without credentials, "the resource server SHOULD NOT include an error
        code or other error information". Both schemes are offered then (RFC 9449 section 7.2).
        """
        if not self.token_presented:
            offers = (_challenge(scheme, {}) for scheme in TokenScheme)
            return {"WWW-Authenticate": ", ".join(offers)}
        told = {
            "error": self.code.value,
            "error_description": self.description,
            "scope": self.scope,
            # RFC 9470 section 3.
            "acr_values": self.acr,
            "max_age": None if self.max_age is None else str(self.max_age),
        }
        return {"WWW-Authenticate": _challenge(self.scheme, told)}


def _challenge(scheme: TokenScheme, told: dict[str, str | None]) -> str:
    members = {"realm": REALM} | told
    if scheme is TokenScheme.DPOP:
        members["algs"] = " ".join(PROOF_ALGORITHMS)
    given = (f'{name}="{value}"' for name, value in members.items() if value is not None)
    return f"{scheme} {', '.join(given)}"


_BEARER_STATUS = {
    ErrorCode.INVALID_TOKEN: 401,
    ErrorCode.INSUFFICIENT_SCOPE: 403,
    # RFC 9449 sections 7.1, 9.
    ErrorCode.INVALID_DPOP_PROOF: 401,
    ErrorCode.USE_DPOP_NONCE: 401,
    # RFC 9470 section 3.
    ErrorCode.INSUFFICIENT_USER_AUTHENTICATION: 401,
}
