"""POST /device_authorization (RFC 8628 section 3.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.protocol.authorization.device import ASKED_PARAMETERS
from idp.web.answers import json_answer
from idp.web.oidc import blueprint
from idp.web.oidc.back_channel import received, server

if TYPE_CHECKING:
    from flask import Response


@blueprint.post("/device_authorization")
def device_authorization() -> Response:
    """Give a device its codes."""
    return json_answer(server().endpoint("device_authorization", received(ASKED_PARAMETERS)))
