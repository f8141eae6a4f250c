"""Logout tokens reach services at least once, whatever one of them does (Back-Channel Logout 2.5 to 2.8; S-367)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jwt
import pytest
from joserfc import jwe
from joserfc.jwk import ECKey
from sqlalchemy import select

from idp.cli.server.delivery import work_logouts
from idp.domain.client import Encryption
from idp.outbound.http import GuardedHTTPClient, Limits
from idp.services.delivery import ParallelDelivery
from idp.services.logout.back_channel import LogoutCourier
from idp.services.operations import dead_letters
from idp.services.sign_in import sessions
from idp.services.sign_in.wire_session import wire_session_id
from idp.storage.models import outbox
from idp.storage.repositories.outbox import counts
from tests.support.server import free_port

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from idp.services.context import Context
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

pytestmark = pytest.mark.rule("OID-6")

EVENT = "http://schemas.openid.net/event/backchannel-logout"
PATIENCE = 10.0


@dataclass
class Receiver:
    """A service's address: keeps what came, and answers as it is told.

    Attributes:
        status: What it answers.
        release: What it waits for before it does; nothing when set.
        requests: Media type and fields of each request.
        most_at_once: How many requests were there together.
    """

    status: str = "200 OK"
    release: Event = field(default_factory=Event)
    requests: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)
    most_at_once: int = 0
    _present: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Answer at once, until told otherwise."""
        self.release.set()

    def __call__(self, environ: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        """Take a request."""
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)).decode()
        with self._lock:
            self._present += 1
            self.most_at_once = max(self.most_at_once, self._present)
            self.requests.append((environ["CONTENT_TYPE"], parse_qs(body)))
        self.release.wait(PATIENCE)
        with self._lock:
            self._present -= 1
        start(self.status, [("Content-Length", "0"), ("Location", "http://127.0.0.1/")])
        return [b""]

    @property
    def tokens(self) -> list[str]:
        """Give the logout tokens that came."""
        return [fields["logout_token"][0] for _, fields in self.requests]


@pytest.fixture
def provider(provider: Provider) -> Provider:
    """The provider, which may send to this machine and is not patient."""
    limits = Limits(read=timedelta(seconds=1), total=timedelta(seconds=1))
    http = GuardedHTTPClient(limits, allow_private_networks=True)
    provider.context = replace(provider.context, http=http)
    return provider


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A service's address; whatever hangs there is released in the end."""
    made = Receiver()
    yield made
    made.release.set()


def a_service(provider: Provider, origin: str, **fields: Any) -> Service:
    """Register a service that wants to be told at an origin."""
    return provider.a_client(backchannel_logout_uri=f"{origin}/told?registered=1", **fields)


def leave(provider: Provider, *services: Service) -> dict[str, Any]:
    """Have somebody use services and sign out; gives back the last ID token."""
    person = provider.an_account()
    browser = provider.signed_in(person)
    id_token = ""
    for service in services:
        id_token = provider.tokens(browser, service)["id_token"]
    sessions.end_others(provider.context, person.account_id, but=None)
    if id_token.count(".") != 2:
        return {}
    claims: dict[str, Any] = jwt.decode(id_token, options={"verify_signature": False})
    return claims


@contextmanager
def delivering(context: Context) -> Iterator[ParallelDelivery]:
    """Give a pool; what is under way is finished at the end of the block."""
    delivery = ParallelDelivery(context, LogoutCourier())
    try:
        yield delivery
    finally:
        delivery.close()


def deliver(context: Context) -> int:
    """Deliver what is due, and wait for it."""
    with delivering(context) as delivery:
        return delivery.deliver_due()


def waiting(context: Context) -> dict[str, int]:
    """Count what waits and what was given up."""
    with context.database.read() as connection:
        return counts(connection)


