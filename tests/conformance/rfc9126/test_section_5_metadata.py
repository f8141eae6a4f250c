"""RFC 9126 sections 5 and 6: who must push, says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.provider import ISSUER, answer_of

if TYPE_CHECKING:
    from tests.support.provider import Provider


@pytest.mark.spec("RFC 9126", "5", "OPTIONAL")
def test_endpoint_stands_in_the_metadata(lasting_provider: Provider) -> None:
    """A client finds where to push."""
    document = lasting_provider.back_channel.get("/.well-known/openid-configuration").json or {}

    assert document["pushed_authorization_request_endpoint"] == f"{ISSUER}/par"


@pytest.mark.spec("RFC 9126", "6", "OPTIONAL")
def test_client_that_registered_to_push_gets_nothing_for_a_plain_request(lasting_provider: Provider) -> None:
    """`require_pushed_authorization_requests` of the client is enforced."""
    service = lasting_provider.a_client(require_pushed_requests=True)

    answer = lasting_provider.authorize(lasting_provider.signed_in(), service)

    assert answer_of(answer)["error"] == "invalid_request"
