"""Where a service hears of what happened to its people at Mon Paris (RFC 8935): an erased account, a changed answer.

Any service may have such an address. What it does with an event is its own; each is done once, and
acknowledged as often as it comes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus
from threading import Lock

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from idp.demo.outcomes import AnswerRejected, ProviderUnavailable, SecurityEvent
from idp.demo.relying_party import RelyingParty

_LOG = logging.getLogger(__name__)

EVENTS = "/evenements"
MEDIA_TYPE = "application/secevent+jwt"
#: An event is a few hundred bytes.
MAX_EVENT_BYTES = 16_384

ACCOUNT_PURGED = "https://schemas.openid.net/secevent/risc/event-type/account-purged"

Handler = Callable[[SecurityEvent], None]


def purpose_changed(issuer: str) -> str:
    """Name the event of a changed answer, which is Mon Paris's own."""
    return f"{issuer.rstrip('/')}/events/purpose-changed"


class EventReceiver:
    """The address for security events, as a route on the application of a service.

    Args:
        app: Of the service.
        relying_party: Checks events.
        handlers: What to do, by the URI of the event's type; another event is acknowledged, and changes nothing.
    """

    def __init__(self, app: Flask, relying_party: RelyingParty, handlers: Mapping[str, Handler]) -> None:
        self._relying_party = relying_party
        self._handlers = handlers
        self._lock = Lock()
        self._done: set[str] = set()
        app.add_url_rule(EVENTS, "security_event", self.receive, methods=["POST"])

    def receive(self) -> ResponseReturnValue:
        """Take one event (RFC 8935 sections 2.2 and 2.3)."""
        body = request.stream.read(MAX_EVENT_BYTES + 1)
        if request.mimetype != MEDIA_TYPE or len(body) > MAX_EVENT_BYTES:
            return _refusal("invalid_request")
        try:
            event = self._relying_party.check_event_token(body.decode(errors="replace"))
        except AnswerRejected as error:
            _LOG.info("security event refused: %s", error)
            return _refusal(error.err)
        except ProviderUnavailable:
            return jsonify(error="temporarily_unavailable"), HTTPStatus.SERVICE_UNAVAILABLE
        self._do(event)
        return Response(status=HTTPStatus.ACCEPTED)

    def _do(self, event: SecurityEvent) -> None:
        """Act on an event that was not acted on; what fails is told again, and tried again."""
        handler = self._handlers.get(event.kind)
        with self._lock:
            if handler is None or event.jti in self._done:
                return
            handler(event)
            self._done.add(event.jti)


def _refusal(err: str) -> ResponseReturnValue:
    description = "The event was not accepted."
    return jsonify(err=err, description=description), HTTPStatus.BAD_REQUEST
