"""The checks of an authorization request: which error, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from inspect import getsource
from time import perf_counter

import pytest

from idp.domain.client import Client
from idp.protocol.authorization.request import CHECKS, KNOWN_PARAMETERS, Prompt, parse
from idp.protocol.authorization.response_mode import RedirectedError, ResponseMode
from idp.protocol.errors import DirectError, ErrorCode, Problem
from tests.support.authorization_requests import (
    CHALLENGE,
    NOW,
    PARKING,
    REDIRECT_URI,
    a_client,
    a_public_client,
    parameters,
    read,
)


@pytest.mark.rule("OID-9")
@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"client_id": None}, Problem.CLIENT_MISSING),
        ({"client_id": ""}, Problem.CLIENT_MISSING),
        ({"client_id": "x" * 256}, Problem.CLIENT_MISSING),
        ({"client_id": "park\x00ing"}, Problem.CLIENT_MISSING),
        ({"client_id": "nobody"}, Problem.CLIENT_UNKNOWN),
        ({"client_id": "Parking"}, Problem.CLIENT_UNKNOWN),
        ({"redirect_uri": None}, Problem.REDIRECT_URI_MISSING),
        ({"redirect_uri": ""}, Problem.REDIRECT_URI_MISSING),
        ({"redirect_uri": REDIRECT_URI + "x" * 2048}, Problem.REDIRECT_URI_MISSING),
        ({"redirect_uri": "https://evil.example/"}, Problem.REDIRECT_URI_UNKNOWN),
    ],
)
def test_request_of_unproven_client_or_uri_gets_our_own_page(
    changes: dict[str, str | None], problem: Problem
) -> None:
    """Nothing travels to an address that is not proven, whatever else is wrong."""
    with pytest.raises(DirectError) as caught:
        read(**{**changes, "prompt": "none login", "response_type": "token"})

    assert caught.value.problem is problem
    assert (caught.value.client is None) is problem.startswith("client_")


@pytest.mark.parametrize("name", ["client_id", "redirect_uri"])
def test_request_with_repeated_identity_gets_our_own_page(name: str) -> None:
    """Of two clients, or two addresses, none is proven; not even of twice the same."""
    with pytest.raises(DirectError):
        read(extra=((name, parameters()[name]),))


@pytest.mark.rule("CON-1")
@pytest.mark.parametrize(
    "dates",
    [
        {"disabled_at": NOW},
        {"starts_at": NOW + timedelta(seconds=1)},
        {"ends_at": NOW},
    ],
    ids=["disabled", "not yet", "no more"],
)
def test_request_of_service_that_is_off_names_the_service(dates: dict[str, object]) -> None:
    """A disabled client gets no redirect, and the page can say which service it is."""
    client = a_client(**dates)

    with pytest.raises(DirectError) as caught:
        read(client)

    assert caught.value.problem is Problem.CLIENT_DISABLED
    assert caught.value.client is client


@pytest.mark.rule("OID-9")
@pytest.mark.parametrize(
    "changes, code",
    [
        ({"response_type": None}, ErrorCode.INVALID_REQUEST),
        ({"response_type": "token"}, ErrorCode.UNSUPPORTED_RESPONSE_TYPE),
        ({"response_type": "code id_token"}, ErrorCode.UNAUTHORIZED_CLIENT),
        ({"response_type": "CODE"}, ErrorCode.UNSUPPORTED_RESPONSE_TYPE),
        ({"response_mode": "web_message"}, ErrorCode.INVALID_REQUEST),
        ({"response_mode": "QUERY"}, ErrorCode.INVALID_REQUEST),
        ({"scope": None}, ErrorCode.INVALID_SCOPE),
        ({"scope": "profile"}, ErrorCode.INVALID_SCOPE),
        ({"scope": 'openid "'}, ErrorCode.INVALID_SCOPE),
        ({"scope": "openid é"}, ErrorCode.INVALID_SCOPE),
        ({"code_challenge": None}, ErrorCode.INVALID_REQUEST),
        ({"code_challenge": "short"}, ErrorCode.INVALID_REQUEST),
        ({"code_challenge_method": None}, ErrorCode.INVALID_REQUEST),
        ({"code_challenge_method": "plain"}, ErrorCode.INVALID_REQUEST),
        ({"code_challenge": None, "code_challenge_method": None}, ErrorCode.INVALID_REQUEST),
        ({"prompt": "none login"}, ErrorCode.INVALID_REQUEST),
        ({"max_age": "abc"}, ErrorCode.INVALID_REQUEST),
        ({"claims": "{"}, ErrorCode.INVALID_REQUEST),
        ({"claims": "[]"}, ErrorCode.INVALID_REQUEST),
        ({"request": "e30."}, ErrorCode.REQUEST_NOT_SUPPORTED),
        ({"request_uri": "https://rp.example/r"}, ErrorCode.REQUEST_URI_NOT_SUPPORTED),
        ({"registration": "{}"}, ErrorCode.REGISTRATION_NOT_SUPPORTED),
        ({"nonce": "x" * 4097}, ErrorCode.INVALID_REQUEST),
        ({"login_hint": "a\x00b"}, ErrorCode.INVALID_REQUEST),
    ],
)
def test_faulty_request_tells_its_client(changes: dict[str, str | None], code: ErrorCode) -> None:
    """Once the address is proven, the client hears of the fault, with its state."""
    with pytest.raises(RedirectedError) as caught:
        read(**changes)

    assert caught.value.code is code
    assert caught.value.address.target.uri == REDIRECT_URI
    assert caught.value.address.state == "s-1"


def test_faulty_request_answers_in_the_mode_that_was_asked() -> None:
    """A client that asked for form_post reads its errors there."""
    with pytest.raises(RedirectedError) as caught:
        read(response_mode="form_post", max_age="-1")

    assert caught.value.address.mode is ResponseMode.FORM_POST


@pytest.mark.parametrize("extra", [("state", "s-2"), ("state", "")], ids=["another state", "an empty state"])
def test_request_with_repeated_state_returns_no_state(extra: tuple[str, str]) -> None:
    """Of two states, none is the client's."""
    with pytest.raises(RedirectedError) as caught:
        read(extra=(extra,))

    assert caught.value.code is ErrorCode.INVALID_REQUEST
    assert caught.value.address.state is None


