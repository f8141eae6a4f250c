"""What a client assertion may say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idp.protocol.clients.assertion import AssertionUse, check_claims, client_named_by
from idp.protocol.errors import EndpointError, ErrorCode
from tests.support.authorization_requests import ISSUER, NOW

SECONDS = int(NOW.timestamp())
GOOD: dict[str, object] = {
    "iss": "parking",
    "sub": "parking",
    "aud": ISSUER,
    "exp": SECONDS + 60,
    "iat": SECONDS,
    "jti": "jti-1",
}


def refused(**changes: object) -> EndpointError:
    """Check an assertion with changes, and give the error; None takes a claim away."""
    claims = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(EndpointError) as caught:
        check_claims(claims, client_id="parking", issuer=ISSUER, now=NOW)
    return caught.value


@pytest.mark.rule("OID-4")
@pytest.mark.parametrize("name", ["iss", "sub", "aud", "exp", "jti"])
@pytest.mark.parametrize("value", [None, "", 0, [], {}, True], ids=repr)
def test_assertion_without_a_claim_of_the_right_kind_is_refused(name: str, value: object) -> None:
    """Absent, empty or of another type: a claim that is needed is needed."""
    error = refused(**{name: value})

    assert error.code is ErrorCode.INVALID_CLIENT
    assert error.reason.startswith("client assertion: ")


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "value", ["1795176060", float("nan"), float("inf"), float("-inf"), True, [1], {}], ids=repr
)
def test_assertion_with_time_that_is_no_number_is_refused(name: str, value: object) -> None:
    """A moment is a finite number, and a boolean is none."""
    assert refused(**{name: value}).code is ErrorCode.INVALID_CLIENT


@pytest.mark.parametrize("value", [10**400, 1e308, -(10**400), SECONDS + 601, SECONDS, 0])
def test_assertion_that_ends_too_late_or_has_ended_is_refused(value: float) -> None:
    """Each `jti` is kept until `exp`: nobody fills our memory with the year 30000."""
    assert refused(exp=value).code is ErrorCode.INVALID_CLIENT


def test_assertion_with_long_jti_is_refused() -> None:
    """What is remembered is bounded."""
    assert refused(jti="j" * 256).code is ErrorCode.INVALID_CLIENT


@pytest.mark.rule("OID-4")
def test_good_assertion_says_what_to_remember() -> None:
    """Its name, until its end."""
    use = check_claims(GOOD, client_id="parking", issuer=ISSUER, now=NOW)

    assert use == AssertionUse("jti-1", datetime.fromtimestamp(SECONDS + 60, UTC))


@pytest.mark.parametrize("claims", [{}, {"sub": ""}, {"sub": 1}, {"sub": ["parking"]}])
def test_client_named_by_unreadable_subject_is_nobody(claims: dict[str, object]) -> None:
    """Only a text names a client."""
    assert client_named_by(claims) is None


def test_client_named_by_subject_is_found() -> None:
    """The subject says whose keys to take."""
    assert client_named_by(GOOD) == "parking"
