"""Locking, unlocking and deleting an account (LOG-6, LIF-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.domain.email_address import parse
from idp.services.account import deletion, password, securing, signup
from idp.services.sign_in import password as sign_in
from idp.services.sign_in import sessions
from idp.services.sign_in.arrival import Arrived, Visit
from idp.storage.models import account_links, accounts, audit_events, devices, outbox, signups
from idp.storage.models import sessions as session_rows
from tests.support.builders import ELSEWHERE, HOME, PASSWORD, an_account

if TYPE_CHECKING:
    from idp.services.context import Context

VISIT = Visit("Firefox sur Windows")


def enter(context: Context) -> Arrived:
    """Sign Zoé in."""
    outcome = sign_in.sign_in(context, "zoe@example.fr", PASSWORD, address=HOME, visit=VISIT)
    assert isinstance(outcome, Arrived)
    return outcome


@pytest.mark.rule("LOG-6")
def test_lock_ends_every_session_and_link(context: Context) -> None:
    """Nothing that was open stays open."""
    account = an_account(context)
    entered = enter(context)
    password.forgotten(context, "zoe@example.fr", language="fr")

    assert securing.lock(context, account.account_id, "vol")

    assert sessions.find(context, entered.opened.cookie) is None
    with context.database.read() as connection:
        live = account_links.c.consumed_at.is_(None)
        assert connection.scalar(select(func.count()).where(live)) == 0


@pytest.mark.rule("LOG-6")
def test_unlocked_account_signs_in_again(context: Context) -> None:
    """An unlock gives the account back, and no session of before."""
    account = an_account(context)
    entered = enter(context)
    securing.lock(context, account.account_id, "vol")

    assert securing.unlock(context, account.account_id)

    assert sessions.find(context, entered.opened.cookie) is None
    enter(context)


@pytest.mark.rule("LOG-6")
def test_unknown_account_is_neither_locked_nor_deleted(context: Context) -> None:
    """The administrator hears that there is no such account."""
    assert not securing.lock(context, "inconnu", "vol")
    assert not securing.unlock(context, "inconnu")
    assert not deletion.delete(context, "inconnu")


@pytest.mark.rule("LIF-4", "ACC-7")
def test_deletion_leaves_no_row_that_speaks_of_the_person(context: Context) -> None:
    """Account, session, device, link, waiting mail and sign-up go; a line that names nobody stays."""
    account = an_account(context)
    enter(context)
    password.forgotten(context, "zoe@example.fr", language="fr")
    email = parse("zoe@example.fr")
    assert email is not None
    signup.begin(context, email, browser_hash=bytes(32), address=ELSEWHERE, language="fr")

    assert deletion.delete(context, account.account_id)

    with context.database.read() as connection:
        for table in (accounts, session_rows, devices, account_links, signups):
            assert connection.scalar(select(func.count()).select_from(table)) == 0, table.name
        assert connection.scalars(select(outbox.c.account_id)).all() == [None]
        names = connection.execute(select(audit_events.c.name, audit_events.c.account_id)).all()
    assert ("account.deleted", None) in names
    assert all(row.account_id is None for row in names)


@pytest.mark.rule("LIF-4")
def test_deleted_address_is_free_again(context: Context) -> None:
    """The same person, or another, may open an account with it."""
    account = an_account(context)
    deletion.delete(context, account.account_id)

    assert an_account(context).account_id != account.account_id
    enter(context)
