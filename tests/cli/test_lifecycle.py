"""`idp lifecycle`: what it prints, its exit codes, and that it can be run again (LIF-3, ADM-2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from idp.cli.exits import Exit
from idp.storage.engine import open_database
from idp.storage.models import lifecycle_warnings, outbox
from tests.support.builders import a_context, some_terms
from tests.support.clock import SettableClock
from tests.support.life_cycle import an_idle_account
from tests.unit.outbound.test_delivery_status import report

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.services.context import Context
    from tests.cli.conftest import Run

ZOE = "zoe@example.fr"


@pytest.fixture
def context(database_url: str) -> Iterator[Context]:
    """The parts over the database of the command line, whose clock is the real one."""
    database = open_database(database_url)
    context = a_context(database, SettableClock(datetime.now(UTC)))  # noqa: TID251 - the command has no other
    some_terms(context)
    yield context
    database.dispose()


@pytest.fixture
def zoe(context: Context) -> Account:
    """Somebody who left four years ago."""
    return an_idle_account(context, ZOE, context.clock() - timedelta(days=1461))


def message_of(context: Context) -> str:
    """Read the message of the warning."""
    with context.database.read() as connection:
        return connection.scalars(select(lifecycle_warnings.c.message_id)).one()


def give_up(context: Context) -> None:
    """Let the mail server refuse every mail for good."""
    with context.database.write() as connection:
        connection.execute(update(outbox).values(dead_at=context.clock(), last_error="SMTP 550"))


@pytest.mark.rule("LIF-3", "ADM-2")
def test_dry_run_prints_what_would_be_done_and_writes_nothing(
    idp: Run, context: Context, zoe: Account
) -> None:
    """With the date, for people and for programs."""
    printed = idp("lifecycle", "run", "--dry-run")
    told = idp("lifecycle", "run", "--dry-run", "--json").json

    assert printed.code == Exit.OK
    assert zoe.account_id in printed.out
    assert "warning" in printed.out
    assert [(row["account_id"], row["act"]) for row in told] == [(zoe.account_id, "warn")]
    with context.database.read() as connection:
        assert connection.execute(select(lifecycle_warnings)).all() == []


@pytest.mark.rule("LIF-3", "ADM-2")
@pytest.mark.usefixtures("zoe")
def test_run_warns_once(idp: Run) -> None:
    """The second run finds nothing due."""
    first = idp("lifecycle", "run", "--json")
    second = idp("lifecycle", "run")

    assert first.code == Exit.OK
    assert first.json["warned"] == 1
    assert "0 warned, 0 deleted" in second.out


@pytest.mark.rule("LIF-3", "ADM-2")
@pytest.mark.usefixtures("zoe")
def test_run_says_that_some_are_left(idp: Run, context: Context) -> None:
    """After so many acts."""
    an_idle_account(context, "max@example.fr", context.clock() - timedelta(days=1500))

    assert "left for the next run" in idp("lifecycle", "run", "--limit", "1").out


@pytest.mark.rule("LIF-3", "ADM-2")
def test_accounts_that_no_mail_reaches_end_a_run_by_a_code_of_their_own(
    idp: Run, context: Context, zoe: Account
) -> None:
    """And are listed for the manager."""
    assert "Every owner can be warned." in idp("lifecycle", "undeliverable").out
    idp("lifecycle", "run")
    give_up(context)

    done = idp("lifecycle", "run")
    listed = idp("lifecycle", "undeliverable", "--json").json

    assert done.code == Exit.UNDELIVERABLE
    assert "1 can't be warned" in done.out
    assert idp("lifecycle", "run", "--dry-run").code == Exit.UNDELIVERABLE
    assert [(row["account_id"], row["last_error"]) for row in listed] == [(zoe.account_id, "SMTP 550")]
    assert "SMTP 550" in idp("lifecycle", "undeliverable").out


@pytest.mark.rule("LIF-3", "ADM-2")
@pytest.mark.usefixtures("zoe")
def test_status_counts_who_stands_where(idp: Run) -> None:
    """For people and for programs."""
    idp("lifecycle", "run")

    assert "first mail under way" in idp("lifecycle", "status").out
    assert idp("lifecycle", "status", "--json").json["underway"] == 1


@pytest.mark.rule("LIF-3", "ADM-2")
@pytest.mark.usefixtures("zoe")
@pytest.mark.parametrize("by", ["address", "message", "report"])
def test_bounce_is_recorded_once(idp: Run, context: Context, by: str) -> None:
    """By the address, by the Message-ID, or as the mail server reports it."""
    idp("lifecycle", "run")
    message_id = message_of(context)
    raw = report().decode().replace("01jd3qk0x4v2m8w6y5r7t9z1bc", message_id)
    ways = {
        "address": ((ZOE.upper(),), None),
        "message": ((f"<{message_id}@example.org>",), None),
        "report": (("--stdin",), raw),
    }
    arguments, typed = ways[by]

    first = idp("lifecycle", "bounce", "--json", *arguments, typed=typed)

    assert first.code == Exit.OK
    assert first.json == {"recorded": 1}
    again = idp("lifecycle", "bounce", *arguments, typed=typed)
    assert again.code == (Exit.OK if by == "report" else Exit.NOT_FOUND)
    assert idp("lifecycle", "status", "--json").json["unwarned"] == 1


@pytest.mark.rule("LIF-3", "ADM-2")
@pytest.mark.parametrize(
    "arguments, code",
    [
        ((), Exit.USAGE),
        (("zoe@example.fr", "--stdin"), Exit.USAGE),
        (("zoe",), Exit.USAGE),
        (("nobody@example.fr",), Exit.NOT_FOUND),
    ],
    ids=["nothing", "both", "neither", "unknown"],
)
def test_bounce_of_nothing_known_is_refused(idp: Run, arguments: tuple[str, ...], code: Exit) -> None:
    """And says why."""
    assert idp("lifecycle", "bounce", *arguments).code == code


@pytest.mark.rule("LIF-3")
@pytest.mark.usefixtures("zoe")
@pytest.mark.parametrize("raw", ["", "Subject: Absent\n\nUntil Monday.", report(action="delayed").decode()],
                         ids=["empty", "absence", "late"])  # fmt: skip
def test_report_of_no_failure_records_nothing(idp: Run, raw: str) -> None:
    """A pipe of the mail server gets all kinds of mail, and must not be told that it failed."""
    idp("lifecycle", "run")

    assert idp("lifecycle", "bounce", "--stdin", "--json", typed=raw).json == {"recorded": 0}
