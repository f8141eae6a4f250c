"""OIDC Discovery 3: what the provider says of itself."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from authlib.oidc.discovery import OpenIDProviderMetadata

from idp.protocol.authorization.request import parse
from idp.protocol.clients.metadata import problems
from idp.protocol.metadata import ENDPOINTS, ProviderFacts, provider_metadata
from tests.support.authorization_requests import ISSUER, NOW, PARKING, a_client, parameters, read

FACTS = ProviderFacts(ISSUER, ("ES256", "RS256"), ("ECDH-ES", "RSA-OAEP-256"))
DOCUMENT = provider_metadata(FACTS)
#: Everything that an administrator can switch on.
WHOLE = provider_metadata(
    replace(
        FACTS,
        takes_registrations=True,
        takes_certificates=True,
        certificate_origin="https://mtls.example.org",
    )
)
TLS_METHODS = {"tls_client_auth", "self_signed_tls_client_auth"}


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
    """What is promised is kept, signed where the mode says so."""
    address = read(response_mode=mode).address

    assert (address.signed_for is not None) == mode.endswith("jwt")
    assert mode in {"jwt", address.mode.value, f"{address.mode.value}.jwt"}


@pytest.mark.spec("OIDC Discovery", "3", "REQUIRED")
@pytest.mark.parametrize("response_type", DOCUMENT["response_types_supported"])
def test_each_response_type_of_the_document_is_accepted(response_type: str) -> None:
    """What is promised is kept, for a client that registered it."""
    client = a_client(
        response_types=frozenset(DOCUMENT["response_types_supported"]),
        grant_types=frozenset(DOCUMENT["grant_types_supported"]),
    )

    assert problems(client) == ()
    assert read(client, response_type=response_type).response_type == response_type


@pytest.mark.spec("OIDC Discovery", "3", "OPTIONAL")
@pytest.mark.parametrize("member", ["request_parameter_supported", "request_uri_parameter_supported"])
def test_document_promises_request_objects(member: str) -> None:
    """By value and by reference; a reference must be registered first."""
    assert DOCUMENT[member] is True
    assert DOCUMENT["require_request_uri_registration"] is True


@pytest.mark.spec("RFC 9101", "10.1", "MUST NOT")
def test_document_lists_no_unsigned_request_object() -> None:
    """Neither `none` nor a shared secret vouches for a request."""
    listed = set(DOCUMENT["request_object_signing_alg_values_supported"])

    assert listed == {"ES256", "RS256", "PS256", "EdDSA"}


@pytest.mark.spec("OIDC Discovery", "3", "OPTIONAL")
@pytest.mark.parametrize("kind", ["id_token", "userinfo", "authorization", "introspection"])
def test_document_lists_how_answers_are_encrypted(kind: str) -> None:
    """Each kind of answer can be encrypted to the client that registers for it."""
    assert "RSA-OAEP-256" in DOCUMENT[f"{kind}_encryption_alg_values_supported"]
    assert "RSA1_5" not in DOCUMENT[f"{kind}_encryption_alg_values_supported"]
    assert "A256GCM" in DOCUMENT[f"{kind}_encryption_enc_values_supported"]
    assert DOCUMENT[f"{kind}_signing_alg_values_supported"] == ["ES256", "RS256"]


@pytest.mark.spec("OIDC Discovery", "3", "OPTIONAL")
def test_document_lists_what_request_objects_can_be_encrypted_with() -> None:
    """What we have keys for, and nothing where we have none."""
    without = provider_metadata(replace(FACTS, decryption_algs=()))

    assert DOCUMENT["request_object_encryption_alg_values_supported"] == ["ECDH-ES", "RSA-OAEP-256"]
    assert not [name for name in without if name.startswith("request_object_encryption")]


@pytest.mark.rule("OID-7")
@pytest.mark.spec("OIDC Discovery", "3", "RECOMMENDED")
def test_registration_stands_in_the_document_only_when_it_is_on() -> None:
    """An endpoint that answers nobody is not promised."""
    assert "registration_endpoint" not in DOCUMENT
    assert WHOLE["registration_endpoint"] == f"{ISSUER}/register"


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 8705", "3.3", "OPTIONAL")
def test_mutual_tls_stands_in_the_document_only_when_it_is_on() -> None:
    """Methods, bound tokens and aliases come and go together."""
    methods = "token_endpoint_auth_methods_supported"

    assert TLS_METHODS.isdisjoint(DOCUMENT[methods])
    assert not [name for name in DOCUMENT if name.startswith(("tls_", "mtls_"))]
    assert set(WHOLE[methods]) >= TLS_METHODS
    assert WHOLE["tls_client_certificate_bound_access_tokens"] is True


@pytest.mark.spec("RFC 8705", "5", "OPTIONAL")
def test_aliases_are_the_endpoints_at_the_origin_that_asks_for_certificates() -> None:
    """Every endpoint at which a client proves itself; none where there is no such origin."""
    aliases = WHOLE["mtls_endpoint_aliases"]
    same = provider_metadata(replace(FACTS, takes_certificates=True))

    assert aliases["token_endpoint"] == "https://mtls.example.org/token"
    assert {name: ENDPOINTS[name] for name in aliases} == {
        name: address.removeprefix("https://mtls.example.org") for name, address in aliases.items()
    }
    assert "authorization_endpoint" not in aliases
    assert "mtls_endpoint_aliases" not in same


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "5.1", "OPTIONAL")
def test_document_lists_what_proofs_are_signed_with() -> None:
    """FAPI 2.0's algorithms, and no other."""
    assert DOCUMENT["dpop_signing_alg_values_supported"] == ["ES256", "PS256", "EdDSA"]


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9207", "3", "MUST")
def test_document_says_that_answers_name_their_issuer() -> None:
    """A client that knows it refuses an answer without."""
    assert DOCUMENT["authorization_response_iss_parameter_supported"] is True


@pytest.mark.rule("OID-6")
@pytest.mark.spec("Back-Channel Logout", "2.1", "OPTIONAL")
@pytest.mark.spec("Front-Channel Logout", "3", "OPTIONAL")
@pytest.mark.parametrize("channel", ["backchannel", "frontchannel"])
def test_document_promises_logout_by_both_channels(channel: str) -> None:
    """With the session that ended."""
    assert DOCUMENT[f"{channel}_logout_supported"] is True
    assert DOCUMENT[f"{channel}_logout_session_supported"] is True


@pytest.mark.rule("OID-6")
@pytest.mark.spec("Session Management", "3.3", "REQUIRED")
def test_document_names_the_frame_that_watches_the_session() -> None:
    """`check_session_iframe` is an address of ours."""
    assert DOCUMENT["check_session_iframe"] == f"{ISSUER}/check-session"


@pytest.mark.spec("OIDC Discovery", "3", "OPTIONAL")
def test_assertions_by_secret_are_listed_beside_those_by_key() -> None:
    """client_secret_jwt is HS256; nobody signs with nothing."""
    listed = DOCUMENT["token_endpoint_auth_signing_alg_values_supported"]

    assert "HS256" in listed
    assert "none" not in listed


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
