"""Many browsers at the same instant, through our pages and a real simulator: one account, one link, no error page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import delete, func, select

from idp.services.account import unlinking
from idp.services.operations import unlinking as queue
from idp.storage.engine import open_database
from idp.storage.models import account_attributes, accounts, franceconnect_links, sessions, throttle_counters
from idp.storage.repositories.accounts import by_id
from tests.support.builders import an_account, last_mail
from tests.support.franceconnect_pages import pages_on
from tests.support.provider import SESSION_COOKIE, form_of
from tests.support.race import race

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from sqlalchemy import Table

    from tests.support.clock import SettableClock
    from tests.support.franceconnect_pages import Pages

FIRST_LOGINS, LINKS, ROUNDS = 50, 20, 5


@pytest.fixture
def pages(database_url: str, clock: SettableClock) -> Iterator[Pages]:
    """Both sides, on each kind of database, with as many connections as a busy server has."""
    opened = open_database(database_url, pool_size=16)
    with pages_on(opened, clock) as both:
        yield both
    opened.dispose()


def rows(pages: Pages, table: Table) -> int:
    """Count the rows of a table."""
    with pages.provider.context.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def callback_of(pages: Pages, browser: FlaskClient, where: str = "/franceconnect/login") -> str:
    """Go to FranceConnect and through it; gives the callback's address."""
    left = browser.get(where)
    return "/franceconnect/callback?" + urlencode(pages.simulator.person_goes(left.location))


def waiting_sign_up(pages: Pages, number: int) -> tuple[FlaskClient, str, str]:
    """Come as somebody unknown, up to the page of the code: the browser, that page, the code."""
    # All come from one network here; the brake on its sign-ups is another test's.
    with pages.provider.context.database.write() as connection:
        connection.execute(delete(throttle_counters))
    browser = pages.browser()
    first = browser.get(callback_of(pages, browser))
    chosen = pages.post(browser, first.location, choice="create")
    email = f"angela{number}@example.fr"
    coded = pages.post(browser, chosen.location, email=email, terms="yes")
    return browser, coded.location, str(last_mail(pages.provider.context, email).variables["code"])


@pytest.mark.rule("ACC-6", "FC-1", "FC-7")
def test_fifty_first_logins_of_one_identity_are_one_account(pages: Pages) -> None:
    """Each in a browser and with an address of its own, all at the last step at once: all of them are in."""
    waiting = [waiting_sign_up(pages, number) for number in range(FIRST_LOGINS)]

    def finish(browser: FlaskClient, where: str, code: str) -> tuple[int, bool]:
        answer = pages.post(browser, where, code=code)
        return answer.status_code, browser.get_cookie(SESSION_COOKIE) is not None

    outcomes = race(*(lambda one=one: finish(*one) for one in waiting))

    assert Counter(outcomes) == {(303, True): FIRST_LOGINS}
    assert rows(pages, accounts) == rows(pages, franceconnect_links) == 1


@pytest.mark.rule("ACC-6", "FC-1")
def test_fifty_callbacks_of_a_known_identity_are_fifty_sessions(pages: Pages) -> None:
    """The person is known: nobody is asked anything, and nothing is doubled."""
    pages.sign_up(pages.browser())
    attributes = rows(pages, account_attributes)
    browsers = [pages.browser() for _ in range(FIRST_LOGINS)]
    callbacks = [callback_of(pages, browser) for browser in browsers]

    answers = race(
        *(
            lambda browser=browser, callback=callback: browser.get(callback).location
            for browser, callback in zip(browsers, callbacks, strict=True)
        )
    )

    assert Counter(answers) == {"/": FIRST_LOGINS}
    assert rows(pages, accounts) == rows(pages, franceconnect_links) == 1
    assert rows(pages, account_attributes) == attributes


