"""GET and POST /userinfo (OIDC Core 5.3; RFC 6750; RFC 9449 section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import g, request

from idp.protocol.errors import BearerError, ErrorCode, TokenScheme
from idp.services.tokens import userinfo as use_case
from idp.services.tokens.userinfo import PresentedToken
from idp.web.answers import json_answer, jwt_answer
from idp.web.http import client_certificate
from idp.web.oidc import blueprint
from idp.web.site import context

if TYPE_CHECKING:
    from flask import Response

_FORM: Final = "application/x-www-form-urlencoded"
_SCHEMES: Final = {scheme.lower(): scheme for scheme in TokenScheme}


@blueprint.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """Give the claims that an access token opens."""
    answer = use_case.read(context(), _presented())
    g.client = answer.client
    return json_answer(answer.claims) if answer.token is None else jwt_answer(answer.token, "application/jwt")


def _presented() -> PresentedToken:
    """Read the token from the header or the form, never from the address (RFC 6750 section 2; RFC 9700 4.3.2).

    Raises:
        BearerError: No token; invalid_request, for several, or one in the address.
    """
    if "access_token" in request.args:
        raise BearerError(
            ErrorCode.INVALID_REQUEST,
            "The access token must not stand in the address.",
            reason="token in query",
        )
    posted = request.form.getlist("access_token") if request.mimetype == _FORM else []
    header = request.headers.get("Authorization")
    if len(posted) + (header is not None) > 1:
        raise BearerError(
            ErrorCode.INVALID_REQUEST, "The access token is given more than once.", reason="several tokens"
        )
    name, _, credentials = (header or "").partition(" ")
    scheme = TokenScheme.BEARER if posted else _SCHEMES.get(name.lower())
    if scheme is None:
        # Another scheme is no token at all: RFC 6750 section 3.1, no error code then.
        raise BearerError.without_token()
    return PresentedToken(
        value=posted[0] if posted else credentials.strip(),
        scheme=scheme,
        method=request.method,
        path=request.path,
        proof=request.headers.get("DPoP"),
        certificate=client_certificate,
    )
