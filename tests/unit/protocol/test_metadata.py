"""The discovery document follows from what is served."""

from __future__ import annotations

from urllib.parse import urlsplit

from idp.protocol.metadata import ENDPOINTS, ProviderFacts, provider_metadata
from tests.support.authorization_requests import ISSUER

FACTS = ProviderFacts(issuer=ISSUER, signing_algs=("ES256", "RS256"))


def test_document_has_each_endpoint_below_the_issuer() -> None:
    """Every endpoint is an address of ours."""
    document = provider_metadata(FACTS)

    assert {urlsplit(document[name]).path for name in ENDPOINTS} == set(ENDPOINTS.values())
    assert all(document[name].startswith(ISSUER + "/") for name in ENDPOINTS)


def test_document_leaves_out_what_is_not_configured() -> None:
    """No member is null."""
    document = provider_metadata(FACTS)

    assert None not in document.values()
    assert "op_policy_uri" not in document


def test_document_names_the_pages_that_are_configured() -> None:
    """Policy, terms and documentation are where the administrator says."""
    facts = ProviderFacts(
        issuer=ISSUER,
        signing_algs=("ES256",),
        policy_uri=f"{ISSUER}/policy",
        tos_uri=f"{ISSUER}/terms",
        service_documentation=f"{ISSUER}/developers",
    )

    document = provider_metadata(facts)

    assert document["op_policy_uri"] == f"{ISSUER}/policy"
    assert document["op_tos_uri"] == f"{ISSUER}/terms"
    assert document["service_documentation"] == f"{ISSUER}/developers"
