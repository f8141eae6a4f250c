"""ID tokens and answers of UserInfo that are encrypted for their client (OIDC Core 5.3.2, 10.2)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto.jwt import verified_claims
from idp.domain.client import Encryption
from tests.support.dpop import a_code
from tests.support.jwe import a_key_to_encrypt_to, decrypted
from tests.support.provider import ISSUER

if TYPE_CHECKING:
    from tests.support.provider import Provider

ENCRYPTION = Encryption("ECDH-ES", "A256GCM")
SCOPE = "openid email offline_access"


def verified(provider: Provider, token: str) -> dict[str, Any]:
    """Verify what was signed by the provider."""
    return verified_claims(token, provider.context.keys.keyring().public_keys())


@pytest.mark.rule("OID-3")
@pytest.mark.spec("OIDC Core", "10.2", "MUST")
def test_id_token_is_signed_and_then_encrypted(lasting_provider: Provider) -> None:
    """With the code and on refresh; what is inside is what everybody gets."""
    key, jwks = a_key_to_encrypt_to()
    service = lasting_provider.a_client(id_token_encryption=ENCRYPTION, jwks=jwks)

    tokens = lasting_provider.redeem(service, a_code(lasting_provider, service, scope=SCOPE)).json
    refreshed = lasting_provider.refresh(service, tokens["refresh_token"]).json

    first = verified(lasting_provider, decrypted(tokens["id_token"], key, ENCRYPTION))
    second = verified(lasting_provider, decrypted(refreshed["id_token"], key, ENCRYPTION))
    assert (first["iss"], first["aud"], first["nonce"]) == (ISSUER, service.client_id, "n-1")
    assert (second["sub"], second["auth_time"]) == (first["sub"], first["auth_time"])
    assert "nonce" not in second


@pytest.mark.rule("OID-3")
def test_code_is_not_used_up_when_the_answer_can_not_be_encrypted(lasting_provider: Provider) -> None:
    """Never in clear; the service may come again when its keys are there."""
    _, jwks = a_key_to_encrypt_to()
    service = lasting_provider.a_client(id_token_encryption=ENCRYPTION, jwks={"keys": []})
    code = a_code(lasting_provider, service)

    without = lasting_provider.redeem(service, code)
    lasting_provider.change(service, jwks=jwks)
    with_keys = lasting_provider.redeem(service, code)

    assert (without.status_code, without.json["error"]) == (503, "temporarily_unavailable")
    assert without.headers["Retry-After"]
    assert with_keys.status_code == 200


@pytest.mark.rule("OID-2")
@pytest.mark.spec("OIDC Core", "5.3.2", "MUST")
@pytest.mark.parametrize("alg", ["ES256", None], ids=["signed", "not signed"])
def test_userinfo_is_encrypted_for_whoever_registered_it(lasting_provider: Provider, alg: str | None) -> None:
    """A JWT inside where a signature was registered, plain JSON where none was."""
    key, jwks = a_key_to_encrypt_to()
    service = lasting_provider.a_client(
        userinfo_encryption=ENCRYPTION, userinfo_signed_response_alg=alg, jwks=jwks
    )
    person = lasting_provider.an_account(given_name="Zoé")
    tokens = lasting_provider.tokens(lasting_provider.signed_in(person), service, scope="openid profile")

    answer = lasting_provider.userinfo(tokens["access_token"])

    inside = decrypted(answer.text, key, ENCRYPTION, cty="JWT" if alg else None)
    claims = verified(lasting_provider, inside) if alg else json.loads(inside)
    assert answer.mimetype == "application/jwt"
    assert claims["given_name"] == "Zoé"
    assert claims["sub"] == verified(lasting_provider, tokens["id_token"])["sub"]


@pytest.mark.rule("OID-2")
def test_userinfo_that_can_not_be_encrypted_is_not_given(lasting_provider: Provider) -> None:
    """Not in clear either."""
    service = lasting_provider.a_client(userinfo_encryption=ENCRYPTION, jwks={"keys": []})
    token = lasting_provider.tokens(lasting_provider.signed_in(), service)["access_token"]

    answer = lasting_provider.userinfo(token)

    assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
