"""The page with frames that follows a logout (Front-Channel Logout 2, 3; OID-6)."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlsplit

import jwt
import pytest

from tests.support.provider import BYE, CALLBACK, SESSION_COOKIE, form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

pytestmark = pytest.mark.rule("OID-6", "LOG-7")

FRAME = "https://parking.example.org/out?registered=a%20b"
PLAIN = "https://plain.example.org/out"


@pytest.fixture
def service(lasting_provider: Provider) -> Service:
    """A service that wants a frame, and to know which session."""
    return lasting_provider.a_client(frontchannel_logout_uri=FRAME, frontchannel_logout_session_required=True)


@pytest.fixture
def browser(lasting_provider: Provider) -> FlaskClient:
    """A signed-in browser."""
    return lasting_provider.signed_in()


def frames_in(page: TestResponse) -> list[str]:
    """Read the addresses of the frames of a page."""
    return [unescape(address) for address in re.findall(r'<iframe hidden src="([^"]+)"', page.text)]


def goes_on_to(page: TestResponse) -> str | None:
    """Read where a page goes on to by itself."""
    found = re.search(r'http-equiv="refresh" content="0;url=([^"]+)"', page.text)
    return None if found is None else unescape(found[1])


@pytest.mark.spec("Front-Channel Logout", "3", "MUST")
def test_page_has_a_frame_with_issuer_and_session(
    lasting_provider: Provider, browser: FlaskClient, service: Service
) -> None:
    """Beside the query that was registered; the session by the name that the service knows."""
    hint = lasting_provider.tokens(browser, service)["id_token"]

    page = browser.get(
        "/logout", query_string={"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "s&t"}
    )

    (frame,) = frames_in(page)
    sid = jwt.decode(hint, options={"verify_signature": False})["sid"]
    assert frame.startswith(FRAME + "&")
    assert parse_qsl(urlsplit(frame).query) == [
        ("registered", "a b"),
        ("iss", lasting_provider.context.issuer),
        ("sid", sid),
    ]
    assert page.status_code == 200
    assert goes_on_to(page) == f"{BYE}?state=s%26t"
    assert browser.get_cookie(SESSION_COOKIE) is None


@pytest.mark.spec("Front-Channel Logout", "2", "OPTIONAL")
def test_service_that_does_not_ask_for_the_session_gets_its_address_as_it_is(
    lasting_provider: Provider, browser: FlaskClient
) -> None:
    """Neither issuer nor session."""
    service = lasting_provider.a_client(frontchannel_logout_uri=PLAIN)
    hint = lasting_provider.tokens(browser, service)["id_token"]

    assert frames_in(browser.get("/logout", query_string={"id_token_hint": hint})) == [PLAIN]


def test_policy_names_the_origins_of_the_frames_on_that_page_only(
    lasting_provider: Provider, browser: FlaskClient, service: Service
) -> None:
    """Each origin once, without its path; no other page may show a frame."""
    others = [
        lasting_provider.a_client(frontchannel_logout_uri=address)
        for address in (PLAIN, f"{PLAIN}/more", "https://x.example.org:8443/out")
    ]
    for one in others:
        lasting_provider.code(browser, one)
    hint = lasting_provider.tokens(browser, service)["id_token"]

    page = browser.get("/logout", query_string={"id_token_hint": hint})

    policy = page.headers["Content-Security-Policy"]
    (frame_source,) = (part for part in policy.split("; ") if part.startswith("frame-src"))
    assert set(frame_source.split()[1:]) == {
        "https://parking.example.org",
        "https://plain.example.org",
        "https://x.example.org:8443",
    }
    assert len(frame_source.split()) == 4
    assert "frame-ancestors 'none'" in policy
    assert len(frames_in(page)) == 4
    assert "frame-src" not in browser.get("/signed-out").headers["Content-Security-Policy"]


def test_page_without_destination_stays(
    lasting_provider: Provider, browser: FlaskClient, service: Service
) -> None:
    """Whoever leaves on our own pages reads that it is done."""
    lasting_provider.code(browser, service)
    token = browser.get("/contact").text.split('name="csrf_token" value="')[1].split('"')[0]

    page = browser.post("/sign-out", data={"csrf_token": token})

    assert page.status_code == 200
    assert "Votre session est fermée" in page.text
    assert goes_on_to(page) is None
    assert len(frames_in(page)) == 1
    assert 'action="/sign-out"' not in page.text


def test_answer_to_the_question_shows_the_frames_too(
    lasting_provider: Provider, browser: FlaskClient, service: Service
) -> None:
    """With or without a hint."""
    lasting_provider.code(browser, service)
    asked = {"client_id": service.client_id, "post_logout_redirect_uri": BYE}

    fields = form_of(browser.get("/logout", query_string=asked))
    page = browser.post("/logout/confirm", data=fields | {"decision": "sign_out"})

    assert len(frames_in(page)) == 1
    assert goes_on_to(page) == BYE
    assert service.client.name in page.text


def test_service_of_another_session_gets_no_frame(lasting_provider: Provider, service: Service) -> None:
    """The browser never went there in this session: nothing of it is told."""
    person = lasting_provider.an_account()
    here, there = lasting_provider.signed_in(person), lasting_provider.signed_in(person)
    lasting_provider.code(there, service)
    hint = lasting_provider.tokens(here, lasting_provider.a_client())["id_token"]

    answer = here.get("/logout", query_string={"id_token_hint": hint, "post_logout_redirect_uri": BYE})

    assert answer.location == BYE


def test_service_that_is_off_gets_no_frame(
    lasting_provider: Provider, browser: FlaskClient, service: Service
) -> None:
    """An administrator switched it off since."""
    hint = lasting_provider.tokens(browser, lasting_provider.a_client())["id_token"]
    lasting_provider.code(browser, service)
    lasting_provider.change(service, disabled_at=lasting_provider.clock())

    assert browser.get("/logout", query_string={"id_token_hint": hint}).location == "/signed-out"


@pytest.mark.parametrize("language, words", [("fr", "Nous fermons aussi"), ("en", "We are also ending")])
def test_page_speaks_the_persons_language(
    lasting_provider: Provider, browser: FlaskClient, service: Service, language: str, words: str
) -> None:
    """French first, English when asked."""
    hint = lasting_provider.tokens(browser, service)["id_token"]

    page = browser.get("/logout", query_string={"id_token_hint": hint, "ui_locales": language})

    assert words in page.text


def test_registered_address_can_write_nothing_into_the_page(
    lasting_provider: Provider, browser: FlaskClient
) -> None:
    """Quotes and tags stay in their attribute."""
    address = 'https://plain.example.org/out?"><script>alert(1)</script>'
    service = lasting_provider.a_client(frontchannel_logout_uri=address, redirect_uris=(CALLBACK,))
    hint = lasting_provider.tokens(browser, service)["id_token"]

    page = browser.get("/logout", query_string={"id_token_hint": hint})

    assert "<script>alert" not in page.text
    assert frames_in(page) == [address]
