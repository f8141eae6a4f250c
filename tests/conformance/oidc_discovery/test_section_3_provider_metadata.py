"""OIDC Discovery 3: what the provider says of itself."""

from __future__ import annotations

import json

import pytest
from authlib.oidc.discovery import OpenIDProviderMetadata

from idp.protocol.authorization.request import parse
from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import ErrorCode
from idp.protocol.metadata import ProviderFacts, provider_metadata
from tests.support.authorization_requests import ISSUER, NOW, PARKING, parameters, read

DOCUMENT = provider_metadata(ProviderFacts(ISSUER, ("ES256", "RS256")))


@pytest.mark.rule("OID-2")
@pytest.mark.spec("OIDC Discovery", "3", "REQUIRED")
def test_document_is_valid_to_another_implementation() -> None:
    """Authlib's validator finds nothing missing and nothing of the wrong type."""
    OpenIDProviderMetadata(DOCUMENT).validate()

    assert json.loads(json.dumps(DOCUMENT)) == DOCUMENT


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Discovery", "3", "MUST")
def test_document_lists_rs256() -> None:
    """Every provider signs ID Tokens with RS256 for who asks."""
    assert "RS256" in DOCUMENT["id_token_signing_alg_values_supported"]
    assert "none" not in DOCUMENT["id_token_signing_alg_values_supported"]


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 9700", "2.1.1", "MUST")
def test_document_lists_s256_only() -> None:
    """Clients find out that PKCE is there, and how."""
    assert DOCUMENT["code_challenge_methods_supported"] == ["S256"]


@pytest.mark.spec("OIDC Discovery", "3", "OPTIONAL")
@pytest.mark.parametrize("mode", DOCUMENT["response_modes_supported"])
def test_each_response_mode_of_the_document_is_accepted(mode: str) -> None:
    """What is promised is kept."""
    assert read(response_mode=mode).response_mode.value == mode


@pytest.mark.spec("OIDC Discovery", "3", "REQUIRED")
@pytest.mark.parametrize("response_type", DOCUMENT["response_types_supported"])
def test_each_response_type_of_the_document_is_accepted(response_type: str) -> None:
    """What is promised is kept."""
    assert read(response_type=response_type).response_type == response_type


@pytest.mark.spec("OIDC Discovery", "3", "OPTIONAL")
@pytest.mark.parametrize(
    "member, name, code",
    [
        ("request_parameter_supported", "request", ErrorCode.REQUEST_NOT_SUPPORTED),
        ("request_uri_parameter_supported", "request_uri", ErrorCode.REQUEST_URI_NOT_SUPPORTED),
    ],
)
def test_what_the_document_denies_is_refused(member: str, name: str, code: ErrorCode) -> None:
    """What is not supported is refused by the name of its refusal, not ignored."""
    assert DOCUMENT[member] is False
    with pytest.raises(RedirectedError) as caught:
        read(**{name: "x"})

    assert caught.value.code is code


@pytest.mark.spec("OIDC Discovery", "3", "OPTIONAL")
def test_introspection_is_for_clients_that_authenticate() -> None:
    """A client without a secret may not ask about tokens."""
    assert "none" in DOCUMENT["token_endpoint_auth_methods_supported"]
    assert "none" not in DOCUMENT["introspection_endpoint_auth_methods_supported"]


@pytest.mark.spec("OIDC Discovery", "3", "OPTIONAL")
@pytest.mark.parametrize("prompt", DOCUMENT["prompt_values_supported"])
def test_each_prompt_of_the_document_is_understood(prompt: str) -> None:
    """What is promised is kept."""
    pairs = parameters(prompt=prompt).items()

    request = parse(pairs, {"parking": PARKING}.get, NOW)

    assert {value.value for value in request.prompt} == {prompt}
