"""RFC 6749 section 4.1.2.1: errors of the authorization endpoint."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest

from idp.protocol.authorization.response_mode import RedirectedError, Redirection, respond
from idp.protocol.errors import DirectError
from tests.support.authorization_requests import ISSUER, REDIRECT_URI, read


@pytest.mark.rule("OID-9")
@pytest.mark.spec("RFC 6749", "4.1.2.1", "MUST NOT")
@pytest.mark.parametrize(
    "changes",
    [{"redirect_uri": "https://evil.example/"}, {"redirect_uri": None}, {"client_id": "nobody"}],
)
def test_error_of_unproven_redirect_uri_is_not_redirected(changes: dict[str, str | None]) -> None:
    """The browser must not be sent to an address that is not the client's."""
    with pytest.raises(DirectError):
        read(**changes)


@pytest.mark.rule("OID-9")
@pytest.mark.spec("RFC 6749", "4.1.2.1", "REQUIRED")
def test_error_of_proven_redirect_uri_has_code_and_exact_state() -> None:
    """The client learns what is wrong, and of which of its requests."""
    with pytest.raises(RedirectedError) as caught:
        read(state="a b&c", response_type="none")

    answer = respond(caught.value.address, caught.value.body, issuer=ISSUER)

    assert isinstance(answer, Redirection)
    assert answer.location.startswith(REDIRECT_URI + "?")
    found = dict(parse_qsl(urlsplit(answer.location).query))
    assert found["error"] == "unsupported_response_type"
    assert found["state"] == "a b&c"
