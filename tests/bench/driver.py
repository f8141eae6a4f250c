"""The clients, in a process of their own: one thread, raw sockets, a generator for each connection.

A load that shares the processors with the server must cost little, or it measures itself.
Reads its orders from standard input as JSON, and writes what it measured to standard output.
"""

from __future__ import annotations

import json
import selectors
import socket
import sys
from collections import deque
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from tests.bench.visits import ALL, Operation, Visitor
from tests.bench.wire import Steps, WireError, cut

HOST = "127.0.0.1"
_CHUNK = 262_144
#: A server that says nothing for so long has failed.
_PATIENCE_SECONDS = 30.0


@dataclass
class Connection:
    """One client: a connection that is kept, one operation after the other on it.

    Args:
        port: Of the server.
        visitor: Who the client is.
    """

    port: int
    visitor: Visitor
    selector: selectors.BaseSelector
    stream: socket.socket | None = None
    steps: Steps | None = None
    request: bytes = b""
    received: bytes = b""
    began: float = 0.0
    latencies: list[float] = field(default_factory=list)
    reconnections: int = 0

    def begin(self, operation: Operation) -> None:
        """Start an operation."""
        self.steps = operation(self.visitor)
        self.began = perf_counter()
        self.send(next(self.steps).encoded())

    def send(self, request: bytes) -> None:
        """Send a request, on a new connection when the server has closed the last one."""
        self.request, self.received = request, b""
        if self.stream is None:
            self.stream = socket.create_connection((HOST, self.port))
            self.stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.selector.register(self.stream, selectors.EVENT_READ, self)
        self.stream.sendall(request)

    def on_readable(self) -> bool:
        """Read; True when the operation is over."""
        if self.stream is None or self.steps is None:
            message = "nothing was sent"
            raise WireError(message)
        chunk = self._chunk(self.stream)
        if not chunk:
            self.reconnect()
            return False
        self.received += chunk
        whole = cut(self.received)
        if whole is None:
            return False
        answer, stays_open = whole
        if not stays_open:
            self.close()
        try:
            following = self.steps.send(answer)
        except StopIteration:
            self.latencies.append(perf_counter() - self.began)
            return True
        self.send(following.encoded())
        return False

    def reconnect(self) -> None:
        """Send again what a server that closed an idle connection did not read (RFC 9112 section 9.3.1)."""
        if self.received:
            message = "the connection ended in the middle of an answer"
            raise WireError(message)
        self.reconnections += 1
        self.close()
        self.send(self.request)

    def close(self) -> None:
        """Close the connection."""
        if self.stream is not None:
            self.selector.unregister(self.stream)
            self.stream.close()
            self.stream = None

    @staticmethod
    def _chunk(source: socket.socket) -> bytes:
        try:
            return source.recv(_CHUNK)
        except ConnectionResetError:
            return b""


@dataclass
class Load:
    """All clients of a measure.

    Args:
        port: Of the server.
        visitors: One for each client.
    """

    port: int
    visitors: list[Visitor]

    def run(self, operation: Operation, *, seconds: float, most: int) -> dict[str, Any]:
        """Do an operation as often as can be.

        Args:
            operation: What each client does.
            seconds: How long operations are begun.
            most: How many are begun at most.

        Returns:
            Latencies in seconds, how long it took, how often a client had to connect again.
        """
        with selectors.DefaultSelector() as selector:
            clients = [Connection(self.port, visitor, selector) for visitor in self.visitors]
            began = perf_counter()
            waiting, left = deque(clients), most
            busy = 0
            while waiting or busy:
                while waiting:
                    client = waiting.popleft()
                    if left and perf_counter() - began < seconds:
                        left, busy = left - 1, busy + 1
                        client.begin(operation)
                if busy:
                    busy -= self._wait(selector, waiting)
            elapsed = perf_counter() - began
            for client in clients:
                client.close()
        return {
            "latencies": [latency for client in clients for latency in client.latencies],
            "seconds": elapsed,
            "reconnections": sum(client.reconnections for client in clients),
        }

    @staticmethod
    def _wait(selector: selectors.BaseSelector, waiting: deque[Connection]) -> int:
        ready = selector.select(_PATIENCE_SECONDS)
        if not ready:
            message = f"no answer within {_PATIENCE_SECONDS} seconds"
            raise WireError(message)
        done = [key.data for key, _ in ready if key.data.on_readable()]
        waiting.extend(done)
        return len(done)


def main() -> None:
    """Obey the lines of standard input until it ends: the first names the server and the visitors."""
    setup = json.loads(sys.stdin.readline())
    load = Load(setup["port"], [Visitor(**visitor) for visitor in setup["visitors"]])
    for line in sys.stdin:
        order = json.loads(line)
        measured = load.run(ALL[order["operation"]], seconds=order["seconds"], most=order["most"])
        sys.stdout.write(json.dumps(measured) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
