"""RFC 8252 section 7.3: native apps listen at a port they learn when they start."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.redirect_uri import match
from tests.support.authorization_requests import a_client, a_public_client

REGISTERED = ("http://127.0.0.1/cb", "http://[::1]:80/cb?a=1", "http://localhost/cb", "com.example.app:/cb")
APP = a_public_client(redirect_uris=REGISTERED)


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 8252", "7.3", "MUST")
@pytest.mark.parametrize(
    "raw",
    [
        "http://127.0.0.1:1/cb",
        "http://127.0.0.1:65535/cb",
        "http://127.0.0.1/cb",
        "http://[::1]:9/cb?a=1",
        "http://[::1]/cb?a=1",
    ],
)
def test_app_may_use_any_port_of_a_loopback_address(raw: str) -> None:
    """The port is chosen by the system when the app starts."""
    target = match(APP, raw)

    assert target is not None
    assert target.uri == raw


@pytest.mark.spec("RFC 8252", "8.3", "SHOULD NOT")
@pytest.mark.parametrize(
    "raw",
    [
        "http://localhost:8080/cb",
        "http://127.0.0.2:8080/cb",
        "http://127.0.0.1:8080/other",
        "http://127.0.0.1:8080/cb?a=1",
        "http://127.0.0.1:8080/cb/",
        "http://127.0.0.1:8080/cb\n",
        "http://127.0.0.1:0/cb",
        "http://127.0.0.1:080/cb",
        "http://127.0.0.1:65536/cb",
        "http://127.0.0.1:999999/cb",
        "http://127.0.0.1:-1/cb",
        "http://127.0.0.1:/cb",
        "http://127.0.0.1:80:80/cb",
        "http://127.0.0.1:\u0661/cb",
        "http://127.0.0.1.evil.example/cb",
        "http://127.0.0.1:80@evil.example/cb",
        "http://evil.example:80/cb",
        "https://127.0.0.1:8080/cb",
        "http://[::1]:9/cb",
        "http://[::2]:9/cb?a=1",
        "http://2130706433:9/cb",
        "com.example.app:9/cb",
    ],
    ids=repr,
)
def test_everything_but_the_port_is_compared(raw: str) -> None:
    """The exception is for the port of an IP literal, and for nothing else."""
    assert match(APP, raw) is None


@pytest.mark.spec("RFC 9700", "4.1.3", "MUST")
def test_confidential_client_has_no_choice_of_port() -> None:
    """A server knows where it listens."""
    server = a_client(redirect_uris=REGISTERED)

    assert match(server, "http://127.0.0.1:8080/cb") is None
    assert match(server, "http://127.0.0.1/cb") is not None
