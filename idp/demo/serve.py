"""Serves one demonstration application in a thread of this process."""

from __future__ import annotations

import logging
from socket import AF_INET, AF_INET6, create_server
from threading import Thread

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

#: How soon a server notices that it must stop.
POLL_SECONDS = 0.1

_LOG = logging.getLogger(__name__)


class _QuietHandler(WSGIRequestHandler):
    """Logs no request: paths carry codes, and a demonstration's console is for people."""

    # One request a connection: after shutdown, no thread goes on answering an old connection.
    protocol_version = "HTTP/1.0"

    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - Werkzeug's name.
        """Keep errors only."""
        if type == "error":
            _LOG.error(message, *args)


class DemoServer:
    """A server that runs until `shutdown`.

    Attributes:
        host: Where it listens.
        port: The port really taken, also when 0 was asked.
    """

    def __init__(self, server: BaseWSGIServer) -> None:
        self._server = server
        self.host = str(server.server_address[0])
        self.port = int(server.server_address[1])
        self._thread = Thread(
            target=server.serve_forever,
            args=(POLL_SECONDS,),
            name=f"demo-{self.port}",
            daemon=True,
        )
        self._thread.start()

    def shutdown(self) -> None:
        """Stop listening and give the port back; calling it again does nothing."""
        self._server.shutdown()
        self._thread.join(timeout=5)
        self._server.server_close()


def serve(app: Flask, host: str, port: int) -> DemoServer:
    """Start serving an application, one thread a request.

    Raises:
        OSError: When the port is taken.
    """
    # Bound here, because Werkzeug ends the whole process when a port is taken.
    family = AF_INET6 if ":" in host else AF_INET
    with create_server((host, port), family=family) as listening:
        server = make_server(
            host,
            int(listening.getsockname()[1]),
            app,
            threaded=True,
            request_handler=_QuietHandler,
            fd=listening.fileno(),
        )
    # A browser's idle connection must not hold the process back.
    server.daemon_threads = True  # type: ignore[attr-defined]  # Of the threaded server.
    return DemoServer(server)
