"""POST /token, /introspect and /revoke: the form and nothing else is read (RFC 6749 section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app, request

from idp.oauth.request import BackChannelRequest
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.parameters import endpoint_values

if TYPE_CHECKING:
    from idp.oauth.server import Server

_FORM = "application/x-www-form-urlencoded"
#: What the three endpoints define; anything else is ignored (RFC 6749 section 3.2).
_KNOWN = frozenset(
    {
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "grant_type",
        "redirect_uri",
        "refresh_token",
        "scope",
        "token",
        "token_type_hint",
    }
)


def server() -> Server:
    """Give the OAuth server of this application."""
    return cast("Server", current_app.extensions["idp.oauth"])


def received() -> BackChannelRequest:
    """Read the request.

    Raises:
        EndpointError: invalid_request, when the body is not a form, or a parameter stands in the address: an
            address is logged by everything on the way.
    """
    if request.mimetype != _FORM:
        raise EndpointError(
            ErrorCode.INVALID_REQUEST,
            "The content type must be application/x-www-form-urlencoded.",
            reason="not a form",
        )
    if not _KNOWN.isdisjoint(request.args):
        raise EndpointError(
            ErrorCode.INVALID_REQUEST,
            "Parameters must stand in the body, not in the address.",
            reason="parameters in the query",
        )
    values = endpoint_values(request.form.items(multi=True), _KNOWN)
    return BackChannelRequest(request.method, values, request.headers.get("Authorization"))
