"""Time travel over forty months: warnings, reactivation, sign-in, deletion, mail that is away (LIF-1, LIF-2, LIF-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from idp.domain.life_cycle import LifeCyclePolicy
from idp.services.account import life_cycle, reactivation
from idp.services.account.reactivation import Expired, InUse, Kept, Unknown, Waiting
from idp.services.sign_in import password as sign_in
from idp.services.sign_in.password import Checked
from idp.storage.models import accounts, data_requests
from idp.storage.repositories import life_cycle as queries
from tests.support.builders import HOME, PASSWORD, last_mail
from tests.support.clock import A_MONDAY_MORNING
from tests.support.life_cycle import Years, an_idle_account

if TYPE_CHECKING:
    from datetime import datetime

    from idp.services.context import Context
    from tests.support.clock import SettableClock

ZOE = "zoe@example.fr"
DAY = timedelta(days=1)
POLICY = LifeCyclePolicy()
START = A_MONDAY_MORNING
END = POLICY.inactive_at(START)


@pytest.fixture
def years(context: Context, clock: SettableClock) -> Years:
    """Time, standing 61 days before Zoé's account counts as abandoned."""
    found = Years(context, clock)
    found.skip_to(END - 61 * DAY)
    return found


def days_of(years: Years, email: str = ZOE) -> list[int]:
    """Say how many days before the end each mail arrived."""
    return [(END - at).days for at, to, _ in years.server.taken if to == email]


def token_of(years: Years) -> str:
    """Read the token of the link of the latest mail that waits."""
    link = last_mail(years.context).variables["link"]
    return parse_qs(urlsplit(link).query)["token"][0]


def signs_in(years: Years) -> None:
    """Sign in by password."""
    checked = sign_in.check(years.context, ZOE, PASSWORD, address=HOME, device_hash=None)
    assert isinstance(checked, Checked)
    with years.context.database.write() as connection:
        assert sign_in.confirm(years.context, connection, checked, years.clock())


@pytest.mark.rule("LIF-1", "LIF-2", "LIF-3")
def test_account_that_nobody_uses_is_warned_three_times_and_deleted(years: Years) -> None:
    """60, 30 and 7 days before, each mail telling the very date; then a last mail says that it was done."""
    zoe = an_idle_account(years.context, ZOE, START)

    years.pass_until(END)
    assert years.exists(zoe)
    years.pass_until(END + 2 * DAY)

    assert not years.exists(zoe)
    assert days_of(years)[:3] == [60, 30, 7]
    subjects = years.server.subjects(ZOE)
    assert subjects[:3] == ["Votre compte Mon Paris sera supprimé le 2 avril 2029"] * 3
    assert subjects[3:] == ["Votre compte Mon Paris est supprimé"]
    texts = [mail.text for _, _, mail in years.server.taken]
    assert all("2 avril 2029 à 11\u00a0h\u00a000" in text for text in texts[:3])
    assert all("3975" in text for text in texts)


@pytest.mark.rule("LIF-1")
def test_account_in_use_is_never_warned(years: Years) -> None:
    """A login each winter is enough, for ever."""
    zoe = an_idle_account(years.context, ZOE, END - 100 * DAY)

    years.pass_until(END + 30 * DAY)

    assert years.exists(zoe)
    assert years.server.taken == []


@pytest.mark.rule("LIF-1", "LIF-2")
def test_sign_in_begins_another_period_and_voids_the_warnings(years: Years) -> None:
    """Nothing of the former period counts: 37 months later all three mails go out again."""
    zoe = an_idle_account(years.context, ZOE, START)
    years.pass_until(END - 5 * DAY)

    signs_in(years)
    again = POLICY.inactive_at(years.clock())
    years.pass_until(END + 3 * DAY)
    assert years.exists(zoe)
    assert years.warnings(zoe) == []
    years.skip_to(again - 61 * DAY)
    years.pass_until(again + 2 * DAY)

    assert not years.exists(zoe)
    assert [(again - at).days for at, _, _ in years.server.taken[3:6]] == [60, 30, 7]


