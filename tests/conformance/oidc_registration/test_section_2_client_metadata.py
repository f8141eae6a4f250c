"""OIDC Registration 2: what a client may say of itself, and what holds when it doesn't."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from idp.domain.client import Client
from idp.storage.repositories import clients
from tests.support.registration import (
    CALLBACK,
    EC_KEY,
    RSA_KEY,
    Registrar,
    a_lasting_registrar,
    a_registrar,
    metadata,
)

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.databases import Databases

pytestmark = pytest.mark.rule("OID-7")


@pytest.fixture(scope="module")
def registrar(databases: Databases) -> Iterator[Registrar]:
    """A provider that takes every response type."""
    with a_lasting_registrar(databases) as lasting:
        yield lasting


def stored(registrar: Registrar, client: dict[str, Any]) -> Client:
    """Read a client as it is kept."""
    with registrar.provider.context.database.read() as connection:
        found = clients.by_id(connection, client["client_id"])
    assert found is not None
    return found


@pytest.mark.spec("OIDC Registration", "2", "OPTIONAL")
def test_defaults_are_those_of_the_standard(registrar: Registrar) -> None:
    """RS256 and client_secret_basic, whatever an administrator's defaults are; pairwise is ours."""
    client = registrar.register()

    expected = {
        "application_type": "web",
        "response_types": ["code"],
        "grant_types": ["authorization_code"],
        "id_token_signed_response_alg": "RS256",
        "authorization_signed_response_alg": "RS256",
        "token_endpoint_auth_method": "client_secret_basic",
        "require_auth_time": False,
        "subject_type": "pairwise",
    }
    assert {name: client[name] for name in expected} == expected
    assert "userinfo_signed_response_alg" not in client


@pytest.mark.spec("OIDC Registration", "2", "OPTIONAL")
def test_every_member_is_kept_as_it_was_sent(registrar: Registrar) -> None:
    """What is registered is what was asked for; each extension has its names."""
    sent = {
        "application_type": "web",
        "client_uri": "https://app.example.org/",
        "policy_uri": "https://app.example.org/privacy",
        "tos_uri": "https://app.example.org/terms",
        "contacts": ["dsi@example.org"],
        "initiate_login_uri": "https://app.example.org/login",
        "post_logout_redirect_uris": ["https://app.example.org/bye"],
        "jwks": {"keys": [EC_KEY, RSA_KEY | {"use": "enc"}]},
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "subject_type": "public",
        "id_token_signed_response_alg": "ES256",
        "id_token_encrypted_response_alg": "RSA-OAEP-256",
        "id_token_encrypted_response_enc": "A256GCM",
        "userinfo_signed_response_alg": "RS256",
        "userinfo_encrypted_response_alg": "RSA-OAEP",
        "userinfo_encrypted_response_enc": "A128CBC-HS256",
        "request_object_signing_alg": "PS256",
        "request_object_encryption_alg": "ECDH-ES",
        "request_object_encryption_enc": "A128GCM",
        "default_max_age": 0,
        "require_auth_time": True,
        "default_acr_values": ["eidas1"],
        "request_uris": ["https://app.example.org/request.jwt#k9dQ_2"],
        "backchannel_logout_uri": "https://app.example.org/back",
        "backchannel_logout_session_required": True,
        "frontchannel_logout_uri": "https://app.example.org/front",
        "frontchannel_logout_session_required": True,
        "require_pushed_authorization_requests": True,
        "require_signed_request_object": True,
        "dpop_bound_access_tokens": True,
        "authorization_signed_response_alg": "ES256",
        "introspection_signed_response_alg": "ES256",
        "grant_types": ["authorization_code", "refresh_token"],
    }

    client = registrar.register(**sent)

    assert {name: client.get(name) for name in sent} == sent


@pytest.mark.spec("OIDC Registration", "2", "OPTIONAL")
def test_content_encryption_has_a_default(registrar: Registrar) -> None:
    """A128CBC-HS256, when only the algorithm of the key is named."""
    client = registrar.register(jwks={"keys": [RSA_KEY]}, userinfo_encrypted_response_alg="RSA-OAEP")

    assert client["userinfo_encrypted_response_enc"] == "A128CBC-HS256"


@pytest.mark.spec("OIDC Registration", "2", "MUST")
@pytest.mark.parametrize(
    "given, grants",
    [
        ("id_token", ["implicit"]),
        ("token id_token", ["implicit"]),
        ("code id_token", ["authorization_code", "implicit"]),
        ("code token", ["authorization_code", "implicit"]),
        ("token code id_token", ["authorization_code", "implicit"]),
    ],
)
def test_response_types_take_the_grants_that_go_with_them(
    registrar: Registrar, given: str, grants: list[str]
) -> None:
    """With the grants of the table it passes, in any order of words; with others it doesn't."""
    right = registrar.register(response_types=[given], grant_types=grants)
    implied = registrar.register(response_types=[given])
    wrong = registrar.send(metadata(response_types=[given], grant_types=["authorization_code"]))

    assert right["response_types"] == [" ".join(sorted(given.split()))]
    assert implied["grant_types"] == grants
    assert (wrong.json or {})["error"] == "invalid_client_metadata"


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 9700", "2.1.2", "SHOULD NOT")
def test_tokens_in_the_answer_are_off_unless_an_administrator_says(
    database: Database, clock: SettableClock
) -> None:
    """Such response types are legacy."""
    registrar = a_registrar(database, clock)

    for response_type in ("id_token", "code id_token", "code token"):
        answer = registrar.send(metadata(response_types=[response_type]))
        assert (answer.json or {})["error"] == "invalid_client_metadata"


