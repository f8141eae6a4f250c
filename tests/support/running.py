"""A real `idp run` in processes of its own, on a free port, and words for what tests send it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.server import HOST, free_port

IDP = Path(sys.executable).parent / "idp"
PATIENCE_SECONDS = 60


@dataclass
class RunningProvider:
    """A provider that serves.

    Args:
        port: Of this machine.
        config: Its configuration file.
        log: What it writes.
        process: The supervisor.
    """

    port: int
    config: Path
    log: Path
    process: subprocess.Popen[bytes]
    engine: str

    def exchange(self, request: bytes, *, within: float = 20) -> bytes:
        """Send bytes and read until the server closes, or is silent.

        Args:
            request: As it goes over the wire; `Connection: close` in it spares the wait.
            within: How long to wait for each piece.

        Returns:
            The answer; nothing when the connection was closed without one.
        """
        with socket.create_connection((HOST, self.port), timeout=within) as connection:
            connection.sendall(request)
            return read_all(connection)

    def get(self, path: str, *headers: str) -> Answer:
        """Send a plain GET."""
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers, "Connection: close", "", ""]
        return Answer.of(self.exchange("\r\n".join(lines).encode()))

    def idp(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run an administrative command on the same configuration."""
        return ended_idp("--config", str(self.config), *arguments)

    def events(self, name: str | None = None) -> list[dict[str, Any]]:
        """Read the logged events."""
        lines = [line for line in self.log.read_text().splitlines() if line.startswith("{")]
        events = [json.loads(line) for line in lines]
        return [event for event in events if name is None or event["event"] == name]

    def processes(self) -> list[int]:
        """List the processes of this provider, the supervisor first."""
        return [self.process.pid, *descendants(self.process.pid)]

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, and wait.

        Returns:
            The exit code.
        """
        self.process.send_signal(how)
        return self.process.wait(PATIENCE_SECONDS)


@dataclass
class Answer:
    """An HTTP answer, read by hand."""

    status: int
    headers: dict[str, str]
    body: bytes
    raw: bytes = field(repr=False)

    @classmethod
    def of(cls, raw: bytes) -> Answer:
        """Read an answer; status 0 when there is none."""
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        if not lines[0].startswith("HTTP/"):
            return cls(0, {}, b"", raw)
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        return cls(int(lines[0].split()[1]), headers, body, raw)


@contextmanager
def running_provider(
    folder: Path, database_url: str, **sections: dict[str, Any]
) -> Iterator[RunningProvider]:
    """Run a provider while the block runs.

    Args:
        folder: Of the test.
        database_url: Migrated or not: `--upgrade` is said.
        sections: Settings that differ, by section.

    Yields:
        It, once it is ready.
    """
    port = free_port()
    config = folder / "config.toml"
    write_config(config, port, database_url, folder, **sections)
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [IDP, "--config", config, "run", "--upgrade"], stdout=stream, stderr=stream
        )
    engine = str(sections.get("server", {}).get("engine", "gunicorn"))
    provider = RunningProvider(port, config, log, process, engine)
    try:
        wait_until_ready(provider)
        yield provider
    finally:
        left = provider.processes()
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                for pid in left:
                    os.kill(pid, signal.SIGKILL)
                process.wait()


def started_idp(*arguments: str, log: Path | None = None) -> subprocess.Popen[bytes]:
    """Start `idp` in a process of its own.

    Args:
        arguments: Of the command.
        log: Where both its streams go; a pipe for its output when None.
    """
    command = [str(IDP), *arguments]
    if log is None:
        return subprocess.Popen(command, stdout=subprocess.PIPE)
    with log.open("wb") as stream:
        return subprocess.Popen(command, stdout=stream, stderr=stream)


def ended_idp(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `idp` to its end."""
    command = [str(IDP), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS)


def ended_run(config: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an `idp run` that can't serve, to its end.

    Args:
        config: Configuration file.
        arguments: Of `idp run`.
    """
    return ended_idp("--config", str(config), "run", *arguments)


def write_config(file: Path, port: int, database_url: str, folder: Path, **sections: dict[str, Any]) -> None:
    """Write a configuration file.

    Args:
        file: Where.
        port: To serve on.
        database_url: Of the database.
        folder: For the keys.
        sections: Settings that differ, by section.
    """
    usual: dict[str, dict[str, Any]] = {
        "server": {
            "issuer": f"http://localhost:{port}",
            "bind": f"{HOST}:{port}",
            "workers": 2,
            "drain_seconds": 0,
            "graceful_seconds": 5,
        },
        "database": {"url": database_url},
        "keys": {"directory": str(folder / "keys"), "algorithms": ["ES256"]},
        "outbound": {"allow_private_networks": True},
    }
    lines = []
    for name in usual | sections:
        lines += [f"[{name}]"]
        members = usual.get(name, {}) | sections.get(name, {})
        lines += [f"{key} = {json.dumps(value)}" for key, value in members.items()]
    file.write_text("\n".join(lines) + "\n")


def wait_until_ready(provider: RunningProvider) -> None:
    """Wait until a provider says that it is ready.

    Raises:
        RuntimeError: It ended, or takes too long.
    """
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        if provider.process.poll() is not None:
            break
        try:
            if provider.get("/readyz").status == 200:
                return
        except OSError:
            pass
        time.sleep(0.05)
    raise RuntimeError(f"not ready: {provider.log.read_text()[-3000:]}")


def read_all(connection: socket.socket) -> bytes:
    """Read until the other side closes; a reset is an end as well."""
    pieces = []
    try:
        while piece := connection.recv(65536):
            pieces.append(piece)
    except (ConnectionResetError, TimeoutError):
        pass
    return b"".join(pieces)


def descendants(pid: int) -> list[int]:
    """List the children of a process, and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in task.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *descendants(child)]
    return found


def is_running(pid: int) -> bool:
    """Say whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"
