"""RFC 9068: JWT access tokens, and what keeps them from passing for anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

from idp.crypto.jwt import unverified_header, verified_claims
from idp.storage.models import tokens as stored
from tests.support.dpop import a_code
from tests.support.provider import ISSUER

if TYPE_CHECKING:
    from tests.support.provider import Provider, Service

API, OTHER_API = "https://api.example.org", "https://other.example.org/v1"
OFFLINE = "openid email offline_access"


@pytest.fixture
def service(lasting_provider: Provider) -> Service:
    """A client that may ask for two APIs."""
    return lasting_provider.a_client(resources=(API, OTHER_API))


def a_token(provider: Provider, service: Service, scope: str = "openid api", resource: str = API) -> Any:
    """Get the answer of /token for an API."""
    return provider.redeem(service, a_code(provider, service, scope=scope, resource=resource)).json


def claims_of(provider: Provider, token: str) -> dict[str, Any]:
    """Verify a token as an API does."""
    return verified_claims(token, provider.context.keys.keyring().public_keys())


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9068", "2.1", "MUST")
def test_header_says_that_it_is_an_access_token(lasting_provider: Provider, service: Service) -> None:
    """Signed with a key of the JWK Set, of type at+jwt, never `none`."""
    header = unverified_header(a_token(lasting_provider, service)["access_token"])

    published = {key["kid"] for key in lasting_provider.context.keys.keyring().jwks()["keys"]}
    assert (header["typ"], header["alg"]) == ("at+jwt", "ES256")
    assert header["kid"] in published


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 9068", "2.2", "REQUIRED")
def test_claims_say_whose_for_whom_and_how_long(lasting_provider: Provider, service: Service) -> None:
    """All that are required, and how the person signed in; nothing about the person."""
    body = a_token(lasting_provider, service, "openid email api")

    claims = claims_of(lasting_provider, body["access_token"])
    id_claims = claims_of(lasting_provider, body["id_token"])
    now = int(lasting_provider.clock().timestamp())
    assert claims.pop("jti")
    assert claims == {
        "iss": ISSUER,
        "sub": id_claims["sub"],
        "aud": API,
        "client_id": service.client_id,
        "scope": "api email openid",
        "iat": now,
        "exp": now + 300,
        "auth_time": id_claims["auth_time"],
        "acr": id_claims["acr"],
        "amr": ["pwd"],
    }


@pytest.mark.spec("RFC 9068", "2.2", "REQUIRED")
def test_name_of_each_token_is_its_own(lasting_provider: Provider, service: Service) -> None:
    """Two of one second are two."""
    body = a_token(lasting_provider, service, OFFLINE)

    again = lasting_provider.refresh(service, body["refresh_token"]).json

    names = {claims_of(lasting_provider, one["access_token"])["jti"] for one in (body, again)}
    assert len(names) == 2


@pytest.mark.spec("RFC 9068", "2.2", "REQUIRED")
def test_token_of_a_service_itself_speaks_of_no_login(lasting_provider: Provider, service: Service) -> None:
    """Its subject is the client, which is no person's."""
    answer = lasting_provider.post("/token", service, grant_type="client_credentials", resource=API)

    claims = claims_of(lasting_provider, answer.json["access_token"])
    assert claims["sub"] == claims["client_id"] == service.client_id
    assert not {"auth_time", "acr", "amr"} & claims.keys()


@pytest.mark.spec("RFC 9068", "4", "MUST")
def test_token_for_an_api_opens_nothing_of_ours(lasting_provider: Provider, service: Service) -> None:
    """Not UserInfo, and its name or its body is no token either."""
    token = a_token(lasting_provider, service)["access_token"]
    name = claims_of(lasting_provider, token)["jti"]

    answers = [lasting_provider.userinfo(one) for one in (token, name, f"at+jwt {name}")]

    assert [answer.status_code for answer in answers] == [401] * 3
    assert all(answer.json["error"] == "invalid_token" for answer in answers)
    assert lasting_provider.introspect(service, name) == {"active": False}
    assert lasting_provider.introspect(service, f"at+jwt {name}") == {"active": False}


@pytest.mark.rule("OID-5")
@pytest.mark.spec("RFC 8707", "3", "MUST")
def test_opaque_token_that_is_stored_for_an_api_opens_no_userinfo(
    lasting_provider: Provider, service: Service
) -> None:
    """Whatever its form: what counts is for whom it was made."""
    token = lasting_provider.tokens(lasting_provider.signed_in(), service)["access_token"]
    with lasting_provider.context.database.write() as connection:
        connection.execute(
            stored.update().where(stored.c.client_id == service.client_id).values(audience=[API])
        )

    assert lasting_provider.userinfo(token).json["error"] == "invalid_token"


@pytest.mark.rule("CON-4")
@pytest.mark.spec("RFC 7009", "2.1", "MUST")
def test_revoked_or_withdrawn_token_is_dead_at_once_for_who_asks(
    lasting_provider: Provider, service: Service
) -> None:
    """Its row decides, whatever its signature says."""
    body = a_token(lasting_provider, service, OFFLINE)
    alone = body["access_token"]
    alive = lasting_provider.introspect(service, alone)["active"]

    lasting_provider.post("/revoke", service, token=alone)
    with_family = lasting_provider.refresh(service, body["refresh_token"]).json["access_token"]
    still = lasting_provider.introspect(service, with_family)["active"]
    lasting_provider.post("/revoke", service, token=body["refresh_token"])

    assert (alive, still) == (True, True)
    assert lasting_provider.introspect(service, alone) == {"active": False}
    assert lasting_provider.introspect(service, with_family) == {"active": False}


@pytest.mark.spec("RFC 9068", "4", "MUST")
def test_token_that_is_altered_or_of_another_kind_is_nothing(
    lasting_provider: Provider, service: Service
) -> None:
    """Another signature, another type, no signature; revoking them changes nothing."""
    body = a_token(lasting_provider, service, OFFLINE)
    token = body["access_token"]
    head, claims, signature = token.split(".")
    unsigned = jwt.encode(claims_of(lasting_provider, token), "", "none", headers={"typ": "at+jwt"})
    forged = [
        f"{head}.{claims}.{signature[:-4]}AAAA",
        f"{body['id_token'].split('.')[0]}.{claims}.{signature}",
        body["id_token"],
        unsigned,
        f"{head}.{claims}",
        head + "." + "a" * 7_000 + "." + signature,
    ]

    about = [lasting_provider.introspect(service, one) for one in forged]
    revoked = [lasting_provider.post("/revoke", service, token=one).status_code for one in forged]

    assert about == [{"active": False}] * len(forged)
    assert revoked == [200] * len(forged)
    assert lasting_provider.introspect(service, token)["active"] is True


@pytest.mark.spec("RFC 7009", "2.1", "MUST")
def test_token_of_another_client_is_not_revoked(lasting_provider: Provider, service: Service) -> None:
    """Though anybody can read whose it is."""
    token = a_token(lasting_provider, service)["access_token"]

    lasting_provider.post("/revoke", lasting_provider.a_client(), token=token)

    assert lasting_provider.introspect(service, token)["active"] is True
