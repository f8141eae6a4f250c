"""A FranceConnect made by others, put in place by configuration alone: issuer, credentials, algorithm (FC-1).

Every journey of ours goes through several installations of it, which differ in whatever the standards leave open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from idp.domain.civil_identity import Level
from idp.storage.engine import open_database
from idp.storage.models import accounts, sessions
from idp.storage.repositories import attributes
from tests.support.builders import some_terms
from tests.support.franceconnect import IDENTITY, LOGOUT_URI, REDIRECT_URI, SUBJECT
from tests.support.franceconnect_pages import Pages
from tests.support.other_franceconnect import Habits, other_franceconnect
from tests.support.provider import (
    ISSUER,
    SESSION_COOKIE,
    a_provider,
    answer_of,
    continue_url,
    form_of,
    pending_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.clock import SettableClock
    from tests.support.other_franceconnect import OtherFranceConnect

pytestmark = pytest.mark.rule("FC-1", "FC-8")

CLIENT_ID, CLIENT_SECRET = "1f" * 32, "e0" * 32
INSTALLATIONS = {
    "as oidc-provider comes": Habits(),
    "RS256, at_hash, typ, a path": Habits(alg="RS256", at_hash=True, typ="JWT", path="/oidc"),
    "no discovery, FranceConnect's paths": Habits(path="/api/v2", discovery=False, chatty=False),
    "FranceConnect's layout, no charset": Habits(path="/api/v2", charset=False, chatty=False, at_hash=True),
}


@pytest.fixture(params=INSTALLATIONS.values(), ids=INSTALLATIONS.keys())
def pages(request: pytest.FixtureRequest, sqlite_url: str, clock: SettableClock) -> Iterator[Pages]:
    """Our application in front of one installation."""
    database = open_database(sqlite_url)
    with other_franceconnect(
        clock,
        request.param,
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        redirect_uri=REDIRECT_URI,
        logout_uri=LOGOUT_URI,
    ) as other:
        other.person = {"sub": SUBJECT, **IDENTITY}
        provider = a_provider(
            database,
            clock,
            franceconnect={
                "enabled": True,
                "issuer": other.issuer,
                "client_id": CLIENT_ID,
                "client_secret": CLIENT_SECRET,
                "signing_algorithm": request.param.alg,
                "timeout_seconds": 60,
            },
            outbound={"allow_private_networks": True},
        )
        some_terms(provider.context)
        yield Pages(provider, other)
    database.dispose()


@pytest.fixture
def other(pages: Pages) -> OtherFranceConnect:
    """The other side."""
    return pages.simulator


def kept(pages: Pages, name: str) -> tuple[str, int]:
    """Read an attribute of the only account: value and level."""
    with pages.provider.context.database.read() as connection:
        known = attributes.read(connection, str(connection.scalar(select(accounts.c.account_id))))
    return known[name].value, known[name].level


def count_of_sessions(pages: Pages) -> int:
    """Count open sessions."""
    with pages.provider.context.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(sessions)) or 0


def test_first_visit_opens_a_certified_account(pages: Pages) -> None:
    """Sign-up: through the pages, to certified values."""
    browser = pages.browser()

    opened = pages.sign_up(browser)

    assert opened.status_code == 303
    assert "DUBOIS" in browser.get("/account/identity").text
    assert kept(pages, "family_name") == ("DUBOIS", Level.FRANCECONNECT)


def test_second_visit_signs_in_inside_a_request_of_a_service(pages: Pages) -> None:
    """Known by subject: on to the service at once, at the level that was reached."""
    pages.sign_up(pages.browser())
    service = pages.provider.a_client(claims=())
    browser = pages.browser()
    asked = pages.provider.authorize(browser, service, acr_values="eidas1")

    answer = pages.go(browser, f"/franceconnect/login?pending={pending_of(asked.location)}")

    assert "code" in answer_of(answer)


def test_each_login_refreshes(pages: Pages, other: OtherFranceConnect) -> None:
    """A new name is taken over at the next login."""
    pages.sign_up(pages.browser())
    other.person["family_name"] = "DUBOIS-MARTIN"

    pages.go(pages.browser())

    assert kept(pages, "family_name") == ("DUBOIS-MARTIN", Level.FRANCECONNECT)


def test_rotated_keys_are_found(pages: Pages, other: OtherFranceConnect, clock: SettableClock) -> None:
    """Unknown key names make us read the key set again."""
    pages.sign_up(pages.browser())
    other.rotate()
    clock.advance(seconds=15)

    back = pages.go(pages.browser(), "/franceconnect/login?next=/account/identity")

    assert back.location == "/account/identity"


def test_logout_goes_through_it_and_comes_back(pages: Pages, clock: SettableClock) -> None:
    """Ours first, then its own, an expired hint included."""
    browser = pages.browser()
    pages.sign_up(browser)
    clock.advance(minutes=5)
    token = form_of(browser.get("/account/identity"))["csrf_token"]

    out = browser.post("/sign-out", data={"csrf_token": token})

    assert browser.get_cookie(SESSION_COOKIE) is None
    left = browser.get(continue_url(out).removeprefix(ISSUER))
    assert urlsplit(left.location).path.endswith("/session/end")
    back = pages.simulator.person_signs_out(left.location)
    assert browser.get(back.removeprefix(ISSUER)).location == "/signed-out?franceconnect=1"


def test_refusal_with_an_error_uri_is_a_page_that_helps(pages: Pages, other: OtherFranceConnect) -> None:
    """Whatever else comes with the error, the person has a next step."""
    other.refuses = True

    answer = pages.go(pages.browser())

    assert answer.status_code == 200
    assert "Vous n’avez pas terminé avec FranceConnect" in answer.text
    assert 'href="https://docs.example' not in answer.text


def test_late_code_is_a_page_that_helps(pages: Pages, clock: SettableClock) -> None:
    """An error of its token endpoint, with an error_uri, is no white page."""
    browser = pages.browser()
    callback = pages.callback(browser)
    clock.advance(seconds=31)

    answer = browser.get(callback)

    assert answer.status_code == 400
    assert 'href="/franceconnect/login"' in answer.text
    assert count_of_sessions(pages) == 0


def test_algorithm_that_was_not_registered_is_refused(pages: Pages, other: OtherFranceConnect) -> None:
    """Both keys are published: only the registered algorithm counts."""
    other.habits = replace(other.habits, alg="ES256" if other.habits.alg == "RS256" else "RS256")

    answer = pages.go(pages.browser())

    assert answer.status_code == 502
    assert count_of_sessions(pages) == 0


@pytest.mark.rule("FC-4")
def test_account_with_a_password_is_linked_after_a_comparison(pages: Pages) -> None:
    """From the identity page, with everything that a person sees on the way."""
    account = pages.provider.an_account(family_name="Dubois")
    browser = pages.provider.signed_in(account, browser=pages.browser())
    back = pages.go(browser, "/franceconnect/login?intent=link")
    assert "DUBOIS" in browser.get(back.location).text

    linked = pages.post(browser, back.location, decision="confirm")

    assert linked.status_code == 303
    assert kept(pages, "family_name") == ("DUBOIS", Level.FRANCECONNECT)
