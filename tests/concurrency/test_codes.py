"""One code, many callers, one winner, on both databases (OID-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.protocol.clients.assertion import AssertionUse
from idp.services.clients.assertions import use_once
from tests.support.race import RACERS, ROUNDS, race

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 6749", "4.1.2", "MUST NOT")
def test_code_that_sixteen_redeem_at_once_serves_one_and_then_nobody(crowded_provider: Provider) -> None:
    """One of them gets tokens, the others invalid_grant; and as the code came again, those tokens are dead."""
    provider = crowded_provider
    service, browser = provider.a_client(), provider.signed_in()

    for _ in range(ROUNDS):
        code = provider.code(browser, service, scope="openid")

        def redeem(code: str = code) -> TestResponse:
            return provider.redeem(service, code)

        answers = race(*[redeem] * RACERS)

        won = [answer for answer in answers if answer.status_code == 200]
        assert len(won) == 1
        assert {answer.json["error"] for answer in answers if answer not in won} == {"invalid_grant"}
        assert provider.userinfo(won[0].json["access_token"]).status_code == 401


@pytest.mark.rule("OID-1")
def test_codes_of_many_people_do_not_hinder_each_other(crowded_provider: Provider) -> None:
    """Sixteen different codes at once: sixteen answers, none of them a 503."""
    provider = crowded_provider
    service = provider.a_client()
    browsers = [provider.signed_in() for _ in range(RACERS)]

    answers = race(*[lambda one=one: provider.tokens(one, service) for one in browsers])  # type: ignore[misc]

    assert len({answer["access_token"] for answer in answers}) == RACERS


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 7523", "3", "MUST")
def test_client_assertion_that_sixteen_present_at_once_serves_one(crowded_provider: Provider) -> None:
    """The name of an assertion is written once, whatever the node."""
    provider = crowded_provider
    client = provider.a_client().client

    for number in range(ROUNDS):
        use = AssertionUse(f"jti-{number}", provider.clock.advance(seconds=1))
        results = race(*[lambda use=use: use_once(provider.context, client, use)] * RACERS)  # type: ignore[misc]
        assert results.count(True) == 1
