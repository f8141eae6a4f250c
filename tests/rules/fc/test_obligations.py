"""What binds a relying party of FranceConnect, line by line, through our pages and the started simulator.

The lines are those of `docs/franceconnect.md` (« What binds us »); each test answers some of them, and other files
answer the rest. Whatever FranceConnect does here, nobody gets in by mistake, and everybody has a next step.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import func, select, true

from idp.demo.franceconnect.errors import IDENTITY_ERRORS
from idp.storage.engine import open_database
from idp.storage.models import accounts, franceconnect_journeys, franceconnect_links, sessions
from tests.support.builders import some_terms
from tests.support.franceconnect import CLIENT_ID, CLIENT_SECRET, LOGOUT_URI, REDIRECT_URI, running_simulator
from tests.support.franceconnect_pages import Pages, pages_on
from tests.support.provider import ISSUER, SESSION_COOKIE, a_provider, answer_of, continue_url, form_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock

pytestmark = pytest.mark.rule("FC-1", "FC-7")

REFUSED = (200, "Vous n’avez pas terminé avec FranceConnect")
AWAY = (503, "FranceConnect ne répond pas")
MISBEHAVED = (502, "FranceConnect n’a pas pu vous identifier")
EXPIRED = (400, "Cette étape a expiré")


@dataclass
class Wire:
    """What reached the simulator: each request of ours, as it came.

    Attributes:
        requests: Method, path, parameters of the query, of the body, and headers.
    """

    requests: list[tuple[str, str, dict[str, list[str]], dict[str, list[str]], dict[str, str]]] = field(
        default_factory=list
    )

    def watch(self, pages: Pages) -> None:
        """Stand before the simulator."""
        behind = pages.simulator.app.wsgi_app

        def before(environ: dict[str, Any], start_response: Any) -> Any:
            length = int(environ.get("CONTENT_LENGTH") or 0)
            body = environ["wsgi.input"].read(length) if length else b""
            environ["wsgi.input"] = BytesIO(body)
            headers = {name[5:].lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
            path = environ["PATH_INFO"].removeprefix("/api/v2")
            self.requests.append(
                (
                    environ["REQUEST_METHOD"],
                    path,
                    parse_qs(environ["QUERY_STRING"]),
                    parse_qs(body.decode()),
                    headers,
                )
            )
            return behind(environ, start_response)

        pages.simulator.app.wsgi_app = before  # type: ignore[method-assign]

    def of(self, path: str) -> tuple[str, dict[str, list[str]], dict[str, list[str]], dict[str, str]]:
        """Give the one request to a path."""
        (found,) = [request for request in self.requests if request[1] == path]
        return found[0], found[2], found[3], found[4]


@pytest.fixture
def pages(sqlite_url: str, clock: SettableClock) -> Iterator[Pages]:
    """Our pages, in front of the simulator."""
    database = open_database(sqlite_url)
    with pages_on(database, clock) as both:
        yield both
    database.dispose()


@pytest.fixture
def wire(pages: Pages) -> Wire:
    """What reaches the simulator."""
    watching = Wire()
    watching.watch(pages)
    return watching


def rows(pages: Pages) -> tuple[int, ...]:
    """Count what a login could leave behind: accounts, links, sessions, identities that wait."""
    with pages.provider.context.database.read() as connection:
        held = franceconnect_journeys.c.identity.is_not(None)
        return tuple(
            connection.scalar(select(func.count()).select_from(table).where(condition)) or 0
            for table, condition in (
                (accounts, true()),
                (franceconnect_links, true()),
                (sessions, true()),
                (franceconnect_journeys, held),
            )
        )


def has_next_step(answer: TestResponse, expected: tuple[int, str]) -> bool:
    """Tell whether a page says what is expected, with a way on by password."""
    return (
        answer.status_code == expected[0] and expected[1] in answer.text and 'href="/sign-in"' in answer.text
    )


# 2: the authorization request


def test_authorization_request_holds_seven_parameters_and_no_other(pages: Pages) -> None:
    """No PKCE, no response_mode, no max_age, whatever discovery announces (0.1, 0.2, 2)."""
    left = pages.browser().get("/franceconnect/login")

    asked = parse_qs(urlsplit(left.location).query)
    assert set(asked) == {
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "acr_values")
    }
    assert all(len(values) == 1 for values in asked.values())
    assert asked["response_type"] == ["code"]
    assert asked["client_id"] == [CLIENT_ID]
    assert asked["redirect_uri"] == [REDIRECT_URI]
    assert asked["acr_values"] == ["eidas1"]
    assert re.fullmatch(r"[0-9a-f]{64}", asked["state"][0])
    assert re.fullmatch(r"[0-9a-f]{64}", asked["nonce"][0])
    assert asked["state"] != asked["nonce"]


def test_state_and_nonce_are_new_each_time(pages: Pages) -> None:
    """Even for the same browser."""
    browser = pages.browser()
    queries = [parse_qs(urlsplit(browser.get("/franceconnect/login").location).query) for _ in range(5)]

    assert len({values[name][0] for values in queries for name in ("state", "nonce")}) == 10


def test_scopes_are_those_of_the_authorisation(pages: Pages) -> None:
    """`openid` is there; address, telephone and refresh tokens no longer exist (0.8, 2, 4.2)."""
    left = pages.browser().get("/franceconnect/login")
    scopes = parse_qs(urlsplit(left.location).query)["scope"][0].split(" ")

    assert sorted(scopes) == ["email", "identite_pivot", "idp_birthdate", "openid", "preferred_username"]


@pytest.mark.parametrize(
    "where",
    ["/franceconnect/login", "/franceconnect/login?intent=link", "/franceconnect/login?next=/account"],
)
def test_every_departure_of_ours_is_taken(pages: Pages, where: str) -> None:
    """The strict list takes what we send, from each place that sends people there (2)."""
    browser = pages.provider.signed_in(browser=pages.browser()) if "link" in where else pages.browser()

    left = browser.get(where)

    assert pages.simulator.app.test_client().get(left.location).status_code == 303


# 2.1 and 2.2: errors


@pytest.mark.parametrize(
    "error, expected",
    [
        ("access_denied", REFUSED),
        ("server_error", AWAY),
        ("temporarily_unavailable", AWAY),
        ("invalid_scope", MISBEHAVED),
        ("invalid_request", MISBEHAVED),
        ("unsupported_response_type", MISBEHAVED),
        ("invalid_acr", MISBEHAVED),
        ("invalid_idp_hint", MISBEHAVED),
        ("Y500017", MISBEHAVED),
        ("E000000", MISBEHAVED),
        ("<b>", MISBEHAVED),
    ],
)
def test_each_error_of_the_callback_has_a_page_with_a_next_step(
    pages: Pages, error: str, expected: tuple[int, str]
) -> None:
    """Never a white page; the error of a service is no error of the person (0.10, 2.1)."""
    browser = pages.browser()
    pages.simulator.misbehave(fault="callback_error", error=error, times=1)
    callback = urlsplit(person_answers(pages, browser))

    answer = browser.get(f"{callback.path}?{callback.query}")

    assert has_next_step(answer, expected), answer.text
    assert "<b>" not in answer.text
    assert rows(pages) == (0, 0, 0, 0)


def person_answers(pages: Pages, browser: FlaskClient) -> str:
    """Go through FranceConnect to whatever it answers."""
    left = browser.get("/franceconnect/login")
    return f"/franceconnect/callback?{urlencode(pages.simulator.person_goes(left.location))}"


@pytest.mark.parametrize("code", list(IDENTITY_ERRORS))
def test_each_page_of_franceconnect_ends_on_a_page_of_ours(pages: Pages, code: str) -> None:
    """Its code stays there; what comes back is an error without it, minutes later if need be (2.2)."""
    status, error, _ = IDENTITY_ERRORS[code]
    expected = {"access_denied": REFUSED, "server_error": AWAY, "temporarily_unavailable": AWAY}
    browser = pages.browser()
    pages.simulator.misbehave(fault="identity_error", code=code, times=1)
    left = browser.get("/franceconnect/login")

    there, page, back = pages.simulator.person_is_stopped(left.location, "test")
    pages.provider.clock.advance(minutes=25)
    answer = browser.get("/franceconnect/callback", query_string=back)

    assert (there, code in page, back["error"]) == (status, True, error)
    assert has_next_step(answer, expected.get(error, MISBEHAVED)), answer.text
    assert code not in answer.text
    assert rows(pages) == (0, 0, 0, 0)


@pytest.mark.parametrize("state", ["undefined", "", None])
def test_error_with_the_state_undefined_has_a_page(pages: Pages, state: str | None) -> None:
    """One of FranceConnect's ways writes the word instead of the state (2.1)."""
    browser = pages.browser()
    browser.get("/franceconnect/login")
    back = {"error": "access_denied", "error_description": "user authentication aborted"}

    answer = browser.get(
        "/franceconnect/callback", query_string=back | ({} if state is None else {"state": state})
    )

    assert has_next_step(answer, REFUSED), answer.text


