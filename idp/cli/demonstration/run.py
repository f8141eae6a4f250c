"""Starts the demonstration: two branches of processes, one for the provider, one for everything around it.

Both import while the other does, each what it needs and no more: that is what makes two seconds enough.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

import click

from idp.cli.demonstration import plan as plans
from idp.cli.exits import Refusal
from idp.cli.server.supervisor import started
from idp.config import load
from idp.outbound import logs

if TYPE_CHECKING:
    from pathlib import Path

    from idp.cli.demonstration.plan import Plan

_STOPS: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_PATIENCE_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0
_POLL_SECONDS: Final = 0.01


@dataclass(slots=True)
class Branch:
    """A child process of the demonstration.

    Attributes:
        name: For messages.
        pid: Zero when it has ended.
    """

    name: str
    pid: int

    def has_ended(self) -> bool:
        """Tell whether it has ended, and bury it."""
        if self.pid and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.pid = 0
        return not self.pid


def run(data: Path, port_base: int, since: float) -> None:
    """Run everything until Ctrl-C.

    Args:
        data: Folder of the demonstration.
        port_base: The provider's port.
        since: When the command was started, on the clock of `time.monotonic`.

    Raises:
        Refusal: A port is taken, or a part did not start.
    """
    plan = plans.made(data, port_base)
    refuse_taken_ports(plan)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
    branches: list[Branch] = []
    try:
        around, answers = start_around(plan, before)
        branches.append(around)
        branches.append(start_provider(plan, answers, before))
        wait_until_ready(plan, answers, branches)
        tell(plan, time.monotonic() - since)
        wait_for_stop(branches)
    finally:
        stop(branches)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines to and from the process around the provider."""

    to: IO[str]
    back: IO[str]

    def ask(self, *, within: float = _PATIENCE_SECONDS) -> dict[str, Any]:
        """Wait for the next line.

        Raises:
            Refusal: It says that something failed, or does not come.
        """
        ready, _, _ = select.select([self.back], [], [], within)
        line = self.back.readline() if ready else ""
        if not line:
            raise Refusal("the simulator, the services or the mail catcher did not start")
        said: dict[str, Any] = json.loads(line)
        if "error" in said:
            raise Refusal(said["error"])
        return said


def start_around(plan: Plan, mask: set[Any]) -> tuple[Branch, Lines]:
    """Start the simulator, the services and the mail catcher in a process of their own."""
    told, to = os.pipe()
    back, tell_back = os.pipe()

    def main() -> None:
        os.close(to)
        os.close(back)
        logs.configure("warning", "console")
        with os.fdopen(told) as reader, os.fdopen(tell_back, "w") as writer:
            try:
                parts = importlib.import_module("idp.cli.demonstration.parts")
            except ImportError as error:
                writer.write(json.dumps({"error": f"{error.name} is not installed: pip install 'idp[demo]'"}))
                return
            parts.run(plan, reader, writer)

    pid = started(main, mask)
    os.close(told)
    os.close(tell_back)
    return Branch("the services", pid), Lines(os.fdopen(to, "w"), os.fdopen(back))


def start_provider(plan: Plan, lines: Lines, mask: set[Any]) -> Branch:
    """Prepare the provider, register the services, start it as `idp run` does."""
    settings = load(plan.config_file)
    logs.configure(settings.logs.level, settings.logs.format)
    prepared = start_preparation(plan, mask)
    start = importlib.import_module("idp.cli.server.start")
    registration = importlib.import_module("idp.cli.demonstration.registration")
    parts = importlib.import_module("idp.cli.parts")
    wait_for(prepared)
    start.prepare(settings, create_missing=True)
    listener = start.listening(settings.server.bind)
    jwks = lines.ask()["jwks"]
    with parts.console(plan.config_file) as tools:
        secrets = registration.register(tools, plan, jwks)

    def main() -> None:
        sys.exit(start.supervise(lambda: load(plan.config_file), listener))

    pid = started(main, mask)
    listener.close()
    lines.to.write(json.dumps(secrets) + "\n")
    lines.to.flush()
    return Branch("the provider", pid)


def start_preparation(plan: Plan, mask: set[Any]) -> Branch:
    """At the first start, make database and keys while the provider's libraries are imported."""
    if (plan.data / "idp.db").exists():
        return Branch("the preparation", 0)

    def main() -> None:
        settings = load(plan.config_file)
        preparation = importlib.import_module("idp.cli.server.preparation")
        preparation.prepare(settings, create_missing=True)

    return Branch("the preparation", started(main, mask))


