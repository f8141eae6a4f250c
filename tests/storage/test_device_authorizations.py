"""What a device waits for is answered once, by one person, and redeemed once (RFC 8628)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from idp.domain.client import Client
from idp.domain.device_authorization import DeviceAuthorization, DeviceState
from idp.domain.tokens import GrantedClaims, TokenFamily
from idp.storage.repositories import clients, device_authorizations, tokens

if TYPE_CHECKING:
    from idp.storage.engine import Connection, Database
    from tests.support.clock import SettableClock

DEVICE, USER_CODE, FAMILY = b"device".ljust(32), b"user code".ljust(32), "family"
LIFETIME = timedelta(minutes=15)


def a_device(clock: SettableClock) -> DeviceAuthorization:
    """Give a device of the television that has just asked."""
    return DeviceAuthorization(DEVICE, "television", {"scope": "openid"}, clock(), clock() + LIFETIME)


@pytest.fixture
def waiting(database: Database, clock: SettableClock) -> Database:
    """A device that waits, and a family that its tokens may be born of."""
    with database.write() as connection:
        for client_id in ("television", "radio"):
            clients.create(connection, Client(client_id, client_id.title(), created_at=clock()))
        tokens.create_family(connection, a_family(clock))
        assert device_authorizations.create(connection, a_device(clock), user_code_hash=USER_CODE)
    return database


def a_family(clock: SettableClock) -> TokenFamily:
    """Give what the person's yes makes."""
    return TokenFamily(
        family_id=FAMILY,
        client_id="television",
        account_id=None,
        consent_id=None,
        session_id=None,
        subject="subject",
        scopes=frozenset({"openid"}),
        claims=GrantedClaims(),
        nonce=None,
        auth_time=0,
        acr=None,
        amr=(),
        created_at=clock(),
        expires_at=clock() + timedelta(days=1),
    )


def test_device_comes_back_as_it_was_kept(waiting: Database, clock: SettableClock) -> None:
    """By the code it shows as by the one it keeps."""
    with waiting.read() as connection:
        assert device_authorizations.by_user_code(connection, USER_CODE) == a_device(clock)
        assert device_authorizations.by_device_code(connection, DEVICE) == a_device(clock)
        assert device_authorizations.by_user_code(connection, DEVICE) is None


def test_user_code_that_is_taken_is_not_given_twice(waiting: Database, clock: SettableClock) -> None:
    """The second device is told to take another code, and the first keeps its own."""
    second = replace(a_device(clock), device_hash=b"second".ljust(32), client_id="radio")
    with waiting.write() as connection:
        assert not device_authorizations.create(connection, second, user_code_hash=USER_CODE)

    with waiting.read() as connection:
        found = device_authorizations.by_user_code(connection, USER_CODE)
    assert found is not None
    assert found.client_id == "television"


def answer(connection: Connection, which: str, clock: SettableClock) -> bool:
    """Say yes or no."""
    if which == "yes":
        return device_authorizations.approve(connection, DEVICE, FAMILY, clock())
    return device_authorizations.deny(connection, DEVICE, clock())


@pytest.mark.rule("OID-7")
@pytest.mark.parametrize("second", ["yes", "no"])
@pytest.mark.parametrize("first", ["yes", "no"])
def test_device_that_was_answered_takes_no_other_answer(
    waiting: Database, clock: SettableClock, first: str, second: str
) -> None:
    """The first answer stands."""
    with waiting.write() as connection:
        assert answer(connection, first, clock)
        assert not answer(connection, second, clock)

    with waiting.read() as connection:
        found = device_authorizations.by_device_code(connection, DEVICE)
    assert found is not None
    state, family = (DeviceState.ALLOWED, FAMILY) if first == "yes" else (DeviceState.REFUSED, None)
    assert (found.state, found.family_id) == (state, family)


@pytest.mark.rule("OID-7")
@pytest.mark.parametrize("which", ["yes", "no"])
def test_device_past_its_time_takes_no_answer(waiting: Database, clock: SettableClock, which: str) -> None:
    """At the very moment of its end it is over."""
    clock.advance(LIFETIME)

    with waiting.write() as connection:
        assert not answer(connection, which, clock)


@pytest.mark.rule("OID-7")
@pytest.mark.parametrize(
    "why", ["not answered", "refused", "of another client", "expired", "redeemed before", "unknown"]
)
def test_device_that_may_not_be_redeemed_gives_no_family(
    waiting: Database, clock: SettableClock, why: str
) -> None:
    """Only the device's own client, after a yes, in time, once."""
    client_id = "radio" if why == "of another client" else "television"
    with waiting.write() as connection:
        if why == "refused":
            device_authorizations.deny(connection, DEVICE, clock())
        elif why != "not answered":
            device_authorizations.approve(connection, DEVICE, FAMILY, clock())
        if why == "redeemed before":
            device_authorizations.redeem(connection, DEVICE, client_id, clock())
    if why == "expired":
        clock.advance(LIFETIME)

    with waiting.write() as connection:
        code = b"nothing".ljust(32) if why == "unknown" else DEVICE
        assert device_authorizations.redeem(connection, code, client_id, clock()) is None


@pytest.mark.rule("OID-7")
def test_device_that_was_allowed_gives_its_family_once(waiting: Database, clock: SettableClock) -> None:
    """The family of the person's answer."""
    with waiting.write() as connection:
        device_authorizations.approve(connection, DEVICE, FAMILY, clock())
        assert device_authorizations.redeem(connection, DEVICE, "television", clock()) == FAMILY


def test_device_is_held_for_its_own_client_alone(waiting: Database) -> None:
    """Another client's request neither reads nor slows it."""
    with waiting.write() as connection:
        assert device_authorizations.hold(connection, DEVICE, "radio") is None
        assert device_authorizations.hold(connection, DEVICE, "television") is not None


@pytest.mark.parametrize(
    "seconds, too_soon",
    [(0, True), (3.9, True), (4, False), (5, False)],
    ids=["at once", "clearly sooner", "a jitter of the network", "in time"],
)
def test_device_is_too_soon_when_it_does_not_wait_its_interval(
    waiting: Database, clock: SettableClock, seconds: float, *, too_soon: bool
) -> None:
    """What was written of the last request decides."""
    with waiting.write() as connection:
        device_authorizations.poll(connection, DEVICE, clock(), interval=timedelta(seconds=5))
        clock.advance(seconds=seconds)
        held = device_authorizations.hold(connection, DEVICE, "television")

    assert held is not None
    assert held.interval == timedelta(seconds=5)
    assert held.is_polled_too_soon(clock()) is too_soon


def test_device_asks_for_the_first_time_at_any_moment(waiting: Database, clock: SettableClock) -> None:
    """Nothing was said yet about how often it may."""
    with waiting.write() as connection:
        held = device_authorizations.hold(connection, DEVICE, "television")

    assert held is not None
    assert not held.is_polled_too_soon(clock())
    assert held.can_be_answered(clock())
