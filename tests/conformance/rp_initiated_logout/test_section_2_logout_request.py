"""RP-Initiated Logout 2 and 3: who may end a session, and where the person goes."""

from __future__ import annotations

import pytest

from idp.protocol.authorization.response_mode import location
from idp.protocol.errors import DirectError
from idp.protocol.logout.end_session import EndSessionRequest, check, read
from tests.support.authorization_requests import PARKING, REDIRECT_URI

BYE = "https://parking.example.org/bye"
HINT: dict[str, object] = {"aud": "parking", "sub": "sub-1", "sid": "sid-1", "exp": 1}


def checked(hint: dict[str, object] | None = None, **values: str) -> EndSessionRequest:
    """Read and check a request."""
    return check(read(values.items()), hint, {"parking": PARKING}.get)


@pytest.mark.rule("OID-6")
@pytest.mark.spec("RP-Initiated Logout", "2", "MUST")
@pytest.mark.parametrize("values", [{}, {"client_id": "parking"}, {"logout_hint": "zoe"}])
def test_logout_without_hint_asks_the_person(values: dict[str, str]) -> None:
    """Nobody is signed out by an image on another site."""
    assert checked(**values).needs_confirmation


@pytest.mark.rule("OID-6")
@pytest.mark.spec("RP-Initiated Logout", "2", "SHOULD")
def test_expired_hint_is_accepted() -> None:
    """A session outlives its ID Token."""
    assert not checked(HINT).needs_confirmation


@pytest.mark.rule("OID-6")
@pytest.mark.spec("RP-Initiated Logout", "2", "MUST")
def test_hint_and_client_id_at_odds_are_refused() -> None:
    """The client is the audience of the ID Token."""
    with pytest.raises(DirectError):
        checked(HINT, client_id="other")


@pytest.mark.rule("OID-6", "OID-9")
@pytest.mark.spec("RP-Initiated Logout", "3", "MUST NOT")
@pytest.mark.parametrize(
    "uri",
    [BYE + "/", BYE + "?", BYE.upper(), "https://evil.example/", REDIRECT_URI, "javascript:alert(1)"],
)
@pytest.mark.parametrize("hint", [HINT, None])
def test_person_is_not_sent_to_unregistered_uri(uri: str, hint: dict[str, object] | None) -> None:
    """Exact match with what the client registered, or our own page."""
    with pytest.raises(DirectError):
        checked(hint, client_id="parking", post_logout_redirect_uri=uri)


@pytest.mark.spec("RP-Initiated Logout", "3", "MUST NOT")
def test_person_is_not_sent_anywhere_without_a_client() -> None:
    """A URI that is registered by somebody proves nothing if nobody is named."""
    with pytest.raises(DirectError):
        checked(post_logout_redirect_uri=BYE)


@pytest.mark.rule("OID-6")
@pytest.mark.spec("RP-Initiated Logout", "3", "MUST")
def test_person_goes_back_with_the_state() -> None:
    """To the registered URI, with the state as it was sent."""
    request = checked(HINT, post_logout_redirect_uri=BYE, state="a&b")

    assert request.target is not None
    assert location(request.target, {"state": "a&b"}) == f"{BYE}?state=a%26b"
