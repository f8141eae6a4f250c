"""GET and POST /userinfo (OIDC Core 5.3; RFC 6750; RFC 9449 section 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import g

from idp.services.tokens import userinfo as use_case
from idp.web.answers import json_answer, jwt_answer
from idp.web.bearer import presented_token
from idp.web.oidc import blueprint
from idp.web.site import context

if TYPE_CHECKING:
    from flask import Response


@blueprint.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """Give the claims that an access token opens."""
    answer = use_case.read(context(), presented_token())
    g.client = answer.client
    return json_answer(answer.claims) if answer.token is None else jwt_answer(answer.token, "application/jwt")
