"""Reads the JSON that services send."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from idp.protocol.errors import EndpointError, ErrorCode

_JSON: Final = "application/json"


def json_object(most_bytes: int) -> dict[str, Any]:
    """Read the body of the request as a JSON object.

    Args:
        most_bytes: How long it may be.

    Raises:
        RequestEntityTooLarge: It is longer.
        EndpointError: invalid_request, for another content type, or anything that is no JSON object.
    """
    if request.mimetype != _JSON:
        raise _unreadable("The content type must be application/json.", "not JSON")
    body = request.stream.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise RequestEntityTooLarge
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise _unreadable("The body must be a JSON object.", "no JSON object") from error


def _unreadable(description: str, reason: str) -> EndpointError:
    return EndpointError(ErrorCode.INVALID_REQUEST, description, reason=reason)
