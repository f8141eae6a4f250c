"""The names of pushed requests, and until when they lead somewhere (RFC 9126)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.protocol.authorization.pushed import PushedRequest, request_uri_of, secret_of
from tests.support.authorization_requests import NOW

PUSHED = PushedRequest("parking", (("scope", "openid"),), False, NOW, NOW + timedelta(seconds=90))  # noqa: FBT003 - positions of a row


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "https://parking.example.org/request",
        "urn:ietf:params:oauth:request_uri",
        "URN:ietf:params:oauth:request_uri:x",
    ],
)
def test_address_that_is_not_ours_names_no_secret(uri: str) -> None:
    """Letter by letter: we make these names ourselves."""
    assert secret_of(uri) is None


def test_name_of_a_secret_gives_it_back() -> None:
    """What is told to the client is what comes back through the browser."""
    assert request_uri_of("mpp_x") == "urn:ietf:params:oauth:request_uri:mpp_x"
    assert secret_of(request_uri_of("mpp_x")) == "mpp_x"


def test_pushed_request_waits_until_it_expires_or_is_answered() -> None:
    """To the second."""
    assert PUSHED.is_waiting(NOW)
    assert PUSHED.is_waiting(NOW + timedelta(seconds=89))
    assert not PUSHED.is_waiting(NOW + timedelta(seconds=90))
    assert not replace(PUSHED, consumed_at=NOW).is_waiting(NOW)
