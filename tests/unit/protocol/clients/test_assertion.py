"""What a client assertion may say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from idp.domain.client import Client, Profile
from idp.protocol.clients.assertion import (
    AssertionUse,
    algorithms,
    check_claims,
    client_named_by,
    endpoint_audiences,
)
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


TOKEN, PAR = f"{ISSUER}/token", f"{ISSUER}/par"
OLD = Client("parking", "Parking", accepts_endpoint_audience=True)


@pytest.mark.rule("OID-4")
@pytest.mark.parametrize(
    "client",
    [
        Client("parking", "Parking"),
        Client("parking", "Parking", accepts_endpoint_audience=True, profile=Profile.FAPI2),
        Client("parking", "Parking", accepts_endpoint_audience=True, profile=Profile.FAPI2_MESSAGE_SIGNING),
    ],
    ids=["plain", "fapi2", "message signing"],
)
def test_endpoints_are_no_audience_unless_an_administrator_let_them(client: Client) -> None:
    """And under FAPI 2.0 never (CVE-2025-27370)."""
    assert endpoint_audiences(client, (ISSUER,), "/par") == frozenset()


@pytest.mark.rule("OID-4")
def test_endpoints_of_each_of_our_origins_are_audiences_of_an_old_service() -> None:
    """The token endpoint and the endpoint called, under the issuer and where certificates are asked for."""
    origins = (ISSUER, "https://mtls.example.org")

    assert endpoint_audiences(OLD, origins, "/par") == {
        TOKEN,
        PAR,
        "https://mtls.example.org/token",
        "https://mtls.example.org/par",
    }


@pytest.mark.rule("OID-4")
@pytest.mark.parametrize(
    "audience, is_taken",
    [
        (ISSUER, True),
        (TOKEN, True),
        ([PAR], True),
        ([ISSUER, TOKEN], True),
        ([], False),
        ([TOKEN, "https://evil.example.org/token"], False),
        ([TOKEN, None], False),
        ([[TOKEN]], False),
        ({TOKEN: 1}, False),
        (f"{ISSUER}/revoke", False),
    ],
    ids=repr,
)
def test_audience_of_an_old_service_is_ours_and_nobody_elses(audience: object, *, is_taken: bool) -> None:
    """Each name in a list: one that is not ours may be somebody who passes the assertion on."""
    claims, endpoints = {**GOOD, "aud": audience}, endpoint_audiences(OLD, (ISSUER,), "/par")

    if is_taken:
        assert check_claims(claims, client_id="parking", issuer=ISSUER, now=NOW, endpoints=endpoints)
    else:
        with pytest.raises(EndpointError, match="aud is not"):
            check_claims(claims, client_id="parking", issuer=ISSUER, now=NOW, endpoints=endpoints)


@pytest.mark.rule("OID-4")
@pytest.mark.parametrize(
    "registered, profile, expected",
    [
        (None, None, ("ES256", "RS256", "PS256", "EdDSA")),
        ("RS256", None, ("RS256",)),
        ("HS256", None, ()),
        ("none", None, ()),
        (None, Profile.FAPI2, ("ES256", "PS256", "EdDSA")),
        ("PS256", Profile.FAPI2, ("PS256",)),
        ("RS256", Profile.FAPI2, ()),
    ],
)
def test_algorithm_is_the_registered_one_within_what_the_profile_has(
    registered: str | None, profile: Profile | None, expected: tuple[str, ...]
) -> None:
    """A registration narrows, and never widens."""
    client = Client("parking", "Parking", authentication_signing_alg=registered, profile=profile)

    assert algorithms(client) == expected
