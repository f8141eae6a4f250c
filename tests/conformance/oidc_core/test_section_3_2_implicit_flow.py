"""OIDC Core 1.0 sections 3.2 and 3.3: the implicit and hybrid flows, for clients that were allowed them."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from idp.protocol.authorization.response_type import RESPONSE_TYPES
from tests.support.provider import CALLBACK, ISSUER, answer_of, form_of

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

FRONT = tuple(name for name in RESPONSE_TYPES if name != "code")


def a_legacy_client(provider: Provider, **fields: Any) -> Service:
    """Register a client that an administrator allowed every response type."""
    return provider.a_client(response_types=frozenset(RESPONSE_TYPES), **fields)


def claims_of(provider: Provider, token: str, client_id: str) -> dict[str, Any]:
    """Verify an ID Token as its client does."""
    keys = jwt.PyJWKSet.from_dict(provider.back_channel.get("/jwks.json").get_json())
    header = jwt.get_unverified_header(token)
    claims: dict[str, Any] = jwt.decode(
        token,
        key=keys[header["kid"]].key,
        algorithms=["ES256", "RS256"],
        audience=client_id,
        issuer=ISSUER,
        # The clock of the test stands elsewhere.
        options={"verify_exp": False, "verify_iat": False},
    )
    return claims


def half_of_sha256(value: str) -> str:
    """Compute `at_hash` or `c_hash` of a 256-bit algorithm independently (OIDC Core 3.1.3.6)."""
    half = hashlib.sha256(value.encode()).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()


def fragment_of(answer: TestResponse) -> dict[str, str]:
    """Read the answer of a flow whose default mode is the fragment."""
    assert answer.status_code == 303, answer.text
    assert answer.location.startswith(f"{CALLBACK}#")
    return answer_of(answer)


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "3.3.2.5", "MUST")
@pytest.mark.parametrize("response_type", FRONT)
def test_answer_holds_what_was_asked_and_nothing_else(lasting_provider: Provider, response_type: str) -> None:
    """Each word of the response type is one credential in the fragment."""
    service = a_legacy_client(lasting_provider)
    found = fragment_of(
        lasting_provider.authorize(lasting_provider.signed_in(), service, response_type=response_type)
    )

    words = response_type.split()
    names = {"state", "iss", "session_state"}
    names |= {"code"} if "code" in words else set()
    names |= {"id_token"} if "id_token" in words else set()
    names |= {"access_token", "token_type", "expires_in", "scope"} if "token" in words else set()
    assert found.keys() == names
    assert (found["state"], found["iss"]) == ("s-1", ISSUER)


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "3.3.2.11", "REQUIRED")
@pytest.mark.parametrize("response_type", [name for name in FRONT if "id_token" in name.split()])
@pytest.mark.parametrize("alg", ["ES256", "RS256"])
def test_id_token_binds_what_comes_with_it(lasting_provider: Provider, response_type: str, alg: str) -> None:
    """`nonce` always; `c_hash` with a code, `at_hash` with a token, and neither without."""
    service = a_legacy_client(lasting_provider, id_token_signed_response_alg=alg)
    found = fragment_of(
        lasting_provider.authorize(lasting_provider.signed_in(), service, response_type=response_type)
    )

    claims = claims_of(lasting_provider, found["id_token"], service.client_id)

    assert claims["nonce"] == "n-1"
    assert claims.get("c_hash") == (("code" in found and half_of_sha256(found["code"])) or None)
    assert claims.get("at_hash") == (
        ("access_token" in found and half_of_sha256(found["access_token"])) or None
    )


@pytest.mark.spec("OIDC Core", "3.3.3.6", "MUST")
@pytest.mark.parametrize("response_type", ["code id_token", "code id_token token"])
def test_both_id_tokens_of_the_hybrid_flow_speak_of_the_same_login(
    lasting_provider: Provider, response_type: str
) -> None:
    """`iss` and `sub` are identical, and so are the claims about the login."""
    service = a_legacy_client(lasting_provider)
    found = fragment_of(
        lasting_provider.authorize(lasting_provider.signed_in(), service, response_type=response_type)
    )
    tokens = lasting_provider.redeem(service, found["code"]).get_json()

    first = claims_of(lasting_provider, found["id_token"], service.client_id)
    second = claims_of(lasting_provider, tokens["id_token"], service.client_id)

    for name in ("iss", "sub", "aud", "auth_time", "acr", "amr", "nonce", "sid"):
        assert first[name] == second[name], name


@pytest.mark.spec("OIDC Core", "3.2.2.5", "MUST")
def test_access_token_of_the_answer_opens_userinfo(lasting_provider: Provider) -> None:
    """The claims of scopes are there, and not in the ID Token."""
    service = a_legacy_client(lasting_provider)
    person = lasting_provider.an_account("zoe@example.org")
    found = fragment_of(
        lasting_provider.authorize(
            lasting_provider.signed_in(person), service, response_type="id_token token", scope="openid email"
        )
    )

    assert lasting_provider.userinfo(found["access_token"]).get_json()["email"] == "zoe@example.org"
    assert "email" not in claims_of(lasting_provider, found["id_token"], service.client_id)


@pytest.mark.spec("OIDC Core", "5.4", "MUST")
def test_id_token_alone_holds_the_claims_of_scopes(lasting_provider: Provider) -> None:
    """There is no access token to ask UserInfo with."""
    service = a_legacy_client(lasting_provider)
    person = lasting_provider.an_account(given_name="Zoé")
    found = fragment_of(
        lasting_provider.authorize(
            lasting_provider.signed_in(person),
            service,
            response_type="id_token",
            scope="openid email profile",
        )
    )

    claims = claims_of(lasting_provider, found["id_token"], service.client_id)

    assert (claims["email"], claims["given_name"]) == (person.email, "Zoé")


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OAuth 2.0 Form Post Response Mode", "2", "MUST")
@pytest.mark.parametrize("response_type", RESPONSE_TYPES)
def test_every_answer_can_be_posted(lasting_provider: Provider, response_type: str) -> None:
    """The same fields stand in a form, for whatever response type."""
    service = a_legacy_client(lasting_provider)

    answer = lasting_provider.authorize(
        lasting_provider.signed_in(), service, response_type=response_type, response_mode="form_post"
    )

    fields = form_of(answer)
    assert ("code" in fields, "id_token" in fields, "access_token" in fields) == tuple(
        word in response_type.split() for word in ("code", "id_token", "token")
    )
    assert f'action="{CALLBACK}"' in answer.text


@pytest.mark.rule("OID-1")
@pytest.mark.spec("OIDC Core", "3.3.3.2", "MUST")
def test_replayed_code_kills_the_token_of_the_answer(lasting_provider: Provider) -> None:
    """A token that came through the browser belongs to its authorization like any other: a replay ends it."""
    service = a_legacy_client(lasting_provider)
    found = fragment_of(
        lasting_provider.authorize(
            lasting_provider.signed_in(), service, response_type="code token", nonce=None
        )
    )
    assert lasting_provider.userinfo(found["access_token"]).status_code == 200

    for _ in range(2):
        lasting_provider.redeem(service, found["code"])

    # OID-1: the replayed code revokes all that the authorization gave.
    assert lasting_provider.userinfo(found["access_token"]).status_code == 401


@pytest.mark.spec("OIDC Core", "3.2.2.6", "MUST")
def test_silent_refusal_travels_in_the_fragment(lasting_provider: Provider) -> None:
    """An error goes where the answer would have gone."""
    service = a_legacy_client(lasting_provider)

    found = fragment_of(
        lasting_provider.authorize(
            lasting_provider.client(), service, response_type="id_token", prompt="none"
        )
    )

    assert (found["error"], found["state"]) == ("login_required", "s-1")
