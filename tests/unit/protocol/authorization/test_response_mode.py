"""How answers travel."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from idp.protocol.authorization.redirect_uri import RedirectTarget, match
from idp.protocol.authorization.response_mode import (
    FormPost,
    RedirectedError,
    Redirection,
    ResponseMode,
    ReturnAddress,
    location,
    respond,
)
from idp.protocol.errors import ErrorCode
from tests.support.authorization_requests import ISSUER, REDIRECT_URI, a_client

HOSTILE = "a b&c=d#e?f%20+é\"'<script>🥚"


def target_of(uri: str) -> RedirectTarget:
    """Prove a URI that a client registered."""
    target = match(a_client(redirect_uris=(uri,)), uri)
    assert target is not None
    return target


@pytest.mark.rule("OID-3")
@pytest.mark.parametrize("mode", [ResponseMode.QUERY, ResponseMode.FRAGMENT])
def test_hostile_state_comes_back_unchanged_in_a_url(mode: ResponseMode) -> None:
    """Whatever the state holds, the client reads it as it wrote it, and nothing else changes."""
    answer = respond(ReturnAddress(target_of(REDIRECT_URI), mode, HOSTILE), {"code": "c"}, issuer=ISSUER)

    assert isinstance(answer, Redirection)
    assert answer.location.isascii()
    parts = urlsplit(answer.location)
    carried = parts.query if mode is ResponseMode.QUERY else parts.fragment
    assert dict(parse_qsl(carried)) == {"code": "c", "state": HOSTILE, "iss": ISSUER}
    assert answer.location.startswith(REDIRECT_URI + ("?" if mode is ResponseMode.QUERY else "#"))


@pytest.mark.rule("OID-3")
def test_form_post_gives_raw_fields_for_the_template_to_escape() -> None:
    """A form field is no URL: the values are not percent-encoded."""
    address = ReturnAddress(target_of(REDIRECT_URI), ResponseMode.FORM_POST, HOSTILE)

    answer = respond(address, {"code": "c"}, issuer=ISSUER)

    assert answer == FormPost(REDIRECT_URI, (("code", "c"), ("state", HOSTILE), ("iss", ISSUER)))


@pytest.mark.parametrize(
    "uri, expected",
    [
        ("https://rp.example/cb?a=1", "https://rp.example/cb?a=1&code=c&iss="),
        ("https://rp.example/cb?", "https://rp.example/cb?code=c&iss="),
        ("https://rp.example/cb?a=1&", "https://rp.example/cb?a=1&code=c&iss="),
        ("https://rp.example/cb", "https://rp.example/cb?code=c&iss="),
        ("com.example.app:/cb", "com.example.app:/cb?code=c&iss="),
    ],
)
def test_query_of_the_redirect_uri_is_kept(uri: str, expected: str) -> None:
    """Parameters are added behind those that were registered."""
    answer = respond(ReturnAddress(target_of(uri)), {"code": "c"}, issuer=ISSUER)

    assert isinstance(answer, Redirection)
    assert answer.location.startswith(expected)


def test_fragment_mode_keeps_the_query() -> None:
    """The query that was registered stays where it is."""
    address = ReturnAddress(target_of("https://rp.example/cb?a=1"), ResponseMode.FRAGMENT)

    answer = respond(address, {"code": "c"}, issuer=ISSUER)

    assert isinstance(answer, Redirection)
    assert answer.location.startswith("https://rp.example/cb?a=1#code=c&iss=")


def test_error_without_state_has_no_state() -> None:
    """A state that was not sent is not invented."""
    error = RedirectedError(
        ErrorCode.ACCESS_DENIED, reason="refused", address=ReturnAddress(target_of(REDIRECT_URI))
    )

    answer = respond(error.address, error.body, issuer=ISSUER)

    assert isinstance(answer, Redirection)
    found = dict(parse_qsl(urlsplit(answer.location).query))
    assert found.keys() == {"error", "error_description", "iss"}
    assert found["error"] == "access_denied"


def test_location_adds_parameters_to_a_target() -> None:
    """The person goes back after a logout with the state, or with nothing."""
    assert location(target_of(REDIRECT_URI), {"state": "a b"}) == f"{REDIRECT_URI}?state=a%20b"
    assert location(target_of(REDIRECT_URI), {}) == REDIRECT_URI
