"""What FranceConnect certified is locked below every program: the database itself refuses (FC-2, FC-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.crypto.opaque import new_id
from idp.domain.civil_identity import Attribute, Level, Source
from idp.storage.models import account_attributes, franceconnect_links
from idp.storage.repositories import accounts, attributes, franceconnect
from tests.support.builders import an_account
from tests.support.franceconnect import SUBJECT
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
        update(account_attributes).where(account_attributes.c.name == "gender").values(name="nickname"),
        update(account_attributes).where(account_attributes.c.name == "given_name_array").values(level=100),
        update(account_attributes).values(account_id="nobody"),
    ],
    ids=[
        "lower level",
        "other source",
        "other value",
        "other certifier",
        "away",
        "renamed",
        "list of given names",
        "another's",
    ],
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


@pytest.mark.rule("FC-2", "ACC-6")
@pytest.mark.parametrize("way", ["deleted", "moved"])
def test_link_that_lives_ends_and_does_not_go_away(journeys: Journeys, way: str) -> None:
    """What it certified would stand there unlocked, and nothing would say that it ever was."""
    journeys.person()
    other = an_account(journeys.context)
    statements = {
        "deleted": delete(franceconnect_links),
        "moved": update(franceconnect_links).values(account_id=other.account_id),
    }

    with pytest.raises(IntegrityError, match="FC-2"), journeys.context.database.write() as connection:
        connection.execute(statements[way])


@pytest.mark.rule("FC-2", "FC-5")
def test_link_that_ended_may_be_forgotten(journeys: Journeys, clock: SettableClock) -> None:
    """Its history is kept for as long as the account, and no lock keeps a cleaning away from it."""
    account = journeys.person()

    with journeys.context.database.write() as connection:
        link = franceconnect.link_of_account(connection, account.account_id)
        assert link is not None
        franceconnect.end_link(connection, link.link_id, "unlinked", clock())
        connection.execute(delete(franceconnect_links))

    with journeys.context.database.read() as connection:
        assert connection.execute(select(franceconnect_links)).all() == []


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
@pytest.mark.parametrize("provider", ["franceconnect", "franceconnect_plus"])
@pytest.mark.parametrize("column", ["account_id", "upstream_subject", "pivot_hash"])
def test_second_live_link_of_a_portal_is_refused_by_the_database(
    journeys: Journeys, clock: SettableClock, column: str, provider: str
) -> None:
    """One identity, one account, and the reverse, at each portal: unique indexes, not good manners."""
    account, other = an_account(journeys.context), an_account(journeys.context, "leo@example.fr")
    first = a_link(clock, provider, account_id=account.account_id)
    second = a_link(
        clock, provider, account_id=other.account_id, upstream_subject="autre", pivot_hash=b"autre"
    )
    with journeys.context.database.write() as connection:
        connection.execute(insert(franceconnect_links).values(first))

    with pytest.raises(IntegrityError), journeys.context.database.write() as connection:
        connection.execute(insert(franceconnect_links).values(second | {column: first[column]}))


@pytest.mark.rule("ACC-6")
def test_each_portal_may_link_the_person_once(journeys: Journeys, clock: SettableClock) -> None:
    """The two have subjects of their own for the same person, and certify the same identity."""
    account = an_account(journeys.context)

    with journeys.context.database.write() as connection:
        for provider in ("franceconnect", "franceconnect_plus"):
            link = a_link(clock, provider, account_id=account.account_id)
            connection.execute(insert(franceconnect_links).values(link))

    with journeys.context.database.read() as connection:
        found = franceconnect.links_of_account(connection, account.account_id)
    assert {link.provider for link in found} == {"franceconnect", "franceconnect_plus"}


def a_link(clock: SettableClock, provider: str, **members: Any) -> dict[str, Any]:
    """Write a row of a live link."""
    now = clock()
    return {
        "link_id": new_id(now),
        "provider": provider,
        "upstream_subject": SUBJECT,
        "pivot_hash": b"pivot",
        "level": "eidas1",
        "linked_at": now,
        "last_sign_in_at": now,
        **members,
    }


def levels(journeys: Journeys, account: Account) -> set[int]:
    """Read the levels of what is known of a person."""
    with journeys.context.database.read() as connection:
        return {one.level for one in attributes.read(connection, account.account_id).values()}
