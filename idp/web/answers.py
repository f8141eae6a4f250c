"""Answers of the protocol endpoints: JSON, challenges, redirections, form_post pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from flask import Response, make_response, request
from werkzeug.datastructures import Headers

from idp.protocol.authorization.response_mode import AuthorizationResponse, FormPost, Redirection
from idp.services.tokens import proofs
from idp.web.http import redirect_to
from idp.web.security_headers import allow_form_action
from idp.web.site import context
from idp.web.templating import page

if TYPE_CHECKING:
    from collections.abc import Mapping
    from wsgiref.types import WSGIEnvironment

    from werkzeug.wrappers import Response as AnyResponse

    from idp.protocol.errors import BearerError, EndpointError

_HEADERS = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache"))


class JSONAnswer(Response):
    """Bytes with their length and no address among the headers: nothing is left to be worked out for WSGI."""

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        """Give the headers as they are."""
        del environ
        return self.headers


def json_answer(
    body: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Answer JSON that no cache keeps (RFC 6749 section 5.1)."""
    given = Headers(_HEADERS)
    for name, value in headers.items() if headers else ():
        given.set(name, value)
    _give_nonce(given)
    return JSONAnswer(msgspec.json.encode(body), status, given)


def jwt_answer(token: str, media_type: str) -> Response:
    """Answer a signed or encrypted token that no cache keeps."""
    given = Headers(_HEADERS)
    given.set("Content-Type", media_type)
    _give_nonce(given)
    return JSONAnswer(token.encode(), 200, given)


def endpoint_answer(error: EndpointError) -> Response:
    """Answer an error of a back-channel endpoint (RFC 6749 section 5.2)."""
    return json_answer(error.body, error.status, error.headers)


def bearer_answer(error: BearerError) -> Response:
    """Answer an error of a protected resource; the body repeats the challenge for people (RFC 6750 section 3)."""
    return json_answer(error.body if error.token_presented else {}, error.status, error.headers)


def respond(answer: AuthorizationResponse, *, after_form: bool = False) -> AnyResponse:
    """Bring an authorization response to the client.

    Args:
        answer: Where it goes and what it carries.
        after_form: It answers a form of ours: Chromium holds every hop after a form to `form-action`, so
            that a page goes on by itself instead (S-473).
    """
    match answer:
        case FormPost(action, fields):
            allow_form_action(action)
            return make_response(page("interaction/form_post.html", action=action, fields=dict(fields)))
        case Redirection(location):
            # A page of ours is no hop that `form-action` could stop: where the answer to a device ends.
            if after_form and not location.startswith(context().issuer + "/"):
                return make_response(page("interaction/continue.html", continue_url=location))
            return redirect_to(location)


def _give_nonce(headers: Headers) -> None:
    """Give whoever proves possession of a key the nonce of its next proof (RFC 9449 sections 8.2, 9)."""
    if "HTTP_DPOP" in request.environ:
        headers.set("DPoP-Nonce", proofs.nonce(context()))
