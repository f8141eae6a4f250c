"""What is kept of a pushed request, and until when (RFC 9126)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from idp.crypto.opaque import digest
from idp.domain.pending_authorization import PENDING_LIFETIME
from idp.protocol.authorization.pushed import PushedRequest
from idp.storage.repositories import pushed_requests
from idp.storage.repositories.expired import Ages, kinds, purge

if TYPE_CHECKING:
    from datetime import datetime

    from tests.support.provider import Provider

NAME = digest("name")
PAIRS = (("scope", "openid"), ("resource", "https://a.example.org"), ("resource", "https://b.example.org"))


def kept(provider: Provider) -> PushedRequest:
    """Keep a request for a minute."""
    now = provider.clock()
    pushed = PushedRequest(
        provider.a_client().client_id, PAIRS, is_signed=True, created_at=now, expires_at=now + timedelta(minutes=1)
    )  # fmt: skip
    with provider.context.database.write() as connection:
        pushed_requests.create(connection, pushed, uri_hash=NAME)
    return pushed


def found(provider: Provider) -> PushedRequest | None:
    """Read it back."""
    with provider.context.database.read() as connection:
        return pushed_requests.find(connection, NAME)


def purged(provider: Provider, now: datetime) -> int:
    """Purge what has expired."""
    table, may_go = kinds(Ages(now, now, now, now, now, now))["pushed_requests"]
    with provider.context.database.write() as connection:
        return purge(connection, table, may_go, limit=10)


def test_name_that_nobody_pushed_finds_and_uses_up_nothing(provider: Provider) -> None:
    """Neither before, nor under another name."""
    kept(provider)

    with provider.context.database.write() as connection:
        assert pushed_requests.find(connection, digest("other")) is None
        assert not pushed_requests.consume(connection, digest("other"), provider.clock())


def test_request_comes_back_as_it_was_pushed(provider: Provider) -> None:
    """Order and repetition included; used up, it says when."""
    pushed = kept(provider)
    assert found(provider) == pushed

    with provider.context.database.write() as connection:
        assert pushed_requests.consume(connection, NAME, provider.clock())
        assert not pushed_requests.consume(connection, NAME, provider.clock())

    assert found(provider) == replace(pushed, consumed_at=provider.clock())


@pytest.mark.rule("PRI-3")
def test_request_is_kept_as_long_as_somebody_may_answer_it(provider: Provider) -> None:
    """Opened in time and answered twenty hours later, it is used up once; then it goes."""
    pushed = kept(provider)
    last = pushed.expires_at + PENDING_LIFETIME

    assert purged(provider, last) == 0
    assert purged(provider, last + timedelta(seconds=1)) == 1
    assert found(provider) is None
