"""One device, many requests at once, on both databases (RFC 8628; OID-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.crypto.opaque import digest
from idp.storage.repositories import device_authorizations
from tests.support.devices import a_device
from tests.support.race import RACERS, race

if TYPE_CHECKING:
    from tests.support.provider import Provider

#: Each round has a person answer in a browser: that is the dear part.
ROUNDS = 10


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
def test_device_code_that_sixteen_redeem_at_once_serves_one(crowded_provider: Provider) -> None:
    """One of them gets tokens, which stay good; the others invalid_grant."""
    provider = crowded_provider
    service, browser = provider.a_client(is_public=True, redirect_uris=()), provider.signed_in()

    for _ in range(ROUNDS):
        device = a_device(provider, service)
        device.is_answered(browser=browser)

        answers = race(*[device.polls] * RACERS)

        won = [answer for answer in answers if answer.status_code == 200]
        assert len(won) == 1
        assert {answer.json["error"] for answer in answers if answer not in won} == {"invalid_grant"}
        assert provider.userinfo(won[0].json["access_token"]).status_code == 200


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.5", "MUST")
def test_device_that_asks_sixteen_times_at_once_is_slowed_down_each_time_but_one(
    crowded_provider: Provider,
) -> None:
    """Requests at the same instant are counted one by one: none is lost, none passes for another."""
    provider = crowded_provider
    service = provider.a_client(is_public=True, redirect_uris=())

    for _ in range(ROUNDS):
        device = a_device(provider, service)

        answers = race(*[device.polls] * RACERS)

        errors = [answer.json["error"] for answer in answers]
        assert errors.count("authorization_pending") == 1
        assert errors.count("slow_down") == RACERS - 1
        with provider.context.database.read() as connection:
            kept = device_authorizations.by_device_code(connection, digest(device.answer["device_code"]))
        assert kept is not None
        assert kept.interval.total_seconds() == device.answer["interval"] + 5 * (RACERS - 1)


@pytest.mark.rule("OID-7")
def test_device_that_is_refused_sixteen_times_at_once_takes_one_answer(crowded_provider: Provider) -> None:
    """The row takes the first answer, whoever asks it."""
    provider = crowded_provider
    service = provider.a_client(is_public=True, redirect_uris=())

    for _ in range(ROUNDS):
        device_hash = digest(a_device(provider, service).answer["device_code"])

        def deny(device_hash: bytes = device_hash) -> bool:
            with provider.context.database.write() as connection:
                return device_authorizations.deny(connection, device_hash, provider.clock())

        assert race(*[deny] * RACERS).count(True) == 1
