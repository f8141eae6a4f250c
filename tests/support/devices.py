"""A device without a keyboard, and the person who answers it in a browser elsewhere (RFC 8628)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.support.pages import send

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass(frozen=True, slots=True)
class Device:
    """A device that waits for its person.

    Attributes:
        provider: Whom it asks.
        service: The client that it runs.
        answer: What it was given.
    """

    provider: Provider
    service: Service
    answer: dict[str, Any]

    @property
    def user_code(self) -> str:
        """What it shows."""
        return str(self.answer["user_code"])

    def polls(self, service: Service | None = None, **changes: str | None) -> TestResponse:
        """Ask for tokens.

        Args:
            service: Another client that has got hold of the code.
            changes: Fields that differ; None takes one away.
        """
        fields: dict[str, str | None] = {"grant_type": GRANT_TYPE, "device_code": self.answer["device_code"]}
        return self.provider.post("/token", service or self.service, **(fields | changes))

    def waits(self) -> None:
        """Let the time pass that it was told to wait."""
        self.provider.clock.advance(seconds=self.answer["interval"])

    def is_answered(self, decision: str = "allow", browser: FlaskClient | None = None) -> TestResponse:
        """Have somebody type the code and answer the question of consent.

        Args:
            decision: "allow" or "deny".
            browser: Where; signed in already. Else somebody new.
        """
        person = browser or self.provider.signed_in()
        asked = send(person, "/device", {"user_code": self.user_code})
        assert asked.location.startswith("/consent?"), asked.location
        return self.provider.consent(person, asked.location, decision)


def a_device(provider: Provider, service: Service | None = None, **asked: str) -> Device:
    """Let a device ask for its codes.

    Args:
        provider: Whom it asks.
        service: The client that it runs; else a new one without a secret.
        asked: Parameters.
    """
    runs = service or provider.a_client(is_public=True, redirect_uris=())
    answer = provider.post("/device_authorization", runs, **({"scope": "openid"} | asked))
    assert answer.status_code == 200, answer.text
    return Device(provider, runs, answer.json or {})
