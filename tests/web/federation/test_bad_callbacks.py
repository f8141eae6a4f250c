"""Forged, replayed, crossed callbacks, at both portals: a page that helps, and nothing left behind (FC-1, FC-7)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from sqlalchemy import select, update

from idp.app import build_context, create_app
from idp.config import parse
from idp.outbound.http import Answer, Failure, Unreachable
from idp.storage.engine import open_database
from idp.storage.models import franceconnect_journeys, metadata
from tests.support.builders import ISSUER, an_account, some_terms
from tests.support.franceconnect import (
    CLIENT_SECRET,
    ForgedFranceConnect,
    as_json,
    parameters_of,
)
from tests.support.provider import SESSION_COOKIE, Provider, the_keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock

#: What may be written whatever happens: the trail, which says that somebody was refused.
TRAIL = {"audit_events", "chain_heads", "franceconnect_journeys"}
PORTALS = {"franceconnect": "/franceconnect/callback", "franceconnect_plus": "/franceconnect-plus/callback"}
OTHER = {"franceconnect": "franceconnect_plus", "franceconnect_plus": "franceconnect"}
HUGE = "a" * 5_000
#: The buttons of which a page must have one.
WAYS_ON = {"/", "/sign-in", "/account", "/franceconnect/login"}


@dataclass
class Portal:
    """Our application before two forged portals, and the way to one of them.

    Attributes:
        provider: Ours.
        forged: Both, by name.
        name: The one that the test is about.
        clock: The time.
        before: What was stored just before the callback.
    """

    provider: Provider
    forged: Mapping[str, ForgedFranceConnect]
    name: str
    clock: SettableClock
    before: dict[str, set[str]] = field(default_factory=dict)

    @property
    def here(self) -> ForgedFranceConnect:
        """The portal that the test is about."""
        return self.forged[self.name]

    def browser(self) -> FlaskClient:
        """Open a browser that has come to a page of ours."""
        browser = self.provider.client()
        browser.get("/sign-in")
        return browser

    def leave(self, browser: FlaskClient, *, portal: str | None = None, intent: str = "") -> dict[str, str]:
        """Set out, and give the callback's parameters as that portal would send them.

        Args:
            browser: Whose.
            portal: Another than the test is about.
            intent: What for.
        """
        name = portal or self.name
        query = {"provider": name} | ({"intent": intent} if intent else {})
        left = browser.get("/franceconnect/login", query_string=query)
        assert left.status_code == 303, left.text
        sent = parameters_of(left.location)
        code = "code-" + sent["state"]
        self.forged[name].nonces[code] = sent["nonce"]
        return {"code": code, "state": sent["state"], "iss": self.forged[name].issuer}

    def comes_back(
        self, browser: FlaskClient, parameters: object, *, portal: str | None = None
    ) -> TestResponse:
        """Open the callback."""
        self.before = self.rows()
        return browser.get(PORTALS[portal or self.name], query_string=parameters)

    def rows(self) -> dict[str, set[str]]:
        """Read everything that is stored, but for the trail."""
        with self.provider.context.database.read() as connection:
            return {
                table.name: {repr(row) for row in connection.execute(select(table))}
                for table in metadata.sorted_tables
                if table.name not in TRAIL
            }

    def waiting(self) -> int:
        """Count the identities that wait for somebody's choice."""
        column = franceconnect_journeys.c.identity
        with self.provider.context.database.read() as connection:
            return len(connection.execute(select(column).where(column.is_not(None))).all())


@pytest.fixture(params=PORTALS)
def portal(request: pytest.FixtureRequest, sqlite_url: str, clock: SettableClock) -> Iterator[Portal]:
    """Both portals on; the test runs once for each."""
    settings = parse(
        {
            "server": {"issuer": ISSUER},
            "keys": {"directory": str(the_keys())},
            "database": {"url": "sqlite:///unused.db"},
        },
        "test",
    )
    ordinary, plus = (
        ForgedFranceConnect(clock),
        ForgedFranceConnect(clock, issuer="https://fcp.example/api/v2"),
    )
    plus.id_token = {"acr": "eidas2"}
    database = open_database(sqlite_url)
    context = replace(
        build_context(settings, clock=clock),
        database=database,
        franceconnect=ordinary.client(),
        franceconnect_plus=plus.client(
            acr_values="eidas2", redirect_uri=f"{ISSUER}/franceconnect-plus/callback"
        ),
    )
    provider = Provider(create_app(settings, clock=clock, context=context), context, clock)
    some_terms(context)
    an_account(context, "connue@example.fr")
    forged = {"franceconnect": ordinary, "franceconnect_plus": plus}
    yield Portal(provider, forged, request.param, clock)
    database.dispose()


