"""Laws of DPoP proofs: whatever they hold they are taken or refused, and one address has one form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.tokens.dpop import SKEW, Expected, check_claims, normalised, public_jwk

# The machine may be busy with other tests; what is tried is quick.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AGE = timedelta(seconds=60)
ADDRESS = "https://compte.example.org/token"
EXPECTED = Expected("POST", (ADDRESS,), "token", NOW, AGE)
HEADER = {"typ": "dpop+jwt", "alg": "ES256", "jwk": {"kty": "EC"}}
CLAIMS = {"jti": "j", "htm": "POST", "htu": ADDRESS, "iat": NOW.timestamp(), "nonce": "n"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ADDRESSES = st.one_of(
    st.text(),
    st.text(st.characters(min_codepoint=33, max_codepoint=126)).map(lambda path: f"https://a.example/{path}"),
    st.from_regex(r"\Ahttps?://[A-Za-z0-9.%\[\]:@-]{1,20}(/[A-Za-z0-9.%~_-]{0,6}){0,4}\Z"),
)


@pytest.mark.rule("OID-5")
@PATIENT
@given(st.dictionaries(st.sampled_from([*HEADER, "crit", "kid"]), JSON))
def test_header_is_read_or_refused_whatever_it_holds(changes: dict[str, Any]) -> None:
    """One refusal, and no other exception."""
    code = None
    try:
        jwk = public_jwk(HEADER | changes)
    except EndpointError as error:
        code = error.code
    else:
        assert isinstance(jwk, dict)

    assert code in {None, ErrorCode.INVALID_DPOP_PROOF}


@pytest.mark.rule("OID-5")
@PATIENT
@given(st.dictionaries(st.sampled_from([*CLAIMS, "ath", "exp"]), JSON))
def test_claims_are_taken_or_refused_whatever_they_hold(changes: dict[str, Any]) -> None:
    """What is taken can be remembered: a short name, until the proof can serve no more."""
    code = None
    try:
        use = check_claims(CLAIMS | changes, EXPECTED)
    except EndpointError as error:
        code = error.code
    else:
        assert 0 < len(use.jti.encode()) <= 4 * 255
        assert NOW <= use.expires_at <= NOW + AGE + 2 * SKEW

    assert code in {None, ErrorCode.INVALID_DPOP_PROOF}


@pytest.mark.rule("OID-5")
@PATIENT
@given(ADDRESSES)
def test_normal_form_of_an_address_is_its_own(address: str) -> None:
    """Normalising twice changes nothing more; what has no normal form is no address."""
    once = normalised(address)

    if once is not None:
        assert normalised(once) == once
        assert "?" not in once
        assert "#" not in once
