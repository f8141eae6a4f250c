"""One refresh token, many callers, on both databases (OID-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.storage.models import tokens as stored
from tests.support.provider import a_provider
from tests.support.race import RACERS, ROUNDS, race

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

OFFLINE = "openid offline_access"


def present(provider: Provider, service: Service, refresh_token: str) -> list[TestResponse]:
    """Bring one token sixteen times at the same instant."""
    return race(*[lambda: provider.refresh(service, refresh_token)] * RACERS)


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 9700", "4.14.2", "MUST")
def test_refresh_token_that_sixteen_present_at_once_has_one_successor(crowded_provider: Provider) -> None:
    """One of them uses it up; the others, retries of the same instant, get the very same successor."""
    provider = crowded_provider
    service = provider.a_client(is_public=True)
    token = provider.tokens(provider.signed_in(), service, scope=OFFLINE)["refresh_token"]
    refresh_tokens = select(func.count()).where(stored.c.kind == "refresh")

    for number in range(ROUNDS):
        answers = present(provider, service, token)
        assert [answer.status_code for answer in answers] == [200] * RACERS
        successors = {answer.json["refresh_token"] for answer in answers}
        with provider.context.database.read() as connection:
            assert connection.scalar(refresh_tokens) == number + 2
        assert len(successors) == 1
        token = successors.pop()


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 9700", "4.14.2", "MUST")
def test_refresh_token_without_a_retry_window_serves_one_and_then_nobody(crowded_provider: Provider) -> None:
    """With the window closed a second use at the same instant is a theft: the family dies."""
    database, clock = crowded_provider.context.database, crowded_provider.clock
    provider = a_provider(database, clock, tokens={"refresh_retry_seconds": 0})
    service, browser = provider.a_client(is_public=True), provider.signed_in()

    for _ in range(ROUNDS):
        token = provider.tokens(browser, service, scope=OFFLINE)["refresh_token"]
        answers = present(provider, service, token)
        won = [answer for answer in answers if answer.status_code == 200]
        assert len(won) == 1
        assert provider.userinfo(won[0].json["access_token"]).status_code == 401
        assert provider.refresh(service, won[0].json["refresh_token"]).json["error"] == "invalid_grant"


@pytest.mark.rule("OID-2")
def test_confidential_service_that_refreshes_sixteen_times_at_once_gets_sixteen_answers(
    crowded_provider: Provider,
) -> None:
    """A token that does not rotate serves everybody who may use it."""
    provider = crowded_provider
    service = provider.a_client()
    token = provider.tokens(provider.signed_in(), service, scope=OFFLINE)["refresh_token"]

    answers = present(provider, service, token)

    assert [answer.status_code for answer in answers] == [200] * RACERS
