"""The job over unused accounts: batches, limits, kills at every statement, the plan of its queries (LIF-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from threading import Event
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.cli.server.delivery import work_life_cycle
from idp.config import LifeCycle
from idp.domain.life_cycle import Delete, LifeCyclePolicy, Warn
from idp.services.account import life_cycle
from idp.services.account.life_cycle import Limits
from idp.storage.models import account_links, accounts, lifecycle_warnings, outbox
from idp.storage.repositories import life_cycle as queries
from tests.support.clock import A_MONDAY_MORNING
from tests.support.life_cycle import Killed, Years, an_idle_account, fill, killed_at, use

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Table

    from idp.domain.account import Account
    from idp.services.context import Context
    from tests.support.clock import SettableClock

DAY = timedelta(days=1)
POLICY = LifeCyclePolicy()
END = POLICY.inactive_at(A_MONDAY_MORNING)
#: More than one batch of two.
PEOPLE = 5


@pytest.fixture
def years(context: Context, clock: SettableClock) -> Years:
    """Time, standing where the first warnings are due."""
    found = Years(context, clock)
    found.skip_to(END - 60 * DAY)
    return found


def people(years: Years, number: int = PEOPLE) -> list[Account]:
    """Write accounts that were left at the same moment: the order of a batch must still be total."""
    return [
        an_idle_account(years.context, f"zoe{place}@example.fr", A_MONDAY_MORNING) for place in range(number)
    ]


def rows(context: Context, table: Table) -> int:
    """Count the rows of a table."""
    with context.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def left(context: Context) -> tuple[int, int, int]:
    """Count warnings, their mails and their links."""
    return rows(context, lifecycle_warnings), rows(context, outbox), rows(context, account_links)


@pytest.mark.rule("LIF-3")
def test_run_twice_warns_once(years: Years) -> None:
    """The second finds nothing due."""
    people(years)

    first, second = years.run(batch=2), years.run(batch=2)

    assert (first.looked_at, first.warned) == (PEOPLE, PEOPLE)
    assert (second.looked_at, second.warned) == (PEOPLE, 0)
    assert left(years.context) == (PEOPLE, PEOPLE, PEOPLE)


@pytest.mark.rule("LIF-3")
@pytest.mark.parametrize("batch", [1, 2, 5, 200])
def test_every_account_is_looked_at_whatever_the_batch(years: Years, batch: int) -> None:
    """Accounts of one and the same moment are parted by their identifiers."""
    people(years)

    assert years.run(batch=batch).warned == PEOPLE


@pytest.mark.rule("LIF-3")
def test_limit_leaves_the_rest_to_the_next_run(years: Years) -> None:
    """So many acts, and it says that more is due."""
    people(years)

    first, second = years.run(batch=2, acts=3), years.run(batch=2, acts=3)

    assert (first.warned, first.is_whole) == (3, False)
    assert (second.warned, second.is_whole) == (2, True)


@pytest.mark.rule("LIF-3")
def test_run_that_is_told_to_stop_begins_no_batch(years: Years) -> None:
    """The worker ends at once."""
    people(years)

    done = years.run(go_on=lambda: False)

    assert (done.warned, done.is_whole) == (0, False)


@pytest.mark.rule("LIF-3")
def test_dry_run_says_what_and_when_and_writes_nothing(years: Years) -> None:
    """Undated accounts too."""
    warned = people(years, 1)[0]
    undated = an_idle_account(years.context, "max@example.fr", None)
    before = left(years.context)

    found = {due.account.account_id: due.step for due in life_cycle.foreseen(years.context, POLICY)}

    assert found[warned.account_id] == Warn(60, END)
    assert undated.account_id not in found
    years.skip_to(END + 1500 * DAY)
    found = {due.account.account_id: due.step for due in life_cycle.foreseen(years.context, POLICY)}
    assert isinstance(found[undated.account_id], Warn)
    assert left(years.context) == before
    with years.context.database.read() as connection:
        assert queries.count_undated(connection) == 1


@pytest.mark.rule("LIF-3")
def test_status_counts_each_stage(years: Years) -> None:
    """Where everybody stands, the outage among it."""
    people(years, 2)
    years.day()
    late = an_idle_account(years.context, "max@example.fr", A_MONDAY_MORNING)
    years.run()

    found = life_cycle.status(years.context, POLICY)

    assert (dict(found.warned), found.underway, found.unwarned, found.undated) == ({60: 2}, 1, 0, 0)
    years.server.is_away = True
    for _ in range(4):
        years.deliver()
        years.clock.advance(days=1)
    assert life_cycle.status(years.context, POLICY).blocked_by_outage == 1
    assert years.exists(late)


def _kills(years: Years) -> int:
    """Kill the process at each statement in turn, until a run has none left; count the kills."""
    for number in count(1):
        with killed_at(years.context, number) as ran:
            try:
                years.run(batch=2)
            except Killed:
                continue
        assert len(ran) < number
        return number - 1
    raise AssertionError("unreachable")


@pytest.mark.rule("LIF-3")
def test_run_killed_at_any_statement_of_a_warning_doubles_nothing(years: Years) -> None:
    """Each run begins where the one before was killed; in the end everybody has one warning, one mail, one link."""
    people(years, 3)

    kills = _kills(years)

    assert kills > 8
    assert left(years.context) == (3, 3, 3)
    assert years.run().warned == 0


@pytest.mark.rule("LIF-3")
def test_run_killed_at_any_statement_of_a_deletion_leaves_whole_accounts(years: Years) -> None:
    """All of an account is there, or nothing."""
    zoe = people(years, 1)[0]
    years.pass_until(END)

    kills = 0
    for number in count(1):
        with killed_at(years.context, number):
            try:
                years.run()
            except Killed:
                kills += 1
                if years.exists(zoe):
                    assert len(years.warnings(zoe)) == 3
                    continue
                # Killed after the commit: nothing of the account is left.
                assert years.warnings(zoe) == []
        break

    assert kills > 8
    assert not years.exists(zoe)
    years.deliver()
    assert years.server.subjects("zoe0@example.fr").count("Votre compte Mon Paris est supprimé") == 1


@pytest.mark.rule("LIF-1", "LIF-3")
@pytest.mark.parametrize("days", [-60, 0], ids=["warning", "deletion"])
def test_use_between_the_look_and_the_act_wins(years: Years, days: int) -> None:
    """The job has read that something is due; the owner signs in; nothing happens."""
    zoe = people(years, 1)[0]
    years.pass_until(END + days * DAY)
    expected = Delete if years.server.taken else Warn

    def used_meanwhile() -> bool:
        use(years.context, zoe, years.clock())
        return True

    assert [type(one.step) for one in life_cycle.foreseen(years.context, POLICY)] == [expected]
    done = years.run(go_on=used_meanwhile)

    assert (done.warned, done.deleted) == (0, 0)
    assert years.exists(zoe)


@pytest.mark.rule("LIF-3")
@pytest.mark.parametrize("begins", [True, False], ids=["first batch", "a later one"])
def test_batches_follow_the_index_of_the_latest_use(
    context: Context, clock: SettableClock, *, begins: bool
) -> None:
    """Neither database goes over the table or sorts it, however many accounts there are."""
    before = POLICY.idle_before(clock())
    fill(context.database, 5000, first=before - 30 * DAY, last=before + 30 * DAY)
    statement = queries.idle_statement(before, None if begins else (before - DAY, "01jd"), 200)
    compiled = statement.compile(context.database.reader, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN" if context.database.is_sqlite else "EXPLAIN"

    with context.database.read() as connection:
        told = connection.exec_driver_sql(f"{explain} {compiled}").all()

    plan = "\n".join(str(row[-1]) for row in told)
    assert "ix_accounts_last_active_at" in plan
    assert "TEMP B-TREE" not in plan, plan
    assert "SCAN accounts" not in plan, plan
    assert "Seq Scan on accounts" not in plan, plan
    assert "Sort" not in plan, plan


@pytest.mark.rule("LIF-1")
def test_creation_and_first_use_are_dated(years: Years) -> None:
    """No new account is ever undated."""
    people(years, 1)
    with years.context.database.read() as connection:
        assert connection.scalar(select(func.count()).where(accounts.c.last_active_at.is_(None))) == 0


@pytest.mark.rule("LIF-3")
def test_settings_without_warnings_do_nothing(years: Years) -> None:
    """A list emptied by mistake: nobody is read."""
    people(years, 1)

    done = life_cycle.run(years.context, LifeCyclePolicy(warnings=()), Limits())

    assert (done.looked_at, done.deleted) == (0, 0)


class Impatient(Event):
    """An event that lets a worker have so many turns without a wait, then stops it."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.turns = turns
        self.waits: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Do not wait; end after the last turn."""
        self.waits.append(timeout)
        if len(self.waits) > self.turns:
            self.set()
        return self.is_set()


@pytest.mark.rule("LIF-3")
def test_worker_runs_the_job_on_its_timer(years: Years) -> None:
    """Soon after its start, then every so many minutes, until it is told to stop."""
    people(years)
    stop = Impatient(turns=2)

    work_life_cycle(years.context, LifeCycle(every_minutes=60, batch=2), stop)

    assert stop.waits == [60.0, 3600.0, 3600.0]
    assert left(years.context) == (PEOPLE, PEOPLE, PEOPLE)


@pytest.mark.rule("LIF-3")
def test_worker_tries_again_after_a_failure(years: Years) -> None:
    """Whatever went wrong, the next turn does the work."""
    people(years)
    tries: list[int] = []

    def fails_once() -> datetime:
        tries.append(1)
        if len(tries) == 1:
            raise RuntimeError("no time")
        return years.clock()

    work_life_cycle(replace(years.context, clock=fails_once), LifeCycle(), Impatient(turns=2))

    assert left(years.context) == (PEOPLE, PEOPLE, PEOPLE)
