"""Authlib's client, `OAuth2Session`, against a started provider."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from tests.support.provider import VERIFIER
from tests.support.started import CALLBACK, Registered

if TYPE_CHECKING:
    from tests.support.started import Started

pytestmark = pytest.mark.rule("OID-1", "OID-4")
SCOPE = "openid email offline_access"
ALGORITHMS = ["ES256", "RS256"]


@pytest.fixture(scope="module")
def metadata(started: Started) -> dict[str, Any]:
    """What a library knows of the provider: its discovery document."""
    return started.discovery()


@pytest.fixture(scope="module")
def service(started: Started) -> Registered:
    """A service with a secret."""
    return started.register()


def session_of(service: Registered, **how: Any) -> OAuth2Session:
    """Open a session of the library for a service."""
    usual = {"scope": SCOPE, "redirect_uri": CALLBACK, "code_challenge_method": "S256"}
    return OAuth2Session(service.client_id, service.secret or None, **(usual | how))


def signed_in(started: Started, session: OAuth2Session, **asked: str) -> dict[str, Any]:
    """Go the whole way with somebody new; gives the answer of the token endpoint."""
    metadata = started.discovery()
    address, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=VERIFIER, nonce="n-1", **asked
    )
    answer = started.visit(address)
    tokens: dict[str, Any] = session.fetch_token(
        metadata["token_endpoint"],
        authorization_response=f"{CALLBACK}?{urlencode(answer)}",
        state=state,
        code_verifier=VERIFIER,
    )
    return tokens


def test_authlib_code_flow_gives_a_valid_id_token_and_claims(
    started: Started, service: Registered, metadata: dict[str, Any]
) -> None:
    """Code flow with PKCE and client_secret_basic: state, ID token and UserInfo hold."""
    with session_of(service) as session:
        tokens = signed_in(started, session)
        keys = KeySet.import_key_set(session.get(metadata["jwks_uri"], withhold_token=True).json())
        claims = jwt.decode(tokens["id_token"], keys, algorithms=ALGORITHMS).claims
        told = session.get(metadata["userinfo_endpoint"]).json()

    assert (claims["iss"], claims["aud"], claims["nonce"]) == (started.issuer, service.client_id, "n-1")
    assert told["sub"] == claims["sub"]
    assert told["email"].endswith("@example.org")


def test_authlib_refresh_gives_a_new_access_token(
    started: Started, service: Registered, metadata: dict[str, Any]
) -> None:
    """`refresh_token` of the session: the new access token opens UserInfo."""
    with session_of(service) as session:
        first = signed_in(started, session)["access_token"]
        second = session.refresh_token(metadata["token_endpoint"])["access_token"]
        told = session.get(metadata["userinfo_endpoint"])

    assert second != first
    assert told.status_code == 200


def test_authlib_revocation_ends_the_tokens(
    started: Started, service: Registered, metadata: dict[str, Any]
) -> None:
    """`revoke_token` of the refresh token: nothing can be done any more."""
    with session_of(service) as session:
        signed_in(started, session)
        answer = session.revoke_token(metadata["revocation_endpoint"], token_type_hint="refresh_token")
        told = session.get(metadata["userinfo_endpoint"])
        with pytest.raises(OAuthError, match="invalid_grant"):
            session.refresh_token(metadata["token_endpoint"])

    assert answer.status_code == 200
    assert told.status_code == 401


def test_authlib_introspection_says_what_a_token_is_worth(
    started: Started, service: Registered, metadata: dict[str, Any]
) -> None:
    """`introspect_token` by the service that holds the token, before and after its end."""
    with session_of(service) as session:
        token = signed_in(started, session)["access_token"]
        alive = session.introspect_token(metadata["introspection_endpoint"], token=token).json()
        session.revoke_token(metadata["revocation_endpoint"], token=token)
        dead = session.introspect_token(metadata["introspection_endpoint"], token=token).json()

    assert alive["active"] is True
    assert alive["client_id"] == service.client_id
    assert dead == {"active": False}


def test_authlib_client_credentials_give_a_token(started: Started, metadata: dict[str, Any]) -> None:
    """`fetch_token` with the grant of client_credentials, secret in the form."""
    service = started.register(
        grant_types=["client_credentials"],
        response_types=[],
        redirect_uris=[],
        claims=[],
        scopes=[],
        authentication_method="client_secret_post",
    )
    with session_of(
        service, scope=None, token_endpoint_auth_method="client_secret_post", redirect_uri=None
    ) as session:
        tokens = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")

    assert tokens["token_type"] == "Bearer"


class FreshAssertion(PrivateKeyJWT):
    """Authlib keeps the `jti` of its first assertion when it is given claims: they are made anew for each."""

    def sign(self, auth: Any, token_endpoint: str) -> str:
        """Sign for a minute; the audience is what the library calls the token endpoint."""
        self.claims = {"exp": int(time.time()) + 60}  # noqa: TID251 - a program of somebody else's
        signed: str = super().sign(auth, token_endpoint)
        return signed


@pytest.mark.parametrize("kind", [ECKey, RSAKey], ids=["ES256", "RS256"])
@pytest.mark.spec("RFC 7523", "2.2", "MUST")
def test_authlib_private_key_jwt_proves_the_service(
    started: Started, metadata: dict[str, Any], kind: type[ECKey | RSAKey]
) -> None:
    """Code flow and refresh with private_key_jwt; the audience is the issuer."""
    key = ECKey.generate_key("P-256") if kind is ECKey else RSAKey.generate_key(2048)
    public = key.as_dict(private=False) | {"kid": "k-1", "use": "sig"}
    registered = started.register(authentication_method="private_key_jwt", jwks={"keys": [public]})
    algorithm = "ES256" if kind is ECKey else "RS256"

    with session_of(registered, token_endpoint_auth_method="private_key_jwt") as session:
        session.client_secret = key
        session.register_client_auth_method(
            FreshAssertion(started.issuer, headers={"kid": "k-1"}, alg=algorithm)
        )
        first = signed_in(started, session)["access_token"]
        second = session.refresh_token(metadata["token_endpoint"])["access_token"]

    assert second != first
