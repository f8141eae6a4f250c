"""Reads the JSON that programs send."""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge

from idp.protocol.errors import EndpointError, ErrorCode

_JSON: Final = "application/json"
_Read = TypeVar("_Read")


def json_body(
    kind: type[_Read],
    most_bytes: int,
    *,
    description: str = "The body must be a JSON object.",
    code: ErrorCode = ErrorCode.INVALID_REQUEST,
) -> _Read:
    """Read the body of the request.

    Args:
        kind: What it must be.
        most_bytes: How long it may be.
        description: Told to who sends something else.
        code: The error for anything else.

    Raises:
        RequestEntityTooLarge: It is longer.
        EndpointError: With the code, for another content type, or anything that is not of the kind.
    """
    if request.mimetype != _JSON:
        raise EndpointError(code, "The content type must be application/json.", reason="not JSON")
    body = request.stream.read(most_bytes + 1)
    if len(body) > most_bytes:
        raise RequestEntityTooLarge
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise EndpointError(code, description, reason="a body of another kind") from error
