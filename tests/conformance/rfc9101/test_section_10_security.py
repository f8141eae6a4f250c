"""RFC 9101 section 10: what request objects must not be mistaken for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.domain.client import ClientAuthenticationMethod
from tests.support.client_keys import a_key, jwks
from tests.support.dpop import ProofMaker
from tests.support.provider import ASSERTION_TYPE, answer_of
from tests.support.request_objects import request_object

if TYPE_CHECKING:
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider


@pytest.mark.spec("RFC 9101", "10.5", "MUST")
def test_client_that_registered_signed_requests_gets_nothing_for_plain_ones(
    lasting_provider: Provider,
) -> None:
    """Nobody takes the signature away: `require_signed_request_object`."""
    key = a_key()
    service = lasting_provider.a_client(key=key, jwks=jwks(key), require_signed_requests=True)

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service)

    assert answer_of(answer)["error"] == "invalid_request"


@pytest.mark.spec("RFC 9101", "10.8", "MUST")
def test_client_assertion_is_no_request_object(lasting_provider: Provider) -> None:
    """It is signed by the client too, and says who, not what."""
    service = lasting_provider.a_client(authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT)
    parameters = lasting_provider.parameters(service)

    answer = lasting_provider.authorize(
        lasting_provider.client(), service, request=service.assertion(**parameters)
    )

    assert answer_of(answer)["error"] == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "10.8", "MUST")
def test_request_object_is_no_client_assertion(lasting_provider: Provider) -> None:
    """It goes through a browser: whoever sees it must not become the client."""
    service = lasting_provider.a_client(authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT)
    signed = request_object(lasting_provider, service, jti="1")

    answer = lasting_provider.back_channel.post(
        "/token",
        data={
            "grant_type": "client_credentials",
            "client_assertion": signed,
            "client_assertion_type": ASSERTION_TYPE,
        },
    )

    assert answer.status_code == 401


@pytest.mark.spec("RFC 9101", "10.8", "SHOULD")
def test_proof_of_possession_is_no_request_object(lasting_provider: Provider, clock: SettableClock) -> None:
    """Its type says what it is, though the key is the client's."""
    maker = ProofMaker(clock)
    service = lasting_provider.a_client(jwks={"keys": [maker.jwk]})
    proof = maker.proof("/authorize", **lasting_provider.parameters(service))

    answer = lasting_provider.authorize(lasting_provider.client(), service, request=proof)

    assert answer_of(answer)["error"] == "invalid_request_object"
