"""requests-oauth2client, for pushed and signed requests, DPoP, devices and resources, against a started provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from jwskate import Jwk
from requests import HTTPError
from requests_oauth2client import (
    ApiClient,
    BearerToken,
    ClientSecretBasic,
    ClientSecretJwt,
    DPoPToken,
    InvalidGrant,
    OAuth2Client,
    PrivateKeyJwt,
    PublicApp,
)

from tests.support.started import CALLBACK

if TYPE_CHECKING:
    from collections.abc import Iterator

    from requests.auth import AuthBase

    from tests.support.started import Started

pytestmark = pytest.mark.rule("OID-1", "OID-4")
SCOPE = "openid email offline_access"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@pytest.fixture(scope="module")
def demanding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """A provider that demands a nonce of its own in each proof of possession."""
    from tests.support.started import started_provider

    with started_provider(tmp_path_factory.mktemp("demanding"), dpop={"require_nonce": True}) as running:
        yield running


def a_key() -> Jwk:
    """Make a signing key with a name."""
    return Jwk.generate_for_alg("ES256").with_kid_thumbprint()


def public(key: Jwk) -> dict[str, Any]:
    """Write the JWK Set that is registered for a key."""
    return {"keys": [{**key.public_jwk().to_dict(), "use": "sig"}]}


def a_party(started: Started, auth: AuthBase, **how: Any) -> OAuth2Client:
    """Configure the library from the discovery document; `testing` is its word for plain http."""
    return OAuth2Client.from_discovery_endpoint(
        issuer=started.issuer,
        auth=auth,
        redirect_uri=CALLBACK,
        id_token_signed_response_alg="ES256",
        testing=True,
        **how,
    )


def signed_in(started: Started, party: OAuth2Client, request: Any, *, pushed: bool = False) -> BearerToken:
    """Let the library sign somebody new in, its request pushed or not; gives the checked tokens."""
    sent = party.pushed_authorization_request(request) if pushed else request
    answer = request.validate_callback(f"{CALLBACK}?{urlencode(started.visit(sent.uri))}")
    # With a key, the library (1.8.0) forgets it while it checks the ID token: the test does, below.
    return party.authorization_code(answer, validate=request.dpop_key is None)


def is_genuine(started: Started, party: OAuth2Client, tokens: BearerToken) -> bool:
    """Check an ID token as the library does for tokens without a key: signature, issuer, audience."""
    token = tokens.id_token
    signed = token.verify_signature(party.authorization_server_jwks, alg="ES256")
    return bool(signed and token.issuer == started.issuer and party.client_id in token.audiences)


def test_requests_oauth2client_client_secret_jwt_proves_the_service(started: Started) -> None:
    """Code flow, introspection and revocation, each proven by an HMAC with the secret."""
    registered = started.register(authentication_method="client_secret_jwt")
    auth = ClientSecretJwt(registered.client_id, registered.secret, aud=started.issuer)
    party = a_party(started, auth)

    tokens = signed_in(started, party, party.authorization_request(scope=SCOPE))
    alive = party.introspect_token(tokens.access_token)
    party.revoke_refresh_token(tokens)
    dead = party.introspect_token(tokens.access_token)

    assert alive["active"] is True
    assert dead == {"active": False}


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9126", "2", "MUST")
def test_requests_oauth2client_pushed_request_is_answered(started: Started) -> None:
    """PAR with a secret, for a service that must push: the browser carries a request_uri alone."""
    registered = started.register(require_pushed_requests=True)
    party = a_party(started, ClientSecretBasic(registered.client_id, registered.secret))
    request = party.authorization_request(scope=SCOPE)

    tokens = signed_in(started, party, request, pushed=True)

    assert party.userinfo(tokens)["email"].endswith("@example.org")


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9101", "4", "MUST")
def test_requests_oauth2client_signed_request_is_answered(started: Started) -> None:
    """JAR by value: every parameter comes from the request object."""
    key = a_key()
    registered = started.register(
        authentication_method="private_key_jwt", jwks=public(key), require_signed_requests=True
    )
    party = a_party(started, PrivateKeyJwt(registered.client_id, key, aud=started.issuer))
    request = party.authorization_request(scope=SCOPE, iss=registered.client_id, aud=started.issuer)

    address = request.sign(key, lifetime=60).uri
    answer = request.validate_callback(f"{CALLBACK}?{urlencode(started.visit(address))}")
    tokens = party.authorization_code(answer, validate=True)

    assert "scope" not in address
    assert party.userinfo(tokens)["sub"] == tokens.id_token.sub


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "5", "MUST")
def test_requests_oauth2client_dpop_binds_every_token(started: Started) -> None:
    """DPoP for a public client: UserInfo and refresh work with proofs by the key, and not without."""
    registered = started.register(authentication_method="none", dpop_bound_access_tokens=True)
    party = a_party(started, PublicApp(registered.client_id), dpop_bound_access_tokens=True)

    tokens = signed_in(started, party, party.authorization_request(scope=SCOPE, dpop=True))
    told = party.userinfo(tokens)
    again = party.refresh_token(tokens, dpop_key=tokens.dpop_key)

    assert isinstance(tokens, DPoPToken)
    assert is_genuine(started, party, tokens)
    assert told["sub"] == tokens.id_token.sub
    assert party.userinfo(again)["sub"] == told["sub"]
    with pytest.raises(HTTPError):
        party.userinfo(BearerToken(again.access_token))


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9449", "8", "MUST")
def test_requests_oauth2client_dpop_nonce_is_taken_over(demanding: Started) -> None:
    """DPoP with nonces: the library repeats its requests with ours, at the token endpoint and at UserInfo."""
    registered = demanding.register(dpop_bound_access_tokens=True)
    auth = ClientSecretBasic(registered.client_id, registered.secret)
    party = a_party(demanding, auth, dpop_bound_access_tokens=True)

    tokens = signed_in(demanding, party, party.authorization_request(scope=SCOPE, dpop=True))
    told = ApiClient(party.userinfo_endpoint, auth=tokens).get().json()

    assert told["sub"] == tokens.id_token.sub
    assert tokens.dpop_key.as_nonce
    assert tokens.dpop_key.rs_nonce


@pytest.mark.rule("OID-5", "OID-8")
@pytest.mark.spec("FAPI 2.0 Security Profile", "5.3.2", "MUST")
def test_requests_oauth2client_fapi2_profile_is_kept(started: Started) -> None:
    """FAPI 2.0: private_key_jwt, PAR, PKCE and DPoP together, and refresh without rotation."""
    key = a_key()
    registered = started.register(
        authentication_method="private_key_jwt",
        jwks=public(key),
        profile="fapi2",
        dpop_bound_access_tokens=True,
    )
    auth = PrivateKeyJwt(registered.client_id, key, aud=started.issuer)
    party = a_party(started, auth, dpop_bound_access_tokens=True)

    request = party.authorization_request(scope=SCOPE, dpop=True)
    tokens = signed_in(started, party, request, pushed=True)
    again = party.refresh_token(tokens, dpop_key=tokens.dpop_key)

    assert party.userinfo(again)["sub"] == tokens.id_token.sub
    assert again.refresh_token in {None, tokens.refresh_token}


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "3.1", "MUST")
def test_requests_oauth2client_device_flow_gives_tokens(started: Started) -> None:
    """Device flow: the person types the code on a page, signs in and allows; the device then has its tokens."""
    registered = started.register(
        authentication_method="none",
        grant_types=[DEVICE, "refresh_token"],
        response_types=[],
        redirect_uris=[],
    )
    endpoint = started.discovery()["device_authorization_endpoint"]
    party = a_party(started, PublicApp(registered.client_id), device_authorization_endpoint=endpoint)

    waiting = party.authorize_device(scope=SCOPE)
    started.browser().go_through(waiting.verification_uri_complete, started.a_person())
    tokens = party.device_code(waiting)

    assert party.userinfo(tokens)["email"].endswith("@example.org")
    with pytest.raises(InvalidGrant):
        party.device_code(waiting)


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 8707", "2", "MUST")
@pytest.mark.spec("RFC 9068", "2.2", "MUST")
def test_requests_oauth2client_resource_names_the_audience(started: Started) -> None:
    """Resource indicator with client credentials: a JWT access token for that API alone, which it may introspect."""
    api = "https://api.example.org/"
    server = started.register(
        resource_identifier=api,
        grant_types=["client_credentials"],
        response_types=[],
        redirect_uris=[],
        scopes=[],
        claims=[],
    )
    registered = started.register(
        resources=[api],
        grant_types=["client_credentials"],
        response_types=[],
        redirect_uris=[],
        scopes=[],
        claims=[],
    )
    party = a_party(started, ClientSecretBasic(registered.client_id, registered.secret))

    tokens = party.client_credentials(resource=api)
    told = a_party(started, ClientSecretBasic(server.client_id, server.secret)).introspect_token(
        tokens.access_token
    )

    assert tokens.access_token_jwt.headers["typ"] == "at+jwt"
    assert tokens.access_token_jwt.audiences == [api]
    assert told["active"] is True
    assert told["client_id"] == registered.client_id
