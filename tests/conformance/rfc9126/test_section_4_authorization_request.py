"""RFC 9126 section 4: the browser brings the name of a pushed request."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.provider import answer_of

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service


def pushed(provider: Provider, service: Service) -> str:
    """Push a request that passes."""
    answer = provider.post("/par", service, **provider.parameters(service))
    uri: str = (answer.json or {})["request_uri"]
    return uri


def opened(provider: Provider, service: Service, uri: str) -> TestResponse:
    """Open it in a browser where somebody is signed in."""
    query = {"client_id": service.client_id, "request_uri": uri}
    return provider.signed_in().get("/authorize", query_string=query)


@pytest.mark.spec("RFC 9126", "4", "MUST")
def test_request_that_expired_is_refused(provider: Provider) -> None:
    """After its time the name is invalid."""
    service = provider.a_client()
    uri = pushed(provider, service)
    provider.clock.advance(seconds=90)

    answer = opened(provider, service, uri)

    assert answer.status_code == 400
    assert "invalid_request_uri" in answer.text


@pytest.mark.spec("RFC 9126", "2.2", "MUST")
def test_request_of_another_client_is_refused(lasting_provider: Provider) -> None:
    """The name is bound to the client that pushed."""
    service, other = lasting_provider.a_client(), lasting_provider.a_client()

    answer = opened(lasting_provider, other, pushed(lasting_provider, service))

    assert answer.status_code == 400


@pytest.mark.spec("RFC 9126", "4", "SHOULD")
def test_request_is_answered_once(lasting_provider: Provider) -> None:
    """The name is of one use, as far as the answer goes."""
    service = lasting_provider.a_client()
    uri = pushed(lasting_provider, service)

    answers = [opened(lasting_provider, service, uri) for _ in range(2)]

    assert "code" in answer_of(answers[0])
    assert answers[1].status_code == 400


@pytest.mark.spec("RFC 9126", "4", "MAY")
def test_page_that_is_loaded_again_shows_the_request_again(lasting_provider: Provider) -> None:
    """Somebody who reloads the page asks for nothing new."""
    service = lasting_provider.a_client()
    uri = pushed(lasting_provider, service)
    nobody = lasting_provider.client()
    query = {"client_id": service.client_id, "request_uri": uri}

    first, second = (nobody.get("/authorize", query_string=query) for _ in range(2))

    assert "/sign-in" in first.location
    assert "/sign-in" in second.location
