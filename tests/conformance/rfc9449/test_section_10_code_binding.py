"""RFC 9449 section 10: a code that is bound to a key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.dpop import ProofMaker, a_code, redeem

if TYPE_CHECKING:
    from tests.support.provider import Provider

OFFLINE = "openid offline_access"


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "10", "MUST")
@pytest.mark.parametrize("is_public", [True, False], ids=["public", "confidential"])
@pytest.mark.parametrize("by_another", [True, False], ids=["another key", "no proof"])
def test_code_without_the_proof_of_its_key_gives_nothing(
    lasting_provider: Provider, key: ProofMaker, *, by_another: bool, is_public: bool
) -> None:
    """And is used up, like a code with a wrong verifier."""
    service = lasting_provider.a_client(is_public=is_public)
    code = a_code(lasting_provider, service, dpop_jkt=key.jkt)
    proof = ProofMaker(lasting_provider.clock).proof() if by_another else None

    refused = redeem(lasting_provider, service, code, proof)
    late = redeem(lasting_provider, service, code, key.proof())

    assert (refused.status_code, refused.json["error"]) == (400, "invalid_grant")
    assert late.json["error"] == "invalid_grant"


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "10", "MUST")
def test_code_with_the_proof_of_its_key_gives_bound_tokens(
    lasting_provider: Provider, key: ProofMaker
) -> None:
    """From the request to the token, one key."""
    service = lasting_provider.a_client(is_public=True)
    code = a_code(lasting_provider, service, dpop_jkt=key.jkt)

    answer = redeem(lasting_provider, service, code, key.proof())

    assert answer.json["token_type"] == "DPoP"


@pytest.mark.spec("RFC 9449", "10", "MUST")
def test_replay_without_the_key_ends_nothing(lasting_provider: Provider, key: ProofMaker) -> None:
    """Whoever saw code and verifier, and lacks the key, can't sign the person out (D-08)."""
    service = lasting_provider.a_client()
    code = a_code(lasting_provider, service, dpop_jkt=key.jkt, scope=OFFLINE)
    tokens = redeem(lasting_provider, service, code, key.proof()).json

    thief = redeem(lasting_provider, service, code, ProofMaker(lasting_provider.clock).proof())
    alive = lasting_provider.introspect(service, tokens["access_token"])["active"]
    replay = redeem(lasting_provider, service, code, key.proof())
    dead = lasting_provider.introspect(service, tokens["access_token"])

    assert [thief.json["error"], replay.json["error"]] == ["invalid_grant"] * 2
    assert alive is True
    assert dead == {"active": False}
