"""A started provider as administrators and client libraries meet it: commands, a socket, a person with a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from idp.storage.engine import Database, open_database
from tests.support.demonstration import new_address, new_number, write_account
from tests.support.plain_browser import PlainBrowser
from tests.support.running import RunningProvider, running_provider

CALLBACK = "https://parking.example.org/callback"
BYE = "https://parking.example.org/bye"
_REASON = {"fr": "Pour le service.", "en": "For the service."}
USUAL: dict[str, Any] = {
    "redirect_uris": [CALLBACK],
    "post_logout_redirect_uris": [BYE],
    "scopes": ["openid", "email", "profile", "offline_access"],
    "grant_types": ["authorization_code", "refresh_token"],
    "claims": [
        {"name": "email", "reason": _REASON, "required": True},
        {"name": "given_name", "reason": _REASON},
    ],
}


@dataclass(frozen=True)
class Registered:
    """A service as `idp clients create` shows it, once."""

    client_id: str
    secret: str


@dataclass
class Started:
    """A provider that serves, and what an administrator does to it.

    Attributes:
        running: The processes.
        database: Theirs, open.
        folder: For files of the administrator.
    """

    running: RunningProvider
    database: Database
    folder: Path

    @property
    def issuer(self) -> str:
        """Its identifier."""
        return f"http://localhost:{self.running.port}"

    def discovery(self) -> dict[str, Any]:
        """Read what it says of itself."""
        with urlopen(f"{self.issuer}/.well-known/openid-configuration", timeout=60) as answer:  # noqa: S310 - http, ours
            found: dict[str, Any] = json.load(answer)
        return found

    def register(self, **attributes: Any) -> Registered:
        """Register a service by `idp clients create --file`.

        Args:
            attributes: Of `Client`, beside the usual ones; None takes a usual one away.
        """
        number = new_number()
        file = self.folder / f"service-{number}.toml"
        wanted = {"name": f"Service {number}", **USUAL, **attributes}
        file.write_text("".join(f"{key} = {toml(value)}\n" for key, value in wanted.items()))
        shown = json.loads(self.command("clients", "create", "--file", str(file), "--json"))
        return Registered(shown["client_id"], shown.get("client_secret", ""))

    def command(self, *arguments: str) -> str:
        """Run a command of the administrator.

        Args:
            arguments: After `idp`.

        Returns:
            What it printed.
        """
        done = self.running.idp(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def a_person(self) -> str:
        """Write an account; gives its address."""
        address = new_address()
        write_account(self.database, address)
        return address

    def browser(self) -> PlainBrowser:
        """Open a browser with no cookie."""
        return PlainBrowser(self.issuer)

    def visit(self, request: str) -> dict[str, str]:
        """Let somebody new do what an authorization request asks; gives the answer that the service gets.

        Args:
            request: Address of the request.
        """
        return self.browser().go_through(request, self.a_person()).answer


def toml(value: object) -> str:
    """Write a value as TOML does: as JSON, but for tables."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(member) for member in value) + "]"
    return json.dumps(value)


@contextmanager
def started_provider(folder: Path, **sections: dict[str, Any]) -> Iterator[Started]:
    """Run a provider on SQLite while the block runs.

    Args:
        folder: Empty.
        sections: Settings that differ, by section.

    Yields:
        It, ready.
    """
    url = f"sqlite:///{folder}/idp.db"
    with running_provider(folder, url, **sections) as running:
        database = open_database(url)
        try:
            yield Started(running, database, folder)
        finally:
            database.dispose()
