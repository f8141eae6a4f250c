"""POST /introspect (RFC 7662; RFC 9701)."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from idp.protocol.tokens.introspection import MEDIA_TYPE
from idp.web.answers import json_answer, jwt_answer
from idp.web.oidc import blueprint
from idp.web.oidc.back_channel import received, server

if TYPE_CHECKING:
    from flask import Response

    from idp.services.tokens.introspection import Introspection


@blueprint.post("/introspect")
def introspect() -> Response:
    """Say what a token is worth."""
    about = cast("Introspection", server().endpoint("introspection", received()))
    return json_answer(about.members) if about.signed is None else jwt_answer(about.signed, MEDIA_TYPE)
