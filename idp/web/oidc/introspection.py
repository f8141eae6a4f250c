"""POST /introspect (RFC 7662)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.web.answers import json_answer
from idp.web.oidc import blueprint
from idp.web.oidc.back_channel import received, server

if TYPE_CHECKING:
    from flask import Response


@blueprint.post("/introspect")
def introspect() -> Response:
    """Say what a token is worth."""
    return json_answer(server().endpoint("introspection", received()))
