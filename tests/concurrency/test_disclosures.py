"""Batches of several processes that meet each other and the end of accounts, on both databases (PRI-2, LIF-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.domain.disclosure import Way
from idp.services.account import deletion
from idp.services.disclosures import DisclosureLog
from idp.storage.repositories import disclosures
from tests.support.race import race

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.provider import Provider

_PROCESSES = 8
_ROUNDS = 5


@pytest.mark.rule("PRI-2", "LIF-4")
def test_batches_that_meet_lose_nothing_and_bring_nobody_back(crowded_provider: Provider) -> None:
    """Eight batches about the same people, each in another order, while some of these are erased."""
    provider, database = crowded_provider, crowded_provider.context.database

    for _ in range(_ROUNDS):
        people = [provider.an_account().account_id for _ in range(12)]
        logs = [DisclosureLog() for _ in range(_PROCESSES)]
        for shift, log in enumerate(logs):
            for account_id in people[shift:] + people[:shift]:
                log.note(database, Way.USERINFO, (account_id, "parking"), {"email": 1}, provider.clock())
        flushes: list[Callable[[], object]] = [
            lambda log=log: log.flush(database)  # type: ignore[misc]
            for log in logs
        ]
        ends: list[Callable[[], object]] = [
            lambda account_id=account_id: deletion.delete(provider.context, account_id)  # type: ignore[misc]
            for account_id in people[:3]
        ]

        race(*flushes, *ends)

        with database.read() as connection:
            told = {
                account_id: [one.times for one in disclosures.of_account(connection, account_id)]
                for account_id in people
            }
        assert [told[account_id] for account_id in people[:3]] == [[]] * 3
        assert [told[account_id] for account_id in people[3:]] == [[_PROCESSES]] * 9
