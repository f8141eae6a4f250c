"""What every answer wears: CSP, HSTS, frames, referrer, caches (UX-4, security 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.provider import a_provider

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; sandbox"
PAGES = ["/", "/authorize", "/consent", "/contact", "/signed-out", "/no-such-page", "/consent?pending=x"]


def answers(provider: Provider, path: str) -> list[TestResponse]:
    """Open a page as a stranger and as somebody who is signed in."""
    return [browser.get(path) for browser in (provider.client(), provider.signed_in())]


@pytest.mark.rule("UX-4")
@pytest.mark.spec("RFC 9700", "4.16", "MUST")
@pytest.mark.parametrize("path", PAGES)
def test_page_can_not_be_framed_nor_run_what_is_not_ours(lasting_provider: Provider, path: str) -> None:
    """Every page, those of errors included, has the whole policy."""
    for answer in answers(lasting_provider, path):
        assert answer.mimetype == "text/html"
        assert answer.headers["Content-Security-Policy"] == POLICY
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
        # Not no-referrer: browsers would then send "Origin: null" with our own forms.
        assert answer.headers["Referrer-Policy"] == "same-origin"
        assert answer.headers["Cache-Control"] == "no-store"
        assert {"Cookie", "Accept-Language"} <= {name.strip() for name in answer.headers["Vary"].split(",")}
        assert "camera=()" in answer.headers["Permissions-Policy"]


@pytest.mark.rule("UX-4")
@pytest.mark.parametrize("path", PAGES)
def test_page_asks_nothing_of_anybody_else(lasting_provider: Provider, path: str) -> None:
    """No inline script or style, no third-party source."""
    for answer in answers(lasting_provider, path):
        assert "<script>" not in answer.text
        assert "<style" not in answer.text
        assert " style=" not in answer.text
        assert " onclick=" not in answer.text
        assert 'src="http' not in answer.text
        assert 'src="//' not in answer.text


@pytest.mark.parametrize("method,path", [("POST", "/token"), ("GET", "/userinfo"), ("POST", "/introspect"),
                                         ("POST", "/revoke"), ("GET", "/token")])  # fmt: skip
def test_data_wear_a_policy_of_nothing(lasting_provider: Provider, method: str, path: str) -> None:
    """An answer for programs is no page, whatever a browser makes of it."""
    answer = lasting_provider.back_channel.open(path, method=method)

    assert answer.headers["Content-Security-Policy"] == DATA_POLICY
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.mimetype == "application/json"


@pytest.mark.parametrize(
    "path", [*PAGES, "/token", "/jwks.json", "/static/style.css", "/.well-known/openid-configuration"]
)
def test_every_answer_of_an_https_issuer_demands_https(lasting_provider: Provider, path: str) -> None:
    """HSTS on each, and on none of a demonstration at localhost."""
    parts = lasting_provider.context
    local = a_provider(parts.database, lasting_provider.clock, server={"issuer": "http://localhost:8000"})

    with lasting_provider.client().get(path) as answer, local.client().get(path) as plain:
        assert answer.data is not None

    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "Strict-Transport-Security" not in plain.headers


def test_redirection_to_a_service_is_kept_by_no_cache(lasting_provider: Provider) -> None:
    """A code is not for the next person at the terminal."""
    answer = lasting_provider.authorize(lasting_provider.signed_in(), lasting_provider.a_client())

    assert answer.status_code == 303
    assert answer.headers["Cache-Control"] == "no-store"


def test_form_post_to_an_app_names_its_scheme(lasting_provider: Provider) -> None:
    """An app's own scheme has no host for the policy to name."""
    service = lasting_provider.a_client(redirect_uris=("com.example.app:/cb",))

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, response_mode="form_post")

    assert "form-action 'self' com.example.app:;" in answer.headers["Content-Security-Policy"]


def test_policy_of_one_page_does_not_stay_for_the_next(lasting_provider: Provider) -> None:
    """What a form_post page is allowed is allowed to it alone."""
    browser = lasting_provider.signed_in()
    lasting_provider.authorize(browser, lasting_provider.a_client(), response_mode="form_post")

    assert browser.get("/").headers["Content-Security-Policy"] == POLICY


def test_server_tells_no_version(lasting_provider: Provider) -> None:
    """Nothing of ours adds one."""
    answer = lasting_provider.client().get("/")

    assert "X-Powered-By" not in answer.headers
    assert "Server" not in answer.headers
