"""How an answer goes back: query, fragment, form_post, plain or as a JWT; `iss` included (RFC 9207).

OAuth 2.0 Multiple Response Type Encoding Practices 2.1; OAuth 2.0 Form Post Response Mode; JWT Secured
Authorization Response Mode (JARM) 2.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, urlencode

from idp.domain.client import Client
from idp.protocol.authorization.redirect_uri import RedirectTarget
from idp.protocol.errors import ErrorCode, ProtocolError


class ResponseMode(StrEnum):
    """Where the parameters of the answer stand."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"


#: The end of a mode's name whose answers are signed (JARM 2.3); "jwt" alone takes the response type's default.
SIGNED_SUFFIX: Final = "jwt"
#: Every mode that can be asked for, in the order of the discovery document.
RESPONSE_MODES: Final = (
    *(mode.value for mode in ResponseMode),
    SIGNED_SUFFIX,
    *(f"{mode.value}.{SIGNED_SUFFIX}" for mode in ResponseMode),
)


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where the answer to a request goes, once that place is proven to be the client's.

    Attributes:
        target: The proven redirect URI.
        mode: How the parameters are carried.
        state: As received, to be returned unchanged; None when the request had none.
        signed_for: The client for which the answer is made a JWT (JARM); None for plain parameters.
    """

    target: RedirectTarget
    mode: ResponseMode = ResponseMode.QUERY
    state: str | None = None
    signed_for: Client | None = None


class RedirectedError(ProtocolError):
    """An error that travels through the browser to the client (RFC 6749 section 4.1.2.1).

    Attributes:
        address: Where it goes.
    """

    def __init__(
        self,
        code: ErrorCode,
        description: str | None = None,
        *,
        reason: str,
        address: ReturnAddress,
    ) -> None:
        super().__init__(code, description, reason=reason)
        self.address = address


@dataclass(frozen=True, slots=True)
class Redirection:
    """Send the browser there, with a 303."""

    location: str


@dataclass(frozen=True, slots=True)
class FormPost:
    """Show a page whose only form posts these fields there (form_post); escape them as HTML."""

    action: str
    fields: tuple[tuple[str, str], ...]


AuthorizationResponse = Redirection | FormPost


def requested_mode(raw: str, default: ResponseMode, *, is_in_front: bool) -> tuple[ResponseMode, bool] | None:
    """Read `response_mode`.

    Args:
        raw: As received.
        default: The mode of the response type.
        is_in_front: The answer itself holds tokens: never in a query, which is logged on its way (OAuth 2.0
            Multiple Response Types 3.0; JARM 2.3.1).

    Returns:
        The mode, and whether the answer is signed; None when it is unknown or doesn't fit.
    """
    if raw == SIGNED_SUFFIX:
        return default, True
    name, dot, suffix = raw.partition(".")
    if name not in _MODES or (dot and suffix != SIGNED_SUFFIX):
        return None
    mode = _MODES[name]
    return None if is_in_front and mode is ResponseMode.QUERY else (mode, bool(dot))


def respond(address: ReturnAddress, parameters: dict[str, str], *, issuer: str) -> AuthorizationResponse:
    """Bring parameters to the client, with the `state` of its request and who answers (RFC 6749 section 4.1.2)."""
    return carried(address, answer_fields(address, parameters, issuer=issuer))


def answer_fields(address: ReturnAddress, parameters: dict[str, str], *, issuer: str) -> dict[str, str]:
    """Add what every answer has.

    RFC 9207 section 2: "MUST indicate their identity by including the iss parameter", in errors
    too, against mix-up.
    """
    state = {} if address.state is None else {"state": address.state}
    return parameters | state | {"iss": issuer}


def signed_fields(
    fields: dict[str, str], *, client_id: str, now: datetime, lifetime: timedelta
) -> dict[str, Any]:
    """Give the claims of the JWT that stands for an answer (JARM 2.1)."""
    return fields | {"aud": client_id, "exp": int((now + lifetime).timestamp())}


def carried(address: ReturnAddress, fields: dict[str, str]) -> AuthorizationResponse:
    """Put the fields of an answer where the mode says."""
    if address.mode is ResponseMode.FORM_POST:
        return FormPost(address.target.uri, tuple(fields.items()))
    return Redirection(_with_parameters(address.target.uri, fields, address.mode))


def location(target: RedirectTarget, parameters: dict[str, str]) -> str:
    """Add parameters to the query of a proven URI; a query that it has is kept."""
    if not parameters:
        return target.uri
    return _with_parameters(target.uri, parameters, ResponseMode.QUERY)


def _with_parameters(uri: str, parameters: dict[str, str], mode: ResponseMode) -> str:
    # %20 and not +: a fragment is read by scripts, and not all of them know the form encoding.
    encoded = urlencode(parameters, quote_via=quote, safe="")
    if mode is ResponseMode.FRAGMENT:
        return f"{uri}#{encoded}"
    if "?" not in uri:
        return f"{uri}?{encoded}"
    # RFC 6749 section 3.1.2: an existing query "MUST be retained when adding additional query
    # parameters".
    return f"{uri}{encoded}" if uri.endswith(("?", "&")) else f"{uri}&{encoded}"


_MODES: Final = {mode.value: mode for mode in ResponseMode}
