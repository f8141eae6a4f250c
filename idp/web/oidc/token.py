"""POST /token (RFC 6749 section 3.2; OIDC Core 3.1.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.web.answers import json_answer
from idp.web.oidc import blueprint
from idp.web.oidc.back_channel import received, server

if TYPE_CHECKING:
    from flask import Response


@blueprint.post("/token")
def token() -> Response:
    """Give tokens for a grant."""
    return json_answer(server().token(received()))