def test_request_with_response_mode_of_another_client_is_refused() -> None:
    """Response modes are allowed client by client (ASVS v5.0.0-10.4.12)."""
    client = a_client(response_modes=frozenset({"query"}))

    with pytest.raises(RedirectedError) as caught:
        read(client, response_mode="form_post")

    assert caught.value.address.mode is ResponseMode.QUERY


@pytest.mark.parametrize(
    "client",
    [
        a_client(response_types=frozenset()),
        a_client(grant_types=frozenset({"client_credentials"})),
    ],
    ids=["response type", "grant type"],
)
def test_request_with_response_type_not_the_clients_is_refused(client: Client) -> None:
    """A client may only do what it was registered for."""
    with pytest.raises(RedirectedError) as caught:
        read(client)

    assert caught.value.code is ErrorCode.UNAUTHORIZED_CLIENT


def test_request_of_client_without_openid_is_refused() -> None:
    """A client that only calls interfaces has nobody to sign in."""
    with pytest.raises(RedirectedError) as caught:
        read(a_client(scopes=frozenset({"email"})), scope="openid email")

    assert caught.value.code is ErrorCode.INVALID_SCOPE


@pytest.mark.rule("OID-1")
def test_request_without_challenge_of_opted_out_client_passes() -> None:
    """An administrator can opt a confidential client out of PKCE."""
    request = read(a_client(require_pkce=False), code_challenge=None, code_challenge_method=None)

    assert request.code_challenge is None


@pytest.mark.rule("OID-1")
def test_request_without_challenge_of_public_client_is_refused_always() -> None:
    """A client without a secret has no other proof, whatever its registration says."""
    with pytest.raises(RedirectedError):
        read(a_public_client(require_pkce=False), code_challenge=None, code_challenge_method=None)


