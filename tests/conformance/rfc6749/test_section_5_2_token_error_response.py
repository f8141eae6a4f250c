"""RFC 6749 section 5.2: errors of the token endpoint."""

from __future__ import annotations

import pytest

from idp.protocol.errors import EndpointError, ErrorCode


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 6749", "5.2", "MUST")
def test_invalid_client_by_basic_is_challenged_with_basic() -> None:
    """A client that used the Authorization header gets a 401 with its own scheme."""
    error = EndpointError(ErrorCode.INVALID_CLIENT, reason="wrong secret", used_basic=True)

    assert error.status == 401
    assert error.headers["WWW-Authenticate"].startswith("Basic realm=")


@pytest.mark.rule("OID-9")
@pytest.mark.spec("RFC 6749", "5.2", "REQUIRED")
@pytest.mark.parametrize("code", list(ErrorCode))
def test_body_has_the_code_as_the_standard_spells_it(code: ErrorCode) -> None:
    """The member `error` is a plain text, not a name of ours."""
    body = EndpointError(code, reason="test").body

    assert body.keys() == {"error", "error_description"}
    assert type(body["error"]) is str
    assert body["error"] == code.value
