"""A purpose that a service asks a yes or no for, and what was kept of answers (CON-3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from sqlalchemy import select

from idp.domain.purposes import Purpose
from idp.services.authorization.purposes import choose
from idp.services.logout.security_events import opened
from idp.storage.models import ledger_entries, outbox
from idp.storage.repositories.event_deliveries import KIND

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from idp.services.context import Context
    from idp.services.logout.security_events import EventNotice
    from tests.support.provider import Provider, Service

MOBILE = Purpose(
    name="mobile_providers",
    version="1",
    title={"fr": "Payer par une application", "en": "Pay with an app"},
    yes={"fr": "J’autorise la transmission.", "en": "I allow the transmission."},
    no={"fr": "Je n’autorise pas la transmission.", "en": "I do not allow the transmission."},
    recipients=("PayByPhone", "EasyPark"),
)
SURVEYS = Purpose("surveys", "3", {"fr": "Enquêtes"}, {"fr": "Oui."}, {"fr": "Non."})
EVENTS = "https://parking.example.org/events"


def proofs(context: Context) -> list[Any]:
    """Read the entries of the ledger about purposes, the oldest first."""
    statement = (
        select(ledger_entries).where(ledger_entries.c.matter == "purpose").order_by(ledger_entries.c.sequence)
    )
    with context.database.read() as connection:
        return list(connection.execute(statement))


def events_waiting(context: Context) -> list[EventNotice]:
    """Open every security event that waits, by the name of its purpose."""
    statement = select(outbox.c.message_id, outbox.c.payload).where(outbox.c.kind == KIND)
    with context.database.read() as connection:
        rows = connection.execute(statement).all()
    notices = [opened(context.sealer, *row) for row in rows]
    return sorted(notices, key=lambda notice: str(notice.payload.get("purpose")))


@dataclass(frozen=True)
class Session:
    """A person who is at a service, which holds a token of theirs.

    Attributes:
        provider: Of the token.
        service: Whose token it is.
        account: About whom.
        browser: Theirs.
        tokens: The answer of /token.
    """

    provider: Provider
    service: Service
    account: Account
    browser: FlaskClient
    tokens: dict[str, Any]

    @property
    def bearer(self) -> dict[str, str]:
        """The header that presents the token."""
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}

    def listed(self) -> TestResponse:
        """Ask what the service asks, and what was answered."""
        return self.provider.back_channel.get("/api/purposes", headers=self.bearer)

    def put(self, name: str = MOBILE.name, body: object = None, **members: object) -> TestResponse:
        """Bring an answer: a yes to the present wording, with changes; or any body."""
        usual: dict[str, object] = {"answer": True, "version": "1"}
        sent = usual | members if body is None else body
        return self.provider.back_channel.put(f"/api/purposes/{name}", json=sent, headers=self.bearer)

    def answer(self, channel: str = "account", **choices: bool) -> None:
        """Answer on our own page."""
        choose(
            self.provider.context,
            self.account.account_id,
            self.service.client_id,
            choices,
            versions={one.name: one.version for one in self.service.client.purposes},
            language="fr",
            channel=channel,
        )

    def claim(self) -> Any:
        """Give the `purposes` claim of UserInfo; None when there is none."""
        answer = self.provider.userinfo(self.tokens["access_token"])
        assert answer.status_code == 200, answer.text
        return (answer.json or {}).get("purposes")


def a_session(provider: Provider, *, token: dict[str, str] | None = None, **fields: Any) -> Session:
    """Sign somebody in to a new service that asks two questions, without an answer to either.

    Args:
        provider: Which.
        token: Parameters of the authorization request that differ.
        fields: Attributes of the client that differ.
    """
    account = provider.an_account()
    browser = provider.signed_in(account)
    service = provider.a_client(**fields)
    tokens = provider.tokens(browser, service, **(token or {}))
    # Declared afterwards, so that the way to the token asks nothing.
    asking = provider.change(service, purposes=(MOBILE, SURVEYS))
    return Session(provider, asking, account, browser, tokens)


def payload(token: str) -> dict[str, Any]:
    """Read the claims of a token without a check."""
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims
