"""What services are told is noted by name and written a moment later (PRI-2, S-455)."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import delete
from sqlalchemy.exc import OperationalError

from idp.domain.disclosure import Disclosure, Way
from idp.services.disclosures import DisclosureLog, DisclosureWriter
from idp.storage.engine import open_database
from idp.storage.models import accounts
from idp.storage.repositories import disclosures
from tests.support.certified import CONTRACT, a_certified_account
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

AWAY = "sqlite:////nowhere/at/all.db"


def kept(provider: Provider, account_id: str) -> list[Disclosure]:
    """Write what waits, and read what is kept of somebody, by way."""
    provider.context.disclosures.flush(provider.context.database)
    with provider.context.database.read() as connection:
        return sorted(disclosures.of_account(connection, account_id), key=lambda one: one.way)


def summary(told: list[Disclosure]) -> list[tuple[str, tuple[str, ...], int]]:
    """Give way, claims and number of each line."""
    return [(one.way.value, one.claims, one.times) for one in told]


@pytest.mark.rule("PRI-2")
def test_refused_answers_are_no_disclosures(provider: Provider) -> None:
    """A dead token tells nothing, so nothing is noted; nor is what a service is told of itself."""
    service, person = provider.a_client(), provider.an_account()
    tokens = provider.tokens(provider.signed_in(person), service, scope="openid email")
    kept(provider, person.account_id)
    provider.post("/revoke", service, token=tokens["access_token"])

    provider.userinfo(tokens["access_token"])
    provider.introspect(service, tokens["access_token"])
    own = provider.post("/token", service, grant_type="client_credentials").json or {}
    provider.introspect(service, own["access_token"])

    assert summary(kept(provider, person.account_id)) == [("id_token", (), 1)]


@pytest.mark.rule("PRI-2", "CON-4")
def test_each_way_is_noted_with_the_names_that_were_told(provider: Provider) -> None:
    """The ID token, UserInfo and introspection are three lines of the day, and a repetition counts."""
    service = provider.a_client()
    person = provider.an_account(given_name="Zoé", family_name="Martin")
    claims = '{"id_token": {"given_name": null}}'
    browser = provider.signed_in(person)
    tokens = provider.tokens(browser, service, scope="openid email", claims=claims)

    provider.userinfo(tokens["access_token"])
    provider.clock.advance(minutes=4)
    provider.userinfo(tokens["access_token"])
    provider.introspect(service, tokens["access_token"])

    told = kept(provider, person.account_id)
    assert summary(told) == [
        ("id_token", ("given_name",), 1),
        ("introspection", (), 1),
        ("userinfo", ("email", "email_verified"), 2),
    ]
    assert {one.client_id for one in told} == {service.client_id}
    assert told[2].last_at - told[2].first_at == timedelta(minutes=4)


@pytest.mark.rule("PRI-2", "FC-6")
def test_verified_claims_and_certification_are_noted_by_what_is_in_them(provider: Provider) -> None:
    """The elements of `verified_claims` are told one by one; a name that was not told is not there."""
    service = provider.a_client(claims=CONTRACT)
    person = a_certified_account(provider)
    wanted = (
        '{"verification": {"trust_framework": null}, "claims": {"family_name": null, "given_name": null}}'
    )
    claims = f'{{"userinfo": {{"verified_claims": {wanted}, "family_name": null, "certification": null}}}}'
    tokens = provider.tokens(provider.signed_in(person), service, scope="openid", claims=claims)

    answer = provider.userinfo(tokens["access_token"]).json or {}

    assert set(answer) == {"sub", "verified_claims", "family_name", "certification"}
    told = kept(provider, person.account_id)
    assert told[-1].claims == (
        "certification",
        "family_name",
        "verified_claims.family_name",
        "verified_claims.given_name",
    )


@pytest.mark.rule("PRI-2", "PRI-3")
def test_no_value_is_kept(provider: Provider) -> None:
    """Names alone: neither the address nor the name of the person is in any column."""
    service, person = provider.a_client(), provider.an_account("canary@example.org", given_name="Canari")
    tokens = provider.tokens(provider.signed_in(person), service, scope="openid email profile")
    provider.userinfo(tokens["access_token"])

    told = repr(kept(provider, person.account_id))

    assert "canary" not in told
    assert "Canari" not in told


@pytest.mark.rule("PRI-2")
def test_answers_run_no_statement_for_the_log(provider: Provider) -> None:
    """The request notes in memory; writing is one transaction with one statement."""
    service, person = provider.a_client(), provider.an_account()
    tokens = provider.tokens(provider.signed_in(person), service, scope="openid email")
    kept(provider, person.account_id)
    with recorded_queries(provider.context.database.writer) as in_request:
        for _ in range(5):
            provider.userinfo(tokens["access_token"])
    with recorded_queries(provider.context.database.writer) as at_flush:
        written = provider.context.disclosures.flush(provider.context.database)

    assert len(in_request) == 0
    assert written == 1
    assert (len(at_flush), at_flush.commits) == (1, 1), at_flush


@pytest.mark.rule("PRI-2")
def test_day_and_claims_part_lines(provider: Provider) -> None:
    """Another day is another line, so is another set of claims; two batches of one day add up."""
    log, database = DisclosureLog(), provider.context.database
    person = provider.an_account()
    now = provider.clock()

    for at, claims in ((now, {"email": 1}), (now + timedelta(days=1), {"email": 1}), (now, {"gender": 1})):
        log.note(database, Way.API, (person.account_id, "parking"), claims, at)
    first = log.flush(database)
    log.note(database, Way.API, (person.account_id, "parking"), {"email": 1}, now - timedelta(minutes=1))
    again = log.flush(database)

    with database.read() as connection:
        told = disclosures.of_account(connection, person.account_id)
    assert (first, again, log.flush(database)) == (3, 1, 0)
    assert [(one.claims, one.times) for one in told] == [(("email",), 1), (("email",), 2), (("gender",), 1)]
    assert told[1].first_at == now - timedelta(minutes=1)
    assert told[1].last_at == now


@pytest.mark.rule("PRI-2", "LIF-4")
def test_rows_of_erased_accounts_are_left_out_and_the_others_written(provider: Provider) -> None:
    """An account that is gone by the time of the batch takes no line of another person with it."""
    log, database = DisclosureLog(), provider.context.database
    gone, here = provider.an_account(), provider.an_account()
    for one in (gone, here):
        log.note(database, Way.USERINFO, (one.account_id, "parking"), {"email": 1}, provider.clock())
    with database.write() as connection:
        connection.execute(delete(accounts).where(accounts.c.account_id == gone.account_id))

    log.flush(database)

    with database.read() as connection:
        assert disclosures.count(connection, gone.account_id) == 0
        assert disclosures.count(connection, here.account_id) == 1


@pytest.mark.rule("PRI-2")
def test_database_away_keeps_what_was_noted_for_the_next_try(provider: Provider) -> None:
    """Nothing is lost by a failed batch, and nothing counted twice."""
    log, database, person = DisclosureLog(), provider.context.database, provider.an_account()
    log.note(database, Way.USERINFO, (person.account_id, "parking"), {"email": 1}, provider.clock())
    away = open_database(AWAY)

    with pytest.raises(OperationalError):
        log.flush(away)
    log.note(database, Way.USERINFO, (person.account_id, "parking"), {"email": 1}, provider.clock())
    log.flush(database)

    with database.read() as connection:
        assert [one.times for one in disclosures.of_account(connection, person.account_id)] == [2]


@pytest.mark.rule("PRI-2")
def test_full_log_is_written_by_who_adds_and_tells_nothing_when_it_cannot_be(provider: Provider) -> None:
    """The bound drops nothing: who would go beyond it writes first, and fails when the database is away."""
    log, database, person = DisclosureLog(capacity=2), provider.context.database, provider.an_account()
    away, now = open_database(AWAY), provider.clock()

    def note(where: Database, claims: dict[str, Any]) -> None:
        log.note(where, Way.USERINFO, (person.account_id, "parking"), claims, now)

    note(away, {"email": 1})
    note(away, {"gender": 1})
    with pytest.raises(OperationalError):
        note(away, {"birthdate": 1})
    note(database, {"given_name": 1})

    with database.read() as connection:
        before = {one.claims for one in disclosures.of_account(connection, person.account_id)}
    log.flush(database)
    with database.read() as connection:
        after = {one.claims for one in disclosures.of_account(connection, person.account_id)}
    assert before == {("email",), ("gender",)}
    assert after == before | {("given_name",)}


@pytest.mark.rule("PRI-2")
def test_writer_writes_by_itself_and_what_is_left_at_its_end(provider: Provider) -> None:
    """The thread writes about each interval, survives a failure, and empties the log when it is closed."""
    database, person, now = provider.context.database, provider.an_account(), provider.clock()

    def note(log: DisclosureLog) -> None:
        log.note(database, Way.USERINFO, (person.account_id, "parking"), {"email": 1}, now)

    def times() -> int:
        with database.read() as connection:
            return sum(one.times for one in disclosures.of_account(connection, person.account_id))

    log = DisclosureLog()
    quick = DisclosureWriter(log, database, interval=0.01)
    quick.start()
    note(log)
    deadline = time.monotonic() + 20
    while times() < 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    by_itself = times()
    quick.close()
    slow = DisclosureWriter(log, database, interval=3600)
    slow.start()
    note(log)
    slow.close()

    assert by_itself == 1
    assert times() == 2


@pytest.mark.rule("PRI-2")
def test_failing_batch_ends_no_thread_and_is_kept(provider: Provider) -> None:
    """What can't be written now stays in memory."""
    log, person = DisclosureLog(), provider.an_account()
    away = open_database(AWAY)
    log.note(away, Way.USERINFO, (person.account_id, "parking"), {"email": 1}, provider.clock())
    writer = DisclosureWriter(log, away, interval=0.01)

    writer.start()
    writer.close()

    assert log.flush(provider.context.database) == 1


@pytest.mark.rule("PRI-2")
def test_log_is_written_by_several_processes_of_one_database(
    database: Database, clock: SettableClock, provider: Provider
) -> None:
    """Two processes that tell the same on the same day add to one line."""
    person, now = provider.an_account(), clock()
    for _ in range(2):
        log = DisclosureLog()
        log.note(database, Way.USERINFO, (person.account_id, "parking"), {"email": 1}, now)
        log.flush(database)

    with database.read() as connection:
        assert [one.times for one in disclosures.of_account(connection, person.account_id)] == [2]
