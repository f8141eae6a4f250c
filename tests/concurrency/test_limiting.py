"""Limiting an account at the very instant of an authorization, an exchange or a login (PRI-4), on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.services.operations import limiting
from tests.support.provider import SESSION_COOKIE, answer_of
from tests.support.race import ROUNDS, race

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from idp.services.operations.limiting import Limiting
    from tests.support.provider import Provider

SAID = {"by": "claire.martin", "reason": "Dossier 12"}


def a_tab(provider: Provider, browser: FlaskClient) -> FlaskClient:
    """Open another tab of a browser."""
    cookie = browser.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    tab = provider.client()
    tab.set_cookie(SESSION_COOKIE, cookie.value)
    return tab


def limit(provider: Provider, account_id: str) -> Limiting:
    """Limit an account, as an administrator does."""
    return limiting.limit(provider.context, account_id, **SAID)


@pytest.mark.rule("PRI-4")
def test_nothing_authorized_at_the_instant_of_a_limit_survives_it(crowded_provider: Provider) -> None:
    """Whatever the order, no code of before gives a token, not even once the limit has ended."""
    provider = crowded_provider
    service = provider.a_client()

    for _ in range(ROUNDS):
        person = provider.an_account()
        browser = provider.signed_in(person)
        answers = race(
            *[lambda browser=browser: provider.authorize(a_tab(provider, browser), service, prompt="none")]
            * 7,  # type: ignore[misc]
            lambda person=person: limit(provider, person.account_id),  # type: ignore[misc]
        )
        limiting.unlimit(provider.context, person.account_id, **SAID)
        codes = [answer_of(answer).get("code") for answer in answers if answer is not limiting.Limiting.DONE]
        given = [provider.redeem(service, code).status_code for code in codes if code is not None]
        assert set(given) <= {400}


@pytest.mark.rule("PRI-4")
def test_nothing_exchanged_at_the_instant_of_a_limit_survives_it(crowded_provider: Provider) -> None:
    """A code that is being exchanged gives tokens that are dead, or none."""
    provider = crowded_provider
    service = provider.a_client()

    for _ in range(ROUNDS):
        person = provider.an_account()
        browser = provider.signed_in(person)
        codes = [provider.code(browser, service) for _ in range(7)]
        answers = race(
            *[lambda code=code: provider.redeem(service, code) for code in codes],  # type: ignore[misc]
            lambda person=person: limit(provider, person.account_id),  # type: ignore[misc]
        )
        limiting.unlimit(provider.context, person.account_id, **SAID)
        for answer in answers:
            if answer is limiting.Limiting.DONE or answer.status_code != 200:
                continue
            bearer = {"Authorization": f"Bearer {answer.json['access_token']}"}
            assert provider.back_channel.get("/userinfo", headers=bearer).status_code == 401