def test_refusal_long_after_our_own_session_ended_has_a_page(pages: Pages) -> None:
    """The click on FranceConnect's page may come hours later (2.1)."""
    browser = pages.browser()
    left = browser.get("/franceconnect/login")
    back = pages.simulator.person_gives_up(left.location)
    pages.provider.clock.advance(days=2)
    browser = pages.provider.client()

    answer = browser.get("/franceconnect/callback", query_string=back)

    assert answer.status_code in {200, 400}
    assert 'href="/franceconnect/login"' in answer.text
    assert 'href="/sign-in"' in answer.text


def test_person_who_never_comes_back_leaves_nothing_but_the_journey(pages: Pages) -> None:
    """Closing the window at FranceConnect is no error; the browser signs in otherwise at once (0.10)."""
    account = pages.provider.an_account()
    browser = pages.browser()
    browser.get("/franceconnect/login")

    assert rows(pages) == (1, 0, 0, 0)
    assert pages.provider.signed_in(account, browser=browser).get("/account").status_code < 400


# 2, 3, 4: answers that are wrong


@pytest.mark.parametrize(
    "fault, expected",
    [
        ({"fault": "wrong_state"}, EXPIRED),
        ({"fault": "wrong_issuer", "on": "callback"}, MISBEHAVED),
        ({"fault": "wrong_issuer", "on": "id_token"}, MISBEHAVED),
        ({"fault": "wrong_issuer", "on": "userinfo"}, MISBEHAVED),
        ({"fault": "wrong_audience", "on": "id_token"}, MISBEHAVED),
        ({"fault": "wrong_audience", "on": "userinfo"}, MISBEHAVED),
        ({"fault": "wrong_nonce"}, MISBEHAVED),
        ({"fault": "wrong_subject"}, MISBEHAVED),
        ({"fault": "lower_acr"}, MISBEHAVED),
        ({"fault": "wrong_at_hash"}, MISBEHAVED),
        ({"fault": "expired", "on": "id_token"}, MISBEHAVED),
        ({"fault": "expired", "on": "userinfo"}, MISBEHAVED),
        ({"fault": "clock_ahead", "on": "id_token", "seconds": 90}, MISBEHAVED),
        ({"fault": "wrong_key", "on": "id_token"}, MISBEHAVED),
        ({"fault": "wrong_key", "on": "userinfo"}, MISBEHAVED),
        ({"fault": "unsigned_id_token"}, MISBEHAVED),
        ({"fault": "unsigned_userinfo"}, MISBEHAVED),
        ({"fault": "bad_json", "on": "token"}, MISBEHAVED),
        ({"fault": "bad_json", "on": "userinfo"}, MISBEHAVED),
        *(
            ({"fault": "missing_claim", "on": "id_token", "claim": claim}, MISBEHAVED)
            for claim in ("sub", "iss", "aud", "exp", "iat", "nonce", "acr")
        ),
        *(
            ({"fault": "missing_claim", "on": "userinfo", "claim": claim}, MISBEHAVED)
            for claim in (
                "sub",
                "iss",
                "aud",
                "exp",
                "family_name",
                "birthdate",
                "birthcountry",
            )
        ),
        ({"fault": "down", "on": "token"}, AWAY),
        ({"fault": "down", "on": "userinfo"}, AWAY),
        ({"fault": "error_500", "on": "token"}, AWAY),
        ({"fault": "error_500", "on": "userinfo"}, AWAY),
    ],
    ids=lambda value: "-".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_wrong_answer_lets_nobody_in_and_leaves_nothing(
    pages: Pages, fault: dict[str, Any], expected: tuple[int, str]
) -> None:
    """Signature, issuer, audience, times, nonce, level, subject: each is checked, both tokens (0.4, 2, 3, 4)."""
    browser = pages.browser()
    left = browser.get("/franceconnect/login")
    pages.simulator.misbehave(**fault)

    back = pages.simulator.person_goes(left.location)
    answer = browser.get("/franceconnect/callback", query_string=back)

    assert has_next_step(answer, expected), answer.text
    assert browser.get_cookie(SESSION_COOKIE) is None
    assert rows(pages) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "at_hash"},
        {"fault": "clock_ahead", "seconds": 20},
        {"fault": "missing_claim", "on": "id_token", "claim": "auth_time"},
        *(
            {"fault": "missing_claim", "on": "userinfo", "claim": claim}
            for claim in (
                "given_name",
                "given_name_array",
                "birthplace",
                "gender",
                "email",
                "idp_birthdate",
                "iat",
            )
        ),
        {"fault": "down", "on": "discovery"},
        {"fault": "error_500", "on": "discovery"},
    ],
    ids=lambda value: "-".join(map(str, value.values())),
)
def test_answer_that_differs_within_the_rules_lets_people_in(pages: Pages, fault: dict[str, Any]) -> None:
    """What may be there or not, discovery included, and a clock that is not ours (0.5, 0.7, 1, 3, 4.3)."""
    pages.simulator.misbehave(**fault)

    opened = pages.sign_up(pages.browser())

    assert opened.status_code == 303
    assert rows(pages)[:2] == (1, 1)


