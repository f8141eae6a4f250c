"""OIDC IDA 8: what discovery says of verified claims."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from idp.domain.authentication import ACR_PASSWORD
from idp.domain.client import ClaimUse
from idp.protocol.claims.standard import PERSON_CLAIMS
from idp.protocol.metadata import ProviderFacts, provider_metadata
from tests.support.certified import a_certified_account, asked_in, verified
from tests.support.provider import ISSUER

if TYPE_CHECKING:
    from tests.support.provider import Provider

MEMBERS = {
    "verified_claims_supported",
    "trust_frameworks_supported",
    "evidence_supported",
    "electronic_records_supported",
    "claims_in_verified_claims_supported",
}
ON = provider_metadata(ProviderFacts(ISSUER, ("ES256",)))
OFF = provider_metadata(ProviderFacts(ISSUER, ("ES256",), acr_values=(ACR_PASSWORD,)))


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "8", "REQUIRED")
@pytest.mark.parametrize("member", sorted(MEMBERS - {"verified_claims_supported"}))
def test_each_list_has_a_member(member: str) -> None:
    """The lists that are there are not empty, and say each thing once."""
    assert ON[member]
    assert len(set(ON[member])) == len(ON[member])


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "8", "REQUIRED")
def test_what_nobody_can_verify_is_not_announced() -> None:
    """Without FranceConnect there is no such member; the `claims` parameter is there all the same."""
    assert ON.keys() >= MEMBERS
    assert not MEMBERS & OFF.keys()
    assert ON["claims_parameter_supported"] is OFF["claims_parameter_supported"] is True
    assert ON["claim_types_supported"] == ["normal"]


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "8", "SHALL NOT")
def test_claims_that_are_not_announced_are_never_verified(lasting_provider: Provider) -> None:
    """Everything that a contract may name is asked for; only what discovery lists is told, and all of that."""
    everything = [name for name in PERSON_CLAIMS if not name.endswith("_verified")]
    service = lasting_provider.a_client(claims=tuple(ClaimUse(name, {"fr": "x"}) for name in everything))
    browser = lasting_provider.signed_in(a_certified_account(lasting_provider))
    evidence: list[dict[str, Any]] = [
        {"type": {"value": "electronic_record"}, "record": {"type": None, "source": {"name": None}}}
    ]
    claims = asked_in("userinfo", verified(*everything, "place_of_birth", evidence=evidence))

    tokens = lasting_provider.tokens(browser, service, claims=claims)

    found = lasting_provider.userinfo(tokens["access_token"]).json["verified_claims"]
    assert set(found["claims"]) == set(ON["claims_in_verified_claims_supported"])
    assert found["verification"]["trust_framework"] in ON["trust_frameworks_supported"]
    (proof,) = found["verification"]["evidence"]
    assert proof["type"] in ON["evidence_supported"]
    assert proof["record"]["type"] in ON["electronic_records_supported"]


@pytest.mark.rule("FC-6")
@pytest.mark.spec("OIDC IDA", "8", "REQUIRED")
def test_first_claim_announced_is_one_that_everybody_has(lasting_provider: Provider) -> None:
    """Tests of conformance ask for the first one; a birth name is the one thing that every register has."""
    first = ON["claims_in_verified_claims_supported"][0]
    service = lasting_provider.a_client(claims=(ClaimUse(first, {"fr": "x"}),))
    person = a_certified_account(lasting_provider, given_name="", gender="", birthplace="")
    claims = json.dumps({"userinfo": {"verified_claims": verified(first)}})

    tokens = lasting_provider.tokens(lasting_provider.signed_in(person), service, claims=claims)

    assert "verified_claims" in lasting_provider.userinfo(tokens["access_token"]).json
