"""ADM-3: every act is audited, who did it is named, and what was read of people too (S-430, S-456)."""

from __future__ import annotations

import getpass
import json
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from idp.cli import operators
from idp.services.messages import Mail, queue_mail
from idp.storage.models import audit_events, outbox
from tests.cli.conftest import Run, config, idp
from tests.support.certified import a_certified_account
from tests.support.chains import an_entry, entered, tampered, without_triggers
from tests.support.provider import a_provider
from tests.support.unlinking import a_request

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

__all__ = ["config", "idp"]
pytestmark = pytest.mark.rule("ADM-3")
TERMS = "# Conditions\n\nCorps.\n"


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """A provider over the database of the command line."""
    return a_provider(database, clock)


@pytest.fixture
def person(provider: Provider) -> Account:
    """Somebody who is administered."""
    return provider.an_account("zoe@example.org")


def lines(provider: Provider) -> list[Any]:
    """Read the trail in its order."""
    with provider.context.database.read() as connection:
        return list(connection.execute(select(audit_events).order_by(audit_events.c.sequence)))


def test_acts_of_a_command_line_name_the_user_of_the_machine(
    provider: Provider, person: Account, idp: Run, tmp_path: Path
) -> None:
    """Each act is a line of an administrator, with the user's name; also where nobody thought of it."""
    terms = tmp_path / "terms.md"
    terms.write_text(TERMS)
    made = json.loads(idp("clients", "token", "create", "--label", "Essai", "--json").out)
    acts = {
        "account.locked": ("accounts", "lock", person.account_id, "--reason", "essai"),
        "account.unlocked": ("accounts", "unlock", person.account_id),
        "terms.published": ("terms", "publish", str(terms), "--version", "2026-01"),
        "initial_token.changed": ("clients", "token", "revoke", made["token_id"]),
    }
    for name, command in acts.items():
        done = idp(*command)
        assert done.code == 0, (command, done.err)
        line = lines(provider)[-1]
        assert (line.name, line.actor, line.details["by"]) == (name, "administrator", getpass.getuser())


def test_server_names_no_user_of_a_machine(provider: Provider) -> None:
    """What people do at a page is theirs."""
    provider.signed_in()
    browser = provider.signed_in()
    browser.get("/account")

    assert all("by" not in line.details for line in lines(provider))


@pytest.mark.parametrize("known", ["KeyError", "OSError"])
def test_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch, known: str) -> None:
    """In a container the machine may know no name."""

    def nobody() -> str:
        raise {"KeyError": KeyError, "OSError": OSError}[known]

    monkeypatch.setattr(getpass, "getuser", nobody)

    assert operators.system_user().startswith("uid ")


def test_reading_an_account_is_recorded_with_who_and_why(
    provider: Provider, person: Account, idp: Run
) -> None:
    """Before it is shown; nothing is recorded of an account that is not there."""
    before = len(lines(provider))
    assert idp("accounts", "show", "nobody@example.org").code == 4
    assert len(lines(provider)) == before

    idp("accounts", "show", "zoe@example.org", "--reason", "Dossier 12", "--operator", "Claire Martin")

    line = lines(provider)[-1]
    assert (line.name, line.actor, line.account_id) == ("account.viewed", "administrator", person.account_id)
    assert line.details == {"by": "Claire Martin", "reason": "Dossier 12"}


def test_reading_requests_of_people_is_recorded(provider: Provider, person: Account, idp: Run) -> None:
    """The queue shows addresses, a request shows what a person wrote, an entry of the ledger whose it is."""
    certified = a_certified_account(provider)
    request = a_request(provider, certified)
    (entry_id,) = entered(provider.context, an_entry(person.account_id))

    idp("unlink", "list")
    idp("unlink", "show", request.request_id)
    idp("ledger", "show", entry_id)

    names = [line.name for line in lines(provider)][-3:]
    assert names == ["unlink.listed", "unlink.viewed", "account.viewed"]
    assert [line.account_id for line in lines(provider)][-2:] == [certified.account_id, person.account_id]


def test_reading_the_trail_is_recorded_in_the_trail(provider: Provider, person: Account, idp: Run) -> None:
    """Who read it, how much, about whom, why."""
    idp("accounts", "lock", person.account_id, "--reason", "essai")

    shown = idp("audit", "show", "--account", "zoe@example.org", "--json", "--reason", "Contrôle").json
    exported = idp("audit", "export", "--account", person.account_id).out.splitlines()

    assert [line["name"] for line in shown] == ["account.locked"]
    assert [json.loads(line)["name"] for line in exported] == ["account.locked", "audit.read", "audit.read"]
    reads = [line for line in lines(provider) if line.name == "audit.read"]
    assert [(line.details["way"], line.details["reason"], line.account_id) for line in reads] == [
        ("show", "Contrôle", person.account_id),
        ("export", None, person.account_id),
    ]


