"""How an answer goes back: query, fragment, form_post; `iss` included (RFC 9207).

OAuth 2.0 Multiple Response Type Encoding Practices 2.1; OAuth 2.0 Form Post Response Mode.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote, urlencode

from idp.protocol.authorization.redirect_uri import RedirectTarget
from idp.protocol.errors import ErrorCode, ProtocolError


class ResponseMode(StrEnum):
    """Where the parameters of the answer stand."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where the answer to a request goes, once that place is proven to be the client's.

    Attributes:
        target: The proven redirect URI.
        mode: How the parameters are carried.
        state: As received, to be returned unchanged; None when the request had none.
    """

    target: RedirectTarget
    mode: ResponseMode = ResponseMode.QUERY
    state: str | None = None


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


def code_response(address: ReturnAddress, *, code: str, issuer: str) -> AuthorizationResponse:
    """Bring a code to the client (RFC 6749 section 4.1.2)."""
    return respond(address, {"code": code}, issuer=issuer)


def error_response(error: RedirectedError, *, issuer: str) -> AuthorizationResponse:
    """Bring an error to the client (RFC 6749 section 4.1.2.1)."""
    return respond(error.address, error.body, issuer=issuer)


def respond(address: ReturnAddress, parameters: dict[str, str], *, issuer: str) -> AuthorizationResponse:
    """Bring parameters to the client, with the `state` of its request and who answers.

    RFC 9207 section 2: "MUST indicate their identity by including the iss parameter", in errors
    too, against mix-up.
    """
    fields = dict(parameters)
    if address.state is not None:
        fields["state"] = address.state
    fields["iss"] = issuer
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
