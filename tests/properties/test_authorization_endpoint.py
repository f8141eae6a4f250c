"""Whatever is sent to /authorize, /par and /logout, no answer leads outside of what was registered (OID-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from idp.domain.client import ClientAuthenticationMethod
from idp.protocol.authorization.request import KNOWN_PARAMETERS
from idp.protocol.authorization.response_mode import RESPONSE_MODES
from idp.protocol.authorization.response_type import RESPONSE_TYPES
from tests.support.provider import BYE, CALLBACK, CHALLENGE, continue_url
from tests.support.request_objects import request_object

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

PATIENT = settings(
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
REGISTERED = {CALLBACK, BYE, "com.example.app:/cb"}
#: Pages of ours that a request may lead to.
OWN = ("/sign-in", "/consent", "/select-account", "/account/identity", "/signed-out", "/accept-terms", "/terms",
       "/franceconnect", "/logout", "/authorize")  # fmt: skip
ADDRESSES = st.sampled_from(
    [CALLBACK, CALLBACK, CALLBACK, "com.example.app:/cb", BYE, "https://evil.example/", "//evil.example",
     "javascript:alert(1)", "https://parking.example.org@evil.example/callback", CALLBACK + "/../x",
     "https://evil.example/callback#https://parking.example.org/callback", "/\\evil.example", "data:text/html,x",
     CALLBACK + "\r\nLocation: https://evil.example", "\thttps://evil.example", "HTTPS://evil.example", ""],
)  # fmt: skip
VALUES = {
    "client_id": st.sampled_from(["target", "target", "target", "app", "nobody", ""]),
    "redirect_uri": ADDRESSES,
    "post_logout_redirect_uri": ADDRESSES,
    "response_type": st.sampled_from(
        [
            "code",
            "code",
            "token",
            "id_token",
            "id_token token",
            "code token",
            "code id_token",
            "token id_token code",
            "none",
            "",
        ]
    ),
    "response_mode": st.sampled_from([*RESPONSE_MODES, "web_message", "jwt.query", ""]),
    "scope": st.sampled_from(["openid", "openid email", "email", "openid offline_access"]),
    "prompt": st.sampled_from(["none", "login", "consent", "select_account", "none login"]),
    "nonce": st.sampled_from(["n-1", "n-1", ""]),
    "resource": st.sampled_from(["https://api.example.org/", "https://evil.example/", "", "x"]),
    "request_uri": ADDRESSES | st.sampled_from(["urn:ietf:params:oauth:request_uri:x"]),
    "max_age": st.sampled_from(["0", "1", "9999999", "-1", "x"]),
    "code_challenge": st.sampled_from([CHALLENGE, CHALLENGE, "x"]),
    "code_challenge_method": st.sampled_from(["S256", "S256", "plain"]),
}
NAMES = sorted(
    KNOWN_PARAMETERS
    | {
        "request",
        "request_uri",
        "resource",
        "dpop_jkt",
        "post_logout_redirect_uri",
        "logout_hint",
        "pending",
        "lang",
        "next",
        "evil",
    }
)
ANYTHING = st.one_of(st.text(max_size=30), ADDRESSES)
PAIRS = st.lists(
    st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), VALUES.get(name, ANYTHING))),
    max_size=14,
)
#: What stands beside a request that comes otherwise; the parameters that say how it comes stand once.
BESIDE = PAIRS.map(
    lambda pairs: [pair for pair in pairs if pair[0] not in {"client_id", "request", "request_uri"}]
)
GOOD = [
    ("client_id", "target"), ("redirect_uri", CALLBACK), ("response_type", "code"), ("scope", "openid"),
    ("code_challenge", CHALLENGE), ("code_challenge_method", "S256"),
]  # fmt: skip


@pytest.fixture(scope="module")
def target(patient_provider: Provider) -> Service:
    """A service that may ask for everything, in every way, and signs its requests when it likes."""
    return patient_provider.a_client(
        client_id="target",
        authentication_method=ClientAuthenticationMethod.PRIVATE_KEY_JWT,
        response_types=frozenset(RESPONSE_TYPES),
        require_pkce=False,
        resources=("https://api.example.org/",),
    )


@pytest.fixture(scope="module")
def browser(patient_provider: Provider, target: Service) -> FlaskClient:
    """Somebody who is signed in, and the services they use."""
    assert target.client_id == "target"
    patient_provider.a_client(client_id="app", is_public=True, redirect_uris=("com.example.app:/cb",))
    return patient_provider.signed_in()


def where_to(answer: TestResponse) -> list[str]:
    """Name every place that an answer sends the browser to."""
    found = []
    if "Location" in answer.headers:
        found.append(answer.headers["Location"])
    if 'http-equiv="refresh"' in answer.text:
        found.append(continue_url(answer))
    if "data-form-post" in answer.text:
        found.append(answer.text.split("data-form-post")[0].rpartition('action="')[2].partition('"')[0])
    return found


def is_ours_or_registered(address: str) -> bool:
    """Tell whether an address is a page of ours or one that a service registered, with parameters or without."""
    parts = urlsplit(address)
    if not parts.scheme and not parts.netloc:
        return address == "/" or parts.path.startswith(OWN)
    return address.partition("#")[0].partition("?")[0] in REGISTERED


@pytest.mark.rule("OID-9")
@pytest.mark.spec("RFC 9700", "4.11.2", "MUST NOT")
@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/authorize", "/logout"])
@PATIENT
@given(pairs=PAIRS, base=st.booleans())
@example(pairs=[("redirect_uri", "https://evil.example/")], base=True)
@example(pairs=[("state", "\r\nLocation: https://evil.example/")], base=True)
def test_no_answer_leads_where_nobody_registered(
    patient_provider: Provider,
    browser: FlaskClient,
    path: str,
    method: str,
    pairs: list[tuple[str, str]],
    *,
    base: bool,
) -> None:
    """Neither a redirection, nor a page that goes on, nor a form; and never a 500."""
    every = ([*GOOD, *pairs] if base else pairs) if path == "/authorize" else pairs
    encoded = urlencode(every, errors="surrogatepass")
    who = browser if len(pairs) % 2 else patient_provider.client()

    if method == "GET":
        answer = who.get(f"{path}?{encoded}")
    else:
        answer = who.post(path, data=encoded, content_type="application/x-www-form-urlencoded")
        if "Location" in answer.headers:
            assert urlsplit(answer.location)[:3] == ("", "", path)
            answer = who.get(answer.location)
    if path == "/logout":
        patient_provider.signed_in(browser=browser)

    leads_nowhere_else(answer)


@pytest.mark.rule("OID-5", "OID-9")
@pytest.mark.spec("RFC 9101", "10.2", "MUST")
@PATIENT
@given(pairs=PAIRS, beside=BESIDE, is_whole=st.booleans())
def test_no_request_object_leads_where_nobody_registered(
    patient_provider: Provider,
    target: Service,
    browser: FlaskClient,
    pairs: list[tuple[str, str]],
    beside: list[tuple[str, str]],
    *,
    is_whole: bool,
) -> None:
    """What a service signs is checked as what a browser brings, and what stands beside it changes nothing."""
    claims: dict[str, Any] = {name: encodable(value) for name, value in pairs}
    if not is_whole:
        claims |= {"iss": None, "aud": None}
    token = request_object(patient_provider, target, **claims)
    query = urlencode([("client_id", "target"), ("request", token), *beside], errors="surrogatepass")

    leads_nowhere_else(browser.get(f"/authorize?{query}"))


@pytest.mark.rule("OID-5", "OID-9")
@pytest.mark.spec("RFC 9126", "2.1", "MUST")
@PATIENT
@given(pairs=PAIRS, beside=BESIDE, is_signed=st.booleans())
def test_no_pushed_request_leads_where_nobody_registered(
    patient_provider: Provider,
    target: Service,
    browser: FlaskClient,
    pairs: list[tuple[str, str]],
    beside: list[tuple[str, str]],
    *,
    is_signed: bool,
) -> None:
    """What is pushed is checked when it is pushed and when it is opened, signed or not."""
    claims = {name: encodable(value) for name, value in pairs}
    form: dict[str, str] = {**dict(GOOD), **claims}
    if is_signed:
        form = {"request": request_object(patient_provider, target, **claims), "client_id": "target"}

    pushed = patient_provider.post("/par", target, **form)
    assert pushed.status_code in {201, 400, 401}, pushed.text
    if pushed.status_code == 201:
        uri = (pushed.get_json() or {})["request_uri"]
        query = urlencode([("client_id", "target"), ("request_uri", uri), *beside], errors="surrogatepass")
        leads_nowhere_else(browser.get(f"/authorize?{query}"))


def encodable(value: str) -> str:
    """Leave out what UTF-8 has no bytes for: JSON and forms of well-meaning libraries can't hold it."""
    return value.encode(errors="ignore").decode()


def leads_nowhere_else(answer: TestResponse) -> None:
    """Hold the laws of an answer: a place that is registered, no 307, no token in a query, and never a 500."""
    places = where_to(answer)

    assert answer.status_code < 500
    # 307 would send the form of the person's password on (RFC 9700 section 4.12).
    assert answer.status_code not in {301, 302, 307, 308}
    assert all(is_ours_or_registered(address) for address in places), places
    assert "\n" not in str(answer.headers.get("Location", ""))
    in_queries = {name for address in places for name, _ in parse_qsl(urlsplit(address).query)}
    assert not in_queries & {"access_token", "id_token"}
