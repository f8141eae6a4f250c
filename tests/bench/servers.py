"""Starts what is measured, as an operator would: `idp run`, or the floor on the same server program."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from tests.bench import processes
from tests.bench.visits import Visitor
from tests.support.server import HOST, free_port

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE_SECONDS = 30.0
_BETWEEN_TRIES = 0.005
OK = 200
#: Workers stand below the server program, which stands below the supervisor; so does nothing else.
_WORKER_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Setting:
    """What is served how.

    Args:
        folder: Of configuration, keys and log.
        database_url: Migrated, with the clients and visitors.
        engine: `gunicorn` or `granian`.
        workers: How many processes.
        threads: Of each.
        port: On the loopback address.
    """

    folder: Path
    database_url: str
    engine: str
    workers: int
    threads: int
    port: int

    def configuration(self) -> dict[str, dict[str, Any]]:
        """Give what the configuration file says; everything else is as it comes."""
        server = {
            "issuer": f"http://localhost:{self.port}",
            "bind": f"{HOST}:{self.port}",
            "engine": self.engine,
            "workers": self.workers,
            "threads": self.threads,
            "drain_seconds": 0,
        }
        return {
            "server": server,
            "database": {"url": self.database_url},
            "keys": {"directory": str(self.folder / "keys")},
            # Nobody listens there: a mail waits in the outbox.
            "mail": {"port": free_port(), "security": "none"},
        }

    def write(self) -> Path:
        """Write the configuration file."""
        lines = []
        for section, members in self.configuration().items():
            # JSON's texts, numbers and booleans are TOML's too.
            lines += [f"[{section}]", *(f"{name} = {json.dumps(value)}" for name, value in members.items())]
        path = self.folder / "config.toml"
        path.write_text("\n".join([*lines, ""]))
        return path


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers.

    Args:
        pid: Of its first process.
        port: On the loopback address.
        seconds_to_first_answer: Since it was started.
    """

    pid: int
    port: int
    seconds_to_first_answer: float

    def worker_bytes(self) -> list[int]:
        """Give the memory of each worker process."""
        return sorted(
            map(processes.proportional_bytes, processes.leaves(self.pid, depth=_WORKER_DEPTH)), reverse=True
        )

    def all_bytes(self) -> int:
        """Give the memory of all its processes together."""
        return sum(processes.proportional_bytes(process.pid) for process in processes.tree(self.pid))


@contextmanager
def provider(setting: Setting) -> Iterator[Running]:
    """Serve the provider while the block runs.

    Args:
        setting: What and how.

    Yields:
        The server, once it has answered.
    """
    config = setting.write()
    command = [sys.executable, "-m", "idp.cli", "--config", str(config), "run"]
    with _started(command, setting, "/.well-known/openid-configuration") as running:
        yield running


@contextmanager
def floor(setting: Setting) -> Iterator[Running]:
    """Serve an empty answer of Flask while the block runs.

    Args:
        setting: The engine, how many processes and threads.

    Yields:
        The server, once it has answered.
    """
    command = [sys.executable, "-m", "tests.bench.floor", str(setting.write())]
    with _started(command, setting, "/") as running:
        yield running


@contextmanager
def _started(command: list[str], setting: Setting, path: str) -> Iterator[Running]:
    log = setting.folder / "log"
    began = perf_counter()
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=_ROOT, stdout=stream, stderr=stream)
    try:
        _await_answer(process, setting.port, path, log)
        yield Running(process.pid, setting.port, perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_PATIENCE_SECONDS)


def _await_answer(process: subprocess.Popen[bytes], port: int, path: str, log: Path) -> None:
    latest = perf_counter() + _PATIENCE_SECONDS
    while not _answers(port, path):
        if process.poll() is not None or perf_counter() > latest:
            message = f"the server does not answer: {log.read_text()[-2000:]}"
            raise RuntimeError(message)
        sleep(_BETWEEN_TRIES)


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == OK
    except OSError:
        return False
    finally:
        connection.close()


class Driver:
    """The process of the clients.

    Args:
        port: Of the server.
        visitors: One for each client.
    """

    def __init__(self, port: int, visitors: list[Visitor]) -> None:
        """Start it, and tell it about the server."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.driver"],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        people = [
            {name: getattr(visitor, name) for name in ("email", "password", "session", "secret")}
            for visitor in visitors
        ]
        self._write({"port": port, "visitors": people})

    def run(self, operation: str, *, seconds: float = 60.0, most: int = 1_000_000) -> dict[str, Any]:
        """Do an operation as often as can be.

        Args:
            operation: Its name in `visits.ALL`.
            seconds: How long operations are begun.
            most: How many are begun at most.

        Returns:
            What the clients measured.

        Raises:
            RuntimeError: An operation failed; the clients have said why on standard error.
        """
        self._write({"operation": operation, "seconds": seconds, "most": most})
        if self._process.stdout is None or not (line := self._process.stdout.readline()):
            message = f"the clients gave up at {operation}"
            raise RuntimeError(message)
        measured: dict[str, Any] = json.loads(line)
        return measured

    def close(self) -> None:
        """End the process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        self._process.wait(_PATIENCE_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def _write(self, order: dict[str, Any]) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(json.dumps(order) + "\n")
            self._process.stdin.flush()
