"""Runs a WSGI application on a free loopback port, in threads of this process."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from typing import TYPE_CHECKING

from werkzeug.serving import WSGIRequestHandler, make_server

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HOST = "127.0.0.1"
#: Demonstrations have those above (`tests/support/demonstration.py`).
FIRST_PORT = 11_000
PORTS_OF_ONE_PROCESS = 300
PROCESSES = 30
_turns = count()


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

    Ports are taken in turn from a range of this process, below those that the kernel gives to outgoing connections:
    nothing else takes one between this look and the start of a program that needs a second for it.

    Returns:
        The port; free a moment ago.

    Raises:
        RuntimeError: Something listens on each of them.
    """
    first = FIRST_PORT + os.getpid() % PROCESSES * PORTS_OF_ONE_PROCESS
    for _ in range(PORTS_OF_ONE_PROCESS):
        port = first + next(_turns) % PORTS_OF_ONE_PROCESS
        if is_free(port):
            return port
    raise RuntimeError("no port is free")


def is_free(port: int) -> bool:
    """Say whether nothing listens on a port of the loopback address."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier one that are just closing are in nobody's way.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


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
