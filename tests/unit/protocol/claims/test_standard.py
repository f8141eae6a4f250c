"""Claims of each scope."""

from __future__ import annotations

from idp.protocol.claims.standard import COMPANIONS, PERSON_CLAIMS, PROTOCOL_CLAIMS, claims_of


def test_no_claim_is_listed_twice() -> None:
    """Claims on the person and claims of the protocol do not meet."""
    names = [*PERSON_CLAIMS, *PROTOCOL_CLAIMS]

    assert len(set(names)) == len(names)
    assert set(COMPANIONS) | set(COMPANIONS.values()) <= set(PERSON_CLAIMS)


def test_scopes_without_claims_name_none() -> None:
    """`openid`, `offline_access` and unknown scopes ask nothing of the person."""
    assert claims_of({"openid", "offline_access", "unknown"}) == frozenset()