def test_trail_is_filtered_by_period_event_actor_and_client(provider: Provider, idp: Run) -> None:
    """Each filter alone and all together; an unknown address is not found."""
    provider.signed_in()
    idp("clients", "token", "create", "--label", "Essai")

    assert idp("audit", "show", "--since", "2099-01-01", "--json").json == []
    assert idp("audit", "show", "--until", "2000-01-01").out == "No such line.\n"
    assert [one["name"] for one in idp("audit", "show", "--event", "initial_token", "--json").json] == [
        "initial_token.changed"
    ]
    assert {one["actor"] for one in idp("audit", "show", "--actor", "administrator", "--json").json} == {
        "administrator"
    }
    assert idp("audit", "show", "--client", "nobody", "--json").json == []
    assert "initial_token.changed" in idp("audit", "show", "--limit", "100").out
    assert idp("audit", "show", "--account", "nobody@example.org").code == 4


def test_keys_that_are_made_are_recorded_where_there_is_a_trail(
    provider: Provider, idp: Run, config: Path, tmp_path: Path
) -> None:
    """On a running installation; on a new one keys come before the database, and nothing is made of it."""
    text = config.read_text().partition("[keys]")[0]
    config.write_text(f'{text}[keys]\ndirectory = "{tmp_path / "keys"}"\n')
    assert idp("keys", "init").code == 0
    line = lines(provider)[-1]
    config.write_text(
        f'[database]\nurl = "sqlite:///{tmp_path / "none.db"}"\n[keys]\ndirectory = "{tmp_path / "other"}"\n'
    )
    first = idp("keys", "init")

    assert (line.name, line.details["by"]) == ("keys.rotated", getpass.getuser())
    assert (first.code, first.err, (tmp_path / "none.db").exists()) == (0, "", False)
    config.write_text(
        f'[database]\nurl = "postgresql://nobody@127.0.0.1:1/x"\n[keys]\ndirectory = "{tmp_path / "third"}"\n'
    )
    away = idp("keys", "init")
    assert (away.code, "Not recorded in the trail" in away.err) == (0, True)


def test_messages_sent_again_are_recorded(provider: Provider, person: Account, idp: Run) -> None:
    """How many, or which one."""
    context = provider.context
    with context.database.write() as connection:
        mail = Mail(person.email, "password_changed", "fr", {"at": context.clock()})
        queue_mail(context, connection, mail, account_id=person.account_id)
        later = context.clock() + timedelta(days=36_500)
        connection.execute(outbox.update().values(dead_at=context.clock(), expires_at=later))

    idp("outbox", "retry", "--all")

    assert (lines(provider)[-1].name, lines(provider)[-1].details["count"]) == ("outbox.retried", 1)


def test_verification_names_faults_and_has_an_exit_code_of_its_own(
    provider: Provider, person: Account, idp: Run, tmp_path: Path
) -> None:
    """For a person, for a program, against a statement kept elsewhere."""
    entered(provider.context, *(an_entry(person.account_id, number) for number in range(3)))
    whole = idp("ledger", "verify")
    statement = tmp_path / "head.json"
    statement.write_text(idp("ledger", "head", "--json").out)
    contained = idp("ledger", "verify", "--head", str(statement), "--json")
    without_triggers(provider.context.database)
    tampered(provider.context.database, "UPDATE ledger_entries SET language = 'en' WHERE sequence = 2")
    altered, for_programs = idp("ledger", "verify"), idp("ledger", "verify", "--json")

    assert (whole.code, "is as it was written" in whole.out) == (0, True)
    assert (contained.code, contained.json["statement"], contained.json["ok"]) == (0, "contained", True)
    assert (altered.code, for_programs.code) == (6, 6)
    assert "the personal part of line 2 is not what was written" in " ".join(altered.out.split())
    members = json.loads(for_programs.out)
    assert [(one["kind"], one["sequence"], one["part"]) for one in members["faults"]] == [
        ("altered", 2, "personal")
    ]


def test_statement_that_is_none_is_refused(idp: Run, tmp_path: Path) -> None:
    """JSON without a statement, and anything else."""
    for content, code in (("{}", 2), ("{", 2), ("anything", 1)):
        file = tmp_path / "head"
        file.write_text(content)

        assert idp("audit", "verify", "--head", str(file)).code == code


def test_trail_and_ledger_say_where_they_end(idp: Run) -> None:
    """For a person and for a program; a line that is not there is not found."""
    assert "sequence" in idp("audit", "head").out
    assert idp("audit", "head", "--json").json["chain"] == "audit"
    assert idp("ledger", "show", "1").code == 4
    assert idp("ledger", "show", "9" * 40).code == 4


def test_upgrade_is_recorded_once(provider: Provider, idp: Run) -> None:
    """An upgrade that finds nothing to do writes nothing."""
    before = len(lines(provider))

    done = idp("database", "upgrade", "--json")

    assert (done.code, done.json["taken_in"]) == (0, {})
    assert len(lines(provider)) == before
