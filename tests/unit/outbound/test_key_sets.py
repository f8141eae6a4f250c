"""Key sets of clients: fetched when they are needed, seldom, and never at anybody's bidding without bound."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from idp.outbound.http import Answer, Failure, GuardedHTTPClient, Unreachable
from idp.outbound.key_sets import KeySet, KeySetLimits, KeySets, KeySetUnavailable
from tests.support.client_keys import a_key, jwks
from tests.support.clock import SettableClock
from tests.support.race import RACERS, race
from tests.support.server import served

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from wsgiref.types import StartResponse, WSGIEnvironment

pytestmark = pytest.mark.rule("OID-4")

ADDRESS = "https://parking.example.org/jwks.json"
FIRST, SECOND = a_key(kid="first"), a_key(kid="second")
PATIENT = KeySetLimits(wait=timedelta(seconds=30))


class Publisher:
    """An HTTP client behind which a client publishes its keys."""

    def __init__(self, *keys: Any, cache_control: str = "") -> None:
        self.body = json.dumps(jwks(*keys)).encode()
        self.headers = {"content-type": "text/plain", "cache-control": cache_control}
        self.status = 200
        self.failure: Failure | None = None
        self.before: Callable[[], object] = lambda: None
        self.asked: list[str] = []

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        total: timedelta | None = None,
    ) -> Answer:
        """Answer as told, and count."""
        assert (method, body) == ("GET", None)
        assert headers
        assert total is not None
        self.asked.append(url)
        self.before()
        if self.failure is not None:
            raise Unreachable(self.failure, "parking.example.org")
        return Answer(self.status, self.headers, self.body)

    def publish(self, *keys: Any) -> None:
        """Change the keys."""
        self.body = json.dumps(jwks(*keys)).encode()


def has(kid: str) -> Callable[[KeySet], bool]:
    """Make the question whether a key is there."""
    return lambda keys: kid in keys.signing_keys


class Asker:
    """Asks for one address, as an endpoint does."""

    def __init__(self, publisher: Publisher, limits: KeySetLimits | None = None) -> None:
        self.publisher = publisher
        self.clock = SettableClock()
        self.sets = KeySets(limits)

    def kids(self, kid: str | None = None, address: str = ADDRESS) -> set[str | None]:
        """Give the names of the keys that are had when one is needed."""
        question = (lambda _: True) if kid is None else has(kid)
        return set(self.sets.find(self.publisher, address, self.clock(), has=question).signing_keys)

    @property
    def fetches(self) -> int:
        """How often the publisher was asked."""
        return len(self.publisher.asked)


def test_known_keys_are_not_fetched_again_until_they_are_old() -> None:
    """Five minutes, when the answer says nothing."""
    asker = Asker(Publisher(FIRST))

    assert asker.kids("first") == {"first"}
    asker.clock.advance(minutes=4)
    assert asker.kids("first") == {"first"}
    assert asker.fetches == 1
    asker.clock.advance(minutes=1)
    assert asker.kids("first") == {"first"}
    assert asker.fetches == 2


@pytest.mark.parametrize(
    "cache_control, seconds",
    [
        pytest.param("max-age=60", 60, id="as the answer says"),
        pytest.param('public, Max-Age="90"', 90, id="among others, quoted"),
        pytest.param("max-age=0", 30, id="not at all: half a minute"),
        pytest.param("no-store", 30, id="not kept: half a minute"),
        pytest.param("no-cache, max-age=600", 30, id="asked again: half a minute"),
        pytest.param("max-age=999999999", 300, id="for years: five minutes"),
        pytest.param("max-age=abc", 300, id="not a number"),
        pytest.param("s-maxage=10", 300, id="of shared caches"),
    ],
)
def test_answer_says_how_long_keys_are_kept_within_reason(cache_control: str, seconds: int) -> None:
    """Never so short that we are a nuisance, never so long that a withdrawn key lives on."""
    asker = Asker(Publisher(FIRST, cache_control=cache_control))
    asker.kids()

    asker.clock.advance(seconds=seconds - 1)
    asker.kids()
    assert asker.fetches == 1
    asker.clock.advance(seconds=1)
    asker.kids()
    assert asker.fetches == 2


@pytest.mark.spec("OIDC Core", "10.1.1", "MUST")
def test_unknown_kid_asks_at_once() -> None:
    """A client that changes its keys is not turned away until the cache is old."""
    asker = Asker(Publisher(FIRST))
    asker.kids("first")

    asker.publisher.publish(SECOND)

    assert asker.kids("second") == {"second"}
    assert asker.fetches == 2


def test_invented_kids_ask_five_times_and_then_once_in_twelve_seconds() -> None:
    """Anybody can invent names of keys; that a real new key comes through waits twelve seconds at most."""
    asker = Asker(Publisher(FIRST))

    for number in range(40):
        assert asker.kids(f"invented-{number}") == {"first"}
    assert asker.fetches == 5
    asker.publisher.publish(FIRST, SECOND)
    asker.clock.advance(seconds=12)
    assert asker.kids("second") == {"first", "second"}
    for number in range(40):
        asker.kids(f"again-{number}")
    assert asker.fetches == 6
    asker.clock.advance(hours=1)
    for number in range(40):
        asker.kids(f"later-{number}")
    assert asker.fetches == 11


def test_last_keys_serve_for_an_hour_while_the_host_is_away() -> None:
    """A restart of the client's site does not lock the client out; a withdrawn key does not live for ever."""
    asker = Asker(Publisher(FIRST))
    asker.kids()
    asker.publisher.failure = Failure.NOT_CONNECTED

    for _ in range(11):
        asker.clock.advance(minutes=5)
        assert asker.kids("first") == {"first"}
    asker.clock.advance(minutes=5)
    with pytest.raises(KeySetUnavailable):
        asker.kids("first")
    asker.publisher.failure = None
    asker.clock.advance(minutes=5)
    assert asker.kids("first") == {"first"}


