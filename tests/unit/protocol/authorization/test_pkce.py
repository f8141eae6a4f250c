"""S256, as data and as syntax."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.pkce import is_challenge
from tests.support.authorization_requests import CHALLENGE


@pytest.mark.parametrize(
    "raw",
    [CHALLENGE[:-1], CHALLENGE + "A", CHALLENGE + "\n", CHALLENGE[:-1] + "=", "+" + CHALLENGE[1:], ""],
    ids=["short", "long", "newline", "padding", "plain base64", "empty"],
)
def test_challenge_that_is_no_sha256_is_refused(raw: str) -> None:
    """Only 43 characters of base64url can be a SHA-256."""
    assert not is_challenge(raw)


def test_challenge_of_the_standard_is_accepted() -> None:
    """The challenge of RFC 7636 appendix B is one."""
    assert is_challenge(CHALLENGE)
