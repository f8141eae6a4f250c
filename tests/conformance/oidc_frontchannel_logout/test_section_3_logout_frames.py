"""Front-Channel Logout 2 and 3: the address that a frame opens."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from idp.protocol.logout.frontchannel import frame_address
from tests.support.authorization_requests import a_client

pytestmark = pytest.mark.rule("OID-6")

ISSUER = "https://compte.example.org"


def address_of(uri: str | None, *, session_required: bool = True, sid: str = "sid-1") -> str | None:
    """Give the frame's address of a client that registered one."""
    client = a_client(frontchannel_logout_uri=uri, frontchannel_logout_session_required=session_required)
    return frame_address(client, issuer=ISSUER, sid=sid)


@pytest.mark.spec("Front-Channel Logout", "2", "OPTIONAL")
def test_client_without_an_address_has_no_frame() -> None:
    """It is told by back channel, or not at all."""
    assert address_of(None) is None


@pytest.mark.spec("Front-Channel Logout", "3", "MUST")
def test_issuer_and_session_are_given_together_to_who_requires_them() -> None:
    """One without the other would tell nothing."""
    address = address_of("https://rp.example/out")

    assert address is not None
    assert dict(parse_qsl(urlsplit(address).query)) == {"iss": ISSUER, "sid": "sid-1"}


@pytest.mark.spec("Front-Channel Logout", "3", "MAY")
def test_neither_is_given_to_who_does_not() -> None:
    """The address stays as it was registered."""
    assert address_of("https://rp.example/out?a=b", session_required=False) == "https://rp.example/out?a=b"


@pytest.mark.spec("Front-Channel Logout", "2", "MUST")
@pytest.mark.parametrize(
    "registered",
    ["https://rp.example/out?a=b%20c&d", "https://rp.example/out?a=b&a=c", "https://rp.example?x"],
)
def test_registered_query_is_kept_as_it_was_written(registered: str) -> None:
    """Parameters of ours come after it."""
    address = address_of(registered)

    assert address is not None
    assert address.startswith(registered + "&iss=")


@pytest.mark.spec("Front-Channel Logout", "3", "MUST")
def test_session_is_escaped() -> None:
    """Whatever its characters, it is one parameter."""
    address = address_of("https://rp.example/out", sid="a&b=c d")

    assert address is not None
    assert dict(parse_qsl(urlsplit(address).query))["sid"] == "a&b=c d"