def test_request_with_everything_is_read() -> None:
    """Each parameter becomes a value of its own type."""
    request = read(
        scope="openid  profile unknown phone",
        prompt="login consent create",
        max_age="0",
        acr_values="eidas1 other",
        login_hint="zoe@example.org",
        id_token_hint="h.h.h",
        ui_locales="fr-CA fr en",
        claims='{"id_token": {"email": {"essential": true}}}',
        display="touch",
        response_mode="fragment",
    )

    assert request.client is PARKING
    assert request.redirect_target.uri == REDIRECT_URI
    assert request.response_mode is ResponseMode.FRAGMENT
    assert request.response_type == "code"
    assert request.state == "s-1"
    assert request.nonce == "n-1"
    assert request.code_challenge == CHALLENGE
    assert request.scopes == {"openid", "profile"}
    assert request.prompt == {Prompt.LOGIN, Prompt.CONSENT}
    assert not request.is_silent
    assert request.max_age == 0
    assert request.acr_values == ("eidas1", "other")
    assert request.essential_acr_values == ()
    assert request.login_hint == "zoe@example.org"
    assert request.id_token_hint == "h.h.h"
    assert request.ui_locales == ("fr-CA", "fr", "en")
    assert request.requested_claims.id_token["email"].essential
    assert request.asked.id_token == ("email",)
    assert request.asked.required == ("family_name", "given_name")
    assert request.display == "touch"


def test_request_with_little_has_defaults() -> None:
    """What is absent, empty or not understood is not invented."""
    request = read(state="", nonce=None, display="hologram", prompt="", ui_locales="")

    assert request.state is None
    assert request.nonce is None
    assert request.display is None
    assert request.prompt == frozenset()
    assert request.max_age is None
    assert request.acr_values == ()
    assert request.ui_locales == ()
    assert request.response_mode is ResponseMode.QUERY


@pytest.mark.parametrize(
    "claims, voluntary, essential",
    [
        ('{"id_token": {"acr": null}}', ("eidas1",), ()),
        ('{"id_token": {"acr": {"essential": true}}}', ("eidas1",), ()),
        ('{"id_token": {"acr": {"value": "a"}}}', ("a",), ()),
        ('{"id_token": {"acr": {"values": ["a", "b"], "essential": true}}}', (), ("a", "b")),
    ],
)
def test_acr_claim_says_whether_the_level_is_essential(
    claims: str, voluntary: tuple[str, ...], essential: tuple[str, ...]
) -> None:
    """`acr_values` wishes; only the `claims` parameter can demand (OIDC Core 5.5.1.1)."""
    request = read(acr_values="eidas1", claims=claims)

    assert (request.acr_values, request.essential_acr_values) == (voluntary, essential)


def test_kept_parameters_give_the_same_request_again() -> None:
    """A pending request is parsed anew at each step, from what was kept of it."""
    request = read(extra=(("unknown", "x"),), prompt="login", claims='{"userinfo": {}}')

    again = parse(request.parameters.items(), {"parking": PARKING}.get, NOW)

    assert again == request
    assert request.parameters.keys() <= KNOWN_PARAMETERS


def test_refusal_of_a_request_goes_where_its_answer_goes() -> None:
    """Who decides later needs nothing else to tell the client no."""
    request = read()

    error = request.refusal(ErrorCode.LOGIN_REQUIRED, reason="test")

    assert error.address is request.address
    assert error.code is ErrorCode.LOGIN_REQUIRED


@pytest.mark.parametrize("check", CHECKS)
def test_check_fits_in_one_look(check: Callable[..., None]) -> None:
    """A check is some forty lines at most, its docstring and its errors included."""
    assert check.__doc__
    assert len(getsource(check).splitlines()) <= 40


def test_parse_costs_little() -> None:
    """This runs on every request: a hundred microseconds would be felt."""
    pairs = tuple(parameters(scope="openid profile email", prompt="none").items())
    best = min(_seconds_to_parse(pairs) for _ in range(20))

    # Generous, for a machine that does other things; some 20 microseconds are usual.
    assert best < 0.0005


def _seconds_to_parse(pairs: tuple[tuple[str, str], ...]) -> float:
    find_client = {"parking": PARKING}.get
    start = perf_counter()
    parse(pairs, find_client, NOW)
    return perf_counter() - start
