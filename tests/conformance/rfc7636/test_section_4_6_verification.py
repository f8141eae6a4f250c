"""RFC 7636 sections 4.1, 4.2, 4.4.1 and 4.6, and its appendix B."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.pkce import challenge_of, verify
from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import EndpointError, ErrorCode
from tests.support.authorization_requests import CHALLENGE, VERIFIER, read


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 7636", "4.6", "MUST")
@pytest.mark.parametrize(
    "verifier",
    [
        None,
        "",
        VERIFIER[:-1],
        VERIFIER + "A",
        VERIFIER + "\n",
        VERIFIER.swapcase(),
        CHALLENGE,
        "a" * 42,
        "a" * 129,
        "é" * 43,
        "a" * 42 + "+",
        "a" * 42 + " ",
    ],
    ids=[
        "absent",
        "empty",
        "one short",
        "one long",
        "newline",
        "other case",
        "the challenge itself (plain)",
        "too short",
        "too long",
        "not ASCII",
        "plus",
        "space",
    ],
)
def test_verifier_of_somebody_else_is_refused(verifier: str | None) -> None:
    """If the values are not equal, an error response indicating invalid_grant must be returned."""
    with pytest.raises(EndpointError) as caught:
        verify(verifier, CHALLENGE)

    assert caught.value.code is ErrorCode.INVALID_GRANT


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 9700", "4.8.2", "MUST")
def test_verifier_for_code_without_challenge_is_refused() -> None:
    """Who removed the challenge from the request is found out (downgrade)."""
    with pytest.raises(EndpointError) as caught:
        verify(VERIFIER, None)

    assert caught.value.code is ErrorCode.INVALID_GRANT


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 7636", "4.4.1", "MUST")
@pytest.mark.parametrize("method", [None, "plain", "s256", "S512", "S256 "])
def test_challenge_by_another_method_is_refused(method: str | None) -> None:
    """S256 only: an absent method would mean plain."""
    with pytest.raises(RedirectedError) as caught:
        read(code_challenge_method=method)

    assert caught.value.code is ErrorCode.INVALID_REQUEST


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 7636", "B", "REQUIRED")
def test_example_of_the_standard_verifies() -> None:
    """The verifier of appendix B has the challenge of appendix B."""
    assert challenge_of(VERIFIER) == CHALLENGE

    verify(VERIFIER, CHALLENGE)


@pytest.mark.spec("RFC 7636", "4.1", "REQUIRED")
@pytest.mark.parametrize("verifier", ["a" * 43, "~" * 128, "A-z.0_9~" * 8])
def test_verifier_of_each_allowed_form_verifies(verifier: str) -> None:
    """43 to 128 unreserved characters."""
    verify(verifier, challenge_of(verifier))


@pytest.mark.spec("RFC 9700", "2.1.1", "MAY")
def test_code_without_challenge_needs_no_verifier() -> None:
    """A confidential client that was opted out redeems its code by its secret alone."""
    verify(None, None)