def test_host_that_failed_is_left_alone_longer_each_time() -> None:
    """15 seconds, 30, 60 … four minutes; and an answer makes it all well."""
    asker = Asker(Publisher(FIRST))
    asker.publisher.failure = Failure.TIMED_OUT
    rests = [15, 30, 60, 120, 240, 240]

    for number, seconds in enumerate(rests, 1):
        for _ in range(3):
            with pytest.raises(KeySetUnavailable):
                asker.kids("first")
        assert asker.fetches == number
        asker.clock.advance(seconds=seconds)
    asker.publisher.failure = None
    assert asker.kids("first") == {"first"}
    asker.publisher.failure = Failure.TIMED_OUT
    asker.kids("invented")
    asker.clock.advance(seconds=15)
    asker.kids("invented")
    assert asker.fetches == len(rests) + 3


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b'"keys"', b'{"keys": {}}', b'{"keys": null}', b"\xff{}", b"{}",
     b"[" * 100_000, json.dumps({"keys": [{}] * 51}).encode(), b'{"keys": []}' + b" " * 131_072,
     b"<html>Bonjour</html>"],
    ids=lambda body: repr(body[:24]),
)  # fmt: skip
def test_answer_that_is_no_key_set_is_like_none(body: bytes) -> None:
    """Not JSON, not an object, no list of keys, too many, too long."""
    asker = Asker(Publisher())
    asker.publisher.body = body

    with pytest.raises(KeySetUnavailable):
        asker.kids()


@pytest.mark.parametrize("status", [201, 204, 301, 302, 303, 307, 308, 404, 500])
def test_other_status_than_200_is_like_no_answer(status: int) -> None:
    """A redirect leads where nobody registered (S-149)."""
    asker = Asker(Publisher(FIRST))
    asker.publisher.status = status
    asker.publisher.headers["location"] = "https://evil.example.org/jwks.json"

    with pytest.raises(KeySetUnavailable):
        asker.kids()
    assert asker.publisher.asked == [ADDRESS]


def test_private_symmetric_and_senseless_keys_are_left_out() -> None:
    """What everybody knows proves nothing; the others go on serving."""
    private = {**FIRST.jwk, "kid": "private", "d": "AQAB"}
    symmetric = {"kty": "oct", "kid": "symmetric", "k": "c2VjcmV0"}
    others: list[Any] = [1, None, "key", [], {}, {"kty": "EC", "kid": "torn"}]

    keys = KeySet.of({"keys": [private, symmetric, *others, FIRST.jwk]})

    assert set(keys.signing_keys) == {"first"}
    assert not any("d" in jwk or "k" in jwk for jwk in keys.keys)


def test_addresses_are_forgotten_oldest_first() -> None:
    """What anybody can make us remember is bounded."""
    asker = Asker(Publisher(FIRST), KeySetLimits(most=3))

    for name in ("a", "b", "c", "a", "d"):
        asker.kids(address=f"https://{name}.example.org/")
    asked = len(asker.publisher.asked)
    asker.kids(address="https://a.example.org/")
    assert len(asker.publisher.asked) == asked
    asker.kids(address="https://b.example.org/")
    assert len(asker.publisher.asked) == asked + 1


