"""Session Management 2 and 4.2: what an answer carries, and what our frame computes again."""

from __future__ import annotations

import hashlib

import pytest

from idp.protocol.logout.session_state import session_state, web_origin

pytestmark = pytest.mark.rule("OID-6")

ORIGIN = "https://rp.example"


@pytest.mark.spec("Session Management", "2", "MUST NOT")
@pytest.mark.parametrize("client_id", ["parking", "a client", " "])
def test_session_state_has_no_space(client_id: str) -> None:
    """A space ends the client's name in the message to our frame."""
    assert " " not in session_state(client_id, ORIGIN, "state", "salt")


@pytest.mark.spec("Session Management", "4.2", "MUST")
def test_session_state_is_made_of_client_origin_browser_state_and_salt() -> None:
    """In this order, so that our frame finds the same."""
    hashed = hashlib.sha256(b"parking https://rp.example state salt").hexdigest()

    assert session_state("parking", ORIGIN, "state", "salt") == f"{hashed}.salt"


@pytest.mark.spec("Session Management", "4.2", "MUST")
@pytest.mark.parametrize(
    "other",
    [
        ("other", ORIGIN, "state", "salt"),
        ("parking", "https://evil.example", "state", "salt"),
        ("parking", ORIGIN, "other", "salt"),
        ("parking", ORIGIN, "state", "other"),
    ],
    ids=["another client", "another origin", "another session", "another salt"],
)
def test_session_state_changes_with_each_of_them(other: tuple[str, str, str, str]) -> None:
    """No page of another origin can ask about a session with what it overheard."""
    assert session_state(*other) != session_state("parking", ORIGIN, "state", "salt")


@pytest.mark.spec("Session Management", "4.2", "MUST")
def test_origin_is_that_of_the_page_that_gets_the_answer() -> None:
    """As the browser will tell our frame."""
    assert web_origin("https://RP.example:443/callback?a=b") == ORIGIN