def wait_for(branch: Branch) -> None:
    """Wait until a process has ended; what it failed at is tried again, and told, by this one."""
    if branch.pid:
        os.waitpid(branch.pid, 0)
        branch.pid = 0


def wait_until_ready(plan: Plan, lines: Lines, branches: list[Branch]) -> None:
    """Wait until every address answers.

    Raises:
        Refusal: A part ended, or takes too long.
    """
    lines.ask()
    until = time.monotonic() + _PATIENCE_SECONDS
    while not answers(plan.port_base, "/readyz"):
        ended = next((branch.name for branch in branches if branch.has_ended()), None)
        if ended is not None:
            raise Refusal(f"{ended} did not start")
        if time.monotonic() > until:
            raise Refusal("the provider is not ready after a minute")
        time.sleep(_POLL_SECONDS)


def answers(port: int, path: str) -> bool:
    """Ask a path over plain HTTP; an import of a client would cost more than what is asked."""
    try:
        with socket.create_connection((plans.HOST, port), timeout=5) as connection:
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
            )
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def refuse_taken_ports(plan: Plan) -> None:
    """Say which port is taken before anything is started.

    Raises:
        Refusal: One is.
    """
    for offset in range(5):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((plans.HOST, plan.port_base + offset))
            except OSError as error:
                raise Refusal(
                    f"port {plan.port_base + offset}: {error.strerror}; another --port-base?"
                ) from error


def wait_for_stop(branches: list[Branch]) -> None:
    """Wait for Ctrl-C, or for a part that ends by itself.

    Raises:
        Refusal: A part has ended.
    """
    while signal.sigtimedwait(_STOPS, 0.5) is None:
        ended = next((branch.name for branch in branches if branch.has_ended()), None)
        if ended is not None:
            raise Refusal(f"{ended} has ended by itself")


def stop(branches: list[Branch]) -> None:
    """End every process, gently first; none is left behind."""
    for branch in branches:
        _signal(branch, signal.SIGINT)
    until = time.monotonic() + _STOP_SECONDS
    while any(not branch.has_ended() for branch in branches) and time.monotonic() < until:
        time.sleep(_POLL_SECONDS)
    for branch in branches:
        _signal(branch, signal.SIGKILL)


def tell(plan: Plan, seconds: float) -> None:
    """Say what there is and what to try."""
    rows = (
        ("Mon Paris", plan.issuer, "the identity provider"),
        ("FranceConnect", plan.origin(1), "a simulator, with its test identities"),
        ("Stationnement", plan.origin(2), "a service: residential parking"),
        ("Explorateurs", plan.origin(3), "a service: the panel of residents"),
        ("Mail", plan.origin(4), f"what the provider sends (SMTP on {plan.smtp_port}); JSON at /messages"),
    )
    click.echo(f"Ready in {seconds:.1f} s.\n")
    for name, address, what in rows:
        click.echo(f"  {click.style(name.ljust(14), bold=True)} {address}  {what}")
    click.echo(
        f"""
What to try
  1. Open {plan.origin(2)}, press "Gérer mon droit et suivre mes demandes" and create an account:
     the mail with the code arrives at {plan.origin(4)}.
  2. Sign out, and come back through the FranceConnect button: "test" is Angela DUBOIS, "avec_nom_dusage" has
     a usage name; the password is 123. Every identity, awkward ones too, is listed at {plan.origin(1)}.
  3. Open {plan.origin(3)}: other data, another pseudonym, your consent. Withdraw it at
     {plan.issuer}/account/services, and see what the service still knows.
  4. idp --config {plan.config_file} clients list

Everything is kept in {plan.data}. Ctrl-C stops all of it."""
    )


def _signal(branch: Branch, which: signal.Signals) -> None:
    if branch.has_ended():
        return
    try:
        os.killpg(branch.pid, which) if which == signal.SIGKILL else os.kill(branch.pid, which)
    except ProcessLookupError:
        branch.pid = 0


def since_start() -> float:
    """Say when this process was started, on the clock of `time.monotonic`; a moment ago where /proc is missing."""
    try:
        with open("/proc/self/stat", encoding="ascii") as stat:  # noqa: PTH123 - a Path would cost its import
            ticks = int(stat.read().rsplit(")", 1)[1].split()[19])
    except (OSError, ValueError, IndexError):
        return time.monotonic()
    age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    return time.monotonic() - age