def test_sixteen_who_need_a_new_set_at_once_send_one_request() -> None:
    """The first asks, the others wait for its answer."""
    asker = Asker(Publisher(FIRST), PATIENT)
    asker.publisher.before = lambda: time.sleep(0.2)

    answers = race(*[lambda: asker.kids("first")] * RACERS)

    assert answers == [{"first"}] * RACERS
    assert asker.fetches == 1


@pytest.mark.parametrize("is_known", [True, False], ids=["the kid is known", "the host failed before"])
def test_only_one_waits_for_a_slow_host(*, is_known: bool) -> None:
    """An old set serves while one thread asks for the next; a host that failed holds up one thread, not all."""
    asker = Asker(Publisher(FIRST), PATIENT)
    if not is_known:
        asker.publisher.failure = Failure.TIMED_OUT
        with pytest.raises(KeySetUnavailable):
            asker.kids("first")
    else:
        asker.kids("first")
    asker.clock.advance(minutes=6)
    released, is_asked = threading.Event(), threading.Event()
    asker.publisher.before = lambda: (is_asked.set(), released.wait(30))
    slow = threading.Thread(target=lambda: _quietly(asker))
    slow.start()
    assert is_asked.wait(30)

    if is_known:
        assert asker.kids("first") == {"first"}
    else:
        with pytest.raises(KeySetUnavailable):
            asker.kids("first")

    released.set()
    slow.join()
    assert asker.fetches == 2


def _quietly(asker: Asker) -> None:
    with suppress(KeySetUnavailable):
        asker.kids("first")


def test_no_more_than_two_hosts_are_waited_for() -> None:
    """Slow hosts of several clients can't take all the threads of a worker."""
    asker = Asker(Publisher(FIRST), KeySetLimits(wait=timedelta(seconds=0.05)))
    released = threading.Event()
    both = threading.Barrier(3)
    asker.publisher.before = lambda: (both.wait(30), released.wait(30))
    slow = [
        threading.Thread(target=asker.kids, kwargs={"address": f"https://{name}.example.org/"})
        for name in "ab"
    ]
    for thread in slow:
        thread.start()
    both.wait(30)

    with pytest.raises(KeySetUnavailable):
        asker.kids(address="https://c.example.org/")

    released.set()
    for thread in slow:
        thread.join()
    assert asker.fetches == 2


class TestAgainstRealServers:
    """With the guarded client that the provider uses."""

    QUICK = KeySetLimits(total=timedelta(seconds=0.5))

    def find(self, address: str, *, allow_private_networks: bool = True) -> KeySet:
        """Ask for an address."""
        http = GuardedHTTPClient(allow_private_networks=allow_private_networks)
        return KeySets(self.QUICK).find(http, address, SettableClock()())

    def test_host_that_drips_is_given_up(self) -> None:
        """Whatever it sends, in all it has the time that one fetch may take."""

        def drips(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            def pieces() -> Iterator[bytes]:
                for _ in range(100):
                    time.sleep(0.1)
                    yield b" "

            start_response("200 OK", [("Content-Type", "application/json")])
            return pieces()

        with served(drips) as origin:
            began = time.monotonic()
            with pytest.raises(KeySetUnavailable):
                self.find(f"{origin}/jwks.json")
            assert time.monotonic() - began < 4

    def test_huge_answer_is_given_up(self) -> None:
        """Read until it is too much, and no further."""

        def huge(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [("Content-Type", "application/json")])
            return (b" " * 65_536 for _ in range(1_000))

        with served(huge) as origin, pytest.raises(KeySetUnavailable):
            self.find(f"{origin}/jwks.json")

    def test_redirect_is_not_followed(self) -> None:
        """Not even to ourselves."""
        asked: list[str] = []

        def redirects(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            asked.append(environ["PATH_INFO"])
            start_response("302 Found", [("Location", "/elsewhere")])
            return [json.dumps(jwks(FIRST)).encode()]

        with served(redirects) as origin, pytest.raises(KeySetUnavailable):
            self.find(f"{origin}/jwks.json")
        assert asked == ["/jwks.json"]

    @pytest.mark.parametrize(
        "address",
        [
            "https://169.254.169.254/latest/meta-data/",
            "https://127.0.0.1/jwks.json",
            "https://localhost/jwks.json",
            "https://[::1]/jwks.json",
            "https://10.0.0.1/jwks.json",
            "https://[::ffff:127.0.0.1]/jwks.json",
            "http://203.0.113.1/jwks.json",
            "file:///etc/passwd",
            "https://user@203.0.113.1/",
            "jwks.json",
        ],
    )
    def test_address_inside_or_without_tls_is_never_connected_to(self, address: str) -> None:
        """A client's registration does not make us knock at our own doors (S-149)."""
        with pytest.raises(KeySetUnavailable):
            self.find(address, allow_private_networks=False)