@pytest.mark.rule("ACC-6", "FC-4")
def test_one_of_twenty_links_of_one_identity_wins(pages: Pages) -> None:
    """Two accounts, ten browsers each, all confirm at once: one account has it, the others' pages say so."""
    context = pages.provider.context
    people = [an_account(context, f"{name}@example.fr") for name in ("zoe", "leo")]
    browsers = []
    for number in range(LINKS):
        browser = pages.provider.signed_in(people[number % 2], browser=pages.browser())
        compared = browser.get(callback_of(pages, browser, "/franceconnect/login?intent=link"))
        assert urlsplit(compared.location).path == "/account/franceconnect"
        browsers.append(browser)

    answers = race(
        *(
            lambda browser=browser: pages.post(browser, "/account/franceconnect", decision="confirm")
            for browser in browsers
        )
    )

    assert rows(pages, franceconnect_links) == 1
    with context.database.read() as connection:
        winner = connection.scalar(select(franceconnect_links.c.account_id))
    for number, answer in enumerate(answers):
        if people[number % 2].account_id == winner:
            assert answer.location == "/account/identity?notice=linked", answer.text
        else:
            # A page that goes on by itself through FranceConnect's logout, and then says why.
            assert answer.status_code == 200
            assert "/franceconnect/logout?state=" in answer.text


@pytest.mark.rule("FC-2", "FC-5")
def test_login_during_an_approval_leaves_no_session_on_a_link_that_is_gone(pages: Pages) -> None:
    """Whichever was first: nothing stays locked, no link lives, nobody is in by it."""
    context = pages.provider.context
    for _ in range(ROUNDS):
        browser = pages.browser()
        pages.sign_up(browser)
        with context.database.write() as connection:
            connection.execute(accounts.update().values(password_is_generated=False))
            account = by_id(connection, connection.scalars(select(accounts.c.account_id)).one())
        assert account is not None
        asked = unlinking.ask(context, account, "")
        assert isinstance(asked, unlinking.Asked)
        other = pages.browser()
        callback = callback_of(pages, other)

        answer, decided = race(*_both(pages, other, callback, asked.request.request_id))

        assert isinstance(decided, queue.Approved)
        with context.database.read() as connection:
            levels = set(connection.scalars(select(account_attributes.c.level)))
            live = connection.scalars(
                select(franceconnect_links).where(franceconnect_links.c.ended_at.is_(None))
            )
            upstream = connection.scalars(select(sessions).where(sessions.c.upstream.is_not(None)))
            assert live.all() == []
            assert upstream.all() == []
        assert levels == {100}
        # Let in before the approval, and signed out by it; or unknown after it, and asked.
        assert answer in {"/", "/franceconnect/first-time"}
        with context.database.write() as connection:
            connection.execute(accounts.delete())


def _both(pages: Pages, browser: FlaskClient, callback: str, request_id: str) -> list[Callable[[], object]]:
    return [
        lambda: browser.get(callback).location,
        lambda: queue.approve(pages.provider.context, request_id, by="ana"),
    ]


@pytest.mark.rule("LIF-4", "PRO-9", "FC-3")
def test_deletion_beside_a_login_through_franceconnect_leaves_nothing(pages: Pages) -> None:
    """The State refreshes an identity at the instant at which its owner deletes the account."""
    for number in range(ROUNDS):
        with pages.provider.context.database.write() as connection:
            connection.execute(delete(throttle_counters))
        first = pages.browser()
        pages.finish_sign_up(first, pages.go(first), f"angela{number}@example.fr")
        fields = {**form_of(first.get("/account/delete")), "understood": "yes"}
        second = pages.browser()
        callback = callback_of(pages, second)

        statuses = race(
            lambda browser=first, form=fields: browser.post("/account/delete", data=form).status_code,
            lambda browser=second, where=callback: browser.get(where).status_code,
        )

        assert max(statuses) < 500
        assert rows(pages, accounts) == 0
        assert [rows(pages, table) for table in (account_attributes, franceconnect_links, sessions)] == [
            0
        ] * 3
