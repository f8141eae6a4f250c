"""POST /revoke (RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.web.answers import json_answer
from idp.web.oidc import blueprint
from idp.web.oidc.back_channel import received, server

if TYPE_CHECKING:
    from flask import Response


@blueprint.post("/revoke")
def revoke() -> Response:
    """Revoke a token."""
    return json_answer(server().endpoint("revocation", received()))
