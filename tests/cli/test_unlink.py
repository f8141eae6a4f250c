"""`idp unlink`: the manager's queue, on each kind of database (FC-5, ADM-1, ADM-2, ADM-3)."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import pytest

from idp.cli import unlink
from idp.services.account import unlinking
from idp.services.operations import accounts as operations
from tests.support.certified import a_certified_account
from tests.support.provider import a_provider
from tests.support.unlinking import a_request, events_of, told, without_password

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.cli.conftest import Run
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("FC-5", "ADM-1")
SAID = ("--reason", "Dossier en cours.", "--operator", "Claire Martin", "--yes")


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """The people whose requests are decided upon."""
    return a_provider(database, clock)


@pytest.fixture
def request_id(provider: Provider) -> str:
    """A request that waits."""
    return a_request(provider, a_certified_account(provider)).request_id


def test_empty_queue_says_so(idp: Run) -> None:
    """For a person and for a program."""
    assert idp("unlink", "list").out == "No request waits.\n"
    assert idp("unlink", "list", "--all").out == "No request.\n"
    assert idp("unlink", "list", "--json").json == []


@pytest.mark.parametrize("command", ["show", "approve", "refuse"])
def test_unknown_request_is_not_found(idp: Run, command: str) -> None:
    """Code 4, whatever is asked of it."""
    options = {"show": (), "approve": ("--yes",), "refuse": SAID}[command]

    done = idp("unlink", command, "nothing", *options)

    assert done.code == 4
    assert "no such request" in done.err


def test_request_is_listed_and_shown(idp: Run, request_id: str) -> None:
    """Who asked, since when, what they wrote; never the identity."""
    listed, shown = idp("unlink", "list"), idp("unlink", "show", request_id)

    assert "open" in listed.out
    assert "zoe1@example.org" in idp("unlink", "list", "--json").out
    assert "Je préfère un mot de passe." in shown.out
    assert "Merci." in shown.out
    assert "DUBOIS" not in shown.out + listed.out
    members = idp("unlink", "show", request_id, "--json").json
    assert members["message"] == "Je préfère un mot de passe.\nMerci."
    assert (members["state"], members["portals"]) == ("open", ["franceconnect"])


@pytest.mark.rule("ADM-2")
def test_message_never_moves_the_cursor(idp: Run, provider: Provider) -> None:
    """What a stranger wrote is shown as text, line by line."""
    request = a_request(provider, a_certified_account(provider), "un\n\x1b[2Jdeux\N{RIGHT-TO-LEFT OVERRIDE}")

    shown = idp("unlink", "show", request.request_id)

    assert "\x1b" not in shown.out
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in shown.out


@pytest.mark.rule("ADM-2")
@pytest.mark.parametrize("command", ["approve", "refuse"])
def test_decision_is_confirmed(idp: Run, request_id: str, command: str) -> None:
    """Nobody can answer: --yes must be said, and nothing has changed."""
    done = idp("unlink", command, request_id, "--reason", "Dossier en cours.")

    assert done.code == 2
    assert "--yes" in done.err
    assert idp("unlink", "show", request_id, "--json").json["state"] == "open"


@pytest.mark.rule("ADM-3")
def test_approval_is_recorded(idp: Run, provider: Provider, request_id: str) -> None:
    """Who decided, when, why; and the queue is empty."""
    done = idp("unlink", "approve", request_id, *SAID)

    assert done.code == 0
    assert "is approved" in done.out
    shown = idp("unlink", "show", request_id, "--json").json
    assert (shown["state"], shown["decided_by"]) == ("approved", "Claire Martin")
    assert shown["decision_reason"] == "Dossier en cours."
    assert shown["decided_at"] is not None
    assert shown["portals"] == []
    assert idp("unlink", "list", "--json").json == []
    assert [one["state"] for one in idp("unlink", "list", "--all", "--json").json] == ["approved"]
    assert [event.actor for event in events_of(provider, "unlink.approved")] == ["administrator"]
    assert told(provider) == ["unlink_approved", "unlink_requested"]


def test_approval_needs_no_reason_and_says_what_it_did(idp: Run, request_id: str) -> None:
    """For a program: the request as it stands, and what changed."""
    done = idp("unlink", "approve", request_id, "--yes", "--json").json

    assert (done["state"], done["decision_reason"]) == ("approved", None)
    assert done["decided_by"] == getpass.getuser()
    assert "family_name" in done["attributes"]
    assert done["sessions_ended"] == 0


@pytest.mark.rule("ADM-3")
def test_refusal_is_recorded(idp: Run, provider: Provider, request_id: str) -> None:
    """The person is mailed, and the trail names the administrator."""
    assert idp("unlink", "refuse", request_id, *SAID).code == 0

    shown = idp("unlink", "show", request_id, "--json").json
    assert (shown["state"], shown["decided_by"]) == ("refused", "Claire Martin")
    assert shown["portals"] == ["franceconnect"]
    assert [event.actor for event in events_of(provider, "unlink.refused")] == ["administrator"]
    assert told(provider) == ["unlink_refused", "unlink_requested"]


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--reason", ""),
        ("--reason", " \t "),
        ("--reason", "x" * 501),
        ("--reason", "a\x1b[2J"),
        ("--reason", "oui", "--operator", " "),
        ("--reason", "oui", "--operator", "x" * 101),
    ],
    ids=["none", "empty", "blank", "long", "escape", "no operator", "long operator"],
)
def test_refusal_without_a_reason_or_a_name_is_wrong_usage(
    idp: Run, request_id: str, options: tuple[str, ...]
) -> None:
    """The person reads the reason: code 2, nothing is decided."""
    assert idp("unlink", "refuse", request_id, *options, "--yes").code == 2
    assert idp("unlink", "show", request_id, "--json").json["state"] == "open"


@pytest.mark.parametrize("first", ["approve", "refuse"])
@pytest.mark.parametrize("second", ["approve", "refuse"])
def test_second_decision_is_told_the_first(idp: Run, request_id: str, first: str, second: str) -> None:
    """Code 1, with the decision, the moment and the name."""
    idp("unlink", first, request_id, *SAID)

    done = idp("unlink", second, request_id, *SAID)

    assert done.code == 1
    assert {"approve": "approved", "refuse": "refused"}[first] in done.err
    assert "Claire Martin" in done.err


def test_withdrawn_request_is_told(idp: Run, provider: Provider) -> None:
    """The person was first."""
    account = a_certified_account(provider)
    request = a_request(provider, account)
    unlinking.withdraw(provider.context, account)

    done = idp("unlink", "approve", request.request_id, "--yes")

    assert done.code == 1
    assert "withdrawn" in done.err
    assert "by the person" in done.err


@pytest.mark.rule("PWD-7")
def test_account_without_a_known_password_is_not_unlinked(idp: Run, provider: Provider) -> None:
    """Refused with words, before anything is asked."""
    account = a_certified_account(provider)
    request = a_request(provider, account)
    without_password(provider, account)

    done = idp("unlink", "approve", request.request_id)

    assert done.code == 1
    assert "choose a password first" in done.err
    assert idp("unlink", "show", request.request_id, "--json").json["state"] == "open"


def test_request_of_an_erased_account_is_not_found(idp: Run, provider: Provider) -> None:
    """It was erased with everything else (LIF-4)."""
    account = a_certified_account(provider)
    request = a_request(provider, account)
    operations.delete(provider.context, account.account_id)

    assert idp("unlink", "approve", request.request_id, "--yes").code == 4


def test_link_that_ended_meanwhile_is_told(idp: Run, provider: Provider, request_id: str) -> None:
    """Another program ended it: there is nothing to approve."""
    with provider.context.database.write() as connection:
        connection.exec_driver_sql("UPDATE franceconnect_links SET ended_at = 1, ended_reason = 'test'")

    done = idp("unlink", "approve", request_id)

    assert done.code == 1
    assert "not linked" in done.err


@pytest.mark.rule("ADM-2")
def test_help_names_the_commands(idp: Run) -> None:
    """All four, with what each does."""
    shown = idp("unlink", "--help").out

    assert all(name in shown for name in ("list", "show", "approve", "refuse"))
    assert unlink.command.commands.keys() == {"list", "show", "approve", "refuse"}
