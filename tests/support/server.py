"""Runs a WSGI application on a free loopback port, in threads of this process."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"


class QuietHandler(WSGIRequestHandler):
    """Serves without a line per request; what matters is in the application's own logs."""

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - Werkzeug's name
        """Write nothing.

        Args:
            type: Level, ignored.
            message: Format, ignored.
            args: Values, ignored.
        """


def free_port() -> int:
    """Find a port of the loopback address that nothing listens on.

    Returns:
        The port; free a moment ago, and so for whoever binds it soon.
    """
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def served(application: WSGIApplication, *, port: int = 0) -> Iterator[str]:
    """Serve an application while the block runs.

    Args:
        application: Called from several threads at once.
        port: Zero for a free one; else the one that the application's issuer names.

    Yields:
        The origin, such as `http://localhost:41233`: `localhost` and not an address, since cookies
        and WebAuthn want a name.
    """
    server = make_server(HOST, port, application, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
