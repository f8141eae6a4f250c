"""The state of a browser, as those who watch it see it."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from idp.domain.client import Client
from idp.services.logout.browser_state import browser_state, session_state_for

if TYPE_CHECKING:
    from tests.support.provider import Provider

CLIENT = Client("parking", "Stationnement", redirect_uris=("https://rp.example/cb",))


def test_browser_state_is_one_for_each_session_and_does_not_name_it(provider: Provider) -> None:
    """A script that reads it learns neither the session nor its `sid`."""
    first, other = (browser_state(provider.context, name) for name in ("session-1", "session-2"))

    assert first != other
    assert "session-1" not in first
    assert first == browser_state(provider.context, "session-1")


def test_session_state_is_salted_anew_at_each_answer(provider: Provider) -> None:
    """Two answers of one session differ, and both verify against the same browser state."""
    answers = [
        session_state_for(provider.context, CLIENT, "https://rp.example/cb", "session-1") for _ in range(2)
    ]

    assert answers[0] != answers[1]
    state = browser_state(provider.context, "session-1")
    for answer in answers:
        assert answer is not None
        hashed, _, salt = answer.partition(".")
        assert hashed == hashlib.sha256(f"parking https://rp.example {state} {salt}".encode()).hexdigest()


def test_app_without_web_pages_gets_no_session_state(provider: Provider) -> None:
    """No page of its own could frame ours."""
    assert session_state_for(provider.context, CLIENT, "org.example.app:/cb", "session-1") is None
