"""Two nodes run the life cycle at once, and people sign in at that very moment: nothing is doubled or lost (LIF-3)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.domain.life_cycle import LifeCyclePolicy
from idp.services.account import life_cycle, reactivation
from idp.services.account.life_cycle import Limits
from idp.services.account.reactivation import Unknown
from idp.services.messages import Mail, opened_mail
from idp.services.sign_in import password as sign_in
from idp.services.sign_in.password import Checked
from idp.storage.models import lifecycle_warnings, outbox
from tests.support.builders import HOME, PASSWORD
from tests.support.clock import A_MONDAY_MORNING
from tests.support.life_cycle import Years, an_idle_account
from tests.support.race import race

if TYPE_CHECKING:
    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

POLICY = LifeCyclePolicy()
END = POLICY.inactive_at(A_MONDAY_MORNING)
ROUNDS = 10
NODES = 4


@pytest.fixture
def years(crowded_provider: Provider, clock: SettableClock) -> Years:
    """Time, standing where the first warnings are due."""
    clock.set(END - POLICY.first_warning)
    return Years(crowded_provider.context, clock)


def people(years: Years, number: int) -> list[Account]:
    """Write accounts that were left at the same moment."""
    return [
        an_idle_account(years.context, f"zoe{place}@example.fr", A_MONDAY_MORNING) for place in range(number)
    ]


def mails_waiting(years: Years) -> list[Mail]:
    """Open every mail that was not sent yet."""
    statement = select(outbox.c.message_id, outbox.c.payload).where(
        outbox.c.delivered_at.is_(None), outbox.c.kind == "mail"
    )
    with years.context.database.read() as connection:
        return [opened_mail(years.context, *row) for row in connection.execute(statement)]


@pytest.mark.rule("LIF-3")
def test_nodes_that_run_at_once_warn_everybody_once(years: Years) -> None:
    """In small batches, so that they meet often."""
    people(years, 24)

    done = race(*[lambda: life_cycle.run(years.context, POLICY, Limits(batch=3))] * NODES)
    life_cycle.run(years.context, POLICY)

    with years.context.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(lifecycle_warnings)) == 24
        assert connection.scalar(select(func.count()).select_from(outbox)) == 24
    assert sum(run.warned for run in done) <= 24


@pytest.mark.rule("LIF-3")
def test_nodes_that_run_at_once_delete_everybody_once(years: Years) -> None:
    """Each owner is told once."""
    everybody = people(years, 12)
    years.pass_until(END)

    race(*[lambda: life_cycle.run(years.context, POLICY, Limits(batch=3))] * NODES)
    life_cycle.run(years.context, POLICY)

    assert not any(map(years.exists, everybody))
    told = Counter(
        mail.to for mail in [mail for mail in mails_waiting(years) if mail.event == "account_deleted"]
    )
    assert told == {account.email: 1 for account in everybody}


@pytest.mark.rule("LIF-1", "LIF-3")
def test_login_at_the_moment_of_the_deletion_has_one_outcome(years: Years) -> None:
    """Either the person is in and the account stays, or it is gone and nobody is in."""
    outcomes = set()
    for turn in range(ROUNDS):
        years.clock.set(END - POLICY.first_warning)
        zoe = an_idle_account(years.context, f"zoe{turn}@example.fr", A_MONDAY_MORNING)
        for delay in POLICY.warnings:
            years.clock.set(END - delay)
            years.run()
            years.deliver()
        years.clock.set(END)

        def log_in(email: str = zoe.email) -> bool:
            checked = sign_in.check(years.context, email, PASSWORD, address=HOME, device_hash=None)
            if not isinstance(checked, Checked):
                return False
            with years.context.database.write() as connection:
                return sign_in.confirm(years.context, connection, checked, years.clock())

        _, is_in = race(lambda: bool(years.run().deleted), log_in)

        outcomes.add((is_in, years.exists(zoe)))
    assert outcomes <= {(True, True), (False, False)}


@pytest.mark.rule("LIF-2", "LIF-3")
def test_link_pressed_at_the_moment_of_the_deletion_has_one_outcome(years: Years) -> None:
    """Either the account is kept, or the page says that it is gone."""
    for turn in range(ROUNDS):
        years.clock.set(END - POLICY.first_warning)
        zoe = an_idle_account(years.context, f"zoe{turn}@example.fr", A_MONDAY_MORNING)
        years.run()
        token = (
            next(mail for mail in mails_waiting(years) if mail.to == zoe.email)
            .variables["link"]
            .split("=")[1]
        )
        years.deliver()
        years.clock.set(END)

        kept, _ = race(
            lambda token=token: not isinstance(reactivation.keep(years.context, token), Unknown),
            lambda: bool(years.run().deleted),
        )

        assert kept == years.exists(zoe)
