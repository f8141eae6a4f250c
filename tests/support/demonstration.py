"""The whole demonstration as a resident meets it: `idp demo` in a process of its own, and what tests do to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from click.testing import CliRunner
from sqlalchemy import delete

from idp.cli import group
from idp.crypto.opaque import new_id
from idp.domain.account import Account, AccountState
from idp.domain.civil_identity import apply_declared
from idp.domain.email_address import canonical
from idp.storage.engine import Database, open_database
from idp.storage.models import throttle_counters
from idp.storage.repositories import accounts, attributes, terms
from tests.support.builders import PASSWORD, hash_of
from tests.support.server import is_free

Found = TypeVar("Found")

PATIENCE_SECONDS = 60.0
# It is ready in two seconds; on a machine that does much else at once, later.
STARTING_SECONDS = 90.0
PAUSE_SECONDS = 0.03
LAST_LINES = 40
# Ports below the range from which the kernel takes those of outgoing connections.
FIRST_PORT = 20_000
PORTS_OF_ONE_DEMONSTRATION = 40
PLACES_FOR_DEMONSTRATIONS = 300
DECLARED = {
    "given_name": "Zoé Claire",
    "family_name": "Œuvrard",
    "birthdate": "1990-02-03",
    "gender": "female",
}

_numbers = count(1)


def wait_until(look: Callable[[], Found | None], what: str, within: float = PATIENCE_SECONDS) -> Found:
    """Look again and again until something is there.

    Args:
        look: Answers None while it is not.
        what: For the message of the failure.
        within: How many seconds to wait at most.

    Returns:
        What was found.

    Raises:
        TimeoutError: It never came.
    """
    end = time.monotonic() + within
    while time.monotonic() < end:
        found = look()
        if found is not None:
            return found
        time.sleep(PAUSE_SECONDS)
    raise TimeoutError(what)


def new_number() -> int:
    """Give a number that no other test of this process is given."""
    return next(_numbers)


def new_address(name: str = "zoe") -> str:
    """Make an e-mail address that no other test of this process uses.

    Args:
        name: How it begins.
    """
    return f"{name}.{new_number()}@example.org"


def new_family_name() -> str:
    """Make a family name that no other test of this process uses: letters only, as names are."""
    digits = str(new_number())
    return "DURAND-" + "".join("ABCDEFGHIJ"[int(digit)] for digit in digits)


@dataclass(frozen=True)
class Demonstration:
    """A running demonstration.

    Attributes:
        port_base: Port of the provider; the other programs follow it.
        folder: Its data.
        database: The provider's, open.
    """

    port_base: int
    folder: Path
    database: Database

    @property
    def log(self) -> Path:
        """Give the file of what the programs write."""
        return self.folder.parent / "demo.log"

    @property
    def provider(self) -> str:
        """Give the origin of the provider."""
        return self._origin(0)

    @property
    def franceconnect(self) -> str:
        """Give the origin of the FranceConnect simulator."""
        return self._origin(1)

    @property
    def parking(self) -> str:
        """Give the origin of the parking service."""
        return self._origin(2)

    @property
    def explorateurs(self) -> str:
        """Give the origin of Les Explorateurs."""
        return self._origin(3)

    @property
    def mail(self) -> str:
        """Give the origin of the mail catcher."""
        return self._origin(4)

    @property
    def origins(self) -> tuple[str, ...]:
        """List all of them."""
        return (self.provider, self.franceconnect, self.parking, self.explorateurs, self.mail)

    def _origin(self, place: int) -> str:
        return f"http://localhost:{self.port_base + place}"

    # Mail

    def mails(self, to: str) -> list[dict[str, Any]]:
        """List the messages that an address received, the oldest first."""
        found: list[dict[str, Any]] = _json(f"{self.mail}/messages?{urlencode({'to': to})}")
        return found

    def wait_for_mail(self, to: str, number: int = 1) -> dict[str, Any]:
        """Wait until an address has received so many messages.

        Args:
            to: The address.
            number: How many.

        Returns:
            The one of that number.
        """

        def look() -> dict[str, Any] | None:
            received = self.mails(to)
            return received[number - 1] if len(received) >= number else None

        return wait_until(look, f"message {number} to {to}")

    def wait_for_code(self, to: str) -> str:
        """Wait for the newest code that an address was sent: other mails may come before it, and after."""

        def look() -> str | None:
            codes = [mail["code"] for mail in self.mails(to) if mail["code"] is not None]
            return str(codes[-1]) if codes else None

        return wait_until(look, f"a code to {to}")

    def wait_for_link(self, to: str, path: str) -> str:
        """Wait for a mail with a link to a path, whatever other mails come.

        Args:
            to: The address.
            path: What the link has in it.

        Returns:
            The newest such link.
        """

        def look() -> str | None:
            links = [link for mail in self.mails(to) for link in mail["links"] if path in link]
            return str(links[-1]) if links else None

        return wait_until(look, f"a link to {path} to {to}")

    # FranceConnect

    @contextmanager
    def faults(self) -> Iterator[Callable[..., None]]:
        """Give a function that breaks the simulator (`idp/demo/franceconnect/faults.py` lists how).

        Yields:
            The function; what it broke is mended at the end of the block.
        """

        def break_it(**fault: object) -> None:
            _json(f"{self.franceconnect}/control", fault)

        try:
            yield break_it
        finally:
            _json(f"{self.franceconnect}/control", method="DELETE")

    # Accounts

    def new_account(
        self,
        email: str | None = None,
        *,
        identity: Mapping[str, str] = DECLARED,
        terms_version: str | None = None,
    ) -> str:
        """Write an account into the database, as sign-up leaves it: most journeys begin after that.

        Args:
            email: Its address; a new one when absent.
            identity: What its owner has declared.
            terms_version: What its owner has accepted; the version in force when absent.

        Returns:
            The address.
        """
        address = email or new_address()
        write_account(self.database, address, identity, terms_version)
        return address

    def last_lines(self) -> str:
        """Read the end of what the programs wrote."""
        return "\n".join(self.log.read_text(encoding="utf-8").splitlines()[-LAST_LINES:])

    def forget_tries(self) -> None:
        """Set every brake free: all the tests come from one network, and none may slow the next down."""
        with self.database.write() as connection:
            connection.execute(delete(throttle_counters))

    def idp(self, *arguments: str) -> str:
        """Run a command of the administrator on this demonstration.

        Args:
            arguments: After `idp`.

        Returns:
            What it printed.
        """
        # In this process: one of its own costs a second to start, and tests/cli and tests/operations have some.
        done = CliRunner().invoke(group, ["--config", str(self.folder / "config.toml"), *arguments])
        if done.exception is not None:
            raise RuntimeError(done.output) from done.exception
        return done.stdout


def write_account(
    database: Database,
    address: str,
    identity: Mapping[str, str] = DECLARED,
    terms_version: str | None = None,
) -> None:
    """Write an account into the database of a started provider, as sign-up leaves it.

    Args:
        database: The provider's, open.
        address: Of the account; its password is `PASSWORD`.
        identity: What its owner has declared.
        terms_version: What its owner has accepted; the version in force when absent.
    """
    now = datetime.now(UTC)  # noqa: TID251 - the programs of the demonstration read the machine's clock
    password_hash = hash_of(PASSWORD)
    with database.write() as connection:
        account = Account(
            account_id=new_id(now),
            email=address,
            state=AccountState.ACTIVE,
            password_is_generated=False,
            language="fr",
            terms_version=terms_version or terms.version_in_force(connection, now) or "",
            created_at=now - timedelta(days=1),
            last_sign_in_at=now - timedelta(days=1),
        )
        accounts.create(
            connection, account=account, email_canonical=canonical(address), password_hash=password_hash
        )
        declared = apply_declared({}, dict(identity), now)
        attributes.write(connection, account.account_id, {}, declared, changed_by="person", now=now)


def _json(address: str, body: object = None, *, method: str | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(address, data, {"Content-Type": "application/json"}, method=method)  # noqa: S310 - http, ours
    with urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - the same
        return json.load(answer)


@contextmanager
def run_demonstration(folder: Path) -> Iterator[Demonstration]:
    """Run the demonstration while the block runs, from its own command.

    Args:
        folder: Empty; its data and its log go there.

    Yields:
        The demonstration, ready.

    Raises:
        RuntimeError: It did not start; with its log.
    """
    port_base = free_ports()
    log = folder / "demo.log"
    command = [
        sys.executable,
        "-m",
        "idp.cli",
        "demo",
        "--port-base",
        str(port_base),
        "--data",
        str(folder / "data"),
    ]
    with ExitStack() as stack:
        written = stack.enter_context(log.open("w", encoding="utf-8"))
        process = subprocess.Popen(
            command,
            stdout=written,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        stack.callback(_stop, process)
        database = open_database(f"sqlite:///{folder / 'data' / 'idp.db'}")
        stack.callback(database.dispose)
        demonstration = Demonstration(port_base, folder / "data", database)
        _wait_until_ready(demonstration, process, log)
        yield demonstration


def _wait_until_ready(demonstration: Demonstration, process: subprocess.Popen[bytes], log: Path) -> None:
    waiting = [f"{demonstration.provider}/readyz", *(f"{origin}/" for origin in demonstration.origins[1:])]

    def look() -> bool | None:
        if process.poll() is not None:
            raise RuntimeError(f"idp demo ended:\n{log.read_text(encoding='utf-8')}")
        while waiting and _answers(waiting[-1]):
            waiting.pop()
        return None if waiting else True

    try:
        wait_until(look, "the demonstration", STARTING_SECONDS)
    except TimeoutError:
        raise RuntimeError(f"no answer at {waiting}:\n{log.read_text(encoding='utf-8')}") from None


def _answers(address: str) -> bool:
    try:
        with urlopen(address, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - http, ours
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End it as Ctrl-C does; what does not end by then is ended with all that it started."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def free_ports() -> int:
    """Find neighbouring ports that nothing listens on; each process of a test run looks elsewhere first."""
    for attempt in range(PLACES_FOR_DEMONSTRATIONS):
        place = (os.getpid() + attempt) % PLACES_FOR_DEMONSTRATIONS
        base = FIRST_PORT + place * PORTS_OF_ONE_DEMONSTRATION
        if all(is_free(base + offset) for offset in range(PORTS_OF_ONE_DEMONSTRATION)):
            return base
    raise RuntimeError("no neighbouring ports are free")
