"""One event and one count for each request: method, route template, status, duration, request id (OPS-3, PRI-3).

Never the path or the query: they carry codes and addresses. The route is known after Flask has matched it, or
from who answered before Flask.
"""

from __future__ import annotations

import re
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from flask import request

from idp.crypto.opaque import new_request_id
from idp.outbound import logs

if TYPE_CHECKING:
    from collections.abc import Iterable
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

    from flask import Flask

    from idp.outbound.metrics import Metrics

#: Where the route template is left for this module, by whoever answers.
ROUTE: Final = "idp.route"
_UNMATCHED: Final = "(none)"
_LOG: Final = logs.get_logger("idp.request")
#: What a proxy may send as X-Request-ID: nothing that could be an address or forge a line.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9_-]{8,64}")
_SERVER_ERROR: Final = 500


class RequestLog:
    """WSGI middleware, right inside `Proxies`, which removes an X-Request-ID of anybody else's.

    Args:
        app: The application behind.
        metrics: Where requests are counted.
    """

    def __init__(self, app: WSGIApplication, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer, then tell how it went."""
        began = perf_counter()
        answered = _UNFINISHED

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:  # noqa: ANN401 - of WSGI
            nonlocal answered
            answered = int(status[:3])
            return start_response(status, headers, exc_info)

        bound = logs.request_id.set(_identifier(environ))
        try:
            return self._app(environ, start)
        finally:
            self._tell(environ, answered, perf_counter() - began)
            logs.request_id.reset(bound)

    def _tell(self, environ: WSGIEnvironment, status: int, seconds: float) -> None:
        method, route = environ["REQUEST_METHOD"], environ.get(ROUTE, _UNMATCHED)
        self._metrics.request(method, route, status, seconds)
        log = _LOG.error if status >= _SERVER_ERROR else _LOG.info
        log("request", method=method, route=route, status=status, milliseconds=round(seconds * 1000, 1))


#: An exception that even the last handler did not catch.
_UNFINISHED: Final = 500


def initialise(app: Flask) -> None:
    """Have Flask leave the route template of each request it matches."""
    app.before_request(_leave_route)


def _leave_route() -> None:
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule


def _identifier(environ: WSGIEnvironment) -> str:
    given = environ.get("HTTP_X_REQUEST_ID", "")
    return given if _REQUEST_ID.fullmatch(given) else new_request_id()