Act = Callable[[Portal, "FlaskClient"], "TestResponse"]


def changed(**changes: Any) -> Act:
    """Come back with other parameters; None leaves one out."""

    def act(portal: Portal, browser: FlaskClient) -> TestResponse:
        parameters = portal.leave(browser) | changes
        return portal.comes_back(browser, {name: one for name, one in parameters.items() if one is not None})

    return act


def doubled(name: str) -> Act:
    """Come back with a parameter twice."""

    def act(portal: Portal, browser: FlaskClient) -> TestResponse:
        parameters = portal.leave(browser)
        return portal.comes_back(browser, [*parameters.items(), (name, parameters[name])])

    return act


def answering(path: str, answer: Answer | Unreachable) -> Act:
    """Come back while the portal answers something else at a path."""

    def act(portal: Portal, browser: FlaskClient) -> TestResponse:
        parameters = portal.leave(browser)
        portal.here.answers[path] = answer
        return portal.comes_back(browser, parameters)

    return act


def with_token(**changes: Any) -> Act:
    """Come back while the ID token has other members."""

    def act(portal: Portal, browser: FlaskClient) -> TestResponse:
        parameters = portal.leave(browser)
        portal.here.id_token = portal.here.id_token | changes
        return portal.comes_back(browser, parameters)

    return act


def with_userinfo(**changes: Any) -> Act:
    """Come back while userinfo has other members."""

    def act(portal: Portal, browser: FlaskClient) -> TestResponse:
        parameters = portal.leave(browser)
        portal.here.userinfo = changes
        return portal.comes_back(browser, parameters)

    return act


def signed_by(algorithm: str) -> Act:
    """Come back while the ID token is signed as nobody may sign."""

    def act(portal: Portal, browser: FlaskClient) -> TestResponse:
        parameters = portal.leave(browser)
        claims = portal.here.id_token_claims(portal.here.nonces[parameters["code"]])
        key = {"none": "", "HS256": CLIENT_SECRET}[algorithm]
        members = portal.here.token_members() | {"id_token": jwt.encode(claims, key, algorithm)}
        portal.here.answers["/token"] = as_json(members)
        return portal.comes_back(browser, parameters)

    return act


def in_another_browser(portal: Portal, browser: FlaskClient) -> TestResponse:
    """The address of somebody's callback, opened by a thief."""
    return portal.comes_back(browser, portal.leave(portal.browser()))


def at_the_other_portals_callback(portal: Portal, browser: FlaskClient) -> TestResponse:
    """A state of one portal with a code of the other."""
    theirs = portal.leave(browser, portal=OTHER[portal.name])
    return portal.comes_back(browser, theirs | {"iss": portal.here.issuer})


def with_the_code_of_another_journey(portal: Portal, browser: FlaskClient) -> TestResponse:
    """A code that somebody else's login gave, under a state of one's own: its nonce is theirs (code injection)."""
    theirs = portal.leave(portal.browser())
    return portal.comes_back(browser, portal.leave(browser) | {"code": theirs["code"]})


def with_the_state_of_a_link(portal: Portal, browser: FlaskClient) -> TestResponse:
    """A link begun by somebody who has signed out since."""
    portal.provider.signed_in(browser=browser)
    parameters = portal.leave(browser, intent="link")
    browser.delete_cookie(SESSION_COOKIE)
    return portal.comes_back(browser, parameters)


