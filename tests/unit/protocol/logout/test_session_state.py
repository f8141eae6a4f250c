"""What a service watches to learn that the session has changed."""

from __future__ import annotations

import hashlib

import pytest

from idp.protocol.logout.session_state import session_state, web_origin


@pytest.mark.parametrize(
    "uri",
    ["org.example.app:/callback", "myapp://callback", "urn:ietf:wg:oauth:2.0:oob", "/callback", ""],
    ids=["an app's scheme", "an app's scheme with a host", "a name", "a path", "nothing"],
)
def test_address_that_is_no_web_page_has_no_origin(uri: str) -> None:
    """No page could ask our frame from there."""
    assert web_origin(uri) is None


@pytest.mark.parametrize(
    "uri, origin",
    [
        ("https://rp.example/cb?a=b#c", "https://rp.example"),
        ("https://RP.example:443/cb", "https://rp.example"),
        ("http://rp.example:80/cb", "http://rp.example"),
        ("https://rp.example:8443/cb", "https://rp.example:8443"),
        ("http://localhost:5001/cb", "http://localhost:5001"),
        ("http://[::1]:5001/cb", "http://[::1]:5001"),
    ],
)
def test_origin_is_written_as_a_browser_writes_it(uri: str, origin: str) -> None:
    """Default ports are left out and letters are small, for the frame compares with what the browser says."""
    assert web_origin(uri) == origin


@pytest.mark.spec("Session Management", "4.2", "MUST")
def test_session_state_is_the_hash_that_the_frame_computes() -> None:
    """Client, origin, state of the browser and salt, separated by spaces; then the salt."""
    state = session_state("parking", "https://rp.example", "state-1", "salt-1")

    expected = hashlib.sha256(b"parking https://rp.example state-1 salt-1").hexdigest()
    assert state == f"{expected}.salt-1"


@pytest.mark.spec("Session Management", "2", "MUST NOT")
def test_session_state_has_no_space() -> None:
    """The message of a service separates its two words by one."""
    assert " " not in session_state("a client with spaces", "https://rp.example", "state", "salt")
