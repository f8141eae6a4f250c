"""After a deletion, nothing in any table speaks of the person (LIF-4, S-442)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from idp.domain.deletion import Category, Way
from idp.domain.events import SignInRefused
from idp.outbound.mail import MailWriter, NullMailer
from idp.services.account import deletion
from idp.services.audit import record
from idp.services.delivery import Post, deliver_due
from idp.services.messages import Mail, queue_mail
from idp.services.operations import chains
from idp.services.operations.housekeeping import Retention, purge
from idp.storage.models import metadata, outbox, purged_accounts, throttle_counters
from tests.support.marks import ROOT
from tests.support.whole_person import BY_CONTENT, NOBODY, a_whole_person, counts, every_value, spoken

if TYPE_CHECKING:
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("LIF-4")
TEMPLATES = ROOT / "templates"
CITY = {"name": "Ville de Paris", "phone": "3975", "contact_url": "https://city.example/contact"}


def test_every_table_is_known_to_speak_of_people_or_of_nobody() -> None:
    """Who adds a table says whether a person may stand in it: else this fails, before a person is forgotten there."""
    known = {table.name for table in spoken(metadata)} | set(NOBODY) | BY_CONTENT

    assert set(metadata.tables) == known
    assert not {table.name for table in spoken(metadata)} & set(NOBODY)


@pytest.mark.parametrize("way", [Way.PERSON, Way.ADMINISTRATOR, Way.LIFE_CYCLE, Way.RESTORE])
def test_nothing_of_a_person_with_a_row_in_every_table_is_left(provider: Provider, way: Way) -> None:
    """Every column of every table of the real database is read: no identifier, address, subject or name is there."""
    service = provider.a_client(events_uri="https://parking.example.org/events")
    needles = a_whole_person(provider.context, service.client_id)
    tables = [table.name for table in spoken(metadata)] + sorted(BY_CONTENT)
    assert 0 not in counts(provider.context.database, tables).values()
    assert needles.found_in(provider.context.database)

    with provider.context.database.write() as connection:
        done = deletion.delete_within(provider.context, connection, needles.account_id, actor=way)

    assert done is not None
    # Each table has a category that the person knows.
    assert Category.OTHER not in done.payload["erased"]
    assert needles.found_in(provider.context.database) == []
    with provider.context.database.read() as connection:
        assert connection.scalars(select(purged_accounts.c.way)).all() == [way]
        assert connection.execute(select(throttle_counters)).all() == []


@pytest.mark.rule("ADM-3", "CON-5")
def test_chains_stand_without_the_person(provider: Provider) -> None:
    """Taking a name out of a line is no alteration: the line of the deletion says which lines lost one."""
    service = provider.a_client()
    needles = a_whole_person(provider.context, service.client_id)

    deletion.delete(provider.context, needles.account_id)

    audit, entries = (chains.verify(provider.context, name) for name in ("audit", "ledger"))
    assert (audit.faults, entries.faults) == ((), ())
    assert (audit.erased, entries.erased) == (1, 1)


def test_certificate_is_forgotten_at_its_delivery(provider: Provider) -> None:
    """The mail belongs to no account and outlives this one until the mail server has it, and no longer."""
    person = provider.an_account("zoe@example.org")
    deletion.delete(provider.context, person.account_id)
    mailer = NullMailer()

    deliver_due(provider.context, Post(mailer, MailWriter((TEMPLATES,), CITY, "https://compte.example.org")))

    ((envelope, _),) = mailer.sent
    assert envelope.to == "zoe@example.org"
    with provider.context.database.read() as connection:
        assert connection.execute(select(outbox.c.account_id, outbox.c.payload)).all() == [(None, "")]


def test_certificate_that_reaches_nobody_is_dropped_with_its_time(provider: Provider) -> None:
    """An address that takes no mail keeps neither the deletion nor the address waiting."""
    person = provider.an_account("zoe@example.org")
    deletion.delete(provider.context, person.account_id)
    provider.clock.advance(deletion.MAIL_LIFETIME)
    post = Post(NullMailer(), MailWriter((TEMPLATES,), CITY, "https://compte.example.org"))

    deliver_due(provider.context, post)
    provider.clock.advance(timedelta(seconds=1))
    purge(provider.context, Retention(timedelta(days=1)), pause=lambda _: None)

    with provider.context.database.read() as connection:
        assert connection.scalars(select(outbox.c.payload)).all() == [""]


def test_somebody_else_keeps_everything(provider: Provider) -> None:
    """Nothing of another person goes along, however alike their rows are."""
    service = provider.a_client()
    other = provider.an_account("other@example.org", given_name="Camille")
    provider.tokens(provider.signed_in(other), service)
    before = [value for value in every_value(provider.context.database) if other.account_id in value[2]]
    needles = a_whole_person(provider.context, service.client_id)

    deletion.delete(provider.context, needles.account_id)

    after = [value for value in every_value(provider.context.database) if other.account_id in value[2]]
    assert after == before


def test_what_was_written_at_the_very_moment_goes_soon_after(provider: Provider) -> None:
    """A line or a mail by who had read the account just before names nobody for longer than a minute (S-442)."""
    service = provider.a_client()
    needles = a_whole_person(provider.context, service.client_id)
    deletion.delete(provider.context, needles.account_id)
    now = provider.clock()
    with provider.context.database.write() as connection:
        record(connection, SignInRefused("wrong"), now, account_id=needles.account_id)
        mail = Mail(needles.email, "password_changed", "fr", {"at": now})
        queue_mail(provider.context, connection, mail, account_id=needles.account_id)
    assert needles.found_in(provider.context.database)

    count = deletion.forget_late(provider.context)

    assert count == 2
    assert needles.found_in(provider.context.database) == []
    assert deletion.forget_late(provider.context) == 0