def with_the_link_of_another_person(portal: Portal, browser: FlaskClient) -> TestResponse:
    """A link begun under one account, brought back under another in the same browser."""
    portal.provider.signed_in(browser=browser)
    parameters = portal.leave(browser, intent="link")
    portal.provider.signed_in(browser=browser)
    answer = portal.comes_back(browser, parameters)
    browser.delete_cookie(SESSION_COOKIE)
    return answer


def hours_later(portal: Portal, browser: FlaskClient) -> TestResponse:
    """A journey past its time."""
    parameters = portal.leave(browser)
    portal.clock.advance(hours=3)
    return portal.comes_back(browser, parameters)


def posted(portal: Portal, browser: FlaskClient) -> TestResponse:
    """A form in the place of a redirect."""
    parameters = portal.leave(browser)
    portal.before = portal.rows()
    return browser.post(PORTALS[portal.name], data=parameters)


BAD: dict[str, Act] = {
    # Forged.
    "no parameter": lambda portal, browser: portal.comes_back(browser, {}),
    "a state that nobody gave": changed(state="0" * 64),
    "the word undefined": changed(state="undefined"),
    "no state": changed(state=None),
    "a state of other letters": changed(state="é" * 64),
    "a state with a null": changed(state="0" * 63 + "\0"),
    "neither code nor error": changed(code=None),
    "an empty code": changed(code=""),
    "a code and an error": changed(error="access_denied"),
    "an error of nobody": changed(code=None, error="<script>alert(1)</script>"),
    # Crossed.
    "in another browser": in_another_browser,
    "at the other portal's callback": at_the_other_portals_callback,
    "the code of another journey": with_the_code_of_another_journey,
    "the state of a link, signed out": with_the_state_of_a_link,
    "the state of another's link": with_the_link_of_another_person,
    "no issuer": changed(iss=None),
    "another issuer": changed(iss="https://autre.example/api/v2"),
    "the issuer with a slash": changed(iss="https://fc.example/api/v2/"),
    # Malformed.
    "state twice": doubled("state"),
    "code twice": doubled("code"),
    "issuer twice": doubled("iss"),
    "a huge code": changed(code=HUGE),
    "a huge state": changed(state=HUGE),
    "a huge issuer": changed(iss=HUGE),
    "a huge description": changed(code=None, error="server_error", error_description=HUGE),
    "another method": posted,
    "too late": hours_later,
    # What the portal answers then.
    "a code of another client": answering("/token", as_json({"error": "invalid_grant"}, 400)),
    "our secret refused": answering("/token", as_json({"error": "invalid_client"}, 401)),
    "no token": answering("/token", as_json({})),
    "no JSON": answering("/token", Answer(200, {"content-type": "application/json"}, b"<html>")),
    "a failure": answering("/token", Answer(500, {}, b"")),
    "nobody": answering("/token", Unreachable(Failure.NOT_CONNECTED, "fc.example")),
    "silence": answering("/userinfo", Unreachable(Failure.TIMED_OUT, "fc.example")),
    "plain userinfo": answering("/userinfo", as_json({"sub": "c" * 64 + "v1"})),
    "userinfo of an expired token": answering("/userinfo", as_json({"error": "invalid_token"}, 401)),
    "a token for another client": with_token(aud="d" * 64),
    "a token of another issuer": with_token(iss="https://autre.example/api/v2"),
    "a token of another journey": with_token(nonce="7" * 64),
    "a token without nonce": with_token(nonce=None),
    "a token that has expired": with_token(exp=1),
    "a token of tomorrow": with_token(iat=4_000_000_000),
    "a token of a lower level": with_token(acr="eidas0"),
    "a token without level": with_token(acr=None),
    "a token of nobody": with_token(sub=None),
    "a token of another user": with_token(sub="e" * 64 + "v1"),
    "userinfo of another user": with_userinfo(sub="e" * 64 + "v1"),
    "userinfo for another client": with_userinfo(aud="d" * 64),
    "userinfo of another issuer": with_userinfo(iss="https://autre.example/api/v2"),
    "userinfo without a name": with_userinfo(family_name=None),
    "userinfo with a list for a name": with_userinfo(family_name=["DUBOIS"]),
    "userinfo with a huge name": with_userinfo(family_name=HUGE),
    "userinfo without a birth date": with_userinfo(birthdate=None),
    "an unsigned token": signed_by("none"),
    "a token signed with our secret": signed_by("HS256"),
}