def test_keys_that_rotated_are_fetched_again(sqlite_url: str, clock: SettableClock) -> None:
    """An unknown kid makes us read the key set again; months later too (0.4, 9)."""
    database = open_database(sqlite_url)
    with running_simulator(clock, own_keys=True) as simulator:
        pages = in_front_of(simulator, database, clock)
        pages.sign_up(pages.browser())
        for later in ({"seconds": 15}, {"days": 90}):
            simulator.misbehave(fault="rotate_keys")
            clock.advance(**later)
            back = pages.go(pages.browser(), "/franceconnect/login?next=/account/identity")
            assert back.location == "/account/identity"
    database.dispose()


@pytest.mark.parametrize(
    "registered, configured, expected",
    [
        ({"signing_alg": "RS256"}, {"signing_algorithm": "RS256"}, 303),
        ({"signing_alg": "RS256"}, {"signing_algorithm": "ES256"}, 502),
        ({"signing_alg": "ES256"}, {"signing_algorithm": "RS256"}, 502),
        ({"signs_userinfo": False}, {}, 502),
        ({"signing_alg": "ES256"}, {"client_secret": "x" * 64}, 502),
    ],
    ids=["RS256", "RS256 for ES256", "ES256 for RS256", "JSON userinfo", "wrong secret"],
)
def test_registration_and_configuration_must_agree(
    sqlite_url: str,
    clock: SettableClock,
    registered: dict[str, Any],
    configured: dict[str, Any],
    expected: int,
) -> None:
    """The algorithm is pinned, JSON is never sniffed, and a secret of another environment is told (0.3, 3, 4)."""
    database = open_database(sqlite_url)
    with running_simulator(clock, **registered) as simulator:
        pages = in_front_of(simulator, database, clock, **configured)

        answer = pages.go(pages.browser())

        assert answer.status_code == expected
        assert rows(pages)[:3] == (0, 0, 0)
    database.dispose()