def last_errors(context: Context) -> list[str | None]:
    """Say what was wrong last with each notice."""
    with context.database.read() as connection:
        return list(connection.scalars(select(outbox.c.last_error)))


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something has happened in another thread."""
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


@pytest.mark.spec("Back-Channel Logout", "2.4", "REQUIRED")
def test_logout_token_says_who_and_which_session_and_nothing_else(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str]
) -> None:
    """Type, issuer, audience, subject and session as in the ID token, two minutes, one event, no nonce."""
    service = a_service(provider, serve(receiver))
    id_token = leave(provider, service)

    assert deliver(provider.context) == 1

    ((media_type, fields),) = receiver.requests
    assert media_type == "application/x-www-form-urlencoded"
    assert set(fields) == {"logout_token"}
    (token,) = receiver.tokens
    header = jwt.get_unverified_header(token)
    key = provider.context.keys.keyring().public_keys()[header["kid"]]
    claims = jwt.decode(token, key, ["ES256"], options={"verify_aud": False, "verify_exp": False})
    assert header["typ"] == "logout+jwt"
    now = int(provider.clock().timestamp())
    assert {name: value for name, value in claims.items() if name != "jti"} == {
        "iss": provider.context.issuer,
        "aud": service.client_id,
        "sub": id_token["sub"],
        "sid": id_token["sid"],
        "iat": now,
        "exp": now + 120,
        "events": {EVENT: {}},
    }
    assert claims["jti"]
    assert waiting(provider.context) == {"waiting": 0, "dead": 0}


@pytest.mark.spec("Back-Channel Logout", "2.4", "MUST")
def test_logout_token_is_signed_as_the_clients_id_tokens(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str]
) -> None:
    """With the algorithm that it registered."""
    leave(provider, a_service(provider, serve(receiver), id_token_signed_response_alg="RS256"))

    deliver(provider.context)

    assert jwt.get_unverified_header(receiver.tokens[0])["alg"] == "RS256"


@pytest.mark.spec("Back-Channel Logout", "2.6", "SHOULD")
def test_logout_token_is_encrypted_where_id_tokens_are(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str]
) -> None:
    """A service that registered encryption refuses what comes without."""
    key = ECKey.generate_key("P-256")
    public = key.as_dict(private=False) | {"use": "enc", "alg": "ECDH-ES", "kid": "enc-1"}
    service = a_service(
        provider, serve(receiver), id_token_encryption=Encryption("ECDH-ES"), jwks={"keys": [public]}
    )
    leave(provider, service)

    deliver(provider.context)

    (token,) = receiver.tokens
    nested = jwe.decrypt_compact(token, key).plaintext
    assert nested is not None
    assert jwt.get_unverified_header(nested.decode())["typ"] == "logout+jwt"


@pytest.mark.spec("Back-Channel Logout", "2.8", "SHOULD")
@pytest.mark.parametrize("status", ["200 OK", "204 No Content"])
def test_empty_success_is_a_success(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str], status: str
) -> None:
    """Frameworks make 204 of an empty body."""
    receiver.status = status
    leave(provider, a_service(provider, serve(receiver)))

    deliver(provider.context)

    assert waiting(provider.context) == {"waiting": 0, "dead": 0}


@pytest.mark.parametrize(
    "status",
    ["500 Oops", "502 Bad Gateway", "503 Not now", "408 Request Timeout", "425 Too Early", "429 Too Many"],
)
def test_service_that_says_later_is_told_again_by_another_token(
    provider: Provider,
    clock: SettableClock,
    receiver: Receiver,
    serve: Callable[[WSGIApplication], str],
    status: str,
) -> None:
    """A fresh token, for the first has expired; with a `jti` of its own, for the service may know the first."""
    receiver.status = status
    leave(provider, a_service(provider, serve(receiver)))
    deliver(provider.context)
    assert waiting(provider.context) == {"waiting": 1, "dead": 0}
    assert last_errors(provider.context) == [f"the service answered {status[:3]}"]
    receiver.status = "200 OK"
    assert deliver(provider.context) == 0
    clock.advance(minutes=3)

    deliver(provider.context)

    first, second = (jwt.decode(token, options={"verify_signature": False}) for token in receiver.tokens)
    assert waiting(provider.context) == {"waiting": 0, "dead": 0}
    assert second["iat"] - first["iat"] == 180
    assert first["jti"] != second["jti"]
    assert first["sid"] == second["sid"]


@pytest.mark.spec("Back-Channel Logout", "2.8", "MUST")
@pytest.mark.parametrize(
    "status", ["400 Bad Request", "401 No", "403 No", "404 Nowhere", "410 Gone", "302 Found", "307 Elsewhere"]
)
def test_refusal_and_redirect_are_given_up_at_once(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str], status: str
) -> None:
    """The same token would be refused again; nobody is followed to an address that is not registered."""
    receiver.status = status
    leave(provider, a_service(provider, serve(receiver)))

    deliver(provider.context)

    assert waiting(provider.context) == {"waiting": 0, "dead": 1}
    assert len(receiver.requests) == 1
    (letter,) = dead_letters.listed(provider.context, dead_only=True, limit=10)
    assert (letter["kind"], letter["last_error"]) == ("logout", f"the service answered {status[:3]}")


def test_refusal_can_be_retried_by_the_administrator(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str]
) -> None:
    """`idp outbox retry`, once the service is mended."""
    receiver.status = "400 Bad Request"
    leave(provider, a_service(provider, serve(receiver)))
    deliver(provider.context)
    receiver.status = "200 OK"

    assert dead_letters.retry(provider.context, None) == 1
    deliver(provider.context)

    assert waiting(provider.context) == {"waiting": 0, "dead": 0}


def test_service_that_is_away_is_told_for_an_hour_and_no_longer(
    provider: Provider, clock: SettableClock
) -> None:
    """Nobody listens: retried with growing delays, then given up."""
    leave(provider, a_service(provider, f"http://localhost:{free_port()}"))

    tried = 0
    for _ in range(65):
        tried += deliver(provider.context)
        clock.advance(minutes=1)

    assert 5 <= tried <= 12
    assert waiting(provider.context) == {"waiting": 0, "dead": 1}


def test_address_that_may_not_be_asked_is_given_up(provider: Provider) -> None:
    """Plain http to the outside is never spoken."""
    strict = replace(provider.context, http=GuardedHTTPClient())
    leave(provider, a_service(provider, "http://parking.example.org"))

    deliver(strict)

    assert waiting(provider.context) == {"waiting": 0, "dead": 1}
    assert last_errors(provider.context) == ["url_refused: parking.example.org"]


@pytest.mark.parametrize("what", ["disabled", "without an address", "deleted"])
def test_service_that_is_gone_by_then_is_not_told(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str], what: str
) -> None:
    """Nothing waits, nothing is dead, nothing was sent."""
    from idp.storage.repositories import clients

    service = a_service(provider, serve(receiver))
    leave(provider, service)
    match what:
        case "disabled":
            provider.change(service, disabled_at=provider.clock())
        case "without an address":
            provider.change(service, backchannel_logout_uri=None)
        case _:
            with provider.context.database.write() as connection:
                clients.remove(connection, service.client_id)

    deliver(provider.context)

    assert receiver.requests == []
    assert waiting(provider.context) == {"waiting": 0, "dead": 0}


def test_service_that_hangs_delays_no_other(
    provider: Provider, serve: Callable[[WSGIApplication], str]
) -> None:
    """Forty notices for one that hangs, then one for another: the other hears of it while the first still hangs."""
    hanging, other = Receiver(), Receiver()
    hanging.release.clear()
    deaf, listening = a_service(provider, serve(hanging)), a_service(provider, serve(other))
    for _ in range(40):
        leave(provider, deaf)
    provider.clock.advance(seconds=1)
    leave(provider, listening)

    try:
        with delivering(provider.context) as delivery:
            wait_until(lambda: delivery.deliver_due() == 0 and bool(hanging.requests))
            wait_until(lambda: bool(other.requests))
            hung_meanwhile = len(hanging.requests)
    finally:
        hanging.release.set()

    assert hung_meanwhile <= 2
    assert hanging.most_at_once <= 2


def test_service_that_hangs_is_left_alone_and_told_later(
    provider: Provider, clock: SettableClock, serve: Callable[[WSGIApplication], str]
) -> None:
    """It is not asked again at once, by none of its notices; once it answers it hears all of them."""
    hanging = Receiver()
    hanging.release.clear()
    service = a_service(provider, serve(hanging))
    for _ in range(5):
        leave(provider, service)

    with delivering(provider.context) as delivery:
        delivery.deliver_due()
        wait_until(lambda: delivery.under_way == 0)
        clock.advance(seconds=2)
        delivery.deliver_due()
        tried = len(hanging.requests)
        hanging.release.set()
        for _ in range(60):
            clock.advance(seconds=10)
            delivery.deliver_due()
            wait_until(lambda: delivery.under_way == 0)

    assert tried == 2
    assert waiting(provider.context) == {"waiting": 0, "dead": 0}


def test_several_services_are_told_at_once(
    provider: Provider, serve: Callable[[WSGIApplication], str]
) -> None:
    """Each waits for nobody but itself."""
    receivers = [Receiver() for _ in range(6)]
    for receiver in receivers:
        receiver.release.clear()
    leave(provider, *(a_service(provider, serve(receiver)) for receiver in receivers))

    try:
        with delivering(provider.context) as delivery:
            delivery.deliver_due()
            wait_until(lambda: all(receiver.requests for receiver in receivers))
            for receiver in receivers:
                receiver.release.set()
    finally:
        for receiver in receivers:
            receiver.release.set()

    assert waiting(provider.context) == {"waiting": 0, "dead": 0}


def test_several_workers_tell_each_service_once(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str]
) -> None:
    """Four workers share forty notices; none arrives twice, none is left."""
    service = a_service(provider, serve(receiver))
    for _ in range(40):
        leave(provider, service)
    barrier = threading.Barrier(4)

    def run() -> None:
        barrier.wait()
        with delivering(provider.context) as delivery:
            for _ in range(200):
                delivery.deliver_due()
                time.sleep(0.01)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        # Notices beyond two at a time are looked at again a second later, by a clock that stands still.
        provider.clock.advance(seconds=1)
        time.sleep(0.02)

    sids = [jwt.decode(token, options={"verify_signature": False})["sid"] for token in receiver.tokens]
    assert len(sids) == len(set(sids)) == 40
    assert waiting(provider.context) == {"waiting": 0, "dead": 0}


def test_worker_that_died_in_the_middle_leaves_the_notice_to_another(
    provider: Provider,
    clock: SettableClock,
    receiver: Receiver,
    serve: Callable[[WSGIApplication], str],
) -> None:
    """A notice that was claimed and never settled is due again after its lease."""
    from idp.storage.repositories import outbox as rows

    leave(provider, a_service(provider, serve(receiver)))
    with provider.context.database.write() as connection:
        rows.claim(connection, "logout", now=clock(), until=clock() + timedelta(minutes=5), limit=10)

    assert deliver(provider.context) == 0
    clock.advance(minutes=6)
    assert deliver(provider.context) == 1

    assert len(receiver.requests) == 1


def test_notice_sealed_with_other_keys_is_given_up(provider: Provider) -> None:
    """What can't be unsealed is not tried for ever."""
    leave(provider, a_service(provider, "http://localhost:1"))
    other = replace(provider.context, sealer=type(provider.context.sealer)(bytes(32)))

    deliver(other)

    assert waiting(provider.context) == {"waiting": 0, "dead": 1}


