"""`idp requests`: the register of requests of the RGPD, on each kind of database (PRI-4, ACC-7, ADM-1, ADM-3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from idp.cli.key_files import utc_now
from idp.cli.server.delivery import remind_of_requests
from idp.domain.controller import Controller
from idp.domain.data_request import DataRequest, RequestChannel, RequestKind
from idp.services.operations import accounts as operations
from idp.services.operations import data_requests as use_case
from idp.storage.models import data_requests
from idp.storage.repositories import data_requests as register
from tests.support.builders import mails
from tests.support.provider import a_provider
from tests.support.unlinking import events_of

if TYPE_CHECKING:
    from pathlib import Path

    from idp.storage.engine import Database
    from tests.cli.conftest import Run
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRI-4", "ADM-1")
BY = ("--operator", "Claire Martin")


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """The people who ask."""
    return a_provider(database, clock)


def ago(days: int) -> str:
    """Name a day of the past, as an administrator types it."""
    return f"{utc_now() - timedelta(days=days):%Y-%m-%d}"


def add(idp: Run, *options: str, kind: str = "access", days: int = 0) -> str:
    """Write a request down; gives its name."""
    received = ("--received-at", ago(days)) if days else ()
    added = idp("requests", "add", kind, *received, *options, *BY, "--json")
    assert added.code == 0, added.err
    name: str = added.json["request_id"]
    return name


def test_empty_register_says_so(idp: Run) -> None:
    """For a person, a program, and a script that asks whether something is late."""
    assert idp("requests", "list").out == "No request waits.\n"
    assert idp("requests", "list", "--all").out == "No request.\n"
    assert idp("requests", "list", "--json").json == []
    assert idp("requests", "list", "--check").code == 0


@pytest.mark.parametrize(
    "command", [("show",), ("extend", "--reason", "x"), ("close", "--outcome", "x")], ids=lambda one: one[0]
)
def test_unknown_request_is_not_found(idp: Run, command: tuple[str, ...]) -> None:
    """Code 4."""
    done = idp("requests", command[0], "nothing", *command[1:])

    assert (done.code, "no such request" in done.err) == (4, True)


@pytest.mark.parametrize(
    "options, code, said",
    [
        (("portrait",), 2, "portrait"),
        (("access", "--received-at", "2999-01-01"), 1, "in the future"),
        (("access", "--account", "nobody@example.org"), 4, "no such account"),
        (("erasure", "--guardian"), 1, "--note"),
        (("access", "--channel", "pigeon"), 2, "pigeon"),
        (("access", "--note", "a\x1b[2J"), 2, "--note"),
        (("access", "--operator", " "), 2, "--operator"),
    ],
    ids=["kind", "future", "account", "guardian", "channel", "escape", "operator"],
)
def test_bad_request_is_refused_and_not_written(
    idp: Run, options: tuple[str, ...], code: int, said: str
) -> None:
    """With what to do about it."""
    done = idp("requests", "add", *options)

    assert (done.code, said in done.err) == (code, True)
    assert idp("requests", "list", "--all", "--json").json == []


@pytest.mark.rule("ADM-3")
def test_request_is_tracked_from_receipt_to_answer(idp: Run, provider: Provider) -> None:
    """The person is mailed at each step; the trail says who did what."""
    person = provider.an_account("zoe@example.org")
    name = add(idp, "--account", "zoe@example.org", days=2)

    listed = idp("requests", "list")
    assert "access (art. 15)" in listed.out
    assert "28 day(s) left" in listed.out
    extended = idp("requests", "extend", name, "--reason", "Archives à consulter.", *BY)
    assert f"Request {name} is extended." in extended.out
    closed = idp("requests", "close", name, "--outcome", "Copie envoyée.", *BY, "--json").json
    assert (closed["state"], closed["closed_by"], closed["outcome"]) == (
        "done",
        "Claire Martin",
        "Copie envoyée.",
    )
    assert idp("requests", "list", "--json").json == []
    assert "done" in idp("requests", "list", "--all").out
    assert "Copie envoyée." in idp("requests", "show", name).out

    changes = events_of(provider, "data_request.changed")
    assert [(event.actor, event.account_id) for event in changes] == [
        ("administrator", person.account_id)
    ] * 3
    assert sorted(event.details["change"] for event in changes) == ["done", "extended", "received"]
    assert {event.details["by"] for event in changes} == {"Claire Martin"}
    steps = [mail.variables["step"] for mail in mails(provider.context) if mail.event == "data_request"]
    assert steps == ["received", "extended", "done"]


def test_request_of_somebody_without_an_account_mails_nobody(idp: Run, provider: Provider) -> None:
    """They are answered the way they asked; the deadline is the same."""
    name = add(idp, "--channel", "letter", kind="objection")

    shown = idp("requests", "show", name, "--json").json
    assert (shown["account_id"], shown["days_left"] in {29, 30}, shown["article"]) == (None, True, 21)
    assert idp("requests", "close", name, "--outcome", "Fondée.", "--refused", *BY).code == 0
    assert idp("requests", "show", name, "--json").json["state"] == "refused"
    assert mails(provider.context) == []


@pytest.mark.rule("ACC-7")
def test_request_of_a_guardian_says_how_their_authority_was_checked(idp: Run, provider: Provider) -> None:
    """It stands with the request, and outlives nobody's account."""
    person = provider.an_account()
    note = "Livret de famille vu au guichet."
    name = add(idp, "--account", person.email, "--guardian", "--note", note, kind="erasure")

    shown = idp("requests", "show", name, "--json").json
    assert (shown["is_of_guardian"], shown["note"]) == (True, note)
    assert "guardian" in idp("requests", "list").out

    operations.delete(provider.context, person.account_id)
    closed = idp("requests", "close", name, "--outcome", "Compte effacé.", *BY, "--json").json
    assert (closed["account_id"], closed["state"]) == (None, "done")


