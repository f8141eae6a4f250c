"""Back-Channel Logout 2.4: what a logout token says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from idp.protocol.logout.backchannel import EVENT, TYP, logout_claims

pytestmark = pytest.mark.rule("OID-6")

NOW = datetime(2026, 11, 22, 9, 0, 0, 999_999, tzinfo=UTC)


def claims(**changes: Any) -> dict[str, Any]:
    """Build the payload of a logout token."""
    usual: dict[str, Any] = {
        "issuer": "https://compte.example.org",
        "client_id": "parking",
        "subject": "sub-1",
        "sid": "sid-1",
        "jti": "jti-1",
        "now": NOW,
    }
    return logout_claims(**(usual | changes))


@pytest.mark.spec("Back-Channel Logout", "2.4", "MUST NOT")
def test_logout_token_has_no_nonce() -> None:
    """It must not pass for an ID token."""
    assert "nonce" not in claims()


@pytest.mark.spec("Back-Channel Logout", "2.4", "REQUIRED")
@pytest.mark.parametrize("name", ["iss", "aud", "iat", "exp", "jti", "events"])
def test_logout_token_has_every_required_claim(name: str) -> None:
    """Issuer, audience, dates, identifier, event."""
    assert claims()[name]


@pytest.mark.spec("Back-Channel Logout", "2.4", "REQUIRED")
def test_event_is_the_one_of_back_channel_logout_and_an_object() -> None:
    """The member's value is a JSON object, preferably empty."""
    assert claims()["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert set(claims()["events"]) == {EVENT}


@pytest.mark.spec("Back-Channel Logout", "2.4", "MUST")
def test_logout_token_names_person_and_session() -> None:
    """Either or both; always both, so that a service may know one of them only."""
    assert (claims()["sub"], claims()["sid"]) == ("sub-1", "sid-1")


@pytest.mark.spec("Back-Channel Logout", "2.4", "RECOMMENDED")
def test_logout_token_lives_two_minutes_at_most() -> None:
    """In whole seconds."""
    assert claims()["exp"] - claims()["iat"] == 120
    assert claims()["iat"] == int(NOW.timestamp())


@pytest.mark.spec("Back-Channel Logout", "2.4", "RECOMMENDED")
def test_logout_token_is_typed() -> None:
    """So that no other kind of JWT passes for one, nor it for another (RFC 8725 section 3.11)."""
    assert TYP == "logout+jwt"
