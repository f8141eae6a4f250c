"""A deletion at the same instant as whatever else the person, or their services, are doing (LIF-4, PRO-9).

Whoever is first, nobody meets an error page, and nothing of the person is left.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select, update

from idp.services.account import deletion, life_cycle
from idp.storage.models import accounts, audit_events, purged_accounts
from tests.support.builders import PASSWORD, an_account, some_terms
from tests.support.provider import form_of
from tests.support.purposes import EVENTS, MOBILE
from tests.support.race import race
from tests.support.whole_person import every_value

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from idp.domain.account import Account
    from tests.support.provider import Provider, Service

pytestmark = pytest.mark.rule("LIF-4", "PRO-9")
#: Each round is another account and another session.
ROUNDS = 6
PAGE = "/account/delete"


def left_of(provider: Provider, account: Account) -> list[str]:
    """Say where something of the person stands, once housekeeping has passed."""
    deletion.forget_late(provider.context)
    return [
        f"{table}.{column}"
        for table, column, text in every_value(provider.context.database)
        if (account.account_id in text or account.email in text)
        and (table, column) != ("purged_accounts", "account_id")
    ]


def by_page(browser: FlaskClient) -> Callable[[], int]:
    """Make what confirms the deletion in a browser, and answers the status."""
    fields = {**form_of(browser.get(PAGE)), "understood": "yes"}
    return lambda: browser.post(PAGE, data=fields).status_code


def login(provider: Provider, account: Account) -> Callable[[], int]:
    """Make what signs the person in, in another browser."""
    browser = provider.client()
    fields = {**form_of(browser.get("/sign-in")), "email": account.email, "password": PASSWORD}
    return lambda: browser.post("/sign-in", data=fields).status_code


def wrong_login(provider: Provider, account: Account) -> Callable[[], int]:
    """Make what guesses their password."""
    browser = provider.client()
    fields = {**form_of(browser.get("/sign-in")), "email": account.email, "password": "Faux.Mot2Passe"}
    return lambda: browser.post("/sign-in", data=fields).status_code


def exchange(provider: Provider, account: Account, service: Service) -> Callable[[], int]:
    """Make what brings a code to /token."""
    code = provider.code(provider.signed_in(account), service)
    return lambda: provider.redeem(service, code).status_code


def rotation(provider: Provider, account: Account, service: Service) -> Callable[[], int]:
    """Make what brings a refresh token to /token."""
    tokens = provider.tokens(provider.signed_in(account), service, scope="openid offline_access")
    return lambda: provider.refresh(service, tokens["refresh_token"]).status_code


def authorization(provider: Provider, account: Account, service: Service) -> Callable[[], int]:
    """Make what asks for a code in a signed-in browser."""
    browser = provider.signed_in(account)
    return lambda: provider.authorize(browser, service).status_code


def consent(provider: Provider, account: Account) -> Callable[[], int]:
    """Make what answers the consent page, purposes included."""
    service = provider.a_client(consent_required=True, events_uri=EVENTS, purposes=(MOBILE,))
    browser = provider.signed_in(account)
    location = provider.authorize(browser, service, scope="openid email").location
    fields = {**form_of(browser.get(location)), "decision": "allow", f"purpose-{MOBILE.name}": "yes"}
    return lambda: browser.post("/consent", data=fields).status_code


def identity(provider: Provider, account: Account) -> Callable[[], int]:
    """Make what saves an identity."""
    browser = provider.signed_in(account)
    names = {"given_name": "Zoé", "family_name": "Lefebvre", "gender": "female", "birthdate": "1990-03-03"}
    fields = form_of(browser.get("/account/identity")) | names
    return lambda: browser.post("/account/identity", data=fields).status_code


def forgotten(provider: Provider, account: Account) -> Callable[[], int]:
    """Make what asks for a new password by mail."""
    browser = provider.client()
    fields = {**form_of(browser.get("/forgotten-password")), "email": account.email}
    return lambda: browser.post("/forgotten-password", data=fields).status_code


def beside(provider: Provider, account: Account, service: Service) -> dict[str, Callable[[], int]]:
    """Make everything else that happens at the same instant, by name."""
    return {
        "login": login(provider, account),
        "wrong login": wrong_login(provider, account),
        "exchange": exchange(provider, account, service),
        "rotation": rotation(provider, account, service),
        "authorization": authorization(provider, account, service),
        "consent": consent(provider, account),
        "identity": identity(provider, account),
        "forgotten": forgotten(provider, account),
    }


def test_deletion_beside_everything_else_leaves_nothing(crowded_provider: Provider) -> None:
    """Logins, codes, tokens, consents, forms and mails of the same instant: all end before, or find nobody."""
    provider = crowded_provider
    some_terms(provider.context)
    service = provider.a_client(events_uri=EVENTS)
    for number in range(ROUNDS):
        account = an_account(provider.context, f"zoe{number}@example.org")
        others = beside(provider, account, service)
        deleting = by_page(provider.signed_in(account))

        statuses = race(deleting, *others.values())

        told = dict(zip(["deletion", *others], statuses, strict=True))
        assert [name for name, status in told.items() if status >= 500] == [], told
        assert told["deletion"] == 303
        assert left_of(provider, account) == []


def test_two_deletions_at_once_are_one(crowded_provider: Provider) -> None:
    """Two clicks, another device and an administrator: one line of the trail, one certificate, no error."""
    provider = crowded_provider
    some_terms(provider.context)
    for number in range(ROUNDS):
        account = an_account(provider.context, f"zoe{number}@example.org")
        here, there = provider.signed_in(account), provider.signed_in(account)
        twice = by_page(here)

        def by_administrator(account_id: str = account.account_id) -> int:
            return 200 if deletion.delete(provider.context, account_id) else 404

        statuses = race(twice, twice, by_page(there), by_administrator)

        assert max(statuses) < 500
        assert left_of(provider, account) == []
    with provider.context.database.read() as connection:
        lines = select(func.count()).where(audit_events.c.name == "account.deleted")
        assert connection.scalar(lines) == ROUNDS
        assert connection.scalar(select(func.count()).select_from(purged_accounts)) == ROUNDS


@pytest.mark.rule("LIF-2")
def test_deletion_beside_a_warning_leaves_no_warning(crowded_provider: Provider) -> None:
    """The job of the life cycle meets an account that its owner deletes at this instant."""
    provider = crowded_provider
    some_terms(provider.context)
    for number in range(ROUNDS):
        account = an_account(provider.context, f"zoe{number}@example.org")
        deleting = by_page(provider.signed_in(account))
        with provider.context.database.write() as connection:
            connection.execute(
                update(accounts)
                .where(accounts.c.account_id == account.account_id)
                .values(last_active_at=provider.clock() - timedelta(days=1090))
            )

        def warn() -> int:
            life_cycle.run(provider.context, provider.context.life_cycle)
            return 200

        assert race(deleting, warn, warn) == [303, 200, 200]
        assert left_of(provider, account) == []
