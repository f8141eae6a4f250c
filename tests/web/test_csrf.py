"""Forms that change something come from this browser and from our own pages (S-480, S-484)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.provider import BROWSER_COOKIE, SESSION_COOKIE

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.provider import Provider

#: Posted to by design from elsewhere, by whoever proves themselves in the request, or to be asked by us.
FROM_ELSEWHERE = {
    "/authorize",
    "/device_authorization",
    "/introspect",
    "/logout",
    "/newsletters/unsubscribe",
    "/par",
    "/receipts/check.json",
    "/register",
    "/revoke",
    "/token",
    "/userinfo",
}


def token_of(browser: FlaskClient) -> str:
    """Read the token of a form."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', browser.get("/contact").text)
    assert found
    return found[1]


def posts(provider: Provider) -> list[str]:
    """Name every path that takes a form."""
    return sorted(
        rule.rule
        for rule in provider.app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and rule.rule not in FROM_ELSEWHERE
    )


@pytest.mark.rule("LOG-3")
def test_no_form_is_taken_without_its_token(lasting_provider: Provider) -> None:
    """Every path that takes a POST, the ones that will be added too, refuses one without a token."""
    browser = lasting_provider.signed_in()
    token = token_of(browser)
    paths = posts(lasting_provider)

    assert "/sign-out" in paths
    for path in paths:
        assert browser.post(path, data={}).status_code == 400, path
        assert browser.post(path, data={"csrf_token": "x" * 64}).status_code == 400, path
        assert browser.post(path, json={"csrf_token": token}).status_code == 400, path


@pytest.mark.rule("LOG-3")
@pytest.mark.parametrize("site", ["cross-site", "same-site", "x", ""])
def test_form_that_the_browser_says_is_anothers_is_refused(lasting_provider: Provider, site: str) -> None:
    """A sibling domain of the city is another site too."""
    browser = lasting_provider.signed_in()
    token = token_of(browser)

    refused = browser.post("/sign-out", data={"csrf_token": token}, headers={"Sec-Fetch-Site": site})
    taken = browser.post("/sign-out", data={"csrf_token": token}, headers={"Sec-Fetch-Site": "same-origin"})

    assert (refused.status_code, taken.status_code) == (400, 303)


@pytest.mark.rule("LOG-3")
@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "https://compte.example.org.evil.example", "http://compte.example.org"],
)
def test_form_with_another_origin_is_refused(lasting_provider: Provider, origin: str) -> None:
    """Browsers without Sec-Fetch-Site tell the origin: only ours is taken, and "null" is nobody's."""
    browser = lasting_provider.signed_in()
    token = token_of(browser)

    refused = browser.post("/sign-out", data={"csrf_token": token}, headers={"Origin": origin})
    taken = browser.post(
        "/sign-out", data={"csrf_token": token}, headers={"Origin": "https://compte.example.org"}
    )

    assert (refused.status_code, taken.status_code) == (400, 303)


@pytest.mark.rule("LOG-3")
def test_token_is_the_browsers_own(lasting_provider: Provider) -> None:
    """Another browser's token, or a browser whose cookie is gone, opens nothing."""
    browser, other = lasting_provider.signed_in(), lasting_provider.signed_in()
    stolen = token_of(other)
    own = token_of(browser)

    by_theft = browser.post("/sign-out", data={"csrf_token": stolen})
    browser.delete_cookie(BROWSER_COOKIE)
    without_cookie = browser.post("/sign-out", data={"csrf_token": own})

    assert (by_theft.status_code, without_cookie.status_code) == (400, 400)
    assert browser.get_cookie(SESSION_COOKIE) is not None


def test_token_differs_at_each_page(lasting_provider: Provider) -> None:
    """Compression then tells nothing of it (BREACH)."""
    browser = lasting_provider.signed_in()

    assert len({token_of(browser) for _ in range(3)}) == 3


@pytest.mark.parametrize("token", ["", "é", "a", "====", "A" * 64, "A" * 100_000, "\x00"])
def test_token_that_is_none_is_refused(lasting_provider: Provider, token: str) -> None:
    """Whatever stands in its place."""
    browser = lasting_provider.signed_in()
    token_of(browser)

    assert browser.post("/sign-out", data={"csrf_token": token}).status_code == 400
