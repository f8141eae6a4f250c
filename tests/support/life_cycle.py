"""Lets years pass for accounts that nobody uses: the job and the mail server, day by day."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, select, text, update

from idp.domain.life_cycle import LifeCyclePolicy
from idp.outbound.mail import MailRefused, MailUnavailable, MailWriter
from idp.services.account import life_cycle
from idp.services.account.life_cycle import Limits, Run
from idp.services.delivery import Post, deliver_due
from idp.services.operations.housekeeping import Retention, purge
from idp.storage.models import accounts, lifecycle_warnings
from tests.support.builders import ISSUER, an_account

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from idp.domain.account import Account
    from idp.outbound.mail import Envelope, WrittenMail
    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
CITY = {"name": "Ville de Paris", "phone": "3975", "contact_url": "https://city.example/contact"}
KEPT = Retention(session_idle=timedelta(hours=20))


_FILL_SQLITE = """
WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n + 1 < :number)
INSERT INTO accounts (account_id, email, email_canonical, password_hash, password_is_generated, password_changed_at,
  state, language, terms_version, created_at, last_sign_in_at, last_active_at)
SELECT printf('%026d', n), 'p' || n || '@example.org', 'p' || n || '@example.org', 'x', 0, :since,
  'active', 'fr', '2026-01-01', :since, :since, CASE WHEN :dated THEN :since + n * :step END
FROM numbers
"""
_FILL_POSTGRESQL = """
INSERT INTO accounts (account_id, email, email_canonical, password_hash, password_is_generated, password_changed_at,
  state, language, terms_version, created_at, last_sign_in_at, last_active_at)
SELECT lpad(CAST(n AS text), 26, '0'), 'p' || n || '@example.org', 'p' || n || '@example.org', 'x', false,
  CAST(:since AS bigint), 'active', 'fr', '2026-01-01', CAST(:since AS bigint), CAST(:since AS bigint),
  CASE WHEN CAST(:dated AS boolean) THEN CAST(:since AS bigint) + CAST(n AS bigint) * CAST(:step AS bigint) END
FROM generate_series(0, CAST(:number AS integer) - 1) AS n
"""


class Killed(Exception):
    """The process was killed."""


@dataclass
class MailServer:
    """Takes mails, refuses them, or is away.

    Attributes:
        is_away: No connection.
        refuses: Addresses that it refuses for good.
        taken: When each mail was taken, to whom, and what it said.
    """

    is_away: bool = False
    refuses: set[str] = field(default_factory=set)
    taken: list[tuple[datetime, str, WrittenMail]] = field(default_factory=list)

    def send(self, envelope: Envelope, mail: WrittenMail) -> None:
        """Answer as a mail server does."""
        if self.is_away:
            raise MailUnavailable("ConnectionRefusedError")
        if envelope.to in self.refuses:
            raise MailRefused("SMTP 550")
        self.taken.append((envelope.at, envelope.to, mail))

    def close(self) -> None:
        """Do nothing."""

    def subjects(self, to: str) -> list[str]:
        """Name the mails to an address, the oldest first."""
        return [mail.subject for _, address, mail in self.taken if address == to]


@dataclass
class Years:
    """Time that passes: each day the job runs, then the worker sends and purges.

    Attributes:
        context: The parts.
        clock: Its clock.
        server: The mail server.
        policy: The settings; they may change on the way.
    """

    context: Context
    clock: SettableClock
    server: MailServer = field(default_factory=MailServer)
    policy: LifeCyclePolicy = field(default_factory=LifeCyclePolicy)

    def run(self, **limits: Any) -> Run:
        """Run the job once."""
        return life_cycle.run(self.context, self.policy, Limits(**limits))

    def deliver(self) -> None:
        """Send what is due."""
        while deliver_due(self.context, Post(self.server, the_writer())):
            pass

    def day(self) -> None:
        """Live one day."""
        self.run()
        self.deliver()
        self.clock.advance(days=1)

    def pass_until(self, moment: datetime) -> None:
        """Live every day until a moment, and purge once a week."""
        while self.clock() < moment:
            self.day()
            if self.clock().toordinal() % 7 == 0:
                purge(self.context, KEPT, pause=lambda _: None)

    def skip_to(self, moment: datetime) -> None:
        """Let time pass in which nothing is due, in one step."""
        self.clock.set(moment)

    def exists(self, account: Account) -> bool:
        """Tell whether an account is still there."""
        statement = select(accounts.c.account_id).where(accounts.c.account_id == account.account_id)
        with self.context.database.read() as connection:
            return connection.scalar(statement) is not None

    def warnings(self, account: Account) -> list[Any]:
        """List the warnings of an account, the oldest first."""
        statement = (
            select(lifecycle_warnings)
            .where(lifecycle_warnings.c.account_id == account.account_id)
            .order_by(lifecycle_warnings.c.queued_at)
        )
        with self.context.database.read() as connection:
            return list(connection.execute(statement))


def fill(database: Database, number: int, *, first: datetime, last: datetime | None) -> None:
    """Write many accounts by one statement, used at even distances from a moment to another.

    Args:
        database: Empty.
        number: How many.
        first: The latest use of the first one.
        last: That of the last one; None leaves all of them undated, created at `first`.
    """
    since = _microseconds(first)
    step = 0 if last is None else max((_microseconds(last) - since) // number, 1)
    values = {"number": number, "since": since, "step": step, "dated": last is not None}
    with database.write() as connection:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(_FILL_SQLITE if database.is_sqlite else _FILL_POSTGRESQL), values)
        connection.execute(text("ANALYZE accounts"))


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp()) * 1_000_000


@cache
def the_writer() -> MailWriter:
    """Give the writer of this process, which keeps its templates."""
    return MailWriter((TEMPLATES,), CITY, ISSUER)


def an_idle_account(context: Context, email: str, idle_since: datetime | None, **fields: Any) -> Account:
    """Write an account last used then; None for one of before that was kept."""
    account = an_account(context, email, **fields)
    use(context, account, idle_since)
    return account


def use(context: Context, account: Account, at: datetime | None) -> None:
    """Say when an account was last used."""
    statement = update(accounts).where(accounts.c.account_id == account.account_id).values(last_active_at=at)
    with context.database.write() as connection:
        connection.execute(statement)


@contextmanager
def killed_at(context: Context, number: int) -> Iterator[list[str]]:
    """Kill the process at one statement of the transactions of a block.

    Args:
        context: The parts.
        number: Of the statement, from 1; the block gets those that ran.
    """
    ran: list[str] = []

    def kill(_connection: Connection, _cursor: object, statement: str, *_: object) -> None:
        ran.append(statement)
        if len(ran) == number:
            raise Killed(statement)

    engine = context.database.writer
    event.listen(engine, "before_cursor_execute", kill)
    try:
        yield ran
    finally:
        event.remove(engine, "before_cursor_execute", kill)
