"""One pushed request, many browsers, one answer, on both databases (OID-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.crypto.opaque import digest
from idp.protocol.authorization.pushed import PushedRequest
from idp.storage.repositories import pushed_requests
from tests.support.provider import answer_of
from tests.support.race import RACERS, ROUNDS, race

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9126", "4", "SHOULD")
def test_pushed_request_that_sixteen_use_up_at_once_serves_one(crowded_provider: Provider) -> None:
    """One UPDATE decides, whatever the number of nodes."""
    provider, database = crowded_provider, crowded_provider.context.database
    client_id, now = provider.a_client().client_id, provider.clock()

    for number in range(ROUNDS):
        uri_hash = digest(f"request-{number}")
        pushed = PushedRequest(client_id, (), is_signed=False, created_at=now, expires_at=now)
        with database.write() as connection:
            pushed_requests.create(connection, pushed, uri_hash=uri_hash)

        def use_up(uri_hash: bytes = uri_hash) -> bool:
            with database.write() as connection:
                return pushed_requests.consume(connection, uri_hash, now)

        assert race(*[use_up] * RACERS).count(True) == 1


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9126", "4", "SHOULD")
def test_pushed_request_that_sixteen_browsers_open_at_once_is_answered_once(
    crowded_provider: Provider,
) -> None:
    """One of them brings a code to the service; the others an error, or a page that says it is over."""
    provider = crowded_provider
    service, browsers = provider.a_client(), [provider.signed_in() for _ in range(RACERS)]

    for _ in range(ROUNDS // 2):
        pushed = provider.post("/par", service, **provider.parameters(service)).json or {}
        query = {"client_id": service.client_id, "request_uri": pushed["request_uri"]}

        def open_in(number: int, query: dict[str, str] = query) -> TestResponse:
            return browsers[number].get("/authorize", query_string=query)

        answers = race(*[lambda number=number: open_in(number) for number in range(RACERS)])  # type: ignore[misc]

        codes = [answer for answer in answers if answer.status_code == 303 and "code" in answer_of(answer)]
        assert len(codes) == 1
        assert all(answer.status_code in {303, 400} for answer in answers)
