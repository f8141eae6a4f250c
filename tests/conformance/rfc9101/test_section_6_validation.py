"""RFC 9101 section 6: how a request object is validated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.crypto.jwe import encrypt
from tests.support.client_keys import a_key, jwks
from tests.support.provider import CALLBACK, answer_of
from tests.support.request_objects import claims_of, request_object, unsigned

if TYPE_CHECKING:
    from tests.support.provider import Provider


@pytest.mark.spec("RFC 9101", "6.1", "MUST")
def test_encrypted_object_that_can_not_be_decrypted_is_refused(lasting_provider: Provider) -> None:
    """An error of decryption is `invalid_request_object`, and tells nothing more."""
    key = a_key()
    service = lasting_provider.a_client(key=key, jwks=jwks(key))
    elsewhere = {**a_key().jwk, "use": "enc", "alg": "ECDH-ES"}
    sealed = encrypt(request_object(lasting_provider, service).encode(), elsewhere, "ECDH-ES", "A256GCM")

    told = answer_of(lasting_provider.authorize(lasting_provider.client(), service, request=sealed))

    assert told["error"] == "invalid_request_object"
    assert told["error_description"] == "The request object can not be decrypted."


@pytest.mark.spec("RFC 9101", "6.2", "MUST")
def test_signature_of_another_key_is_refused(lasting_provider: Provider) -> None:
    """The signature is the client's own."""
    key = a_key()
    service = lasting_provider.a_client(key=key, jwks=jwks(key))

    answer = lasting_provider.authorize(
        lasting_provider.client(), service, request=request_object(lasting_provider, service, key=a_key())
    )

    assert answer_of(answer)["error"] == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "6.2", "MUST")
@pytest.mark.parametrize("alg", ["PS256", "ES256"])
def test_algorithm_is_the_registered_one(lasting_provider: Provider, alg: str) -> None:
    """Where the client registered an algorithm, no other will do."""
    key = a_key("RS256")
    service = lasting_provider.a_client(
        key=key,
        jwks={"keys": [{name: value for name, value in key.jwk.items() if name != "alg"}]},
        request_object_signing_alg=alg,
    )

    answer = lasting_provider.authorize(
        lasting_provider.client(), service, request=request_object(lasting_provider, service)
    )

    assert answer_of(answer)["error"] == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "6.2", "MUST")
def test_unsigned_object_of_a_client_that_signs_is_refused(lasting_provider: Provider) -> None:
    """`none` is no signature."""
    key = a_key()
    service = lasting_provider.a_client(key=key, jwks=jwks(key), request_object_signing_alg="ES256")
    plain = unsigned(claims_of(lasting_provider, service))

    answer = lasting_provider.authorize(lasting_provider.client(), service, request=plain)

    assert answer_of(answer)["error"] == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "6.3", "MUST")
def test_parameters_beside_the_object_do_not_count(lasting_provider: Provider) -> None:
    """Only those inside are used, even when the same ones stand in the query."""
    key = a_key()
    service = lasting_provider.a_client(
        key=key, jwks=jwks(key), redirect_uris=(CALLBACK, f"{CALLBACK}/other"), require_pkce=False
    )
    left_out = dict.fromkeys(("state", "nonce", "code_challenge", "code_challenge_method"))
    signed = request_object(lasting_provider, service, **left_out)

    answer = lasting_provider.authorize(
        lasting_provider.signed_in(),
        service,
        request=signed,
        redirect_uri=f"{CALLBACK}/other",
        state="outer",
        nonce="outer",
        prompt="none login",
        max_age="x",
    )

    assert answer.location.startswith(f"{CALLBACK}?code=")
    assert "state" not in answer_of(answer)
    tokens = lasting_provider.redeem(service, answer_of(answer)["code"], code_verifier=None)
    assert tokens.status_code == 200
