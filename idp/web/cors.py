"""Which scripts of other sites may read which answers (OID-10; S-241, S-481).

Only what programs in a browser need answers scripts: never a page, /authorize or /introspect. An answer is for the
origins that its own client registered; as long as no client is known, an error is for the origins of any. No answer
is for a request with cookies. Without an Origin header, nothing here costs anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import Response, g, request

from idp.protocol.metadata import ENDPOINTS
from idp.storage.engine import DATABASE_AWAY
from idp.storage.repositories import clients
from idp.web.site import context

if TYPE_CHECKING:
    from flask import Flask

    from idp.domain.client import Client

#: What each endpoint takes from a script.
_METHODS: Final = {
    ENDPOINTS["token_endpoint"]: "POST",
    ENDPOINTS["userinfo_endpoint"]: "GET, POST",
    ENDPOINTS["revocation_endpoint"]: "POST",
    ENDPOINTS["device_authorization_endpoint"]: "POST",
    ENDPOINTS["pushed_authorization_request_endpoint"]: "POST",
    "/api/purposes": "GET",
}
#: The same, of the paths that go on after these words.
_BELOW: Final = {"/api/purposes/": "PUT"}
_HEADERS: Final = "Authorization, Content-Type, DPoP"
#: What a script has to read of an answer beside its body (RFC 6750 section 3; RFC 9449 section 8).
_EXPOSED: Final = {"Access-Control-Expose-Headers": "WWW-Authenticate, DPoP-Nonce"}
#: How long a browser need not ask again whether it may ask; a client's origins change rarely.
_MAX_AGE: Final = "600"
#: As browsers write an origin. "null", which anybody's sandboxed page says, is none (S-100).
_ORIGIN: Final = re.compile(
    r"https?://[a-z0-9.\-]{1,253}(?::[0-9]{1,5})?|https?://\[[0-9a-f:.]{2,45}\](?::[0-9]{1,5})?"
)


def initialise(app: Flask) -> None:
    """Answer preflights before their view, and open each answer after it."""
    app.before_request(_preflight)
    app.after_request(_open)


def _preflight() -> Response | None:
    """Answer what a browser asks before it sends a script's request; no client is known yet."""
    is_one = request.method == "OPTIONS" and "HTTP_ORIGIN" in request.environ and _methods() is not None
    return Response(status=204) if is_one else None


def _open(answer: Response) -> Response:
    """Say on an answer whose scripts may read it."""
    origin = request.environ.get("HTTP_ORIGIN")
    if origin is None or _methods() is None:
        return answer
    answer.vary.add("Origin")
    if _may_read(origin):
        answer.headers["Access-Control-Allow-Origin"] = origin
        answer.headers.update(_permission() if request.method == "OPTIONS" else _EXPOSED)
    return answer


def _methods() -> str | None:
    """Say what scripts may send to the address of the request; None where they have no business."""
    below = (methods for start, methods in _BELOW.items() if request.path.startswith(start))
    return _METHODS.get(request.path) or next(below, None)


def _permission() -> dict[str, str]:
    return {
        "Access-Control-Allow-Methods": _methods() or "",
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Max-Age": _MAX_AGE,
    }


def _may_read(origin: str) -> bool:
    client = _client()
    if client is not None:
        return origin in client.allowed_origins
    try:
        return _is_known(origin)
    except DATABASE_AWAY:
        # The answer says so already.
        return False


def _client() -> Client | None:
    """Give whom the answer is for: the client that authenticated, or that of the access token."""
    client: Client | None = g.back_channel.client if "back_channel" in g else g.get("client")
    return client


def _is_known(origin: str) -> bool:
    if _ORIGIN.fullmatch(origin) is None:
        return False
    with context().database.read() as connection:
        return clients.is_known_origin(connection, origin)