def test_person_waits_for_no_service(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str]
) -> None:
    """Signing out asks nothing of a service that hangs (S-228)."""
    receiver.release.clear()
    service = a_service(provider, serve(receiver))
    browser = provider.signed_in()
    hint = provider.tokens(browser, service)["id_token"]

    answer = browser.get("/logout", query_string={"id_token_hint": hint})

    assert answer.location == "/signed-out"
    assert receiver.requests == []


def test_worker_delivers_logouts_and_stops_when_told(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str]
) -> None:
    """The loop of the worker's thread: it delivers, and ends soon after its event is set."""
    leave(provider, a_service(provider, serve(receiver)))
    stop = Event()
    thread = threading.Thread(target=work_logouts, args=(provider.context, stop))

    thread.start()
    try:
        wait_until(lambda: bool(receiver.requests))
    finally:
        stop.set()
        thread.join(60)

    assert not thread.is_alive()
    assert waiting(provider.context) == {"waiting": 0, "dead": 0}


def test_sid_is_another_for_each_service(
    provider: Provider, receiver: Receiver, serve: Callable[[WSGIApplication], str]
) -> None:
    """Two services can't join what they know (CON-6)."""
    origin = serve(receiver)
    person = provider.an_account()
    browser = provider.signed_in(person)
    services = [a_service(provider, origin) for _ in range(2)]
    for service in services:
        provider.code(browser, service)
    (listed,) = sessions.list_sessions(provider.context, person.account_id)
    sessions.end(provider.context, person.account_id, listed.session.session_id)

    deliver(provider.context)

    sids = {jwt.decode(token, options={"verify_signature": False})["sid"] for token in receiver.tokens}
    expected = {
        wire_session_id(provider.context, listed.session.session_id, service.client_id)
        for service in services
    }
    assert sids == expected
    assert len(sids) == 2
