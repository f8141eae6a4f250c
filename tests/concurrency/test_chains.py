"""Lines written by many at the same instant make one unbroken chain, on both databases (CON-5, ADM-3)."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import pytest

from idp.domain.events import AccountLocked
from idp.services import ledger
from idp.services.account.deletion import delete
from idp.services.audit import record
from idp.services.operations import chains
from idp.services.operations.chains import Report
from tests.support.chains import an_entry
from tests.support.race import RACERS, ROUNDS, race

if TYPE_CHECKING:
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("CON-5", "ADM-3")


class Undone(Exception):
    """A transaction that is rolled back."""


def an_act(provider: Provider, account_id: str, number: int) -> bool:
    """Write lines to both chains, in either order; every fifth transaction is rolled back at its end."""
    with suppress(Undone):
        _write(provider, account_id, number)
        return True
    return False


def _write(provider: Provider, account_id: str, number: int) -> None:
    context = provider.context
    with context.database.write() as connection:
        if number % 2:
            ledger.enter(connection, an_entry(account_id, number), context.clock())
        for _ in range(1 + number % 3):
            record(connection, AccountLocked("x"), context.clock(), account_id=account_id)
        if not number % 2:
            ledger.enter(connection, an_entry(account_id, number), context.clock())
        if number % 5 == 0:
            raise Undone


def test_lines_of_sixteen_at_once_make_one_chain(crowded_provider: Provider) -> None:
    """Each in its own place, none lost, none of what was rolled back."""
    provider = crowded_provider
    people = [provider.an_account().account_id for _ in range(RACERS)]
    before = {name: chains.length(provider.context, name) for name in ("ledger", "audit")}
    done = lines = 0

    for turn in range(ROUNDS):
        numbers = range(turn * RACERS, (turn + 1) * RACERS)
        kept = race(*(partial(an_act, provider, people[number % RACERS], number) for number in numbers))
        done += sum(kept)
        lines += sum(1 + number % 3 for number, is_kept in zip(numbers, kept, strict=True) if is_kept)

    for name, count in (("ledger", done), ("audit", lines)):
        report = chains.verify(provider.context, name)
        assert report.faults == ()
        assert report.count == before[name] + count


def test_account_erased_while_others_write_leaves_whole_chains(crowded_provider: Provider) -> None:
    """Its lines are emptied while lines are added: each emptied one is named by the erasure, or was written after."""
    provider = crowded_provider
    others = [provider.an_account().account_id for _ in range(RACERS - 1)]
    for number in range(ROUNDS // 4):
        person = provider.an_account().account_id
        an_act(provider, person, 1)
        race(
            partial(delete, provider.context, person),
            *(partial(an_act, provider, other, 1 + 5 * number) for other in others),
        )

    assert chains.verify(provider.context, "ledger").faults == ()
    assert chains.verify(provider.context, "audit").faults == ()


def test_verification_while_others_write_finds_no_fault(crowded_provider: Provider) -> None:
    """It reads one moment: what is written or erased meanwhile does not show."""
    provider = crowded_provider
    people = [provider.an_account().account_id for _ in range(RACERS)]

    for turn in range(ROUNDS // 4):
        reports = race(
            *(partial(an_act, provider, one, turn * 5 + 1) for one in people[:12]),
            *(partial(chains.verify, provider.context, name) for name in ("ledger", "audit")),
            *(partial(delete, provider.context, one) for one in people[13:15]),
        )
        assert [report.faults for report in reports if isinstance(report, Report)] == [(), ()]
