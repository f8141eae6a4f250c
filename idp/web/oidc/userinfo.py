"""GET and POST /userinfo (OIDC Core 5.3; RFC 6750)."""

from __future__ import annotations

from flask import Response, request

from idp.protocol.errors import BearerError, ErrorCode
from idp.services.tokens import userinfo as use_case
from idp.web.answers import json_answer
from idp.web.oidc import blueprint
from idp.web.site import context

_FORM = "application/x-www-form-urlencoded"


@blueprint.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """Give the claims that an access token opens."""
    answer = use_case.read(context(), _access_token())
    if answer.signed is None:
        return json_answer(answer.claims)
    return Response(answer.signed, content_type="application/jwt", headers={"Cache-Control": "no-store"})


def _access_token() -> str | None:
    """Read the token from the header or the form, never from the address (RFC 6750 section 2; RFC 9700 4.3.2).

    Raises:
        BearerError: invalid_request, for several tokens, one in the address, or a malformed header.
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
    if header is None:
        return posted[0] if posted else None
    scheme, _, token = header.partition(" ")
    # Another scheme is no token at all: RFC 6750 section 3.1, no error code then.
    return token.strip() if scheme.lower() == "bearer" else None
