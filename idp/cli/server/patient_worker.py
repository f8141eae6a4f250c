"""A gunicorn worker that gives a thread to a request only when all of it is there.

gunicorn's own threads read from the connection: eight clients that send a byte a second hold a worker of four
threads twice over. Here the worker's event loop collects the head and a body of bounded size, as a buffering
proxy would, so that slow clients cost a file descriptor each and nobody's turn.
"""

from __future__ import annotations

import re
import selectors
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final

from gunicorn.workers.gthread import TConn, ThreadWorker

if TYPE_CHECKING:
    from socket import socket

#: A head larger than this is gunicorn's to refuse: it is handed over as it is.
_MOST_HEAD: Final = 65_536
#: A body larger than this is handed over incomplete; the application refuses it without reading it.
_MOST_BODY: Final = 300_000
_PIECE: Final = 65_536
#: From the first byte to the last of a request; a slow mobile network sends our largest form in a tenth of it.
_PATIENCE_SECONDS: Final = 20.0
_SILENCE_SECONDS: Final = 1.0
_END_OF_HEAD: Final = b"\r\n\r\n"
_CONTENT_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,9})[ \t]*\r\n", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_SIZE: Final = re.compile(rb"[0-9A-Fa-f]{1,8}")
_EXPECT: Final = re.compile(rb"\r\nexpect:[ \t]*100-continue", re.IGNORECASE)


class PatientWorker(ThreadWorker):
    """`gthread`, but a connection waits in the event loop until its request is complete."""

    _silence_ends: float | None = None

    def accept(self, listener: socket) -> None:
        """Take a connection; it gets a thread when its first request is there."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self.nr_conns += 1
        self._collect(TConn(self.cfg, client, address, listener.getsockname()))

    def on_client_socket_readable(self, conn: TConn, client: socket) -> None:
        """Go on with a connection that was kept alive."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._collect(conn)

    def on_pending_socket_readable(self, conn: TConn, client: socket) -> None:
        """Take what has come; hand the request over when it is complete."""
        try:
            piece = client.recv(_PIECE)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        conn.collected += piece
        if piece and not is_complete(conn.collected):
            self._encourage(conn, client)
            return
        self.poller.unregister(client)
        self.pending_conns.remove(conn)
        if conn.collected:
            self._hand_over(conn)
        else:
            self._drop(conn)

    def murder_pending(self) -> None:
        """Close connections that took too long; at a stop, also those that ask for nothing for a second."""
        now = time.monotonic()
        if not self.alive and self._silence_ends is None:
            # A connection that was just made is about to ask; browsers keep others open in advance.
            self._silence_ends = now + _SILENCE_SECONDS
        silence_ended = self._silence_ends is not None and now >= self._silence_ends
        for conn in list(self.pending_conns):
            if conn.timeout <= now or (silence_ended and not conn.collected):
                self.pending_conns.remove(conn)
                self.poller.unregister(conn.sock)
                self._drop(conn)

    def _encourage(self, conn: TConn, client: socket) -> None:
        # RFC 9110 section 10.1.1: such a client sends no body before it is told to.
        if not conn.encouraged and _EXPECT.search(head_of(conn.collected)):
            conn.encouraged = True
            with suppress(OSError):
                client.send(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _drop(self, conn: TConn) -> None:
        self.nr_conns -= 1
        conn.close()

    def _collect(self, conn: TConn) -> None:
        conn.collected = bytearray()
        conn.encouraged = False
        conn.timeout = time.monotonic() + _PATIENCE_SECONDS
        conn.sock.setblocking(False)  # noqa: FBT003 - of the socket module
        self.pending_conns.append(conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self.on_pending_socket_readable, conn))

    def _hand_over(self, conn: TConn) -> None:
        conn.init()
        conn.parser.unreader.unread(bytes(conn.collected))
        del conn.collected
        conn.data_ready = True
        self.enqueue_req(conn)


def is_complete(collected: bytes | bytearray) -> bool:
    """Tell whether a thread can answer without waiting for the client.

    Args:
        collected: What has come of a request.

    Returns:
        True also for what is malformed or too large: gunicorn's parser refuses it, not this.
    """
    head = head_of(collected)
    if not head:
        return len(collected) > _MOST_HEAD
    body = bytes(collected[len(head) + 2 :])
    if len(body) > _MOST_BODY:
        return True
    if _CHUNKED.search(head):
        return _ends(body)
    length = _CONTENT_LENGTH.search(head)
    return length is None or int(length[1]) > _MOST_BODY or len(body) >= int(length[1])


def head_of(collected: bytes | bytearray) -> bytes:
    """Give the head with the line break of its last line; nothing while it is not all there."""
    end = collected.find(_END_OF_HEAD)
    return bytes(collected[: end + 2]) if end >= 0 else b""


def _ends(body: bytes) -> bool:
    """Tell whether a chunked body has its last chunk and its trailers (RFC 9112 section 7.1)."""
    at = 0
    while (end := body.find(b"\r\n", at)) >= 0:
        size = _SIZE.match(body, at)
        if size is None:
            return True
        if int(size[0], 16) == 0:
            # Trailers follow, or nothing; an empty line ends both.
            return body.find(_END_OF_HEAD, end) >= 0
        at = end + 2 + int(size[0], 16) + 2
    return False


def name() -> str:
    """Give the name by which gunicorn imports this class."""
    return f"{PatientWorker.__module__}.{PatientWorker.__qualname__}"
