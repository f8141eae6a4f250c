"""RFC 9126 section 2: the endpoint where requests are pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.domain.client import ClientAuthenticationMethod

if TYPE_CHECKING:
    from tests.support.provider import Provider

URN = "urn:ietf:params:oauth:request_uri:"


@pytest.mark.spec("RFC 9126", "2.1", "MUST NOT")
def test_request_uri_is_refused(lasting_provider: Provider) -> None:
    """The one parameter of /authorize that can not be pushed."""
    service = lasting_provider.a_client()

    answer = lasting_provider.post(
        "/par", service, **lasting_provider.parameters(service), request_uri=f"{URN}x"
    )

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.spec("RFC 9126", "2.1", "MUST")
def test_client_proves_itself_as_at_the_token_endpoint(lasting_provider: Provider) -> None:
    """Without its secret a client pushes nothing."""
    service = lasting_provider.a_client()

    answer = lasting_provider.post("/par", **lasting_provider.parameters(service))

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")


@pytest.mark.spec("RFC 9126", "2.1", "MUST")
@pytest.mark.parametrize(
    "changes",
    [{"redirect_uri": "https://evil.example/"}, {"response_type": "x"}, {"scope": "\x7f"}],
    ids=repr,
)
def test_request_is_validated_as_at_the_authorization_endpoint(
    lasting_provider: Provider, changes: dict[str, str]
) -> None:
    """What the browser would be refused, the client is refused, as JSON."""
    service = lasting_provider.a_client()

    answer = lasting_provider.post("/par", service, **(lasting_provider.parameters(service) | changes))

    assert answer.status_code == 400
    assert set(answer.json or {}) == {"error", "error_description"}


@pytest.mark.spec("RFC 9126", "2.2", "MUST")
def test_request_uri_is_unguessable_and_told_with_its_time(lasting_provider: Provider) -> None:
    """201, JSON, a `request_uri` with a cryptographically strong part, and a positive `expires_in`."""
    service = lasting_provider.a_client()
    answers = [
        lasting_provider.post("/par", service, **lasting_provider.parameters(service)) for _ in range(8)
    ]

    bodies = [answer.json or {} for answer in answers]
    assert {answer.status_code for answer in answers} == {201}
    assert {answer.content_type for answer in answers} == {"application/json"}
    assert len({body["request_uri"] for body in bodies}) == 8
    # 43 characters of base64url are 256 bits.
    assert all(body["request_uri"].startswith(URN) for body in bodies)
    assert all(len(body["request_uri"]) > len(URN) + 43 for body in bodies)
    assert all(isinstance(body["expires_in"], int) and 5 <= body["expires_in"] < 600 for body in bodies)


@pytest.mark.spec("RFC 9126", "2.2", "SHOULD")
def test_answer_is_kept_by_no_cache(lasting_provider: Provider) -> None:
    """The name in it opens the request."""
    service = lasting_provider.a_client(authentication_method=ClientAuthenticationMethod.NONE)

    answer = lasting_provider.post("/par", service, **lasting_provider.parameters(service))

    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.spec("RFC 9126", "2.3", "MUST")
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_other_methods_than_post_are_405(lasting_provider: Provider, method: str) -> None:
    """A request is pushed by POST."""
    assert lasting_provider.back_channel.open("/par", method=method).status_code == 405


@pytest.mark.spec("RFC 9126", "2.3", "MUST")
def test_request_beyond_the_upper_bound_is_413(lasting_provider: Provider) -> None:
    """What is too large is not read."""
    answer = lasting_provider.back_channel.post("/par", data={"claims": "x" * 400_000})

    assert answer.status_code == 413
