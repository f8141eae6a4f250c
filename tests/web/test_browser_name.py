"""What browsers are called in the list of sessions."""

from __future__ import annotations

import pytest

from idp.web.browser_name import name_of

_MOZILLA = "Mozilla/5.0"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.rule("LOG-5")
@pytest.mark.parametrize(
    "user_agent, name",
    [
        (
            f"{_MOZILLA} (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0",
            "Firefox (Windows)",
        ),
        (f"{_MOZILLA} (X11; Linux x86_64) {_WEBKIT} Chrome/140.0.0.0 Safari/537.36", "Chrome (Linux)"),
        (f"{_MOZILLA} (Windows NT 10.0) {_WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge (Windows)"),
        (
            f"{_MOZILLA} (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/18.0 Safari/605.1.15",
            "Safari (macOS)",
        ),
        (
            f"{_MOZILLA} (iPhone; CPU iPhone OS 18_0 like Mac OS X) {_WEBKIT} Version/18.0 Safari/604.1",
            "Safari (iPhone)",
        ),
        (
            f"{_MOZILLA} (Linux; Android 15; Pixel) {_WEBKIT} Chrome/140.0 Mobile Safari/537.36",
            "Chrome (Android)",
        ),
        ("curl/8.0", "Web"),
        ("", "Web"),
        ("<script>alert(1)</script>" * 100, "Web"),
    ],
    ids=["Firefox", "Chrome", "Edge", "Safari", "iPhone", "Android", "a program", "nothing", "markup"],
)
def test_browser_is_named_by_kind_and_system(user_agent: str, name: str) -> None:
    """Enough for its owner to know it again; nothing of the header itself."""
    assert name_of(user_agent) == name
