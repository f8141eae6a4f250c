"""`idp demo`: one command, five addresses, nothing left behind (OPS-1)."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest

from tests.support.demonstration import free_ports
from tests.support.running import descendants, ended_idp, is_running, started_idp
from tests.support.server import HOST

pytestmark = pytest.mark.rule("OPS-1")
PATIENCE_SECONDS = 60


class Demo:
    """A demonstration that runs.

    Args:
        process: The command.
        log: What it prints.
        port_base: The provider's port.
        data: Its folder.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path, port_base: int, data: Path) -> None:
        self.process = process
        self.log = log
        self.port_base = port_base
        self.data = data

    def status(self, offset: int, path: str = "/") -> int:
        """Ask one of the addresses."""
        with urlopen(f"http://localhost:{self.port_base + offset}{path}", timeout=60) as answer:
            return int(answer.status)

    def read(self, offset: int, path: str) -> str:
        """Read one of the addresses."""
        with urlopen(f"http://localhost:{self.port_base + offset}{path}", timeout=60) as answer:
            return str(answer.read().decode())


@contextmanager
def running_demo(data: Path, log: Path) -> Iterator[Demo]:
    """Run the demonstration while the block runs."""
    base = free_ports()
    process = started_idp("demo", "--port-base", str(base), "--data", str(data), log=log)
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while "Ready in" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < until, log.read_text()
            time.sleep(0.05)
        yield Demo(process, log, base, data)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_SECONDS)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A demonstration started from nothing."""
    folder = tmp_path_factory.mktemp("demo")
    with running_demo(folder / "data", folder / "log") as running:
        yield running


@pytest.mark.parametrize(
    "offset, path",
    [
        (0, "/"),
        (0, "/readyz"),
        (0, "/terms"),
        (0, "/.well-known/openid-configuration"),
        (1, "/api/v2/.well-known/openid-configuration"),
        (2, "/"),
        (3, "/"),
        (3, "/jwks.json"),
        (4, "/"),
        (4, "/messages"),
    ],
)
def test_every_address_answers(demo: Demo, offset: int, path: str) -> None:
    """Each part serves its pages as soon as the command says that all is ready."""
    assert demo.status(offset, path) == 200


def test_addresses_are_printed(demo: Demo) -> None:
    """The terminal names all five, and what to try."""
    printed = demo.log.read_text()

    assert all(f"http://localhost:{demo.port_base + offset}" in printed for offset in range(5))
    assert "What to try" in printed


@pytest.mark.rule("CON-9")
def test_both_services_are_registered_as_an_administrator_would(demo: Demo) -> None:
    """The command line shows the two services, each claim with its reason in French."""
    config = str(demo.data / "config.toml")
    done = ended_idp("--config", config, "clients", "list", "--json")

    clients = {client["client_id"]: client for client in json.loads(done.stdout)}
    assert clients.keys() == {"stationnement", "explorateurs"}
    assert all(use["reason"]["fr"] for client in clients.values() for use in client["claims"])
    assert {use["name"] for use in clients["explorateurs"]["claims"]} == {
        "family_name", "given_name", "email", "gender", "birthdate",
    }  # fmt: skip


def test_secrets_are_readable_by_their_owner_only(demo: Demo) -> None:
    """The folder and the files with secrets are closed to others."""
    assert demo.data.stat().st_mode & 0o077 == 0
    assert (demo.data / "secrets.json").stat().st_mode & 0o077 == 0
    assert (demo.data / "config.toml").stat().st_mode & 0o077 == 0


def test_second_start_keeps_everything_and_stops_without_a_trace(tmp_path: Path) -> None:
    """Started again on the same folder, on other ports, it serves; Ctrl-C ends every process both times."""
    with running_demo(tmp_path / "data", tmp_path / "first"):
        pass
    with running_demo(tmp_path / "data", tmp_path / "second") as again:
        processes = descendants(again.process.pid)
        statuses = [again.status(offset) for offset in range(5)]
        issuer = json.loads(again.read(0, "/.well-known/openid-configuration"))["issuer"]
        again.process.send_signal(signal.SIGINT)
        code = again.process.wait(PATIENCE_SECONDS)

    assert statuses == [200] * 5
    assert issuer == f"http://localhost:{again.port_base}"
    assert code == 0
    assert [pid for pid in processes if is_running(pid)] == []


def test_taken_port_is_said_before_anything_starts(tmp_path: Path) -> None:
    """One sentence names the port and the option."""
    base = free_ports()
    with socket.create_server((HOST, base + 3)):
        done = ended_idp("demo", "--port-base", str(base), "--data", str(tmp_path))

    assert done.returncode == 1
    assert f"port {base + 3}" in done.stderr
    assert "--port-base" in done.stderr


@pytest.mark.rule("FC-8")
def test_simulator_runs_alone(tmp_path: Path) -> None:
    """`idp franceconnect-simulator` serves discovery until it is told to stop."""
    del tmp_path
    port = free_ports()
    process = started_idp("franceconnect-simulator", "--port", str(port))
    assert process.stdout is not None
    process.stdout.readline()
    with urlopen(f"http://localhost:{port}/api/v2/.well-known/openid-configuration", timeout=60) as answer:
        issuer = json.load(answer)["issuer"]
    process.terminate()

    assert process.wait(60) == 0
    assert issuer == f"http://localhost:{port}/api/v2"
    process.stdout.close()
