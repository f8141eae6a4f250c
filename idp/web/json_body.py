"""Reads the JSON that programs send."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any, Final

import msgspec
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from idp.domain.faults import Fault, Problem
from idp.protocol.errors import EndpointError, ErrorCode, FaultyRequest

_JSON: Final = "application/json"


def json_body(most_bytes: int, *, code: ErrorCode = ErrorCode.INVALID_REQUEST) -> dict[str, Any]:
    """Read the object in the body of the request.

    Args:
        most_bytes: How long it may be.
        code: The error for anything else.

    Raises:
        RequestEntityTooLarge: It is longer.
        EndpointError: With the code, for another content type, or anything that is no object.
    """
    if request.mimetype != _JSON:
        raise EndpointError(code, "The content type must be application/json.", reason="not JSON")
    return _object(_bytes(most_bytes), code)


def interface_body(most_bytes: int) -> dict[str, Any]:
    """Read the object in the body of a request to one of our own interfaces, where each fault is named.

    Raises:
        UnsupportedMediaType: It is no JSON, or written in another way than UTF-8 without compression.
        RequestEntityTooLarge: It is longer.
        EndpointError: invalid_request, for anything that is no object.
        FaultyRequest: A member is repeated: two readers might each take another one (RFC 8259 section 4).
    """
    written = request.mimetype_params.get("charset", "utf-8").lower(), request.content_encoding or "identity"
    if request.mimetype != _JSON or written != ("utf-8", "identity"):
        raise UnsupportedMediaType
    body = _bytes(most_bytes)
    members = _object(body, ErrorCode.INVALID_REQUEST)
    if repeated := _repeated(body):
        raise FaultyRequest([Fault(name, Problem.REPEATED) for name in repeated])
    return members


def _bytes(most: int) -> bytes:
    body = request.stream.read(most + 1)
    if len(body) > most:
        raise RequestEntityTooLarge
    return body


def _object(body: bytes, code: ErrorCode) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise EndpointError(
            code, "The body must be a JSON object.", reason="a body of another kind"
        ) from error


def _repeated(body: bytes) -> list[str]:
    """Name the members that stand more than once in one object; msgspec takes the last one."""
    found: set[str] = set()

    def look(pairs: list[tuple[str, Any]]) -> None:
        found.update(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)

    # Numbers stay text: one of a thousand digits takes no time.
    json.loads(body, object_pairs_hook=look, parse_int=str)
    return sorted(found)
