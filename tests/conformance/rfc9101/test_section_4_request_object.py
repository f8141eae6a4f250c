"""RFC 9101 section 4: what a request object holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.client_keys import a_key, jwks
from tests.support.provider import answer_of
from tests.support.request_objects import request_object

if TYPE_CHECKING:
    from tests.support.provider import Provider


@pytest.mark.spec("RFC 9101", "4", "MUST NOT")
@pytest.mark.parametrize("name", ["request", "request_uri"])
def test_object_within_an_object_is_refused(lasting_provider: Provider, name: str) -> None:
    """Neither `request` nor `request_uri` is included in a request object."""
    key = a_key()
    service = lasting_provider.a_client(key=key, jwks=jwks(key))
    signed = request_object(lasting_provider, service, **{name: "https://parking.example.org/request"})

    answer = lasting_provider.authorize(lasting_provider.client(), service, request=signed)

    assert answer_of(answer)["error"] == "invalid_request_object"


@pytest.mark.spec("RFC 9101", "4", "MUST")
@pytest.mark.parametrize("changes", [{"max_age": 3600}, {"claims": {"userinfo": {"email": None}}}], ids=repr)
def test_number_and_object_are_json(lasting_provider: Provider, changes: dict[str, Any]) -> None:
    """Numbers and objects are JSON numbers and JSON objects, not text."""
    key = a_key()
    service = lasting_provider.a_client(key=key, jwks=jwks(key))
    signed = request_object(lasting_provider, service, **changes)

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service, request=signed)

    assert "code" in answer_of(answer)