def in_front_of(simulator: Any, database: Any, clock: SettableClock, **configured: Any) -> Pages:
    """Configure our application for a simulator, with changes."""
    usual = {
        "enabled": True,
        "issuer": simulator.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "timeout_seconds": 60,
    }
    provider = a_provider(
        database, clock, franceconnect=usual | configured, outbound={"allow_private_networks": True}
    )
    some_terms(provider.context)
    return Pages(provider, simulator)


# 3: the token endpoint, 4: userinfo


def test_code_is_redeemed_and_userinfo_asked_at_once(pages: Pages, wire: Wire) -> None:
    """POST with the secret in the body, then GET with the token in the header, in the same request (0.3, 3, 4)."""
    pages.go(pages.browser())

    method, query, form, headers = wire.of("/token")
    assert (method, query) == ("POST", {})
    assert set(form) == {"grant_type", "code", "redirect_uri", "client_id", "client_secret"}
    assert form["grant_type"] == ["authorization_code"]
    assert form["client_secret"] == [CLIENT_SECRET]
    assert form["redirect_uri"] == [REDIRECT_URI]
    assert {"authorization", "cookie"}.isdisjoint(headers)
    method, query, form, headers = wire.of("/userinfo")
    assert (method, query, form) == ("GET", {}, {})
    assert headers["authorization"].startswith("Bearer ")
    paths = [request[1] for request in wire.requests]
    assert paths.index("/userinfo") > paths.index("/token")
    assert {"/token/revocation", "/token/introspection"}.isdisjoint(paths)


