"""RFC 9700 section 4.1.3: the redirect URI is compared letter by letter."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.redirect_uri import match
from tests.support.authorization_requests import REDIRECT_URI, a_client, a_public_client


@pytest.mark.rule("OID-1", "OID-9")
@pytest.mark.spec("RFC 9700", "4.1.3", "MUST")
@pytest.mark.parametrize(
    "raw",
    [
        "",
        REDIRECT_URI + "/",
        REDIRECT_URI + "?",
        REDIRECT_URI + "?a=1",
        REDIRECT_URI + "#",
        REDIRECT_URI + "/../callback",
        REDIRECT_URI + "%20",
        REDIRECT_URI + " ",
        REDIRECT_URI + "\n",
        " " + REDIRECT_URI,
        REDIRECT_URI.upper(),
        REDIRECT_URI.replace("https", "HTTPS"),
        REDIRECT_URI.replace("https", "http"),
        REDIRECT_URI.replace("parking.", "PARKING."),
        REDIRECT_URI.replace(".org", ".org:443"),
        REDIRECT_URI.replace(".org", ".org."),
        REDIRECT_URI.replace(".org", ".org.evil.example"),
        REDIRECT_URI.replace("//", "//evil.example@"),
        REDIRECT_URI.replace("//", "//evil.example\\@"),
        REDIRECT_URI.replace("callback", "c%61llback"),
        REDIRECT_URI.replace("callback", "./callback"),
        REDIRECT_URI.replace("//", "///"),
        REDIRECT_URI[:-1],
        "//parking.example.org/callback",
        "/callback",
        "javascript:alert(1)",
        f"{REDIRECT_URI} {REDIRECT_URI}",
    ],
    ids=repr,
)
def test_redirect_uri_that_differs_is_not_the_clients(raw: str) -> None:
    """No normalisation, no prefix, no pattern."""
    assert match(a_client(), raw) is None
    assert match(a_public_client(), raw) is None


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 9700", "4.1.3", "MUST")
def test_redirect_uri_that_is_registered_matches() -> None:
    """The very same text is the client's."""
    target = match(a_client(), REDIRECT_URI)

    assert target is not None
    assert target.uri == REDIRECT_URI