@pytest.mark.rule("LIF-1", "LIF-2")
def test_link_of_a_mail_keeps_the_account_for_another_period(years: Years) -> None:
    """No login; looking changes nothing, and the button is pressed once."""
    zoe = an_idle_account(years.context, ZOE, START)
    years.pass_until(END - 60 * DAY)
    years.run()
    token = token_of(years)
    years.deliver()
    years.pass_until(END - 10 * DAY)

    looked = [reactivation.look(years.context, token) for _ in range(2)]
    done = reactivation.keep(years.context, token)

    until = POLICY.inactive_at(years.clock())
    assert looked == [Waiting(ZOE, END, False, until)] * 2  # noqa: FBT003 - as the page is given it
    assert done == Kept(until)
    assert reactivation.keep(years.context, token) == InUse(until)
    years.pass_until(END + 3 * DAY)
    assert years.exists(zoe)
    assert days_of(years) == [60, 30]


@pytest.mark.rule("LIF-2")
def test_link_is_of_no_use_once_the_account_was_used_or_is_gone(years: Years) -> None:
    """Signed in since: nothing to do. Deleted: unknown. Altered: unknown. Long past its date: sign in."""
    an_idle_account(years.context, ZOE, START)
    years.clock.advance(days=1)
    years.run()
    token = token_of(years)

    assert reactivation.keep(years.context, token[:-1]) == Unknown()
    assert reactivation.keep(years.context, None) == Unknown()
    years.skip_to(END + life_cycle.LINK_GRACE)
    assert reactivation.keep(years.context, token) == Expired()
    signs_in(years)
    assert isinstance(reactivation.keep(years.context, token), InUse)
    years.skip_to(END + 900 * DAY)
    with years.context.database.write() as connection:
        queries.reactivate(connection, "nobody", years.clock())
    assert isinstance(reactivation.look(years.context, token), InUse)


@pytest.mark.rule("LIF-3")
@pytest.mark.parametrize("weeks", [5, 14], ids=lambda weeks: f"{weeks} weeks")
def test_mail_that_is_away_for_weeks_moves_the_date(years: Years, weeks: int) -> None:
    """However long: a mail arrives before the deletion, tells its very day, and leaves the whole notice."""
    zoe = an_idle_account(years.context, ZOE, START)
    years.server.is_away = True
    years.pass_until(years.clock() + weeks * 7 * DAY)
    years.server.is_away = False
    back = years.clock()

    while years.exists(zoe):
        years.day()

    arrived = [(at, mail) for at, _, mail in years.server.taken[:-1]]
    deleted_at = years.server.taken[-1][0]
    assert arrived
    assert deleted_at >= max(END, arrived[0][0] + POLICY.notice)
    told = {mail.subject for _, mail in arrived}
    assert len(told) == 1
    assert deleted_at < max(END, back + 12 * DAY) + DAY


@pytest.mark.rule("LIF-3")
def test_refused_mails_keep_the_account_and_tell_the_manager(years: Years) -> None:
    """Weeks later it is still there, among those that can't be warned, and is tried once a month."""
    zoe = an_idle_account(years.context, ZOE, START)
    years.server.refuses = {ZOE}

    years.pass_until(END + 40 * DAY)

    assert years.exists(zoe)
    assert [due.account.last_error for due in life_cycle.undeliverable(years.context, POLICY)] == ["SMTP 550"]
    assert years.run().unwarned == 1
    years.server.refuses = set()
    years.pass_until(END + 80 * DAY)
    assert not years.exists(zoe)


@pytest.mark.rule("LIF-3")
def test_warning_that_was_sent_back_counts_for_nothing(years: Years) -> None:
    """Our server took it, the next one did not: the account stays until another mail arrives."""
    zoe = an_idle_account(years.context, ZOE, START)
    years.pass_until(END - 1 * DAY)

    assert life_cycle.bounce(years.context, address="ZOE@example.fr") == 1
    assert life_cycle.bounce(years.context, address=ZOE) == 0
    years.pass_until(END + 10 * DAY)

    assert years.exists(zoe)
    assert life_cycle.status(years.context, POLICY).unwarned == 1


@pytest.mark.rule("LIF-3")
def test_bounce_of_one_message_leaves_the_others(years: Years) -> None:
    """By its Message-ID one warning is void; one that arrived is enough."""
    zoe = an_idle_account(years.context, ZOE, START)
    years.pass_until(END - 20 * DAY)
    latest = years.warnings(zoe)[-1]

    assert life_cycle.bounce(years.context, message_id=latest.message_id) == 1
    years.pass_until(END + 2 * DAY)

    assert not years.exists(zoe)


