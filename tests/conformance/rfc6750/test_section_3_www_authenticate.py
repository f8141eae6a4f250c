"""RFC 6750 section 3: the challenge of a protected resource."""

from __future__ import annotations

import pytest

from idp.protocol.errors import BearerError, ErrorCode


@pytest.mark.spec("RFC 6750", "3.1", "SHOULD NOT")
def test_challenge_without_token_has_no_error_code() -> None:
    """A request without credentials is told what would do, in both schemes, and no error."""
    error = BearerError.without_token()

    assert error.status == 401
    assert error.headers == {
        "WWW-Authenticate": 'Bearer realm="mon-paris", DPoP realm="mon-paris", algs="ES256 PS256 EdDSA"'
    }


@pytest.mark.rule("OID-9")
@pytest.mark.spec("RFC 6750", "3.1", "SHOULD")
def test_invalid_token_is_a_401_with_its_code() -> None:
    """An expired or revoked token is told so, and no more."""
    error = BearerError(ErrorCode.INVALID_TOKEN, reason="family revoked")

    challenge = error.headers["WWW-Authenticate"]
    assert error.status == 401
    assert 'error="invalid_token"' in challenge
    assert "revoked, " not in challenge
    assert "family" not in challenge


@pytest.mark.spec("RFC 6750", "3.1", "SHOULD")
def test_insufficient_scope_is_a_403_with_the_scope() -> None:
    """The client learns which scope would do."""
    error = BearerError(ErrorCode.INSUFFICIENT_SCOPE, reason="no openid", scope="openid")

    assert error.status == 403
    assert error.headers["WWW-Authenticate"].endswith(', scope="openid"')
