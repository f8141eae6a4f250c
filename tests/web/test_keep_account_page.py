"""The page of a warning's link: looking changes nothing, one button keeps the account, dead links explain (LIF-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.services.account import life_cycle
from idp.services.account.life_cycle import LINK_GRACE
from tests.support.builders import last_mail
from tests.support.clock import A_MONDAY_MORNING
from tests.support.life_cycle import an_idle_account, use
from tests.support.pages import csrf_of, mailed_path, mailed_token, words_of
from tests.support.provider import form_of

if TYPE_CHECKING:
    from datetime import datetime

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

ZOE = "zoe@example.fr"


@pytest.fixture
def zoe(provider: Provider, visitor: FlaskClient, clock: SettableClock) -> Account:
    """Somebody who was just warned; her account goes in 60 days."""
    del visitor
    policy = provider.context.life_cycle
    clock.set(policy.inactive_at(A_MONDAY_MORNING) - policy.first_warning)
    account = an_idle_account(provider.context, ZOE, A_MONDAY_MORNING)
    assert life_cycle.run(provider.context, policy).warned == 1
    return account


def last_use(provider: Provider) -> datetime:
    """Read when the account was last used."""
    due = list(life_cycle.foreseen(provider.context, provider.context.life_cycle))
    return due[0].account.idle_since if due else provider.context.clock()


def opened(provider: Provider, browser: FlaskClient) -> TestResponse:
    """Follow the link of the mail."""
    return browser.get(mailed_path(provider.context), follow_redirects=True)


def pressed(browser: FlaskClient, page: TestResponse) -> TestResponse:
    """Press the button of a page."""
    return browser.post("/keep-account", data=form_of(page))


@pytest.mark.rule("LIF-2")
@pytest.mark.usefixtures("zoe")
def test_link_shows_a_page_with_one_button_and_changes_nothing(
    provider: Provider, visitor: FlaskClient
) -> None:
    """A program that reads mail may follow it as often as it likes; the token leaves the address."""
    moved = visitor.get(mailed_path(provider.context))
    pages = [opened(provider, visitor) for _ in range(3)]

    assert moved.status_code == 303
    assert moved.location == "/keep-account"
    assert {page.status_code for page in pages} == {200}
    assert "Garder mon compte" in pages[0].text
    assert "2 avril 2029 à 11\u00a0h\u00a000" in pages[0].text
    assert mailed_token(provider.context) not in pages[0].text
    assert last_use(provider) == A_MONDAY_MORNING


@pytest.mark.rule("LIF-2")
@pytest.mark.usefixtures("zoe")
def test_button_keeps_the_account_without_a_login(
    provider: Provider, visitor: FlaskClient, clock: SettableClock
) -> None:
    """The page says until when; nobody is signed in by it; pressed again it says the same."""
    page = opened(provider, visitor)
    clock.advance(minutes=1)

    done = pressed(visitor, page)
    again = pressed(visitor, page)

    assert done.status_code == 200
    assert "Votre compte reste ouvert" in done.text
    assert "mars 2032" in words_of(done)
    assert "Votre compte est bien ouvert" in again.text
    assert visitor.get("/account").status_code == 303
    assert last_use(provider) == provider.context.clock()


@pytest.mark.rule("LIF-2")
@pytest.mark.usefixtures("zoe")
def test_form_without_its_token_is_refused(provider: Provider, visitor: FlaskClient) -> None:
    """Another site can't press the button (CSRF)."""
    opened(provider, visitor)

    answer = visitor.post("/keep-account", data={}, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code >= 400
    assert last_use(provider) == A_MONDAY_MORNING


@pytest.mark.rule("LIF-2")
@pytest.mark.parametrize("query", ["?token=nothing", "?token=", "", "?token=mpl_" + "A" * 49])
def test_altered_link_explains_what_to_do(visitor: FlaskClient, query: str) -> None:
    """Cut by a mail program, or of an account that is gone."""
    answer = visitor.get(f"/keep-account{query}", follow_redirects=True)

    assert answer.status_code in {400, 410}
    if answer.status_code == 410:
        assert "Ce lien ne fonctionne pas" in answer.text
        assert "3975" in answer.text


@pytest.mark.rule("LIF-2")
@pytest.mark.usefixtures("zoe")
def test_button_without_a_link_keeps_nothing(provider: Provider, visitor: FlaskClient) -> None:
    """The cookie of the link is what counts."""
    answer = visitor.post("/keep-account", data={"csrf_token": csrf_of(visitor)})

    assert answer.status_code == 410
    assert last_use(provider) == A_MONDAY_MORNING


@pytest.mark.rule("LIF-2")
def test_link_of_an_account_in_use_says_so(
    provider: Provider, visitor: FlaskClient, zoe: Account, clock: SettableClock
) -> None:
    """The person signed in meanwhile."""
    clock.advance(days=1)
    use(provider.context, zoe, clock())

    page = opened(provider, visitor)

    assert "Votre compte est bien ouvert" in page.text


@pytest.mark.rule("LIF-2")
@pytest.mark.usefixtures("zoe")
def test_link_serves_after_its_date_while_the_account_is_there(
    provider: Provider, visitor: FlaskClient, clock: SettableClock
) -> None:
    """The job is late; then the link is too old, and signing in keeps the account."""
    clock.advance(days=61)
    late = opened(provider, visitor)
    clock.advance(LINK_GRACE)
    too_late = opened(provider, visitor)

    assert "il peut être supprimé à tout moment" in late.text
    assert too_late.status_code == 410
    assert "Ce lien est trop ancien" in too_late.text


@pytest.mark.rule("LIF-2")
@pytest.mark.usefixtures("zoe")
def test_token_is_a_hash_at_rest_and_sealed_in_the_mail(provider: Provider) -> None:
    """Whoever reads the database can't keep, or find, anybody's account."""
    token = mailed_token(provider.context)
    with provider.context.database.read() as connection:
        tables = ("account_links", "outbox", "lifecycle_warnings", "audit_events")
        rows = [str(connection.exec_driver_sql(f"SELECT * FROM {name}").all()) for name in tables]  # noqa: S608 - names of ours

    assert all(token not in row for row in rows)
    assert last_mail(provider.context).to == ZOE


@pytest.mark.rule("LIF-1")
def test_login_at_a_service_counts_as_a_use(provider: Provider, clock: SettableClock) -> None:
    """Without typing a password: the session of three days ago was enough."""
    service = provider.a_client()
    account = provider.an_account()
    browser = provider.signed_in(account)
    for _ in range(4):
        clock.advance(hours=15)
        provider.tokens(browser, service)

    with provider.context.database.read() as connection:
        latest = connection.exec_driver_sql("SELECT last_active_at FROM accounts").scalar_one()

    assert latest == int(clock().timestamp() * 1_000_000)