@pytest.mark.spec("OIDC Registration", "2", "MUST")
@pytest.mark.parametrize(
    "application_type, uri, passes",
    [
        ("web", "https://app.example.org/cb", True),
        ("web", "https://localhost/cb", False),
        ("web", "http://localhost/cb", False),
        ("web", "http://127.0.0.1/cb", False),
        ("native", "http://localhost/cb", True),
        ("native", "http://127.0.0.1:9/cb", True),
        ("native", "com.example.app:/cb", False),
        ("native", "https://app.example.org/cb", False),
    ],
)
def test_redirect_uris_of_the_implicit_grant_are_https(
    registrar: Registrar, application_type: str, uri: str, *, passes: bool
) -> None:
    """For the web https and not localhost; for an app this very machine alone, for its token is in the address."""
    answer = registrar.send(
        metadata(
            application_type=application_type,
            redirect_uris=[uri],
            response_types=["id_token"],
            token_endpoint_auth_method="none",
        )
    )

    assert answer.status_code == (201 if passes else 400), answer.text
    assert passes or (answer.json or {})["error"] == "invalid_redirect_uri"


@pytest.mark.spec("OIDC Registration", "2", "MUST")
@pytest.mark.parametrize(
    "uri, passes",
    [
        ("com.example.app:/cb", True),
        ("http://localhost:7000/cb", True),
        ("http://[::1]/cb", True),
        ("https://app.example.org/cb", False),
        ("http://app.example.org/cb", False),
        ("myapp:/cb", False),
    ],
)
def test_redirect_uris_of_a_native_application_are_its_own(
    registrar: Registrar, uri: str, *, passes: bool
) -> None:
    """A private-use scheme, or http on this very machine."""
    answer = registrar.send(
        metadata(application_type="native", redirect_uris=[uri], token_endpoint_auth_method="none")
    )

    assert answer.status_code == (201 if passes else 400), answer.text


@pytest.mark.spec("OIDC Registration", "2", "OPTIONAL")
def test_unsigned_request_objects_are_not_what_is_registered(registrar: Registrar) -> None:
    """`none` becomes the default, any signature that we know: no unsigned request is ever taken."""
    assert "request_object_signing_alg" not in registrar.register(request_object_signing_alg="none")


@pytest.mark.rule("CON-2")
@pytest.mark.spec("OIDC Registration", "2", "OPTIONAL")
def test_claims_are_each_at_the_persons_choice(registrar: Registrar) -> None:
    """No contract says why such a client needs anything: all is optional, with a neutral reason in two languages."""
    client = stored(registrar, registrar.register())

    assert {use.name for use in client.claims} >= {"email", "birthdate", "birthplace", "updated_at", "locale"}
    assert not any(use.required for use in client.claims)
    assert all(set(use.reason) == {"fr", "en"} for use in client.claims)


@pytest.mark.rule("OID-1")
@pytest.mark.spec("RFC 9700", "2.1.1", "MUST")
@pytest.mark.parametrize("demanded", [True, False])
def test_proof_key_is_demanded_as_the_administrator_says(
    database: Database, clock: SettableClock, *, demanded: bool
) -> None:
    """Of a client with a secret; one without always needs it."""
    registrar = a_registrar(database, clock, require_pkce=demanded)

    assert stored(registrar, registrar.register()).require_pkce is demanded
    assert stored(registrar, registrar.register(token_endpoint_auth_method="none")).require_pkce


@pytest.mark.rule("OID-4")
@pytest.mark.spec("RFC 8705", "2.1.2", "MUST")
def test_client_of_mutual_tls_names_its_certificate_once(database: Database, clock: SettableClock) -> None:
    """Where mutual TLS is on, by exactly one of five names."""
    provider = a_registrar(database, clock).provider
    assert not provider.context.mutual_tls.is_on
    registrar = Registrar(with_mutual_tls(database, clock))
    method = {"token_endpoint_auth_method": "tls_client_auth"}

    named = registrar.register(**method, tls_client_auth_san_dns="app.example.org")
    self_signed = registrar.register(
        token_endpoint_auth_method="self_signed_tls_client_auth", jwks={"keys": [RSA_KEY]}
    )

    assert named["tls_client_auth_san_dns"] == "app.example.org"
    assert "client_secret" not in named | self_signed
    assert registrar.send(metadata(**method)).status_code == 400
    twice = metadata(**method, tls_client_auth_san_dns="a", tls_client_auth_subject_dn="CN=a")
    assert registrar.send(twice).status_code == 400


@pytest.mark.spec("OIDC Registration", "2", "REQUIRED")
def test_callback_is_matched_as_it_was_registered(registrar: Registrar) -> None:
    """Letter by letter, duplicates once."""
    assert registrar.register(redirect_uris=[CALLBACK, CALLBACK])["redirect_uris"] == [CALLBACK]


def with_mutual_tls(database: Database, clock: SettableClock) -> Any:
    """Build a provider behind a proxy that hands certificates over."""
    from tests.support.provider import a_provider

    return a_provider(
        database,
        clock,
        server={"trusted_proxies": ["192.0.2.1/32"]},
        registration={"mode": "open"},
        mutual_tls={"certificate_header": "X-Client-Cert", "verified_by_proxy": True},
    )