def test_late_request_is_red_and_fails_the_check(idp: Run) -> None:
    """A script hears it; a terminal shows it."""
    add(idp, days=32)
    add(idp, days=3)

    listed = idp("requests", "list", "--check")
    assert listed.code == 9
    assert "1 request(s) late" in listed.err
    assert "day(s) late" in listed.out
    assert [one["overdue"] for one in idp("requests", "list", "--json").json] == [True, False]
    assert idp("requests", "list").code == 0


def test_extension_is_refused_twice_late_or_once_answered(idp: Run) -> None:
    """With the reason; the deadline stays."""
    extended, late, answered = add(idp), add(idp, days=32), add(idp)
    idp("requests", "extend", extended, "--reason", "Archives.")
    idp("requests", "close", answered, "--outcome", "Fait.")

    for name, said in ((extended, "once"), (late, "passed"), (answered, "answered already")):
        before = idp("requests", "show", name, "--json").json
        done = idp("requests", "extend", name, "--reason", "Encore.")
        assert (done.code, said in done.err) == (1, True)
        assert idp("requests", "show", name, "--json").json == before


def test_second_answer_is_refused(idp: Run) -> None:
    """The first one stands."""
    name = add(idp)
    idp("requests", "close", name, "--outcome", "Fait.", *BY)

    done = idp("requests", "close", name, "--outcome", "Refusé.", "--refused")

    assert (done.code, "already" in done.err) == (1, True)
    assert idp("requests", "show", name, "--json").json["outcome"] == "Fait."


def test_nobody_is_reminded_without_a_mailbox(idp: Run) -> None:
    """Code 3, with the key of the configuration."""
    done = idp("requests", "remind")

    assert (done.code, "city.support_email" in done.err) == (3, True)


def test_city_is_reminded_once_of_what_comes_due(idp: Run, config: Path, provider: Provider) -> None:
    """One mail names them all; a second run sends nothing."""
    config.write_text(config.read_text() + '[city]\nsupport_email = "dpo@example.org"\n')
    soon, _, late = add(idp, days=25), add(idp, days=3), add(idp, days=33)

    first, second = idp("requests", "remind", "--json"), idp("requests", "remind")

    assert [one["request_id"] for one in first.json] == [late, soon]
    assert "Nobody" in second.out
    (mail,) = [mail for mail in mails(provider.context) if mail.event == "data_requests_due"]
    assert mail.to == "dpo@example.org"
    assert [one["id"] for one in mail.variables["requests"]] == [late, soon]
    reminded = [event for event in events_of(provider, "data_request.changed") if event.actor == "system"]
    assert {event.details["change"] for event in reminded} == {"reminded"}


def test_reminder_of_another_process_is_not_sent_again(provider: Provider, clock: SettableClock) -> None:
    """Two workers look at the same moment: one of them writes."""
    received = use_case.Received(RequestKind.ACCESS, RequestChannel.MAIL)
    request = use_case.add(provider.context, received, by="claire")
    assert isinstance(request, DataRequest)
    clock.set(request.due_at - timedelta(days=4))
    other = datetime(2026, 1, 1, tzinfo=UTC)
    with provider.context.database.write() as connection:
        connection.execute(update(data_requests).values(reminded_at=other))
        assert not register.remind(connection, request, clock())


@pytest.mark.parametrize(
    "contact, told",
    [("dpo@example.org", 1), ("https://city.example/contact", 0)],
    ids=["a mailbox", "a form"],
)
def test_worker_reminds_the_city_by_itself(
    provider: Provider, clock: SettableClock, contact: str, told: int
) -> None:
    """Where there is a mailbox to write to; each turn after the first says nothing."""
    context = replace(provider.context, controller=Controller(contact=contact))
    received = use_case.Received(RequestKind.ERASURE, RequestChannel.LETTER)
    request = use_case.add(context, received, by="claire")
    assert isinstance(request, DataRequest)
    remind_of_requests(context)
    clock.set(request.due_at - timedelta(days=10))

    for _ in range(3):
        remind_of_requests(context)

    assert [mail.to for mail in mails(context)] == [contact] * told
