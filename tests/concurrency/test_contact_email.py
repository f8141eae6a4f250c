"""A contact address proven, replaced and removed at once, on both databases (PRO-2, FC-6)."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from idp.domain.civil_identity import CONTACT_EMAIL
from idp.domain.email_address import EmailAddress
from idp.services.account import contact_email
from idp.services.account.contact_email import Asked, Outcome
from idp.storage.models import account_attribute_changes, account_attributes, contact_email_proofs
from tests.support.builders import mails
from tests.support.pages import mailed_token
from tests.support.race import RACERS, race

if TYPE_CHECKING:
    from sqlalchemy import Table

    from idp.domain.account import Account
    from idp.services.context import Context
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRO-2", "FC-6")
ROUNDS = 4


def asked(context: Context, account: Account, email: str) -> str:
    """Give an address; gives back the token of the mail."""
    assert contact_email.begin(context, account, EmailAddress(email, email)) is Asked.MAILED
    return mailed_token(context, email)


def written(context: Context, table: Table, account: Account) -> int:
    """Count the rows about somebody's contact address."""
    statement = select(table).where(table.c.account_id == account.account_id)
    if "name" in table.c:
        statement = statement.where(table.c.name == CONTACT_EMAIL)
    with context.database.read() as connection:
        return len(connection.execute(statement).all())


def test_link_pressed_at_once_proves_once(crowded_provider: Provider) -> None:
    """One row, one line of the history, one notice; the others are told that it is done."""
    context = crowded_provider.context
    for number in range(ROUNDS):
        zoe = crowded_provider.an_account()
        token = asked(context, zoe, f"contact{number}@example.org")

        outcomes = race(*[partial(contact_email.prove, context, zoe, token)] * RACERS)

        assert Counter(outcomes) == {Outcome.PROVEN: 1, Outcome.ALREADY_PROVEN: RACERS - 1}
        tables = (account_attributes, account_attribute_changes, contact_email_proofs)
        assert [written(context, table, zoe) for table in tables] == [1, 1, 0]
        assert [mail.event for mail in mails(context) if mail.to == zoe.email] == ["contact_email_changed"]


def test_address_removed_at_once_is_removed_once(crowded_provider: Provider) -> None:
    """One line says so, and one notice."""
    context = crowded_provider.context
    for number in range(ROUNDS):
        zoe = crowded_provider.an_account()
        contact_email.prove(context, zoe, asked(context, zoe, f"contact{number}@example.org"))

        outcomes = race(*[partial(contact_email.remove, context, zoe)] * RACERS)

        assert outcomes.count(True) == 1
        assert written(context, account_attributes, zoe) == 0
        assert written(context, account_attribute_changes, zoe) == 2


def test_link_pressed_while_another_address_is_given_ends_one_way_or_the_other(
    crowded_provider: Provider,
) -> None:
    """Either the link came first, and the new address waits beside the proven one; or it was void."""
    context = crowded_provider.context
    for number in range(ROUNDS):
        zoe = crowded_provider.an_account()
        token = asked(context, zoe, f"first{number}@example.org")
        other = f"second{number}@example.org"

        outcome, begun = race(
            partial(contact_email.prove, context, zoe, token),
            partial(contact_email.begin, context, zoe, EmailAddress(other, other)),
        )

        assert begun is Asked.MAILED
        known = contact_email.known(context, zoe.account_id)
        assert known.waiting is not None
        assert known.waiting.email == other
        assert known.proven == (f"first{number}@example.org" if outcome is Outcome.PROVEN else None)
