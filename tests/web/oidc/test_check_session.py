"""GET /check-session, and the cookie that it compares (Session Management 3, 4; OID-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.services.logout.browser_state import browser_state
from idp.services.sign_in import sessions
from tests.support.builders import PASSWORD, an_account, some_terms
from tests.support.provider import SESSION_COOKIE, a_provider, form_of
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from idp.domain.session import Session
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("OID-6")

STATE_COOKIE = "__Host-mon_paris_browser_state"


@pytest.mark.spec("Session Management", "3.3", "MUST")
def test_frame_may_be_shown_by_anybody_and_runs_our_script_alone(lasting_provider: Provider) -> None:
    """No X-Frame-Options, every ancestor, nothing but one script of ours."""
    answer = lasting_provider.client().get("/check-session")

    assert answer.status_code == 200
    assert answer.mimetype == "text/html"
    assert "X-Frame-Options" not in answer.headers
    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; frame-ancestors *; base-uri 'none'"
    )
    assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "<script>" not in answer.text
    assert answer.text.count("<script") == 1
    assert STATE_COOKIE in answer.text


def test_frame_is_the_same_for_everybody(lasting_provider: Provider) -> None:
    """A cache may keep it; no statement runs and no cookie is set, signed in or not."""
    signed_in = lasting_provider.signed_in()
    database = lasting_provider.context.database

    with recorded_queries(database.reader, database.writer) as recording:
        answers = [browser.get("/check-session") for browser in (signed_in, lasting_provider.client())]

    assert answers[0].data == answers[1].data
    for answer in answers:
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert "Set-Cookie" not in answer.headers
    assert len(recording) == 0


@pytest.mark.parametrize("path", ["/", "/sign-in", "/signed-out", "/account", "/logout", "/contact"])
def test_no_other_page_may_be_framed(lasting_provider: Provider, path: str) -> None:
    """The exception is one page's."""
    browser = lasting_provider.client()
    browser.get("/check-session")

    headers = browser.get(path).headers

    assert headers["X-Frame-Options"] == "DENY"


def test_script_is_of_old_words(lasting_provider: Provider) -> None:
    """It runs in whatever frames it: no syntax after ES5, nothing that is asynchronous or wants https."""
    with lasting_provider.client().get("/static/check-session.js") as answer:
        script = answer.text

    for word in ("=>", "const ", "let ", "`", "async ", "await ", "crypto", "Promise", "fetch(", "eval("):
        assert word not in script, word


def sign_in(provider: Provider) -> tuple[FlaskClient, Session]:
    """Sign somebody in by the page, as people do; gives back the session too."""
    some_terms(provider.context)
    account = an_account(provider.context, "zoe@example.fr")
    browser = provider.client()
    fields = form_of(browser.get("/sign-in"))
    answer = browser.post("/sign-in", data=fields | {"email": "zoe@example.fr", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
    (listed,) = sessions.list_sessions(provider.context, account.account_id)
    return browser, listed.session


def test_state_comes_and_goes_with_the_session(provider: Provider) -> None:
    """Set where the session's cookie is set, and taken back with it."""
    browser, session = sign_in(provider)
    cookie = browser.get_cookie(STATE_COOKIE)
    token = browser.get("/contact").text.split('name="csrf_token" value="')[1].split('"')[0]

    answer = browser.post("/sign-out", data={"csrf_token": token})

    assert cookie is not None
    assert cookie.value == browser_state(provider.context, session.session_id)
    assert browser.get_cookie(STATE_COOKIE) is None
    (removal,) = (one for one in answer.headers.getlist("Set-Cookie") if one.startswith(STATE_COOKIE))
    assert {"Max-Age=0", "Secure", "Path=/", "SameSite=None"} <= {part.strip() for part in removal.split(";")}


@pytest.mark.rule("LOG-3")
def test_state_is_for_a_script_in_a_frame_of_any_site(provider: Provider) -> None:
    """Readable, `SameSite=None`, `Secure`, `__Host-`; the session's own cookie is none of this."""
    some_terms(provider.context)
    an_account(provider.context, "zoe@example.fr")
    browser = provider.client()
    fields = form_of(browser.get("/sign-in"))

    answer = browser.post("/sign-in", data=fields | {"email": "zoe@example.fr", "password": PASSWORD})

    written = {one.partition("=")[0]: one for one in answer.headers.getlist("Set-Cookie")}
    attributes = {part.strip() for part in written[STATE_COOKIE].split(";")[1:]}
    assert attributes == {"Secure", "Path=/", "SameSite=None"}
    assert {"HttpOnly", "SameSite=Lax"} <= {part.strip() for part in written[SESSION_COOKIE].split(";")}


def test_state_on_localhost_is_lax(database: Database, clock: SettableClock) -> None:
    """Browsers take `SameSite=None` from https alone; on one host, frames of other ports are of the same site."""
    provider = a_provider(database, clock, server={"issuer": "http://localhost:8000"})
    some_terms(provider.context)
    an_account(provider.context, "zoe@example.fr")
    browser = provider.client()
    fields = form_of(browser.get("/sign-in"))

    answer = browser.post("/sign-in", data=fields | {"email": "zoe@example.fr", "password": PASSWORD})

    (written,) = (
        one for one in answer.headers.getlist("Set-Cookie") if one.startswith("mon_paris_browser_state=")
    )
    assert "Secure" not in written
    assert "SameSite=Lax" in written


def test_state_of_a_session_that_ended_elsewhere_goes_at_the_next_page(provider: Provider) -> None:
    """From then on whoever watches this browser is told that it has changed."""
    browser, session = sign_in(provider)
    sessions.end(provider.context, session.account_id, session.session_id)

    browser.get("/")

    assert browser.get_cookie(STATE_COOKIE) is None