def test_code_that_waited_half_a_minute_is_a_page_with_a_next_step(
    pages: Pages, clock: SettableClock
) -> None:
    """A code lives 30 seconds: the person is told to begin again (0.3, 3)."""
    browser = pages.browser()
    callback = pages.callback(browser)
    clock.advance(seconds=30)

    answer = browser.get(callback)

    assert has_next_step(answer, EXPIRED), answer.text
    assert rows(pages) == (0, 0, 0, 0)


def test_code_of_somebody_else_is_refused(pages: Pages) -> None:
    """A code from another journey ends nowhere, whoever's it was: its nonce is another (2, 3)."""
    first, second = pages.browser(), pages.browser()
    stolen = parse_qs(urlsplit(pages.callback(first)).query)["code"][0]
    left = second.get("/franceconnect/login")
    own = pages.simulator.person_goes(left.location)

    answer = second.get("/franceconnect/callback", query_string=own | {"code": stolen})

    assert has_next_step(answer, MISBEHAVED), answer.text
    assert rows(pages) == (0, 0, 0, 0)


@pytest.mark.rule("FC-2")
def test_only_the_civil_status_is_certified(pages: Pages) -> None:
    """The usage name and the address are the identity provider's: not certified, no login (0.8, 0.9, 4.4)."""
    browser = pages.browser()
    pages.sign_up(browser, "mercier@example.fr", "avec_nom_dusage")

    with pages.provider.context.database.read() as connection:
        email = connection.scalar(select(accounts.c.email))
    page = browser.get("/account/identity")

    assert email == "mercier@example.fr"
    assert "ymmyffarapp-1777" not in page.text
    assert 'name="preferred_username"' in page.text
    assert 'name="family_name"' not in page.text


@pytest.mark.rule("FC-3", "FC-4")
def test_shared_address_opens_nobody_elses_account(pages: Pages) -> None:
    """Two people of one address: the second one is asked, and gets no account of the first (0.8, 9)."""
    pages.sign_up(pages.browser(), "couple@example.org", "même_mail_1")

    answer = pages.go(pages.browser(), login="même_mail_2")

    assert urlsplit(answer.location).path == "/franceconnect/first-time"
    assert rows(pages)[:3] == (1, 1, 1)


# 5: logout


