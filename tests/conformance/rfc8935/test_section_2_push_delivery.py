"""RFC 8935 section 2: events are pushed until they are acknowledged, and the acknowledgement is kept."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import jwt
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey
from sqlalchemy import select, update

from idp.cli.server.delivery import work_events
from idp.domain.client import Encryption
from idp.outbound.http import GuardedHTTPClient
from idp.services.operations import dead_letters
from idp.storage.models import outbox
from idp.storage.repositories import clients
from idp.storage.repositories.outbox import counts
from tests.support.events import PATIENCE, PURGED, EventReceiver, Told, deliver, tell, told
from tests.support.server import free_port

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

    from idp.services.context import Context
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

pytestmark = pytest.mark.rule("LIF-4")

AWAY = ["500 Oops", "502 Bad Gateway", "503 Not now", "408 Request Timeout", "429 Too Many"]
NO = ["401 No", "403 No", "404 Nowhere", "410 Gone", "302 Found", "307 Elsewhere"]


def waiting(context: Context) -> dict[str, int]:
    """Count what waits and what was given up."""
    with context.database.read() as connection:
        return counts(connection)


def last_errors(context: Context) -> list[str | None]:
    """Say what was wrong last with each event."""
    with context.database.read() as connection:
        return list(connection.scalars(select(outbox.c.last_error)))


def kept(service: Service, *, taken: bool = False, given_up: bool = False) -> list[Told]:
    """Write what should be kept of the only event."""
    return [Told(service.client_id, PURGED, taken, given_up)]


@pytest.mark.spec("RFC 8935", "2.1", "MUST")
def test_event_is_posted_as_a_signed_token(
    provider: Provider, service: Service, receiver: EventReceiver
) -> None:
    """The body is the token, verified with the published key; nothing else goes along."""
    notice = tell(provider, service, reason="test")

    deliver(provider.context)

    ((headers, token),) = receiver.requests
    assert headers == {
        "method": "POST",
        "content_type": "application/secevent+jwt",
        "accept": "application/json",
    }
    header = jwt.get_unverified_header(token)
    key = provider.context.keys.keyring().public_keys()[header["kid"]]
    claims = jwt.decode(token, key, ["ES256"], audience=service.client_id, issuer=provider.context.issuer)
    assert header["typ"] == "secevent+jwt"
    assert claims["sub_id"]["sub"] == notice.subject
    assert claims["events"] == {PURGED: {"reason": "test"}}


@pytest.mark.spec("RFC 8417", "2", "MAY")
def test_token_is_signed_as_the_clients_id_tokens(
    provider: Provider, receiver: EventReceiver, serve: Callable[[WSGIApplication], str]
) -> None:
    """With the algorithm that it registered."""
    tell(
        provider,
        provider.a_client(events_uri=serve(receiver), id_token_signed_response_alg="RS256"),
    )

    deliver(provider.context)

    assert jwt.get_unverified_header(receiver.tokens[0])["alg"] == "RS256"


@pytest.mark.spec("RFC 8935", "5.2", "MUST")
def test_token_is_encrypted_where_id_tokens_are(
    provider: Provider, receiver: EventReceiver, serve: Callable[[WSGIApplication], str]
) -> None:
    """What a service registered for what is about people holds here too."""
    key = ECKey.generate_key("P-256")
    public = key.as_dict(private=False) | {"use": "enc", "alg": "ECDH-ES", "kid": "enc-1"}
    service = provider.a_client(
        events_uri=serve(receiver), id_token_encryption=Encryption("ECDH-ES"), jwks={"keys": [public]}
    )
    tell(provider, service)

    deliver(provider.context)

    nested = jwe.decrypt_compact(receiver.tokens[0], key).plaintext
    assert nested is not None
    assert jwt.get_unverified_header(nested.decode())["typ"] == "secevent+jwt"


@pytest.mark.spec("RFC 8935", "2.2", "SHALL")
def test_acknowledgement_is_kept_and_what_was_told_is_forgotten(
    provider: Provider, service: Service, receiver: EventReceiver
) -> None:
    """The service, the type and the moment; of the person nothing remains."""
    tell(provider, service)

    deliver(provider.context)

    assert told(provider.context) == kept(service, taken=True)
    assert waiting(provider.context) == {"waiting": 0, "dead": 0}
    with provider.context.database.read() as connection:
        assert connection.scalar(select(outbox.c.payload)) == ""
    assert len(receiver.requests) == 1


@pytest.mark.spec("RFC 8935", "2.2", "SHALL")
@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "201 Created"])
def test_other_success_is_no_acknowledgement(
    provider: Provider, service: Service, receiver: EventReceiver, status: str
) -> None:
    """A page that answers 200 to anything proves nothing."""
    receiver.status = status
    tell(provider, service)

    deliver(provider.context)

    assert told(provider.context) == kept(service, given_up=True)
    assert last_errors(provider.context) == [f"the service answered {status[:3]}"]


@pytest.mark.spec("RFC 8935", "2.3", "MUST")
@pytest.mark.parametrize("code", ["invalid_request", "invalid_issuer", "invalid_audience", "access_denied"])
def test_refusal_is_given_up_with_its_reason(
    provider: Provider, service: Service, receiver: EventReceiver, code: str
) -> None:
    """The code is kept, of which there are six; what describes it may name somebody, and is not."""
    receiver.status, receiver.refusal = "400 No", {"err": code, "description": "zoe@example.fr"}
    tell(provider, service)

    deliver(provider.context)

    assert told(provider.context) == kept(service, given_up=True)
    assert waiting(provider.context) == {"waiting": 0, "dead": 1}
    (letter,) = dead_letters.listed(provider.context, dead_only=True, limit=10)
    assert (letter["kind"], letter["last_error"]) == ("event", f"the service refused: {code}")


@pytest.mark.spec("RFC 8935", "2.4", "MAY")
@pytest.mark.parametrize("code", ["invalid_key", "authentication_failed"])
def test_refusal_that_may_pass_is_tried_again(
    provider: Provider, service: Service, receiver: EventReceiver, clock: SettableClock, code: str
) -> None:
    """A service that has not read our new keys yet reads them in the meantime."""
    receiver.status, receiver.refusal = "400 No", {"err": code}
    tell(provider, service)
    deliver(provider.context)
    assert told(provider.context) == kept(service)
    receiver.status, receiver.refusal = "202 Accepted", None
    clock.advance(minutes=1)

    deliver(provider.context)

    assert told(provider.context) == kept(service, taken=True)


@pytest.mark.spec("RFC 8935", "2.3", "MUST")
@pytest.mark.parametrize(
    "refusal", [None, [], {}, {"err": 1}, {"err": "zoe@example.fr"}, "invalid_key"], ids=str
)
def test_refusal_that_can_not_be_read_is_given_up(
    provider: Provider, service: Service, receiver: EventReceiver, refusal: object
) -> None:
    """Nothing of it is kept."""
    receiver.status, receiver.refusal = "400 No", refusal
    tell(provider, service)

    deliver(provider.context)

    assert last_errors(provider.context) == ["the service answered 400"]
    assert told(provider.context) == kept(service, given_up=True)


@pytest.mark.spec("RFC 8935", "2.3", "MAY")
@pytest.mark.parametrize("status", NO)
def test_other_refusal_and_redirect_are_given_up(
    provider: Provider, service: Service, receiver: EventReceiver, status: str
) -> None:
    """Nobody is followed to an address that is not registered; `idp outbox retry` sends it again."""
    receiver.status = status
    tell(provider, service)
    deliver(provider.context)
    assert told(provider.context) == kept(service, given_up=True)
    receiver.status = "202 Accepted"

    dead_letters.retry(provider.context, None)
    deliver(provider.context)

    assert told(provider.context) == kept(service, taken=True)


@pytest.mark.spec("RFC 8935", "2", "MAY")
@pytest.mark.parametrize("status", AWAY)
def test_service_that_says_later_gets_the_same_event_again(
    provider: Provider, service: Service, receiver: EventReceiver, clock: SettableClock, status: str
) -> None:
    """With the same `jti` and the same date, by which it knows what it took already."""
    receiver.status = status
    tell(provider, service)
    deliver(provider.context)
    assert last_errors(provider.context) == [f"the service answered {status[:3]}"]
    receiver.status = "202 Accepted"
    assert deliver(provider.context) == 0
    clock.advance(minutes=3)

    deliver(provider.context)

    first, second = (jwt.decode(token, options={"verify_signature": False}) for token in receiver.tokens)
    assert first == second
    assert told(provider.context) == kept(service, taken=True)


@pytest.mark.spec("RFC 8935", "2", "MAY")
def test_service_that_hangs_is_told_later(
    provider: Provider, service: Service, receiver: EventReceiver, clock: SettableClock
) -> None:
    """No answer in time is no answer."""
    receiver.release.clear()
    tell(provider, service)
    deliver(provider.context)
    assert told(provider.context) == kept(service)
    receiver.release.set()
    clock.advance(minutes=3)

    deliver(provider.context)

    assert told(provider.context) == kept(service, taken=True)


@pytest.mark.spec("RFC 8935", "2", "MAY")
def test_service_that_stays_away_is_given_up_after_a_month(provider: Provider, clock: SettableClock) -> None:
    """Nobody listens: tried with growing delays, then shown to the administrator."""
    service = provider.a_client(events_uri=f"http://localhost:{free_port()}")
    tell(provider, service)

    tried = 0
    for _ in range(7):
        tried += deliver(provider.context)
        clock.advance(days=5)

    assert tried >= 6
    assert told(provider.context) == kept(service, given_up=True)
    assert waiting(provider.context) == {"waiting": 0, "dead": 1}


@pytest.mark.spec("RFC 8935", "5.1", "MUST")
def test_event_is_not_sent_in_clear_to_the_outside(provider: Provider) -> None:
    """Plain http is spoken to this machine alone."""
    strict = replace(provider.context, http=GuardedHTTPClient())
    service = provider.a_client(events_uri="http://parking.example.org/events")
    tell(provider, service)

    deliver(strict)

    assert told(provider.context) == kept(service, given_up=True)
    assert last_errors(provider.context) == ["url_refused: parking.example.org"]


@pytest.mark.spec("RFC 8935", "2", "MAY")
@pytest.mark.parametrize("what", ["without an address", "deleted"])
def test_service_that_is_gone_by_then_is_not_told(
    provider: Provider, service: Service, receiver: EventReceiver, what: str
) -> None:
    """Nothing waits; that it was never taken is kept."""
    tell(provider, service)
    if what == "deleted":
        with provider.context.database.write() as connection:
            clients.remove(connection, service.client_id)
    else:
        provider.change(service, events_uri=None)

    deliver(provider.context)

    assert receiver.requests == []
    assert waiting(provider.context) == {"waiting": 0, "dead": 0}
    assert told(provider.context) == kept(service, given_up=True)


@pytest.mark.spec("RFC 8935", "2", "MAY")
def test_service_that_is_switched_off_is_told_all_the_same(
    provider: Provider, service: Service, clock: SettableClock
) -> None:
    """It may hold data that must go."""
    provider.change(service, disabled_at=clock())
    tell(provider, service)

    deliver(provider.context)

    assert told(provider.context) == kept(service, taken=True)


@pytest.mark.spec("RFC 8935", "5.2", "SHOULD")
def test_event_waits_encrypted_and_is_given_up_when_altered(
    provider: Provider, service: Service, receiver: EventReceiver
) -> None:
    """Whose event it was is nobody's business; what was altered is never sent."""
    notice = tell(provider, service)
    with provider.context.database.write() as connection:
        payload = str(connection.scalar(select(outbox.c.payload)))
        assert notice.subject not in payload
        connection.execute(update(outbox).values(payload=payload[:-4] + "AAAA"))

    deliver(provider.context)

    assert receiver.requests == []
    assert told(provider.context) == kept(service, given_up=True)


@pytest.mark.spec("RFC 8935", "2", "MAY")
def test_worker_pushes_events_until_it_is_stopped(
    provider: Provider, service: Service, receiver: EventReceiver
) -> None:
    """By a thread of its own, beside mails and logouts."""
    stop = threading.Event()
    worker = threading.Thread(target=work_events, args=(provider.context, stop))
    worker.start()
    try:
        tell(provider, service)
        end = time.monotonic() + PATIENCE
        while told(provider.context) != kept(service, taken=True):
            assert time.monotonic() < end, "it never came"
            time.sleep(0.05)
    finally:
        stop.set()
        worker.join()

    assert len(receiver.requests) == 1
