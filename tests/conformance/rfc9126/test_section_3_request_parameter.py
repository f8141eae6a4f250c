"""RFC 9126 section 3: a request object that is pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.client_keys import a_key, jwks
from tests.support.provider import answer_of
from tests.support.request_objects import request_object

if TYPE_CHECKING:
    from tests.support.provider import Provider


@pytest.mark.spec("RFC 9126", "3", "MUST")
def test_object_of_another_client_than_the_authenticated_one_is_refused(lasting_provider: Provider) -> None:
    """Who proved itself, and who is named in the object, are one."""
    key = a_key()
    service, other = (lasting_provider.a_client(key=key, jwks=jwks(key)) for _ in range(2))

    answer = lasting_provider.post("/par", service, request=request_object(lasting_provider, other))

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request_object")


@pytest.mark.spec("RFC 9126", "3", "MUST")
def test_parameters_of_the_request_stand_in_the_object(lasting_provider: Provider) -> None:
    """Beside the object only what proves the client counts."""
    key = a_key()
    service = lasting_provider.a_client(key=key, jwks=jwks(key))
    signed = request_object(lasting_provider, service, redirect_uri=None)

    missing = lasting_provider.post("/par", service, request=signed, redirect_uri=service.callback)
    answer = lasting_provider.post(
        "/par", service, request=request_object(lasting_provider, service), state="outer"
    )

    assert missing.json["error"] == "invalid_request"
    query = {"client_id": service.client_id, "request_uri": (answer.json or {})["request_uri"]}
    opened = lasting_provider.signed_in().get("/authorize", query_string=query)
    assert answer_of(opened)["state"] == "s-1"