@pytest.mark.rule("LIF-2")
def test_longer_settings_are_told_before_they_hold(years: Years) -> None:
    """48 months instead of 37, decided after two mails: three more tell the later date."""
    zoe = an_idle_account(years.context, ZOE, START)
    years.pass_until(END - 20 * DAY)
    years.policy = replace(POLICY, inactivity_months=48)
    later = years.policy.inactive_at(START)

    years.pass_until(END + 10 * DAY)
    assert days_of(years) == [60, 30]
    years.skip_to(later - 61 * DAY)
    years.pass_until(later + 2 * DAY)

    assert not years.exists(zoe)
    assert [(later - at).days for at, _, _ in years.server.taken[2:5]] == [60, 30, 7]


@pytest.mark.rule("LIF-3")
def test_job_that_was_off_for_months_warns_anew(years: Years) -> None:
    """A date that passed three months ago is no warning any more: ten days are left from another mail."""
    zoe = an_idle_account(years.context, ZOE, START)
    years.pass_until(END - 5 * DAY)

    years.skip_to(END + 90 * DAY)
    years.day()
    assert years.exists(zoe)
    years.pass_until(END + 99 * DAY)
    assert years.exists(zoe)
    years.pass_until(END + 102 * DAY)

    assert not years.exists(zoe)


@pytest.mark.rule("LIF-3")
def test_warning_of_the_former_period_is_not_sent(years: Years) -> None:
    """Mail was away when it was queued; the person signed in before it came back."""
    an_idle_account(years.context, ZOE, START)
    years.server.is_away = True
    years.clock.advance(days=1)
    years.day()

    signs_in(years)
    years.server.is_away = False
    years.day()

    assert years.server.taken == []


@pytest.mark.rule("LIF-1")
def test_old_rows_are_dated_by_their_latest_sign_in(years: Years) -> None:
    """Accounts of before the column: the first run fills it in, and warns nobody it should not."""
    fresh = an_idle_account(years.context, ZOE, None)

    done = years.run()

    assert (done.dated, done.warned) == (1, 0)
    with years.context.database.read() as connection:
        assert queries.count_undated(connection) == 0
    assert years.exists(fresh)


@pytest.mark.rule("LIF-3")
def test_restricted_accounts_and_open_requests_are_left_alone(years: Years) -> None:
    """PRI-4: they are neither warned nor deleted until that is over; then with the whole delay."""
    limited = an_idle_account(years.context, ZOE, START)
    asking = an_idle_account(years.context, "max@example.fr", START)
    restrict(years, limited.account_id, years.clock())
    ask(years, asking.account_id)

    years.pass_until(END + 2 * DAY)
    assert years.server.taken == []
    assert life_cycle.status(years.context, POLICY).kept == 2
    restrict(years, limited.account_id, None)
    years.pass_until(END + 61 * DAY)

    assert years.exists(limited)
    assert len(years.server.taken) == 3
    years.pass_until(END + 64 * DAY)
    assert not years.exists(limited)
    assert years.exists(asking)


@pytest.mark.rule("LIF-3")
def test_locked_account_is_warned_and_deleted_like_others(years: Years) -> None:
    """A lock says nothing of how long data may be kept."""
    zoe = an_idle_account(years.context, ZOE, START, is_locked=True)

    years.pass_until(END + 2 * DAY)

    assert not years.exists(zoe)
    assert days_of(years)[:3] == [60, 30, 7]


def restrict(years: Years, account_id: str, at: datetime | None) -> None:
    """Restrict the processing of an account, or end that."""
    statement = accounts.update().where(accounts.c.account_id == account_id).values(limited_at=at)
    with years.context.database.write() as connection:
        connection.execute(statement)


def ask(years: Years, account_id: str) -> None:
    """Write a request of the RGPD that is open."""
    now = years.clock()
    with years.context.database.write() as connection:
        connection.execute(
            data_requests.insert().values(
                request_id="request",
                account_id=account_id,
                kind="access",
                channel="mail",
                is_of_guardian=False,
                state="open",
                received_at=now,
                due_at=now + 30 * DAY,
                note="",
            )
        )
