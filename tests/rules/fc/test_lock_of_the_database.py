"""What FranceConnect certified is locked below every program: the database itself refuses (FC-2, FC-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from idp.domain.civil_identity import Attribute, Level, Source
from idp.storage.models import account_attributes, franceconnect_links
from idp.storage.repositories import accounts, attributes, franceconnect
from tests.support.journeys import Journeys, journeys_on

if TYPE_CHECKING:
    from sqlalchemy import Executable

    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock


@pytest.fixture
def journeys(database: Database, clock: SettableClock) -> Journeys:
    """The use cases on a database of each kind."""
    return journeys_on(database, clock)


@pytest.mark.rule("FC-2", "FC-6")
@pytest.mark.parametrize(
    "statement",
    [
        update(account_attributes).values(level=100),
        update(account_attributes).values(source="declared"),
        update(account_attributes).values(value="Dupont", source="declared", level=100),
        update(account_attributes).values(value="Dupont", source="mail", level=600),
        delete(account_attributes),
    ],
    ids=["lower level", "other source", "other value", "other certifier", "away"],
)
def test_statement_that_lowers_a_certified_value_is_refused(
    journeys: Journeys, statement: Executable
) -> None:
    """Whatever program sends it: a form, the command line, a console."""
    account = journeys.person()
    with journeys.context.database.read() as connection:
        before = attributes.read(connection, account.account_id)

    with pytest.raises(IntegrityError, match="FC-2"), journeys.context.database.write() as connection:
        connection.execute(statement)

    with journeys.context.database.read() as connection:
        assert attributes.read(connection, account.account_id) == before


@pytest.mark.rule("FC-6")
@pytest.mark.parametrize("name", ["family_name", "gender"])
def test_slower_writer_loses(journeys: Journeys, clock: SettableClock, name: str) -> None:
    """What was read before a certification can't be written after it."""
    account = journeys.person()
    declared = Attribute(name, "Dupont", Source.DECLARED, Level.DECLARED, clock() + timedelta(days=1))

    with journeys.context.database.write() as connection:
        blocked = attributes.write(
            connection, account.account_id, {}, {name: declared}, changed_by="person", now=clock()
        )

    assert blocked == name


@pytest.mark.rule("FC-5", "FC-6")
def test_ended_link_unlocks(journeys: Journeys, clock: SettableClock) -> None:
    """An approved unlink ends the link first, and may then declassify."""
    account = journeys.person()
    with journeys.context.database.write() as connection:
        link = franceconnect.link_of_account(connection, account.account_id)
        assert link is not None
        franceconnect.end_link(connection, link.link_id, "unlinked", clock())
        connection.execute(update(account_attributes).values(level=100, source="declared"))

    assert levels(journeys, account) == {100}


@pytest.mark.rule("LIF-4")
def test_deleted_account_takes_its_certified_values_along(journeys: Journeys) -> None:
    """The lock protects a person's data from change, not from the person; the identity is free again."""
    account = journeys.person()

    with journeys.context.database.write() as connection:
        accounts.remove(connection, account.account_id)

    assert levels(journeys, account) == set()
    with journeys.context.database.read() as connection:
        assert connection.execute(select(franceconnect_links)).all() == []
    assert journeys.person().account_id != account.account_id


@pytest.mark.rule("ACC-6")
@pytest.mark.parametrize("column", ["account_id", "upstream_subject", "pivot_hash"])
def test_second_live_link_is_refused_by_the_database(journeys: Journeys, column: str) -> None:
    """One identity, one account, and the reverse: unique indexes, not good manners."""
    first = journeys.person()
    other = journeys.person("leo@example.fr", sub="e" * 64 + "v1", family_name="AUTRE")
    with journeys.context.database.write() as connection:
        theirs = franceconnect.link_of_account(connection, first.account_id)
        mine = franceconnect.link_of_account(connection, other.account_id)
        assert theirs is not None
        assert mine is not None

    with pytest.raises(IntegrityError), journeys.context.database.write() as connection:
        connection.execute(
            update(franceconnect_links)
            .where(franceconnect_links.c.link_id == mine.link_id)
            .values({column: getattr(theirs, column)})
        )


def levels(journeys: Journeys, account: Account) -> set[int]:
    """Read the levels of what is known of a person."""
    with journeys.context.database.read() as connection:
        return {one.level for one in attributes.read(connection, account.account_id).values()}