@pytest.mark.rule("FC-1", "FC-7")
@pytest.mark.parametrize("act", BAD.values(), ids=BAD)
def test_bad_callback_gets_a_page_that_helps_and_leaves_nothing(portal: Portal, act: Act) -> None:
    """No white page, no session, no identity that waits, no row of any table; and a way on."""
    browser = portal.browser()

    answer = act(portal, browser)

    assert answer.status_code in {200, 400, 405, 502, 503}, answer.status_code
    assert "<h1" in answer.text
    assert WAYS_ON & set(re.findall(r'<a class="button[^"]*" href="([^"?]+)', answer.text))
    assert "<script>alert" not in answer.text
    assert browser.get_cookie(SESSION_COOKIE) is None
    assert portal.waiting() == 0
    assert portal.rows() == portal.before


@pytest.mark.rule("FC-7")
def test_address_without_end_is_not_read(portal: Portal) -> None:
    """Longer than any address of FranceConnect: refused before anything looks at it."""
    answer = portal.comes_back(portal.browser(), {"state": "0" * 64, "code": HUGE * 4})

    assert answer.status_code == 414
    assert portal.rows() == portal.before


@pytest.mark.rule("FC-1")
def test_replayed_callback_opens_no_second_session(portal: Portal) -> None:
    """The same address again leads where the first one did; after the logout, nowhere."""
    browser = portal.browser()
    parameters = portal.leave(browser)
    first = portal.comes_back(browser, parameters)
    asked = portal.here.asked.count("/token")

    second = portal.comes_back(browser, parameters)

    assert first.location == second.location
    assert portal.here.asked.count("/token") == asked == 1
    assert portal.rows() == portal.before


@pytest.mark.rule("LOG-7", "FC-1")
@pytest.mark.parametrize("begun", ["login", "logout"])
def test_state_of_another_purpose_is_worth_nothing(portal: Portal, begun: str) -> None:
    """A login's state at the logout callback signs nobody out and in; a logout's at the login callback neither."""
    browser = portal.browser()
    parameters = portal.leave(browser)
    if begun == "login":
        logout = PORTALS[portal.name].replace("callback", "logout/callback")
        before = portal.rows()
        answer = browser.get(logout, query_string=parameters)
        assert answer.location == "/signed-out"
        assert portal.rows() == before
        # It was not used up either: the login goes on.
        assert portal.comes_back(browser, parameters).status_code == 303
        return
    with portal.provider.context.database.write() as connection:
        connection.execute(update(franceconnect_journeys).values(purpose="logout", nonce_hash=None))
    answer = portal.comes_back(browser, parameters)
    assert answer.status_code == 400
    assert portal.rows() == portal.before


@pytest.mark.rule("FC-7", "UX-4")
@pytest.mark.parametrize(
    "error, words",
    [
        ("access_denied", "You did not finish with FranceConnect"),
        ("temporarily_unavailable", "FranceConnect does not answer"),
    ],
)
def test_error_that_comes_twice_is_told_twice(portal: Portal, error: str, words: str) -> None:
    """The page's own link to the other language opens the callback again: its reason stands."""
    browser = portal.browser()
    parameters = portal.leave(browser) | {"error": error}
    del parameters["code"]
    portal.comes_back(browser, parameters)

    again = portal.comes_back(browser, parameters | {"lang": "en"})

    assert words in again.text
    assert portal.rows() == portal.before


@pytest.mark.rule("FC-7")
def test_bad_callback_keeps_who_is_signed_in(portal: Portal) -> None:
    """A link that somebody was made to click ends no session and changes no account."""
    browser = portal.provider.signed_in(browser=portal.browser())

    answer = portal.comes_back(browser, {"state": "0" * 64, "code": "x", "iss": portal.here.issuer})

    assert answer.status_code == 400
    assert 'href="/account"' in answer.text
    assert portal.rows() == portal.before
    assert browser.get("/account").status_code == 200