@pytest.mark.rule("LOG-7")
def test_logout_sends_three_parameters_and_no_other(pages: Pages, wire: Wire, clock: SettableClock) -> None:
    """The raw token, our registered address and a fresh state; an hour later too (0.11, 5)."""
    browser = pages.browser()
    pages.sign_up(browser)
    clock.advance(hours=1)
    left = browser.get(departure(browser))

    back = pages.simulator.person_signs_out(left.location)

    _, asked, _, _ = wire.of("/session/end")
    assert set(asked) == {"id_token_hint", "post_logout_redirect_uri", "state"}
    assert asked["post_logout_redirect_uri"] == [LOGOUT_URI]
    assert asked["id_token_hint"][0].count(".") == 2
    assert back == f"{LOGOUT_URI}?state={asked['state'][0]}"


def departure(browser: FlaskClient) -> str:
    """Press « Se déconnecter »; gives the path of ours that leads to FranceConnect."""
    token = form_of(browser.get("/account/identity"))["csrf_token"]
    return continue_url(browser.post("/sign-out", data={"csrf_token": token})).removeprefix(ISSUER)


@pytest.mark.rule("LOG-7")
def test_our_session_ends_before_franceconnect_is_asked(pages: Pages) -> None:
    """Whoever closes the window at FranceConnect is signed out here already; its token stood in no page (5)."""
    browser = pages.browser()
    pages.sign_up(browser)

    where = departure(browser)

    assert browser.get_cookie(SESSION_COOKIE) is None
    assert rows(pages)[2] == 0
    assert "eyJ" not in where


@pytest.mark.rule("LOG-7")
def test_session_by_password_asks_franceconnect_for_nothing(pages: Pages, wire: Wire) -> None:
    """Only a session that came from there ends there (5)."""
    browser = pages.provider.signed_in(browser=pages.browser())
    token = form_of(browser.get("/account/identity"))["csrf_token"]

    out = browser.post("/sign-out", data={"csrf_token": token})

    assert "/franceconnect" not in (out.location or out.text)
    assert "/session/end" not in [request[1] for request in wire.requests]


@pytest.mark.rule("LOG-7")
@pytest.mark.parametrize("fault", [{"fault": "down"}, {"fault": "error_500"}, {"fault": "bad_json"}])
def test_logout_while_franceconnect_is_away_still_ends_here(pages: Pages, fault: dict[str, Any]) -> None:
    """Nobody stays signed in because of an outage (0.11, 5)."""
    browser = pages.browser()
    pages.sign_up(browser)
    pages.provider.clock.advance(hours=2)
    pages.simulator.misbehave(**fault)

    answer = browser.get(departure(browser))

    assert answer.status_code == 303
    assert browser.get_cookie(SESSION_COOKIE) is None
    assert rows(pages)[2] == 0


# 9: what goes wrong for others


@pytest.mark.parametrize("parameter", ["gclid", "utm_source", "iss2", "error_uri"])
def test_unknown_parameter_of_the_callback_is_ignored(pages: Pages, parameter: str) -> None:
    """What somebody on the way adds to the callback breaks nothing (9)."""
    browser = pages.browser()

    answer = browser.get(pages.callback(browser) + f"&{parameter}=x")

    assert urlsplit(answer.location).path == "/franceconnect/first-time"


def test_callback_by_a_prefetch_and_the_click_is_one_login(pages: Pages) -> None:
    """Twice at once, or a reload: one account, no error page (0.10, 9)."""
    pages.sign_up(pages.browser())
    browser = pages.browser()
    callback = pages.callback(browser, "/franceconnect/login?next=/account/identity")

    answers = [browser.get(callback) for _ in range(3)]

    assert {answer.location for answer in answers} == {"/account/identity"}
    assert rows(pages)[:3] == (1, 1, 2)


@pytest.mark.rule("FC-6")
def test_service_that_asks_for_the_level_gets_what_happened(pages: Pages) -> None:
    """The level asked upstream is the level answered, and no more is told to a service (2, 0.2)."""
    pages.sign_up(pages.browser())
    service = pages.provider.a_client(claims=())
    browser = pages.browser()
    asked = pages.provider.authorize(browser, service, acr_values="eidas1")
    pending = parse_qs(urlsplit(asked.location).query)["pending"][0]

    answer = pages.go(browser, f"/franceconnect/login?pending={pending}")

    assert "code" in answer_of(answer)
