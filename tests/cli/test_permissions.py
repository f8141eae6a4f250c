"""`idp permissions`: what an administrator does for a guardian who calls, on each kind of database (CON-7, ACC-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from idp.storage.models import audit_events, ledger_entries
from tests.support.builders import last_mail
from tests.support.children import PARENT, a_child
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.cli.conftest import Run
    from tests.support.children import Child
    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("CON-7", "ACC-7")
SAID = ("--reason", "Dossier 42", "--operator", "Claire Martin")


@pytest.fixture
def child(database: Database, clock: SettableClock) -> Child:
    """A child whose parent said yes."""
    made = a_child(a_provider(database, clock), name="Les Explorateurs")
    made.asks()
    made.parent_says("yes")
    return made


def test_account_that_is_none_is_not_found(idp: Run) -> None:
    """Code 4."""
    done = idp("permissions", "list", "nobody@example.org", *SAID)

    assert done.code == 4
    assert "no such account" in done.err


def test_permission_that_is_none_is_not_found(idp: Run) -> None:
    """Code 4, and nothing else happens."""
    done = idp("permissions", "withdraw", "nothing", *SAID, "--yes")

    assert done.code == 4
    assert "no such permission" in done.err


def test_permissions_are_listed_with_a_reason_that_is_kept(idp: Run, child: Child) -> None:
    """For a person and for a program; the trail says who looked, and why."""
    listed = idp("permissions", "list", child.account.email, *SAID)
    members = idp("permissions", "list", child.account.account_id, *SAID, "--json").json

    assert "given" in listed.out
    assert [(one["state"], one["service"], one["parent_email"]) for one in members] == [
        ("given", "Les Explorateurs", PARENT)
    ]
    with child.provider.context.database.read() as connection:
        seen = connection.execute(
            select(audit_events.c.actor, audit_events.c.details).where(
                audit_events.c.name == "account.viewed"
            )
        ).all()
    assert [tuple(row) for row in seen] == [
        ("administrator", {"by": "Claire Martin", "reason": "Dossier 42"})
    ] * 2


@pytest.mark.rule("ADM-3", "CON-5")
def test_permission_withdrawn_by_an_administrator_ends_the_access(idp: Run, child: Child) -> None:
    """As by the link of the mail: tokens die, the child is mailed, ledger and trail say who did it."""
    provider = child.provider
    tokens = provider.redeem(child.service, child.gets_in()["code"]).json or {}
    permission_id = idp("permissions", "list", child.account.email, *SAID, "--json").json[0]["permission_id"]

    done = idp("permissions", "withdraw", permission_id, *SAID, "--yes")
    again = idp("permissions", "withdraw", permission_id, *SAID, "--yes")

    assert (done.code, again.code) == (0, 4)
    assert provider.userinfo(tokens["access_token"]).status_code == 401
    assert last_mail(provider.context, child.account.email).event == "permission_withdrawn"
    with provider.context.database.read() as connection:
        acts = connection.execute(
            select(ledger_entries.c.act, ledger_entries.c.channel).where(
                ledger_entries.c.matter == "permission"
            )
        ).all()
        event = connection.execute(
            select(audit_events.c.actor, audit_events.c.details)
            .where(audit_events.c.name == "permission.changed")
            .order_by(audit_events.c.sequence.desc())
            .limit(1)
        ).one()
    assert [tuple(row) for row in acts] == [("given", "mail"), ("withdrawn", "administrator")]
    assert event.actor == "administrator"
    assert event.details == {
        "change": "withdrawn",
        "permission_id": permission_id,
        "by": "Claire Martin",
        "reason": "Dossier 42",
    }


def test_withdrawal_is_confirmed_first(idp: Run, child: Child) -> None:
    """A program without --yes changes nothing."""
    permission_id = idp("permissions", "list", child.account.email, *SAID, "--json").json[0]["permission_id"]

    done = idp("permissions", "withdraw", permission_id, *SAID)

    assert done.code != 0
    assert "code" in child.gets_in()
