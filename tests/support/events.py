"""A service's address for security events, and what was kept of what it was told (RFC 8935)."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from idp.outbound.http import GuardedHTTPClient, Limits
from idp.services.delivery import ParallelDelivery
from idp.services.logout.security_events import EventCourier, EventNotice, announce
from idp.storage.models import event_deliveries

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from idp.services.context import Context
    from tests.support.provider import Provider, Service

PURGED = "https://schemas.openid.net/secevent/risc/event-type/account-purged"
PATIENCE = 10.0


@dataclass
class EventReceiver:
    """Keeps what came, and answers as it is told.

    Attributes:
        status: What it answers.
        refusal: The JSON of a refusal; None for an empty body.
        release: What it waits for before it answers; nothing when set.
        requests: Of each request, its headers that matter and its body.
    """

    status: str = "202 Accepted"
    refusal: Any = None
    release: threading.Event = field(default_factory=threading.Event)
    requests: list[tuple[dict[str, str], str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Answer at once, until told otherwise."""
        self.release.set()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        """Take a request."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        headers = {
            "method": environ["REQUEST_METHOD"],
            "content_type": environ["CONTENT_TYPE"],
            "accept": environ["HTTP_ACCEPT"],
        }
        self.requests.append((headers, body))
        self.release.wait(PATIENCE)
        answer = b"" if self.refusal is None else json.dumps(self.refusal).encode()
        start(self.status, [("Content-Length", str(len(answer))), ("Location", "http://127.0.0.1/")])
        return [answer]

    @property
    def tokens(self) -> list[str]:
        """Give the tokens that came."""
        return [body for _, body in self.requests]


@dataclass(frozen=True)
class Told:
    """What is kept of an event."""

    client_id: str
    event: str
    is_acknowledged: bool
    is_given_up: bool


def reaching_this_machine(provider: Provider) -> Provider:
    """Let a provider send to this machine, without patience."""
    limits = Limits(read=timedelta(seconds=1), total=timedelta(seconds=1))
    http = GuardedHTTPClient(limits, allow_private_networks=True)
    provider.context = replace(provider.context, http=http)
    return provider


def tell(provider: Provider, service: Service, event: str = PURGED, **payload: Any) -> EventNotice:
    """Queue an event for a service."""
    context, now = provider.context, provider.clock()
    notice = EventNotice(service.client_id, "somebody", event, payload, int(now.timestamp()))
    with context.database.write() as connection:
        announce(connection, [notice], sealer=context.sealer, now=now)
    return notice


def deliver(context: Context) -> int:
    """Push what is due, and wait for it."""
    delivery = ParallelDelivery(context, EventCourier())
    try:
        return delivery.deliver_due()
    finally:
        delivery.close()


def told(context: Context) -> list[Told]:
    """List what is kept of events, the oldest first."""
    columns = event_deliveries.c
    statement = select(columns.client_id, columns.event, columns.acknowledged_at, columns.given_up_at)
    with context.database.read() as connection:
        rows = connection.execute(statement.order_by(columns.message_id)).all()
    return [
        Told(client_id, event, taken is not None, given_up is not None)
        for client_id, event, taken, given_up in rows
    ]
