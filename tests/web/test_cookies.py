"""Our cookies: names, attributes, rotation (LOG-3, S-95, S-476)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.provider import BROWSER_COOKIE, SESSION_COOKIE, a_provider, answer_of

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider


@pytest.mark.rule("LOG-3")
def test_cookie_is_for_this_host_and_no_script(lasting_provider: Provider) -> None:
    """`__Host-`, Secure, HttpOnly, Lax, the whole path, no domain."""
    answer = lasting_provider.authorize(lasting_provider.client(), lasting_provider.a_client())

    (cookie,) = answer.headers.getlist("Set-Cookie")
    name, _, rest = cookie.partition("=")
    attributes = {part.strip() for part in rest.split(";")[1:]}
    assert name == BROWSER_COOKIE
    assert attributes == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


@pytest.mark.rule("LOG-3")
def test_cookie_of_a_demonstration_at_localhost_has_a_plain_name(
    database: Database, clock: SettableClock
) -> None:
    """`__Host-` needs https, which localhost has not."""
    provider = a_provider(database, clock, server={"issuer": "http://localhost:8000"})

    answer = provider.authorize(provider.client(), provider.a_client())

    (cookie,) = answer.headers.getlist("Set-Cookie")
    assert cookie.startswith("mon_paris_browser=")
    assert "Secure" not in cookie


@pytest.mark.rule("LOG-3")
def test_cookie_that_is_taken_back_is_taken_back_with_the_same_attributes(lasting_provider: Provider) -> None:
    """A browser ignores the removal of a `__Host-` cookie without them."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in()
    hint = lasting_provider.tokens(browser, service)["id_token"]

    answer = browser.get("/logout", query_string={"id_token_hint": hint})

    (cookie,) = (one for one in answer.headers.getlist("Set-Cookie") if one.startswith(SESSION_COOKIE))
    assert "Max-Age=0" in cookie
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in cookie.split(";")}


@pytest.mark.rule("LOG-3")
@pytest.mark.parametrize("value", ["x", "mpb_" + "a" * 49, "mps_" + "a" * 49])
def test_browser_cookie_of_somebodys_choosing_is_replaced(lasting_provider: Provider, value: str) -> None:
    """A fixed value, tossed by a sibling, names no browser."""
    browser = lasting_provider.client()
    browser.set_cookie(BROWSER_COOKIE, value)

    lasting_provider.authorize(browser, lasting_provider.a_client())

    cookie = browser.get_cookie(BROWSER_COOKIE)
    assert cookie is not None
    assert cookie.value != value


@pytest.mark.rule("LOG-3")
def test_silent_request_sets_no_cookie(lasting_provider: Provider) -> None:
    """Nothing is written into a browser that is only asked whether it is signed in."""
    answer = lasting_provider.authorize(lasting_provider.client(), lasting_provider.a_client(), prompt="none")

    assert answer_of(answer)["error"] == "login_required"
    assert "Set-Cookie" not in answer.headers


def test_plain_name_is_not_read_where_the_issuer_is_https(lasting_provider: Provider) -> None:
    """A cookie without the prefix could have been set by any sibling of the city's domain."""
    browser = lasting_provider.signed_in()
    cookie = browser.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    stranger = lasting_provider.client()
    stranger.set_cookie("mon_paris_session", cookie.value)

    answer = lasting_provider.authorize(stranger, lasting_provider.a_client(), prompt="none")

    assert answer_of(answer)["error"] == "login_required"
