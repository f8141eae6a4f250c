"""What a logout request may do."""

from __future__ import annotations

import pytest

from idp.domain.client import Client
from idp.protocol.errors import DirectError, Problem
from idp.protocol.logout.end_session import EndSessionRequest, check, read
from tests.support.authorization_requests import PARKING, a_client

BYE = "https://parking.example.org/bye"
HINT: dict[str, object] = {"aud": "parking", "sub": "sub-1", "sid": "sid-1"}
OTHER = a_client(client_id="other", post_logout_redirect_uris=("https://other.example/",))


def find(client_id: str) -> Client | None:
    """Find one of two clients."""
    return {"parking": PARKING, "other": OTHER}.get(client_id)


def checked(hint: dict[str, object] | None = None, **values: str) -> EndSessionRequest:
    """Read and check a request."""
    return check(read(values.items()), hint, find)


@pytest.mark.parametrize(
    "pairs",
    [
        [("state", "a"), ("state", "a")],
        [("post_logout_redirect_uri", BYE), ("post_logout_redirect_uri", "https://evil.example")],
        [("id_token_hint", "x" * 9000)],
        [("ui_locales", "fr\x00")],
    ],
)
def test_broken_logout_request_gets_our_own_page(pairs: list[tuple[str, str]]) -> None:
    """Nothing is guessed of what came twice or too long."""
    with pytest.raises(DirectError) as caught:
        read(pairs)

    assert caught.value.problem is Problem.REQUEST_MALFORMED


@pytest.mark.parametrize("hint", [{"aud": "other"}, {"aud": ["parking"]}, {"sub": "sub-1"}, {"aud": 1}])
def test_hint_of_another_client_is_refused(hint: dict[str, object]) -> None:
    """A client can't log out with what was issued to another one."""
    with pytest.raises(DirectError) as caught:
        checked(hint, client_id="parking")

    assert caught.value.problem is Problem.HINT_INVALID


@pytest.mark.parametrize("hint, values", [(None, {"client_id": "nobody"}), ({"aud": "nobody"}, {})])
def test_unknown_client_is_refused(hint: dict[str, object] | None, values: dict[str, str]) -> None:
    """A client that was deleted since is told as such."""
    with pytest.raises(DirectError) as caught:
        checked(hint, **values)

    assert caught.value.problem is Problem.CLIENT_UNKNOWN


def test_logout_of_nobody_in_particular_asks_the_person() -> None:
    """Without a hint anybody may have made the person come here."""
    request = checked()

    assert request == EndSessionRequest(None, None, None, None, None, (), needs_confirmation=True)


def test_logout_with_hint_needs_no_confirmation() -> None:
    """The hint proves that the service knows the person; what it says is handed on."""
    request = checked(
        HINT, post_logout_redirect_uri=BYE, state="a b", ui_locales="en fr", client_id="parking"
    )

    assert request.client is PARKING
    assert request.target is not None
    assert request.target.uri == BYE
    assert request.state == "a b"
    assert (request.subject, request.sid) == ("sub-1", "sid-1")
    assert request.ui_locales == ("en", "fr")
    assert not request.needs_confirmation
