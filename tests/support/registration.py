"""Clients that register themselves, and what they send."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from idp.outbound.http import Answer, Failure, Unreachable
from idp.services.clients import initial_access
from idp.storage.engine import open_database
from tests.support.clock import SettableClock
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from werkzeug.test import TestResponse

    from idp.storage.engine import Database
    from tests.support.databases import Databases
    from tests.support.provider import Provider

CALLBACK = "https://app.example.org/callback"
OPEN = {"mode": "open"}
EC_KEY = {"kty": "EC", "crv": "P-256", "x": "x" * 43, "y": "y" * 43, "kid": "1"}
RSA_KEY = {"kty": "RSA", "n": "n" * 342, "e": "AQAB", "kid": "2"}


def metadata(**changes: object) -> dict[str, Any]:
    """Give the JSON of a registration that passes, with changes; None stays a null."""
    usual: dict[str, Any] = {"client_name": "Une application", "redirect_uris": [CALLBACK]}
    return usual | changes


@dataclass
class Registrar:
    """Speaks to the registration endpoints of a provider.

    Attributes:
        provider: Whose registration is on.
        token: Sent where a test names none.
    """

    provider: Provider
    token: str | None = None

    def send(
        self, members: object, *, token: str | None = None, path: str = "/register", method: str = "POST"
    ) -> TestResponse:
        """Send JSON, with a bearer token if there is one."""
        headers = bearer(token or self.token)
        return self.provider.back_channel.open(path, method=method, json=members, headers=headers)

    def register(self, token: str | None = None, **changes: object) -> dict[str, Any]:
        """Register a client that passes, and give the answer."""
        answer = self.send(metadata(**changes), token=token)
        assert answer.status_code == 201, answer.text
        body: dict[str, Any] = answer.json or {}
        return body

    def read(self, client: Mapping[str, Any], token: str | None = None) -> TestResponse:
        """Ask what is registered."""
        return self._manage("GET", client, token)

    def delete(self, client: Mapping[str, Any], token: str | None = None) -> TestResponse:
        """Take the registration back."""
        return self._manage("DELETE", client, token)

    def replace(self, client: Mapping[str, Any], members: object, token: str | None = None) -> TestResponse:
        """Send other metadata in place of those that are registered."""
        return self.send(
            members,
            token=token or client["registration_access_token"],
            path=f"/register/{client['client_id']}",
            method="PUT",
        )

    def initial_token(self, *, uses: int | None = 1, days: int = 1) -> str:
        """Make a token that opens the endpoint, as an administrator does."""
        made = initial_access.make(
            self.provider.context, "Un essai", uses=uses, lifetime=timedelta(days=days)
        )
        return made.token

    def _manage(self, method: str, client: Mapping[str, Any], token: str | None) -> TestResponse:
        headers = bearer(token or client["registration_access_token"])
        return self.provider.back_channel.open(
            f"/register/{client['client_id']}", method=method, headers=headers
        )


@dataclass
class Elsewhere:
    """Answers for other servers: the Internet of a test."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        total: timedelta | None = None,
    ) -> Answer:
        """Give the answer that the test wrote for an address."""
        del method, headers, body, total
        self.asked.append(url)
        if url not in self.answers:
            raise Unreachable(Failure.NAME_UNKNOWN)
        return self.answers[url]

    def says(self, url: str, body: bytes, status: int = 200) -> None:
        """Write an answer."""
        self.answers[url] = Answer(status, {"content-type": "application/json"}, body)


@contextmanager
def a_lasting_registrar(databases: Databases) -> Iterator[Registrar]:
    """Build a provider for many tests, on SQLite; its token has no end, so that nobody is slowed down."""
    with databases.new("sqlite") as url:
        database = open_database(url)
        registrar = a_registrar(database, SettableClock(), mode="token", legacy_response_types=True)
        registrar.token = registrar.initial_token(uses=None)
        yield registrar
        database.dispose()


def a_registrar(database: Database, clock: SettableClock, **policy: object) -> Registrar:
    """Build a provider whose registration is on, open unless said otherwise."""
    return Registrar(a_provider(database, clock, registration=OPEN | policy))


@contextmanager
def elsewhere(registrar: Registrar) -> Iterator[Elsewhere]:
    """Let a provider meet the answers of a test instead of other servers."""
    internet = Elsewhere()
    site = registrar.provider.app.extensions["idp"]
    before = site.context
    registrar.provider.app.extensions["idp"] = replace(site, context=replace(before, http=internet))
    try:
        yield internet
    finally:
        registrar.provider.app.extensions["idp"] = site


def bearer(token: str | None) -> dict[str, str]:
    """Write the header of a token."""
    return {} if token is None else {"Authorization": f"Bearer {token}"}
