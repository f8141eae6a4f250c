"""RFC 9101 section 5: how a request object comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.client_keys import a_key, jwks
from tests.support.provider import answer_of
from tests.support.request_objects import request_object

if TYPE_CHECKING:
    from tests.support.provider import Provider, Service


def a_signer(provider: Provider) -> Service:
    """Register a client that signs its requests."""
    key = a_key()
    return provider.a_client(key=key, jwks=jwks(key))


@pytest.mark.spec("RFC 9101", "5", "MUST NOT")
def test_request_and_request_uri_together_are_refused(lasting_provider: Provider) -> None:
    """One or the other: "MUST NOT be used together"."""
    service = a_signer(lasting_provider)

    answer = lasting_provider.authorize(
        lasting_provider.client(),
        service,
        request=request_object(lasting_provider, service),
        request_uri="https://parking.example.org/request",
    )

    assert answer_of(answer)["error"] == "invalid_request"


@pytest.mark.spec("RFC 9101", "5", "REQUIRED")
def test_request_object_without_a_client_beside_it_is_refused(lasting_provider: Provider) -> None:
    """`client_id` is required outside, though it stands inside."""
    signed = request_object(lasting_provider, a_signer(lasting_provider))

    answer = lasting_provider.client().get("/authorize", query_string={"request": signed})

    assert answer.status_code == 400
    assert "client_id" in answer.text


@pytest.mark.spec("RFC 9101", "5", "MUST")
def test_request_object_beside_another_client_is_refused(lasting_provider: Provider) -> None:
    """The two `client_id` match."""
    service, other = a_signer(lasting_provider), a_signer(lasting_provider)
    signed = request_object(lasting_provider, service)

    answer = lasting_provider.authorize(lasting_provider.client(), other, request=signed)

    assert answer_of(answer)["error"] == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "5.2", "MUST")
@pytest.mark.parametrize("uri", ["", "x", "https://parking.example.org/other", "data:,x", "javascript:0"])
def test_address_that_is_not_registered_is_refused(lasting_provider: Provider, uri: str) -> None:
    """Section 10.4.1: a server that fetches what anybody names attacks for anybody."""
    key = a_key()
    service = lasting_provider.a_client(
        key=key, jwks=jwks(key), request_uris=("https://parking.example.org/request",)
    )

    answer = lasting_provider.authorize(
        lasting_provider.client(), service, request_uri=uri or "https://parking.example.org/"
    )

    assert answer_of(answer)["error"] == "invalid_request_uri"


@pytest.mark.spec("RFC 9101", "5.1", "MUST")
def test_request_object_by_value_gets_its_code(lasting_provider: Provider) -> None:
    """`client_id` and `request` are all it takes."""
    service = a_signer(lasting_provider)
    query = {"client_id": service.client_id, "request": request_object(lasting_provider, service)}

    answer = lasting_provider.signed_in().get("/authorize", query_string=query)

    assert "code" in answer_of(answer)
