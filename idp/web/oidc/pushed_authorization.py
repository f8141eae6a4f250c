"""POST /par (RFC 9126)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.protocol.authorization.request import KNOWN_PARAMETERS
from idp.web.answers import json_answer
from idp.web.oidc import blueprint
from idp.web.oidc.back_channel import received, server

if TYPE_CHECKING:
    from flask import Response


@blueprint.post("/par")
def pushed_authorization() -> Response:
    """Keep a request until the browser brings its name."""
    # RFC 9126 section 2.2: "with a 201 HTTP status code".
    return json_answer(server().endpoint("pushed_authorization", received(KNOWN_PARAMETERS)), 201)
