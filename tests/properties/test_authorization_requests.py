"""Laws of authorization requests, whatever is sent."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.domain.authentication import ACR_VALUES
from idp.domain.client import Client
from idp.protocol.authorization.interaction import Ask, Facts, decide
from idp.protocol.authorization.request import KNOWN_PARAMETERS, parse
from idp.protocol.authorization.response_mode import (
    AuthorizationResponse,
    FormPost,
    RedirectedError,
    respond,
)
from idp.protocol.authorization.response_type import RESPONSE_TYPES
from idp.protocol.errors import DirectError
from tests.support.authorization_requests import (
    CHALLENGE,
    ISSUER,
    NOW,
    REDIRECT_URI,
    a_client,
    a_consent,
    a_pending,
    a_public_client,
    a_session,
)

REGISTERED = (REDIRECT_URI, "https://parking.example.org/cb?a=1", "http://127.0.0.1/cb")
CLIENTS = {
    "parking": a_client(redirect_uris=REGISTERED),
    "app": a_public_client(client_id="app", redirect_uris=REGISTERED),
    "legacy": a_client(
        client_id="legacy",
        redirect_uris=REGISTERED,
        response_types=frozenset(RESPONSE_TYPES),
        resources=("https://api.example.org/",),
        require_pkce=False,
    ),
}
#: Values that mean something somewhere, so that requests get far before they fail.
TELLING = st.sampled_from(
    [
        *CLIENTS,
        *REGISTERED,
        "http://127.0.0.1:8080/cb",
        "https://evil.example/",
        REDIRECT_URI + "@evil.example",
        "javascript:alert(1)",
        "code",
        "token",
        "query",
        "fragment",
        "form_post",
        "openid",
        "openid email offline_access",
        CHALLENGE,
        "S256",
        "plain",
        "none",
        "login consent",
        "0",
        "id_token token",
        "token code",
        "jwt",
        "form_post.jwt",
        "query.jwt",
        "https://api.example.org/",
        "eidas1",
        '{"id_token": {"acr": {"essential": true, "value": "eidas1"}}}',
        "",
    ]
)
NAMES = st.sampled_from(sorted(KNOWN_PARAMETERS)) | st.text(max_size=5)
PAIRS = st.lists(st.tuples(NAMES, TELLING | st.text(max_size=20)), max_size=12)
GOOD = {
    "client_id": "parking",
    "redirect_uri": REDIRECT_URI,
    "response_type": "code",
    "scope": "openid",
    "code_challenge": CHALLENGE,
    "code_challenge_method": "S256",
}
NEARLY_GOOD = st.dictionaries(NAMES, TELLING | st.text(max_size=20), max_size=4).map(
    lambda changes: list({**GOOD, **changes}.items())
)


def answer_to(pairs: list[tuple[str, str]]) -> AuthorizationResponse | None:
    """Answer a request as if the person said yes to all; None for our own page."""
    try:
        request = parse(pairs, CLIENTS.get, NOW)
    except DirectError:
        return None
    except RedirectedError as error:
        return respond(error.address, error.body, issuer=ISSUER)
    return respond(request.address, {"code": "c"}, issuer=ISSUER)


def is_registered(destination: str, client: Client | None) -> bool:
    """Tell whether a destination is a registered URI and nothing but parameters behind."""
    if client is None:
        return False
    without_port = destination.replace("127.0.0.1:8080", "127.0.0.1")
    return any(
        without_port == uri or without_port.startswith((uri + "?", uri + "&", uri + "#"))
        for uri in client.redirect_uris
    )


@pytest.mark.rule("OID-9")
@settings(max_examples=300, deadline=None)
@given(PAIRS | NEARLY_GOOD)
def test_no_answer_leaves_the_registered_uris(pairs: list[tuple[str, str]]) -> None:
    """Whatever the query, the browser goes to a URI of the client that is named, or nowhere."""
    answer = answer_to(pairs)

    if answer is not None:
        destination = answer.action if isinstance(answer, FormPost) else answer.location
        named = [value for name, value in pairs if name == "client_id"]
        assert len(named) == 1
        assert is_registered(destination, CLIENTS.get(named[0]))


@pytest.mark.rule("OID-3")
@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.sampled_from(["query", "fragment", "form_post"]))
def test_state_comes_back_as_it_was_sent_or_the_request_is_refused(state: str, mode: str) -> None:
    """Serialising and parsing are inverse: a state is never changed."""
    answer = answer_to([*GOOD.items(), ("state", state), ("response_mode", mode)])

    assert answer is not None
    if isinstance(answer, FormPost):
        found = dict(answer.fields)
    else:
        parts = urlsplit(answer.location)
        carried = parts.query if mode == "query" else parts.fragment
        found = dict(parse_qsl(carried, keep_blank_values=True))
    if "code" in found:
        assert found.get("state", "") == state
    else:
        assert found["error"] == "invalid_request"
        assert "state" not in found


@settings(max_examples=200, deadline=None)
@given(PAIRS | NEARLY_GOOD)
def test_request_that_is_kept_and_parsed_again_is_the_same(pairs: list[tuple[str, str]]) -> None:
    """What is kept of a request is the request."""
    try:
        request = parse(pairs, CLIENTS.get, NOW)
    except (DirectError, RedirectedError):
        return

    assert parse(request.parameters.items(), CLIENTS.get, NOW) == request


@pytest.mark.rule("LOG-4")
@settings(max_examples=200, deadline=None)
@given(
    NEARLY_GOOD,
    st.builds(
        Facts,
        now=st.just(NOW),
        session=st.none() | st.just(a_session()),
        subject=st.sampled_from(["s", "t"]),
        hinted_subject=st.sampled_from([None, "s"]),
        consent=st.none() | st.just(a_consent()),
        pending=st.none() | st.builds(a_pending, consented_at=st.none() | st.just(NOW)),
        terms_accepted=st.booleans(),
        reachable_levels=st.integers(1, len(ACR_VALUES)).map(lambda count: ACR_VALUES[:count]),
    ),
)
def test_silent_request_never_shows_a_page(pairs: list[tuple[str, str]], facts: Facts) -> None:
    """Whatever is missing, `prompt=none` gets an answer or an error."""
    try:
        request = parse([*dict(pairs, prompt="none").items()], CLIENTS.get, NOW)
    except (DirectError, RedirectedError):
        return

    assert not isinstance(decide(request, facts), Ask)
