"""A process that ends in the middle leaves what was before, or the whole: deletion, withdrawal, acceptance, answers.

Every statement is tried, on both databases, by an error that nothing catches and by SIGKILL.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.services.account import deletion
from idp.services.authorization import consents, purposes, terms
from idp.storage.engine import open_database
from idp.storage.models import consents as consent_rows
from idp.storage.models import event_deliveries, ledger_entries, outbox, purged_accounts
from idp.storage.repositories import accounts
from tests.support.builders import some_terms
from tests.support.faults import ends_by_error, ends_by_kill, snapshot
from tests.support.provider import Provider, a_provider
from tests.support.purposes import EVENTS, MOBILE
from tests.support.whole_person import Needles, a_whole_person

if TYPE_CHECKING:
    from sqlalchemy import Table

    from idp.services.context import Context
    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("LIF-4", "CON-4", "CON-5", "CGU-3", "CON-3")
NEW_TERMS = "2026-02-01"


@dataclass(frozen=True)
class Case:
    """A use case, and how to tell that all of it happened.

    Attributes:
        run: The use case, on a person whom every table speaks of.
        is_whole: Looks at the database after it.
    """

    run: Callable[[Context, str, str], object]
    is_whole: Callable[[Context, Needles], bool]


def rows(context: Context, table: Table) -> int:
    """Count the rows of a table."""
    with context.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def entries(context: Context, matter: str, act: str) -> int:
    """Count the entries of the ledger about a matter."""
    statement = (
        select(func.count())
        .select_from(ledger_entries)
        .where(ledger_entries.c.matter == matter, ledger_entries.c.act == act)
    )
    with context.database.read() as connection:
        return connection.scalar(statement) or 0


def is_deleted(context: Context, needles: Needles) -> bool:
    """Tell whether everything is gone, the service is told, the certificate waits and the list has the account."""
    kinds = {"mail", "event"}
    with context.database.read() as connection:
        waiting = set(connection.scalars(select(outbox.c.kind)))
    is_listed = rows(context, purged_accounts) == 1 and rows(context, event_deliveries) == 1
    return not needles.found_in(context.database) and kinds <= waiting and is_listed


def is_withdrawn(context: Context, _: Needles) -> bool:
    """Tell whether the consent has ended, with its proof."""
    live = select(consent_rows.c.consent_id).where(consent_rows.c.withdrawn_at.is_(None))
    with context.database.read() as connection:
        is_over = connection.scalar(live) is None
    return is_over and entries(context, "consent", "withdrawn") == 1


def is_accepted(context: Context, needles: Needles) -> bool:
    """Tell whether the account names the version and the ledger proves it."""
    with context.database.read() as connection:
        account = accounts.by_id(connection, needles.account_id)
    return (
        account is not None and account.terms_version == NEW_TERMS and entries(context, "terms", "given") == 1
    )


def is_answered(context: Context, _: Needles) -> bool:
    """Tell whether the answer is kept with its proof, and the service is told."""
    return entries(context, "purpose", "given") == 1 and rows(context, event_deliveries) == 1


def withdraw(context: Context, account_id: str, client_id: str) -> None:
    """Take the consent back."""
    consents.withdraw(context, account_id, client_id, consents.Shown("Retirer mon accord", "fr"))


CASES = {
    "deletion": Case(lambda context, account, _: deletion.delete(context, account), is_deleted),
    "withdrawal": Case(withdraw, is_withdrawn),
    "acceptance": Case(
        lambda context, account, _: terms.accept(context, account, NEW_TERMS, "fr", channel="sign_in"),
        is_accepted,
    ),
    "answer": Case(
        lambda context, account, client: purposes.choose(
            context,
            account,
            client,
            {MOBILE.name: True},
            versions={MOBILE.name: MOBILE.version},
            language="fr",
            channel="account",
        ),
        is_answered,
    ),
}


@pytest.fixture
def provider(database_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The provider on each kind of database, and new terms."""
    opened = open_database(database_url)
    made = a_provider(opened, clock)
    some_terms(made.context, NEW_TERMS)
    yield made
    opened.dispose()


@pytest.mark.parametrize("way", ["error", "kill"])
@pytest.mark.parametrize("name", CASES)
def test_process_that_ends_at_any_statement_leaves_all_or_nothing(
    provider: Provider, database_url: str, name: str, way: str
) -> None:
    """Whichever statement is the last one that runs, nothing is half done; then the act is done as a whole."""
    context, case = provider.context, CASES[name]
    service = provider.a_client(events_uri=EVENTS, purposes=(MOBILE,))
    needles = a_whole_person(context, service.client_id)
    before = snapshot(context.database)

    def run(parts: Context) -> object:
        return case.run(parts, needles.account_id, service.client_id)

    endings = ends_by_error(context, run) if way == "error" else ends_by_kill(context, database_url, run)
    tried = 0
    for number in endings:
        assert snapshot(context.database) == before, f"half done at statement {number}"
        tried += 1

    assert tried > 3
    assert case.is_whole(context, needles)
