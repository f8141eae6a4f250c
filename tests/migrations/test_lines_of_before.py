"""Acceptances and events of before there was a chain take their places in it (CON-5, ADM-3, OPS-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from alembic import command
from sqlalchemy import text

from idp.crypto.opaque import digest
from idp.domain.events import AccountLocked
from idp.services import ledger
from idp.services.audit import record
from idp.services.operations import chains
from idp.storage.migrate import upgrade
from tests.migrations.test_migrations import configuration, downgrade
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from alembic.config import Config

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

__all__ = ["configuration"]
pytestmark = pytest.mark.rule("OPS-2", "CON-5", "ADM-3")
TERMS = (
    "INSERT INTO terms_versions (version, language, title, body, text_hash, published_at, effective_at) "
    "VALUES ('v1', 'fr', 'Conditions', 'Corps.', :text_hash, 1, 1)"
)
ACCEPTANCE = (
    "INSERT INTO terms_acceptances (acceptance_id, account_id, version, language, text_hash, channel, accepted_at) "
    "VALUES (:number, :account_id, 'v1', 'fr', :text_hash, 'signup', :at)"
)
EVENT = (
    "INSERT INTO audit_events (event_id, name, at, actor, account_id, details) "
    "VALUES (:number, 'account.created', :at, 'person', :account_id, '{\"way\":\"email\"}')"
)


@pytest.fixture
def before(database: Database, clock: SettableClock, configuration: Config) -> Provider:
    """A database of before the chains, with two accounts, acceptances and 1200 events; then upgraded."""
    provider = a_provider(database, clock)
    people = [provider.an_account().account_id for _ in range(2)]
    downgrade(database, configuration, "0003")
    text_hash = digest("Conditions\nCorps.")
    events = [
        {"number": f"{number:06}", "at": number, "account_id": people[number % 2]} for number in range(1200)
    ]
    acceptances = [
        {"number": f"a{number}", "at": number, "account_id": account_id, "text_hash": text_hash}
        for number, account_id in enumerate(people)
    ]
    with database.writer.begin() as connection:
        connection.execute(text(TERMS), {"text_hash": text_hash})
        connection.execute(text(ACCEPTANCE), acceptances)
        connection.execute(text(EVENT), events)
    upgrade(database)
    return provider


def faults(provider: Provider) -> list[Any]:
    """Verify both chains."""
    return [chains.verify(provider.context, name).faults for name in ("ledger", "audit")]


def test_lines_wait_and_are_named_until_they_are_taken_in(before: Provider) -> None:
    """A verification in between says what to do."""
    assert chains.waiting(before.context) == 1202
    assert ["idp database upgrade" in found[0].text for found in faults(before)] == [True, True]


def test_lines_are_taken_in_oldest_first_with_the_names_of_receipts(before: Provider) -> None:
    """Nothing is lost, acceptances have a subject, both chains verify; the next line follows them."""
    taken = chains.take_in(before.context)

    assert taken == {"audit": 1200, "ledger": 2}
    assert faults(before) == [(), ()]
    first = chains.find(before.context, "ledger", "1", by="me")
    assert first is not None
    account_id = first.personal["account_id"]
    assert first.line_id == "a0"
    assert first.personal["subject"] == ledger.own_subject(before.context, account_id)
    with before.context.database.write() as connection:
        record(connection, AccountLocked("x"), before.clock())
    assert chains.take_in(before.context) == {}
    assert faults(before) == [(), ()]


def test_taking_in_that_was_stopped_goes_on(before: Provider) -> None:
    """A batch is a transaction: what was done stays done, the rest is done at the next run."""

    def stop(_count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chains.take_in(before.context, stop)
    with before.context.database.write() as connection:
        record(connection, AccountLocked("in between"), before.clock())

    left = chains.waiting(before.context)
    taken = chains.take_in(before.context)

    assert 0 < left < 1202
    assert sum(taken.values()) == left
    assert faults(before) == [(), ()]


def test_downgrade_brings_the_acceptances_back(before: Provider, configuration: Config) -> None:
    """What was taken in is still there in the old form."""
    chains.take_in(before.context)
    with before.context.database.write() as connection:
        configuration.attributes["connection"] = connection
        command.downgrade(configuration, "0003")

    with before.context.database.read() as connection:
        rows = connection.execute(text("SELECT version FROM terms_acceptances")).all()
    assert [row.version for row in rows] == ["v1", "v1"]
