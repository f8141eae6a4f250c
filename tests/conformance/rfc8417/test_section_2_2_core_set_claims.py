"""RFC 8417 section 2.2: what a security event token says; RFC 9493: of whom."""

from __future__ import annotations

from typing import Any

import pytest

from idp.protocol.security_event import ACCOUNT_PURGED, TYP, event_claims, purpose_changed

pytestmark = pytest.mark.rule("LIF-4")

ISSUER = "https://compte.example.org"


def claims(**changes: Any) -> dict[str, Any]:
    """Build the payload of a security event token."""
    usual: dict[str, Any] = {
        "issuer": ISSUER,
        "client_id": "parking",
        "subject": "sub-1",
        "event": ACCOUNT_PURGED,
        "payload": {},
        "at": 1_795_000_000,
        "jti": "jti-1",
    }
    return event_claims(**(usual | changes))


@pytest.mark.spec("RFC 8417", "2.2", "REQUIRED")
@pytest.mark.parametrize(
    "name, value",
    [
        ("iss", ISSUER),
        ("aud", "parking"),
        ("iat", 1_795_000_000),
        ("jti", "jti-1"),
        ("events", {ACCOUNT_PURGED: {}}),
    ],
)
def test_token_has_every_required_claim(name: str, value: object) -> None:
    """Issuer, audience, date, identifier, and one event with its payload."""
    assert claims()[name] == value


@pytest.mark.spec("RFC 8417", "2.2", "SHOULD NOT")
def test_token_does_not_expire() -> None:
    """What happened stays so."""
    assert "exp" not in claims()


@pytest.mark.spec("RFC 8417", "4.5", "MUST NOT")
@pytest.mark.parametrize("name", ["sub", "nonce", "auth_time", "scope", "client_id"])
def test_token_can_pass_for_no_other_token_of_ours(name: str) -> None:
    """Neither an ID token nor an access token: what they need is not there."""
    assert name not in claims()


@pytest.mark.spec("RFC 8417", "2.3", "RECOMMENDED")
def test_token_has_a_type_of_its_own() -> None:
    """The explicit type of section 2.3, without the prefix."""
    assert TYP == "secevent+jwt"


@pytest.mark.spec("RFC 9493", "3.2.2", "MUST")
def test_subject_is_named_together_with_who_names_it() -> None:
    """Issuer and subject, as the service knows them from its ID tokens, and nothing else."""
    assert claims()["sub_id"] == {"format": "iss_sub", "iss": ISSUER, "sub": "sub-1"}


@pytest.mark.spec("RFC 8417", "2", "REQUIRED")
@pytest.mark.rule("CON-3")
def test_event_of_our_own_is_below_our_own_address() -> None:
    """A name that nobody else can mean."""
    event = purpose_changed(ISSUER)

    assert claims(event=event, payload={"answer": True})["events"] == {
        "https://compte.example.org/events/purpose-changed": {"answer": True}
    }
