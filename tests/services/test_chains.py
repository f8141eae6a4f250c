"""The ledger and the trail on a real database: what somebody who owns it alters is found, and where (CON-5, ADM-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.exc import DBAPIError

from idp.crypto.keyring import KeyFolder
from idp.domain.chain_check import FaultKind, Part
from idp.domain.events import AccountLocked
from idp.services.account.deletion import delete
from idp.services.audit import record
from idp.services.operations import chains
from idp.services.operations.chains import Unverifiable
from idp.services.operations.housekeeping import Retention, purge
from idp.services.signed_documents import RECEIPT, sign_document
from idp.storage.models import chain_heads
from idp.storage.repositories import chains as repository
from tests.support.chains import an_entry, entered, tampered, without_triggers

if TYPE_CHECKING:
    from pathlib import Path

    from idp.services.operations.chains import Report
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("CON-5", "ADM-3")
CHANGE = "UPDATE ledger_entries SET {} WHERE sequence = {}"
FALSE_ENTRY = (
    "INSERT INTO ledger_entries (entry_id, sequence, {0}) SELECT '{1}', {2}, {0} FROM ledger_entries "
    "WHERE sequence = 9"
)
COPIED = (
    "matter, act, at, account_id, subject, client_id, document, text_hash, language, channel, details, "
    "salt, personal_hash, link"
)
FALSE_EVENT = "INSERT INTO audit_events (event_id, name, at, actor, details) VALUES ('x', 'y', 1, 'z', '{}')"
BEHIND = "DELETE FROM audit_events WHERE sequence <= {}"
ANCHORED = (
    "UPDATE chain_heads SET anchor_sequence = {0}, anchor_link = "
    "(SELECT link FROM audit_events WHERE sequence = {0}) WHERE chain = 'audit'"
)


@pytest.fixture
def ledger(provider: Provider) -> Provider:
    """A ledger of nine entries, three each of three people, which nothing guards any more."""
    people = [provider.an_account().account_id for _ in range(3)]
    entered(provider.context, *(an_entry(people[number % 3], number) for number in range(9)))
    without_triggers(provider.context.database)
    return provider


def verified(provider: Provider, name: str = "ledger") -> Report:
    """Verify a chain."""
    return chains.verify(provider.context, name)


def found(
    provider: Provider, *statements: str, name: str = "ledger"
) -> list[tuple[FaultKind, int | None, int | None]]:
    """Tamper with the database, and say what is found."""
    tampered(provider.context.database, *statements)
    return [(fault.kind, fault.sequence, fault.until) for fault in verified(provider, name).faults]


def test_chains_as_written_have_no_fault(ledger: Provider) -> None:
    """Both; the head says how many there are."""
    report = verified(ledger)

    assert report.faults == ()
    assert (report.count, report.first, report.last, report.texts) == (9, 1, 9, 1)
    assert verified(ledger, "audit").faults == ()


def test_database_refuses_to_change_lines(provider: Provider) -> None:
    """Before anybody takes the triggers away, no statement changes or deletes a line."""
    account = provider.an_account()
    entered(provider.context, an_entry(account.account_id))

    for statement in (
        "UPDATE ledger_entries SET act = 'refused'",
        "UPDATE ledger_entries SET sequence = 7",
        "DELETE FROM ledger_entries",
        "UPDATE shown_texts SET content = 'x'",
        "DELETE FROM audit_events",
    ):
        with provider.context.database.write() as connection:
            record(connection, AccountLocked("x"), provider.clock())
        with pytest.raises(DBAPIError, match="it is never"):
            tampered(provider.context.database, statement)
    assert verified(provider).faults == ()


@pytest.mark.parametrize(
    "change, part",
    [
        ("act = 'refused'", Part.PUBLIC),
        ("at = at + 1", Part.PUBLIC),
        ("entry_id = entry_id || 'x'", Part.PUBLIC),
        ("client_id = 'parkinh'", Part.PERSONAL),
        ("account_id = 'another'", Part.PERSONAL),
        ("language = 'en'", Part.PERSONAL),
        ('details = \'{"claims":["email"],"scopes":["openie"]}\'', Part.PERSONAL),
        ("details = 'no JSON'", Part.PERSONAL),
        ('details = \'{"claims": ["email"],"scopes":["openid"]}\'', Part.PERSONAL),
        ("salt = personal_hash", Part.PERSONAL),
        ("personal_hash = link", Part.PERSONAL),
        ("link = personal_hash", Part.LINK),
    ],
    ids=[
        "act",
        "moment",
        "identifier",
        "service",
        "account",
        "language",
        "a letter of its details",
        "details that are no JSON",
        "a space in its details",
        "salt",
        "hash",
        "link",
    ],
)
def test_one_altered_value_is_named_with_its_line_and_part(ledger: Provider, change: str, part: Part) -> None:
    """Place, identifier, moment and part; the lines after it are not blamed."""
    tampered(ledger.context.database, CHANGE.format(change, 4))

    faults = verified(ledger).faults

    assert [(fault.kind, fault.sequence, fault.part) for fault in faults] == [(FaultKind.ALTERED, 4, part)]
    assert faults[0].line_id is not None
    assert faults[0].at is not None


def test_text_that_is_no_text_is_named(ledger: Provider) -> None:
    """SQLite takes bytes that are no UTF-8; PostgreSQL refuses them."""
    if not ledger.context.database.is_sqlite:
        with pytest.raises(DBAPIError):
            tampered(
                ledger.context.database, "UPDATE ledger_entries SET channel = convert_from('\\xff', 'UTF8')"
            )
        return

    assert found(ledger, "UPDATE ledger_entries SET channel = CAST(x'ff' AS TEXT) WHERE sequence = 4") == [
        (FaultKind.ALTERED, 4, None)
    ]


def test_removed_line_is_a_named_gap(ledger: Provider) -> None:
    """Between the line before and the line after."""
    assert found(ledger, "DELETE FROM ledger_entries WHERE sequence = 5") == [(FaultKind.REMOVED, 5, 5)]


def test_removed_line_is_found_though_the_rest_was_numbered_anew(ledger: Provider) -> None:
    """No gap is left; places are hashed too."""
    numbered = [CHANGE.format(f"sequence = {place - 1}", place) for place in range(6, 10)]

    assert found(ledger, "DELETE FROM ledger_entries WHERE sequence = 5", *numbered) == [
        (FaultKind.REMOVED, 5, None)
    ]


@pytest.mark.parametrize("pair", ["3 4", "2 8"])
def test_swapped_lines_are_both_named(ledger: Provider, pair: str) -> None:
    """Beside each other or apart."""
    one, other = map(int, pair.split())
    steps = ((one, -1), (other, one), (-1, other))

    assert found(ledger, *(CHANGE.format(f"sequence = {new}", old) for old, new in steps)) == [
        (FaultKind.SWAPPED, one, other)
    ]


def test_inserted_line_is_named(ledger: Provider) -> None:
    """Without a place, in the place of another, after the end: a copy of a true one each time."""
    after, without = FALSE_ENTRY.format(COPIED, "false", 10), FALSE_ENTRY.format(COPIED, "none", "NULL")
    beside = FALSE_ENTRY.format(COPIED, "zz", 4)

    assert found(ledger, without) == [(FaultKind.UNCHAINED, None, None)]
    tampered(ledger.context.database, "DELETE FROM ledger_entries WHERE sequence IS NULL")
    assert found(ledger, "DROP INDEX uq_ledger_entries_sequence", beside) == [(FaultKind.INSERTED, 4, None)]
    tampered(ledger.context.database, "DELETE FROM ledger_entries WHERE entry_id = 'zz'")
    assert (FaultKind.INSERTED, 10, 10) in found(ledger, after)


def test_end_cut_off_is_found(ledger: Provider) -> None:
    """The head says nine, the last line is six."""
    assert found(ledger, "DELETE FROM ledger_entries WHERE sequence > 6") == [(FaultKind.CUT_OFF, 7, 9)]


def test_head_set_back_with_its_lines_has_a_wrong_seal(ledger: Provider) -> None:
    """Whoever writes to the database alone does not hold the key of the seal."""
    faults = found(
        ledger,
        "UPDATE chain_heads SET sequence = 6, link = (SELECT link FROM ledger_entries WHERE sequence = 6) "
        "WHERE chain = 'ledger'",
        "DELETE FROM ledger_entries WHERE sequence > 6",
    )

    assert faults == [(FaultKind.HEAD, 6, None)]


def test_missing_seal_is_found(ledger: Provider) -> None:
    """A chain with lines has one, as soon as there are keys."""
    assert found(ledger, "UPDATE chain_heads SET seal = NULL WHERE chain = 'ledger'") == [
        (FaultKind.HEAD, 9, None)
    ]


def test_chain_written_anew_from_the_start_has_a_wrong_seal(ledger: Provider) -> None:
    """Every link fits, made with other keys than ours."""
    database = ledger.context.database
    seal, database._seal = database._seal, lambda *_: bytes(32)  # noqa: SLF001 - whoever has no key
    entered(ledger.context, an_entry("somebody", 10))
    database._seal = seal  # noqa: SLF001 - as before

    assert [fault.kind for fault in verified(ledger).faults] == [FaultKind.HEAD]


def test_line_emptied_without_a_recorded_erasure_is_named(ledger: Provider) -> None:
    """An account that was deleted is recorded; a line that somebody emptied is not."""
    emptied = ", ".join(
        f"{name} = NULL"
        for name in (
            "account_id",
            "subject",
            "client_id",
            "document",
            "text_hash",
            "language",
            "channel",
            "details",
            "salt",
        )
    )

    assert found(ledger, CHANGE.format(emptied, 3)) == [(FaultKind.EMPTIED, 3, None)]


def test_erased_account_leaves_both_chains_whole(provider: Provider) -> None:
    """Its lines name nobody, and each is named by the line of the erasure."""
    context, account = provider.context, provider.an_account()
    entered(context, an_entry(account.account_id, 1), an_entry("another", 2), an_entry(account.account_id, 3))
    with context.database.write() as connection:
        record(connection, AccountLocked("x"), context.clock(), account_id=account.account_id)

    assert delete(context, account.account_id)

    report = verified(provider)
    assert (report.faults, report.erased) == ((), 2)
    assert verified(provider, "audit").faults == ()


def test_shown_text_altered_or_missing_is_named(ledger: Provider) -> None:
    """The words that nine entries refer to."""
    altered = found(ledger, "UPDATE shown_texts SET content = 'Autre chose.'")
    missing = found(ledger, "DELETE FROM shown_texts")

    assert altered == [(FaultKind.TEXT, None, None)]
    assert missing == [(FaultKind.TEXT, place, None) for place in range(1, 10)]


def test_line_without_a_place_is_found(ledger: Provider) -> None:
    """Put in past the chain, or from before there was one."""
    assert found(ledger, FALSE_EVENT, name="audit") == [(FaultKind.UNCHAINED, None, None)]


def test_statement_finds_a_database_that_was_set_back(ledger: Provider) -> None:
    """Restored from before, with a seal of that time, which is right: only what is kept elsewhere tells."""
    context = ledger.context
    database = context.database
    with database.read() as connection:
        before = repository.head(connection, repository.LEDGER)
    entered(context, an_entry("somebody", 10))
    stated = chains.state(context, "ledger")
    assert chains.verify(context, "ledger", statement=stated.document).statement == "contained"
    with database.writer.begin() as connection:
        connection.exec_driver_sql("DELETE FROM ledger_entries WHERE sequence = 10")
        connection.execute(
            chain_heads.update()
            .where(chain_heads.c.chain == "ledger")
            .values(sequence=before.sequence, link=before.link, seal=before.seal)
        )

    assert verified(ledger).faults == ()
    faults = chains.verify(context, "ledger", statement=stated.document).faults
    assert [(fault.kind, fault.sequence, fault.until) for fault in faults] == [(FaultKind.STATEMENT, 10, 10)]
    entered(context, an_entry("somebody else", 11))
    other = chains.verify(context, "ledger", statement=stated.document)
    assert [(fault.kind, fault.sequence) for fault in other.faults] == [(FaultKind.STATEMENT, 10)]


def test_statement_of_others_is_refused(ledger: Provider) -> None:
    """Anything, a receipt, the statement of the other chain."""
    context = ledger.context
    for document in (
        "anything",
        sign_document(context, {"chain": "ledger"}, typ=RECEIPT),
        chains.state(context, "audit").document,
    ):
        with pytest.raises(Unverifiable):
            chains.verify(context, "ledger", statement=document)


def test_keys_that_are_away_are_said(ledger: Provider, tmp_path: Path) -> None:
    """Without the root nothing vouches for the end."""
    context = replace(ledger.context, keys=KeyFolder(tmp_path, None, count().__next__))

    faults = chains.verify(context, "ledger").faults

    assert [fault.kind for fault in faults] == [FaultKind.HEAD]
    assert "the keys" in faults[0].text


@pytest.mark.rule("PRI-3")
def test_retention_leaves_the_trail_verifiable(provider: Provider, clock: SettableClock) -> None:
    """Three years of events, cut at one year, month after month; a beginning that was moved by hand is found."""
    context = provider.context
    kept = Retention(session_idle=timedelta(hours=20))
    for _ in range(36):
        with context.database.write() as connection:
            for _ in range(3):
                record(connection, AccountLocked("x"), clock(), account_id="somebody")
        clock.advance(days=30)
        purge(context, kept, lambda _: None)
        assert verified(provider, "audit").faults == ()

    report = verified(provider, "audit")
    assert report.first > 50
    assert report.count < 80

    without_triggers(context.database)
    moved, cut = ANCHORED.format(report.first + 2), BEHIND.format(report.first + 2)
    assert found(provider, moved, cut, name="audit") == [(FaultKind.ANCHOR, report.first, report.first + 2)]


def test_retention_of_many_lines_goes_in_batches(provider: Provider, clock: SettableClock) -> None:
    """More than one batch at once, then none is left but what says so."""
    context = provider.context
    with context.database.write() as connection:
        for _ in range(450):
            record(connection, AccountLocked("x"), clock())
    clock.advance(days=366)

    gone = purge(context, Retention(session_idle=timedelta(hours=20)), lambda _: None)

    assert gone["audit_events"] >= 450
    report = verified(provider, "audit")
    assert report.faults == ()
    assert report.count <= 5
