"""Consent given and withdrawn at the same instant, on both databases (CON-2, CON-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import bindparam, func, select

from idp.services.authorization import consents as use_case
from idp.services.operations import accounts as administration
from idp.storage.models import consents, ledger_entries
from tests.support.builders import CONFIRMED
from tests.support.provider import SESSION_COOKIE, answer_of, form_of
from tests.support.race import RACERS, ROUNDS, race

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service


_WITHDRAWALS = select(ledger_entries.c.entry_id).where(
    ledger_entries.c.matter == "consent",
    ledger_entries.c.act == "withdrawn",
    ledger_entries.c.account_id == bindparam("account"),
)


def a_tab(provider: Provider, cookie: str) -> FlaskClient:
    """Open a browser with a session that is there already."""
    tab = provider.client()
    tab.set_cookie(SESSION_COOKIE, cookie)
    return tab


def cookie_of(browser: FlaskClient) -> str:
    """Read the session cookie of a browser."""
    cookie = browser.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    return cookie.value


@pytest.mark.rule("CON-2")
def test_consent_given_in_sixteen_tabs_at_once_is_one(crowded_provider: Provider) -> None:
    """Each tab gets its code, and one consent lives."""
    provider = crowded_provider
    person = provider.an_account()
    cookie = cookie_of(provider.signed_in(person))
    living = select(func.count()).where(consents.c.withdrawn_at.is_(None))

    for number in range(3):
        service = provider.a_client(consent_required=True)
        tabs = [a_tab(provider, cookie) for _ in range(RACERS)]
        forms = [form_of(tab.get(provider.authorize(tab, service).location)) for tab in tabs]

        def allow(tab: FlaskClient, fields: dict[str, str]) -> TestResponse:
            return tab.post("/consent", data=fields | {"decision": "allow"})

        answers = race(
            *[
                lambda tab=tab, fields=fields: allow(tab, fields)
                for tab, fields in zip(tabs, forms, strict=True)
            ]  # type: ignore[misc]
        )

        assert all("code" in answer_of(answer) for answer in answers)
        with provider.context.database.read() as connection:
            assert connection.scalar(living) == number + 1


@pytest.mark.rule("CON-4")
def test_nothing_issued_at_the_instant_of_a_withdrawal_survives_it(crowded_provider: Provider) -> None:
    """Whatever the order, no code issued before the withdrawal gives a live token after it."""
    provider = crowded_provider
    service = provider.a_client(consent_required=True)
    person = provider.an_account()
    browser = provider.signed_in(person)
    cookie = cookie_of(browser)

    for _ in range(ROUNDS):
        provider.tokens(browser, service)
        answers = race(
            *[lambda: provider.authorize(a_tab(provider, cookie), service, prompt="none")] * 7,
            lambda: withdraw(provider, person.account_id, service),
        )
        codes = [answer_of(answer).get("code") for answer in answers if answer is not None]
        given = [provider.redeem(service, code).status_code for code in codes if code is not None]
        assert set(given) <= {400}


def withdraw(provider: Provider, account_id: str, service: Service) -> None:
    """Take a consent back."""
    assert use_case.withdraw(provider.context, account_id, service.client_id, CONFIRMED)


@pytest.mark.rule("CON-4")
def test_nothing_redeemed_or_refreshed_at_the_instant_of_a_withdrawal_is_of_use(
    crowded_provider: Provider,
) -> None:
    """Codes exchanged, tokens refreshed and read while the person withdraws: each answer is dead afterwards (S-434)."""
    provider = crowded_provider
    service = provider.a_client(consent_required=True)
    person = provider.an_account()
    browser = provider.signed_in(person)

    for number in range(ROUNDS // 2):
        before = provider.tokens(browser, service, scope="openid email offline_access")
        code = provider.code(browser, service, prompt="none")
        answers = race(
            lambda code=code: provider.redeem(service, code),  # type: ignore[misc]
            lambda token=before["refresh_token"]: provider.refresh(service, token),  # type: ignore[misc]
            lambda token=before["access_token"]: provider.userinfo(token),  # type: ignore[misc]
            lambda: withdraw(provider, person.account_id, service),
        )

        given = [answer.json for answer in answers if answer is not None and answer.status_code == 200]
        new = [tokens for tokens in given if tokens is not None and "access_token" in tokens]
        assert all(provider.is_dead(service, tokens) for tokens in [before, *new])
        with provider.context.database.read() as connection:
            acts = connection.execute(_WITHDRAWALS, {"account": person.account_id}).all()
        assert len(acts) == number + 1


@pytest.mark.rule("CON-4", "CON-5")
def test_withdrawal_that_sixteen_ask_for_at_once_is_entered_once(crowded_provider: Provider) -> None:
    """One of them withdraws, the others find nothing: the ledger has one entry, not sixteen."""
    provider = crowded_provider
    person = provider.an_account()
    browser = provider.signed_in(person)

    for number in range(3):
        service = provider.a_client(consent_required=True)
        provider.tokens(browser, service, scope="openid email")

        def end(client_id: str = service.client_id) -> bool:
            return use_case.withdraw(provider.context, person.account_id, client_id, CONFIRMED)

        outcomes = race(*[end] * RACERS)

        assert outcomes.count(True) == 1
        with provider.context.database.read() as connection:
            acts = connection.execute(_WITHDRAWALS, {"account": person.account_id}).all()
        assert len(acts) == number + 1


@pytest.mark.rule("LOG-6")
def test_nothing_issued_at_the_instant_of_a_lock_survives_it(crowded_provider: Provider) -> None:
    """The same for an account that is locked, and unlocked afterwards."""
    provider = crowded_provider
    service = provider.a_client()

    for _ in range(ROUNDS):
        person = provider.an_account()
        cookie = cookie_of(provider.signed_in(person))
        answers = race(
            *[lambda cookie=cookie: provider.authorize(a_tab(provider, cookie), service, prompt="none")] * 7,  # type: ignore[misc]
            lambda person=person: lock(provider, person.account_id),  # type: ignore[misc]
        )
        administration.unlock(provider.context, person.account_id)
        codes = [answer_of(answer).get("code") for answer in answers if answer is not None]
        given = [provider.redeem(service, code).status_code for code in codes if code is not None]
        assert set(given) <= {400}


def lock(provider: Provider, account_id: str) -> None:
    """Lock an account, as an administrator does."""
    assert administration.lock(provider.context, account_id, "theft")
