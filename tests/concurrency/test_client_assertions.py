"""One signed assertion, many requests, one winner, on both databases (OID-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.domain.client import ClientAuthenticationMethod
from tests.support.provider import ASSERTION_TYPE
from tests.support.race import RACERS, ROUNDS, race

if TYPE_CHECKING:
    from tests.support.provider import Provider


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 7523", "3", "MUST")
@pytest.mark.parametrize(
    "method", [ClientAuthenticationMethod.PRIVATE_KEY_JWT, ClientAuthenticationMethod.SECRET_JWT]
)
def test_assertion_that_sixteen_bring_to_different_endpoints_at_once_serves_one(
    crowded_provider: Provider, method: ClientAuthenticationMethod
) -> None:
    """Whichever comes first; the others are told what everybody is told."""
    provider = crowded_provider
    service = provider.a_client(authentication_method=method)

    for _ in range(ROUNDS // 2):
        proof = {"client_assertion": service.assertion(), "client_assertion_type": ASSERTION_TYPE}

        def ask(number: int, proof: dict[str, str] = proof) -> int:
            path = "/revoke" if number % 2 else "/introspect"
            return provider.post(path, token="x", **proof).status_code

        statuses = race(*[lambda number=number: ask(number) for number in range(RACERS)])  # type: ignore[misc]

        assert sorted(statuses) == [200] + [401] * (RACERS - 1)
