"""Back-Channel Logout 2.1, Front-Channel Logout 3, Session Management 3.3: what discovery says of logout."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("OID-6")


@pytest.mark.spec("Back-Channel Logout", "2.1", "OPTIONAL")
@pytest.mark.spec("Front-Channel Logout", "3", "OPTIONAL")
@pytest.mark.parametrize("channel", ["backchannel", "frontchannel"])
def test_both_channels_are_announced_with_their_session(lasting_provider: Provider, channel: str) -> None:
    """A service knows that it is told, and of which session."""
    document = lasting_provider.back_channel.get("/.well-known/openid-configuration").json or {}

    assert document[f"{channel}_logout_supported"] is True
    assert document[f"{channel}_logout_session_supported"] is True


@pytest.mark.spec("Session Management", "3.3", "REQUIRED")
def test_frame_is_announced_where_it_is(lasting_provider: Provider) -> None:
    """And answers there."""
    document = lasting_provider.back_channel.get("/.well-known/openid-configuration").json or {}
    address = document["check_session_iframe"]

    assert address.startswith(lasting_provider.context.issuer)
    assert (
        lasting_provider.client().get(address.removeprefix(lasting_provider.context.issuer)).status_code
        == 200
    )
