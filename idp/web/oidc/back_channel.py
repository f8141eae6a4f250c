"""POST to the endpoints of programs: the form and nothing else is read (RFC 6749 section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import current_app, g, request

from idp.oauth.request import BackChannelRequest
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.parameters import endpoint_values
from idp.web.http import client_certificate

if TYPE_CHECKING:
    from idp.oauth.server import Server

_FORM = "application/x-www-form-urlencoded"
#: What the endpoints define; anything else is ignored (RFC 6749 section 3.2).
_KNOWN = frozenset(
    {
        "client_assertion",
        "client_assertion_type",
        "client_id",
        "client_secret",
        "code",
        "code_verifier",
        "device_code",
        "grant_type",
        "redirect_uri",
        "refresh_token",
        "resource",
        "scope",
        "token",
        "token_type_hint",
    }
)


def server() -> Server:
    """Give the OAuth server of this application."""
    return cast("Server", current_app.extensions["idp.oauth"])


def received(extra_known: frozenset[str] = frozenset()) -> BackChannelRequest:
    """Read the request.

    Args:
        extra_known: Parameters that this endpoint defines beside those that several have.

    Raises:
        EndpointError: invalid_request, when the body is not a form, or a parameter stands in the address: an
            address is logged by everything on the way; invalid_dpop_proof for two proofs.
    """
    known = _KNOWN | extra_known if extra_known else _KNOWN
    if request.mimetype != _FORM:
        raise EndpointError(
            ErrorCode.INVALID_REQUEST,
            "The content type must be application/x-www-form-urlencoded.",
            reason="not a form",
        )
    if not known.isdisjoint(request.args):
        raise EndpointError(
            ErrorCode.INVALID_REQUEST,
            "Parameters must stand in the body, not in the address.",
            reason="parameters in the query",
        )
    values = endpoint_values(request.form.items(multi=True), known)
    made = BackChannelRequest(
        request.method,
        values,
        request.headers.get("Authorization"),
        path=request.path,
        resources=tuple(values.get("resource", "").split()),
        certificate=client_certificate(),
        dpop=_dpop(),
        accept=request.headers.get("Accept", ""),
    )
    # Kept for what dresses the answer: whose origins may read it (see `cors`).
    g.back_channel = made
    return made


def _dpop() -> str | None:
    proof = request.headers.get("DPoP")
    # RFC 9449 section 4.3: "There is not more than one DPoP HTTP request header field." Servers join two by a
    # comma, which no proof contains.
    if proof is not None and "," in proof:
        raise EndpointError(ErrorCode.INVALID_DPOP_PROOF, reason="several DPoP headers")
    return proof
