"""`ProtocolError`: what each class tells, and to whom."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import (
    DESCRIPTIONS,
    BearerError,
    DirectError,
    EndpointError,
    ErrorCode,
    Problem,
    ProtocolError,
)


@pytest.mark.rule("OID-9")
def test_each_code_has_a_plain_ascii_description() -> None:
    """A description can stand in a header: RFC 6749 section 5.2 allows %x20-21 / %x23-5B / %x5D-7E."""
    assert set(DESCRIPTIONS) == set(ErrorCode)
    for description in DESCRIPTIONS.values():
        assert description.isascii()
        assert description.isprintable()
        assert not {'"', "\\"} & set(description)


def test_error_reason_is_not_in_the_body() -> None:
    """What happened exactly is for the log, not for the client."""
    error = ProtocolError(ErrorCode.INVALID_GRANT, reason="code of another client")

    assert "another client" not in error.body["error"]
    assert error.body["error_description"] == DESCRIPTIONS[ErrorCode.INVALID_GRANT]
    assert str(error) == "invalid_grant: code of another client"


def test_direct_error_knows_no_address() -> None:
    """An error for our own page has nowhere to be redirected to."""
    error = DirectError(ErrorCode.INVALID_REQUEST, reason="no client_id")

    assert error.status == 400
    assert error.problem is Problem.REQUEST_MALFORMED
    assert error.client is None
    assert not hasattr(error, "address")
    assert not issubclass(DirectError, RedirectedError)


@pytest.mark.parametrize(
    "code, status",
    [
        (ErrorCode.INVALID_CLIENT, 401),
        (ErrorCode.INVALID_GRANT, 400),
        (ErrorCode.INVALID_REQUEST, 400),
        (ErrorCode.SERVER_ERROR, 500),
        (ErrorCode.TEMPORARILY_UNAVAILABLE, 503),
    ],
)
def test_endpoint_error_knows_its_status(code: ErrorCode, status: int) -> None:
    """Each code goes with one HTTP status."""
    assert EndpointError(code, reason="test").status == status


def test_endpoint_error_of_basic_client_challenges_only_for_invalid_client() -> None:
    """A wrong code is no matter of authentication, whatever the client used."""
    error = EndpointError(ErrorCode.INVALID_GRANT, reason="test", used_basic=True)

    assert error.headers == {}


def test_endpoint_error_of_post_client_opens_no_browser_dialog() -> None:
    """A client that runs in a page must not cause a password dialog."""
    assert EndpointError(ErrorCode.INVALID_CLIENT, reason="test").headers == {}


def test_bearer_error_of_invalid_request_is_a_400() -> None:
    """A token sent in two ways is a malformed request."""
    assert BearerError(ErrorCode.INVALID_REQUEST, reason="two tokens").status == 400
