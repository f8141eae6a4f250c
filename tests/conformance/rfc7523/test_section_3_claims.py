"""RFC 7523 section 3: the claims of a client assertion."""

from __future__ import annotations

import pytest

from idp.protocol.clients.assertion import check_claims
from idp.protocol.errors import EndpointError, ErrorCode
from tests.support.authorization_requests import ISSUER, NOW

SECONDS = int(NOW.timestamp())
GOOD: dict[str, object] = {
    "iss": "parking",
    "sub": "parking",
    "aud": ISSUER,
    "exp": SECONDS + 600,
    "jti": "jti-1",
}


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 7523", "3", "MUST")
@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "other"},
        {"sub": "other"},
        {"iss": "other", "sub": "other"},
        {"aud": "https://other.example.org"},
        {"aud": f"{ISSUER}/token"},
        {"aud": f"{ISSUER}/"},
        {"aud": [ISSUER]},
        {"aud": [ISSUER, "https://other.example.org"]},
        {"exp": SECONDS},
        {"exp": SECONDS - 1},
        {"exp": SECONDS + 601},
        {"nbf": SECONDS + 31},
        {"iat": SECONDS + 31},
    ],
    ids=repr,
)
def test_assertion_for_another_or_of_another_time_is_refused(changes: dict[str, object]) -> None:
    """Issuer and subject are the client, the audience is us alone, and it is for now."""
    with pytest.raises(EndpointError) as caught:
        check_claims({**GOOD, **changes}, client_id="parking", issuer=ISSUER, now=NOW)

    assert caught.value.code is ErrorCode.INVALID_CLIENT


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 7523", "3", "MAY")
@pytest.mark.parametrize(
    "changes",
    [{}, {"nbf": SECONDS + 30}, {"iat": SECONDS + 30}, {"iat": SECONDS - 86_400}, {"exp": SECONDS + 0.5}],
    ids=repr,
)
def test_assertion_within_a_small_skew_is_accepted(changes: dict[str, object]) -> None:
    """Clocks differ by some seconds."""
    assert check_claims({**GOOD, **changes}, client_id="parking", issuer=ISSUER, now=NOW).jti == "jti-1"
