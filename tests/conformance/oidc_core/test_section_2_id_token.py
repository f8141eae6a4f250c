"""OIDC Core 2, 3.1.3.6, 12.2: the ID Token."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from idp.protocol.claims.standard import PROTOCOL_CLAIMS
from idp.protocol.tokens.id_token import IDTokenFacts, half_hash, id_token_claims
from tests.support.authorization_requests import ISSUER, NOW

SECONDS = int(NOW.timestamp())
LIFETIME = timedelta(minutes=5)
FACTS = IDTokenFacts(
    issuer=ISSUER,
    client_id="parking",
    subject="sub-1",
    alg="ES256",
    auth_time=SECONDS - 3600,
    acr="eidas1",
    amr=("fc",),
    nonce="n-1",
    sid="sid-1",
)


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "2", "REQUIRED")
def test_attribute_named_as_a_protocol_claim_does_not_override_it() -> None:
    """No value of a profile can pass for who issued the token, for whom, or until when."""
    hostile = dict.fromkeys(PROTOCOL_CLAIMS, "hostile")

    claims = id_token_claims(replace(FACTS, person=hostile), now=NOW, lifetime=LIFETIME)
    bare = IDTokenFacts(ISSUER, "parking", "sub-1", "ES256", SECONDS, person=hostile)

    assert "hostile" not in claims.values()
    assert "hostile" not in id_token_claims(bare, now=NOW, lifetime=LIFETIME).values()


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "2", "REQUIRED")
def test_id_token_says_who_for_whom_when_and_how() -> None:
    """One audience, as a string; times in seconds; the person's claims beside."""
    facts = replace(FACTS, person={"email": "zoe@example.org"})

    assert id_token_claims(facts, now=NOW, lifetime=LIFETIME) == {
        "iss": ISSUER,
        "sub": "sub-1",
        "aud": "parking",
        "iat": SECONDS,
        "exp": SECONDS + 300,
        "auth_time": SECONDS - 3600,
        "acr": "eidas1",
        "amr": ["fc"],
        "nonce": "n-1",
        "sid": "sid-1",
        "email": "zoe@example.org",
    }


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "2", "MUST")
@pytest.mark.parametrize("nonce", ["x" * 2048, "é🥚", '"}],{\\', "null", "<script>"], ids=len)
def test_nonce_comes_back_unmodified(nonce: str) -> None:
    """Whatever the client sent is what it reads."""
    claims = id_token_claims(replace(FACTS, nonce=nonce), now=NOW, lifetime=LIFETIME)

    assert claims["nonce"] == nonce


@pytest.mark.spec("OIDC Core", "12.2", "SHOULD NOT")
def test_refreshed_id_token_has_no_nonce_and_the_first_auth_time() -> None:
    """A refresh is no login: only the times of the token move."""
    later = NOW + timedelta(hours=1)

    first = id_token_claims(FACTS, now=NOW, lifetime=LIFETIME)
    second = id_token_claims(replace(FACTS, nonce=None), now=later, lifetime=LIFETIME)

    assert {name for name in first if first[name] != second.get(name)} == {"nonce", "iat", "exp"}


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "3.1.3.6", "REQUIRED")
def test_hashes_are_those_of_the_examples_of_the_standard() -> None:
    """The values of OIDC Core appendix A.4 (code id_token token)."""
    code = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk"
    access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"
    facts = replace(FACTS, alg="RS256", code=code, access_token=access_token)

    claims = id_token_claims(facts, now=NOW, lifetime=LIFETIME)

    assert claims["c_hash"] == "LDktKdoQak3Pk0cnXxCltA"
    assert claims["at_hash"] == "77QmUPtjPfzWtF2AnpK9RQ"
    assert half_hash(code, "ES256") == half_hash(code, "RS256") != half_hash(code, "ES384")


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "3.3.2.11", "REQUIRED")
def test_each_value_beside_an_id_token_has_its_hash() -> None:
    """Code, access token and state (FAPI 1.0 part 2, 5.1.1); none for what is not there."""
    facts = replace(FACTS, code="code", access_token="token", state="state")

    claims = id_token_claims(facts, now=NOW, lifetime=LIFETIME)
    bare = id_token_claims(FACTS, now=NOW, lifetime=LIFETIME)

    hashes = {name: claims[name] for name in ("c_hash", "at_hash", "s_hash")}
    assert hashes == {
        "c_hash": half_hash("code", "ES256"),
        "at_hash": half_hash("token", "ES256"),
        "s_hash": half_hash("state", "ES256"),
    }
    assert not hashes.keys() & bare.keys()
