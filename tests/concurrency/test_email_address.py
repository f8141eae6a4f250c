"""Sixteen threads at once: one winner for each address, code and undo, whoever wants the address (PRO-1, ACC-5)."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from idp.domain.authentication import Authentication
from idp.domain.email_address import EmailAddress
from idp.services.account import email_address, signup
from idp.services.account.email_address import (
    AddressTaken,
    AlreadyChanged,
    Begun,
    Changed,
    Gone,
    Undone,
    UndoUsed,
)
from idp.services.account.mailed_code import WrongCode
from idp.services.account.signup import Details
from idp.services.sign_in import sessions
from idp.services.sign_in.arrival import Arrived, Visit
from idp.services.sign_in.sessions import open_session
from idp.storage.models import accounts
from tests.support.builders import PASSWORD, TERMS_VERSION, last_mail, mails, some_terms
from tests.support.race import RACERS, race

if TYPE_CHECKING:
    from idp.services.context import Context
    from idp.storage.repositories.sessions import SignedIn
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRO-1")
ROUNDS = 4
BROWSER = bytes(32)
VISIT = Visit("Firefox sur Windows")


def somebody(provider: Provider) -> SignedIn:
    """Sign a new person in."""
    context, account = provider.context, provider.an_account()
    with context.database.write() as connection:
        opened = open_session(
            context,
            connection,
            account.account_id,
            Authentication.by_password(context.clock()),
            browser="Firefox",
        )
    found = sessions.find(context, opened.cookie)
    assert found is not None
    return found


def code_for(context: Context, here: SignedIn, email: str, number: int = 0) -> str:
    """Ask for another address; gives back the code that was mailed."""
    new = EmailAddress(email, email)
    assert isinstance(email_address.begin(context, here.account, new, address=f"10.1.{number}.1"), Begun)
    return str(last_mail(context, email).variables["code"])


def owners(context: Context, email: str) -> int:
    """Count the accounts that an address has."""
    with context.database.read() as connection:
        found = select(func.count()).where(accounts.c.email_canonical == email)
        return connection.scalar(found.select_from(accounts)) or 0


def test_code_typed_at_once_changes_the_address_once(crowded_provider: Provider) -> None:
    """One try wins; the others find the address changed."""
    context = crowded_provider.context
    for number in range(ROUNDS):
        here = somebody(crowded_provider)
        code = code_for(context, here, f"new{number}@example.org", number)

        outcomes = race(*[partial(email_address.prove_by_code, context, here, code)] * RACERS)

        assert Counter(map(type, outcomes)) == {Changed: 1, AlreadyChanged: RACERS - 1}


@pytest.mark.rule("ACC-4")
def test_guesses_at_once_are_all_counted(crowded_provider: Provider) -> None:
    """Five are compared, however many come at the same instant."""
    context = crowded_provider.context
    here = somebody(crowded_provider)
    code = code_for(context, here, "new@example.org")
    wrong = "000000" if code != "000000" else "000001"

    outcomes = race(*[partial(email_address.prove_by_code, context, here, wrong)] * RACERS)

    assert sum(isinstance(outcome, WrongCode) for outcome in outcomes) == context.code_policy.tries - 1
    assert not any(isinstance(outcome, Changed) for outcome in outcomes)


@pytest.mark.rule("ACC-5")
def test_two_accounts_that_prove_one_address_at_once_have_one_winner(crowded_provider: Provider) -> None:
    """The other is told that the address is taken, or finds its change dropped."""
    context = crowded_provider.context
    for number in range(ROUNDS):
        email = f"wanted{number}@example.org"
        ones = [somebody(crowded_provider) for _ in range(2)]
        codes = [code_for(context, here, email, number) for here in ones]

        outcomes = race(
            *(
                partial(email_address.prove_by_code, context, here, code)
                for here, code in zip(ones, codes, strict=True)
            )
        )

        kinds = Counter(map(type, outcomes))
        assert kinds[Changed] == 1
        assert kinds[AddressTaken] + kinds[Gone] == 1
        assert owners(context, email) == 1


@pytest.mark.rule("ACC-5")
def test_change_and_sign_up_of_one_address_at_once_have_one_winner(crowded_provider: Provider) -> None:
    """One account has the address in the end; the other side is told."""
    context = crowded_provider.context
    some_terms(context)
    for number in range(ROUNDS):
        email = f"both{number}@example.org"
        here = somebody(crowded_provider)
        begun = signup.begin(
            context,
            EmailAddress(email, email),
            browser_hash=BROWSER,
            address=f"10.2.{number}.1",
            language="fr",
        )
        assert isinstance(begun, signup.Begun)
        signup.prove_by_code(context, begun.handle, BROWSER, str(last_mail(context, email).variables["code"]))
        code = code_for(context, here, email, number)
        details = Details(
            password=PASSWORD,
            identity={"given_name": "Zoé", "family_name": "Dupont"},
            accepts_terms=True,
            terms_version=TERMS_VERSION,
        )

        changed, opened = race(
            partial(email_address.prove_by_code, context, here, code),
            partial(signup.complete, context, begun.handle, BROWSER, details, language="fr", visit=VISIT),
        )

        assert isinstance(changed, Changed) != isinstance(opened, Arrived)
        assert isinstance(changed, Changed | AddressTaken | Gone)
        assert isinstance(opened, Arrived | signup.AddressTaken | signup.Gone)
        assert owners(context, email) == 1


@pytest.mark.rule("LOG-6")
def test_undo_pressed_at_once_serves_once(crowded_provider: Provider) -> None:
    """One press restores the address; the others are told that the link has served."""
    context = crowded_provider.context
    here = somebody(crowded_provider)
    code = code_for(context, here, "new@example.org")
    assert isinstance(email_address.prove_by_code(context, here, code), Changed)
    links = [mail.variables["link"] for mail in mails(context) if mail.event == "email_changed"]
    token = parse_qs(urlsplit(links[-1]).query)["token"][0]

    outcomes = race(*[partial(email_address.undo, context, token)] * RACERS)

    assert Counter(map(type, outcomes)) == {Undone: 1, UndoUsed: RACERS - 1}
