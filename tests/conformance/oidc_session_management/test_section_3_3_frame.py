"""Session Management 3.3: the frame of the provider, and the state that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.services.logout.browser_state import browser_state, session_state_for

if TYPE_CHECKING:
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("OID-6")


@pytest.mark.spec("Session Management", "3.3", "MUST")
def test_frame_is_served_and_may_be_framed(lasting_provider: Provider) -> None:
    """By services of any origin."""
    answer = lasting_provider.client().get("/check-session")

    assert answer.status_code == 200
    assert "frame-ancestors *" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers


@pytest.mark.spec("Session Management", "4.2", "MUST")
def test_browser_state_changes_with_the_session(lasting_provider: Provider) -> None:
    """A new session is another state, whoever's it is."""
    context = lasting_provider.context

    assert browser_state(context, "session-1") != browser_state(context, "session-2")


@pytest.mark.spec("Session Management", "4.2", "SHOULD")
def test_session_state_can_not_be_linked_across_clients(lasting_provider: Provider) -> None:
    """Salted, and another for each client and answer."""
    context = lasting_provider.context
    clients = [lasting_provider.a_client().client for _ in range(2)]

    states = [
        session_state_for(context, client, client.redirect_uris[0], "session-1")
        for client in clients
        for _ in range(2)
    ]

    assert None not in states
    assert len(set(states)) == 4
