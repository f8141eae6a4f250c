"""RFC 9701: introspection answers that are signed, and encrypted for who registered it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.crypto.jwt import unverified_header, verified_claims
from idp.domain.client import ClientAuthenticationMethod, Encryption, Profile
from tests.support.jwe import a_key_to_encrypt_to, decrypted
from tests.support.provider import ISSUER

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

MEDIA_TYPE = "application/token-introspection+jwt"


def ask(provider: Provider, service: Service, token: str, accept: str = MEDIA_TYPE) -> TestResponse:
    """Introspect a token."""
    headers, fields = service.authentication()
    return provider.back_channel.post(
        "/introspect", data=fields | {"token": token}, headers=headers | {"Accept": accept}
    )


def claims_of(provider: Provider, answer: TestResponse) -> dict[str, Any]:
    """Verify a signed answer."""
    assert answer.mimetype == MEDIA_TYPE, answer.text
    return verified_claims(answer.text, provider.context.keys.keyring().public_keys())


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 9701", "5", "MUST")
def test_dead_token_is_only_not_active_in_a_signed_answer_too(lasting_provider: Provider) -> None:
    """Nothing else is said of it; another client's is told the same."""
    service, other = lasting_provider.a_client(), lasting_provider.a_client()
    token = lasting_provider.tokens(lasting_provider.signed_in(), other)["access_token"]

    answers = [ask(lasting_provider, service, one) for one in ("x", token)]

    told = [claims_of(lasting_provider, answer)["token_introspection"] for answer in answers]
    assert told == [{"active": False}] * 2


@pytest.mark.rule("OID-2")
@pytest.mark.spec("RFC 9701", "5", "MUST")
@pytest.mark.parametrize(
    "accept", [MEDIA_TYPE, MEDIA_TYPE.upper(), f"text/html, {MEDIA_TYPE};q=0.9", f"*/*,{MEDIA_TYPE}"]
)
def test_signed_answer_is_for_who_asks_and_for_nothing_else(lasting_provider: Provider, accept: str) -> None:
    """Type, issuer, audience, time, and the answer in one claim: no `sub`, no `exp` of its own."""
    service = lasting_provider.a_client()
    token = lasting_provider.tokens(lasting_provider.signed_in(), service)["access_token"]

    answer = ask(lasting_provider, service, token, accept)

    assert unverified_header(answer.text)["typ"] == "token-introspection+jwt"
    assert answer.headers["Cache-Control"] == "no-store"
    assert claims_of(lasting_provider, answer) == {
        "iss": ISSUER,
        "aud": service.client_id,
        "iat": int(lasting_provider.clock().timestamp()),
        "token_introspection": lasting_provider.introspect(service, token),
    }


@pytest.mark.spec("RFC 9701", "4", "MUST")
@pytest.mark.parametrize("accept", ["", "*/*", "application/json", "application/jwt"])
@pytest.mark.parametrize("alg", [None, "ES256"])
def test_answer_is_json_for_who_does_not_ask_otherwise(
    lasting_provider: Provider, accept: str, alg: str | None
) -> None:
    """What a client registered says how, not whether."""
    service = lasting_provider.a_client(introspection_signed_response_alg=alg)

    answer = ask(lasting_provider, service, "x", accept)

    assert (answer.mimetype, answer.json) == ("application/json", {"active": False})


@pytest.mark.spec("RFC 9701", "6", "OPTIONAL")
@pytest.mark.parametrize("registered, used", [(None, "RS256"), ("ES256", "ES256"), ("RS256", "RS256")])
def test_answer_is_signed_with_what_was_registered(
    lasting_provider: Provider, registered: str | None, used: str
) -> None:
    """RS256 for who registered nothing."""
    service = lasting_provider.a_client(introspection_signed_response_alg=registered)

    assert unverified_header(ask(lasting_provider, service, "x").text)["alg"] == used


@pytest.mark.rule("OID-5")
@pytest.mark.spec("FAPI 2.0 Message Signing", "5.5", "SHALL")
def test_answer_to_a_client_of_message_signing_is_signed_whatever_it_accepts(
    lasting_provider: Provider,
) -> None:
    """And not with RS256."""
    service = lasting_provider.a_client(
        authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT,
        profile=Profile.FAPI2_MESSAGE_SIGNING,
        introspection_signed_response_alg="ES256",
    )
    unregistered = lasting_provider.a_client(
        authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT,
        profile=Profile.FAPI2_MESSAGE_SIGNING,
    )

    answer = ask(lasting_provider, service, "x", "application/json")

    assert claims_of(lasting_provider, answer)["token_introspection"] == {"active": False}
    assert unverified_header(ask(lasting_provider, unregistered, "x").text)["alg"] == "ES256"


@pytest.mark.spec("RFC 9701", "5", "MAY")
def test_answer_is_encrypted_for_who_registered_it(lasting_provider: Provider) -> None:
    """Signed first, encrypted around it."""
    key, jwks = a_key_to_encrypt_to()
    encryption = Encryption("ECDH-ES", "A256GCM")
    service = lasting_provider.a_client(introspection_encryption=encryption, jwks=jwks)

    answer = ask(lasting_provider, service, "x")

    assert answer.mimetype == MEDIA_TYPE
    signed = decrypted(answer.text, key, encryption)
    keys = lasting_provider.context.keys.keyring().public_keys()
    assert verified_claims(signed, keys)["token_introspection"] == {"active": False}
