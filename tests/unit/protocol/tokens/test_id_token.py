"""The payload of an ID Token."""

from __future__ import annotations

from datetime import timedelta

import pytest

from idp.protocol.signature_algorithms import SIGNING_ALGORITHMS
from idp.protocol.tokens.id_token import HASHES, IDTokenFacts, half_hash, id_token_claims
from tests.support.authorization_requests import ISSUER, NOW

FACTS = IDTokenFacts(
    issuer=ISSUER, client_id="parking", subject="sub-1", alg="ES256", auth_time=1_700_000_000
)


def test_claims_without_anything_optional_are_few() -> None:
    """What is not known is not said."""
    claims = id_token_claims(FACTS, now=NOW, lifetime=timedelta(minutes=5))

    assert claims.keys() == {"iss", "sub", "aud", "iat", "exp", "auth_time"}
    assert all(isinstance(claims[name], int) for name in ("iat", "exp", "auth_time"))


def test_every_signing_algorithm_has_its_hash() -> None:
    """A code can't fail for want of an `at_hash`."""
    assert set(SIGNING_ALGORITHMS) <= HASHES.keys()


@pytest.mark.parametrize("alg, length", [("ES256", 22), ("ES384", 32), ("EdDSA", 43)])
def test_half_hash_has_half_the_length_of_its_hash(alg: str, length: int) -> None:
    """SHA-256 gives 16 bytes, SHA-384 24, SHA-512 32."""
    assert len(half_hash("token", alg)) == length
