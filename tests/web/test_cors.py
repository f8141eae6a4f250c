"""Scripts of other sites: which origins may read which answers (OID-10; security 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.devices import a_device
from tests.support.provider import answer_of
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider, Service

APP = "https://app.example.org"
OTHER_APP = "http://localhost:5173"
#: What looks like a registered origin, and is none.
STRANGERS = [
    "null",
    "",
    "*",
    "http://app.example.org",
    "https://app.example.org:443",
    "https://app.example.org:8443",
    "https://app.example.org.evil.example",
    "https://evil-app.example.org",
    "https://evilapp.example.org",
    "https://sub.app.example.org",
    "https://example.org",
    "https://APP.example.org",
    "https://app.example.org/",
    "https://app.example.org@evil.example",
    "https://app.example.org https://evil.example",
    "http://localhost:5174",
    "http://localhost",
    "https://app.example.org\x00",
    "https://" + "a" * 5000,
    "file://",
    "app.example.org",
]
OPEN = {
    "/token": "POST",
    "/userinfo": "GET, POST",
    "/revoke": "POST",
    "/device_authorization": "POST",
    "/par": "POST",
}
CLOSED = [
    "/",
    "/authorize",
    "/introspect",
    "/logout",
    "/sign-in",
    "/consent",
    "/device",
    "/account",
    "/account/contact-details",
    "/register",
    "/healthz",
    "/no-such-page",
]


@pytest.fixture(scope="module")
def app(lasting_provider: Provider) -> Service:
    """A page without a server of its own."""
    return lasting_provider.a_client(
        is_public=True, allowed_origins=(APP,), scopes=frozenset({"openid", "api", "offline_access"})
    )


@pytest.fixture(scope="module")
def other_app(lasting_provider: Provider) -> Service:
    """Another client with an origin of its own."""
    return lasting_provider.a_client(is_public=True, allowed_origins=(OTHER_APP,))


def preflight(provider: Provider, path: str, origin: str, method: str = "POST") -> TestResponse:
    """Ask as a browser does before it sends a script's request."""
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization,dpop",
    }
    return provider.back_channel.options(path, headers=headers)


def opened_for(answer: TestResponse) -> str | None:
    """Give the origin whose scripts may read an answer; none has credentials."""
    assert "Access-Control-Allow-Credentials" not in answer.headers
    return answer.headers.get("Access-Control-Allow-Origin")


def post(provider: Provider, path: str, origin: str, **fields: str) -> TestResponse:
    """Send a form as a script does."""
    return provider.back_channel.post(path, data=fields, headers={"Origin": origin})


@pytest.mark.rule("OID-10")
@pytest.mark.parametrize("path", OPEN)
@pytest.mark.usefixtures("app", "other_app")
def test_preflight_of_a_registered_origin_is_let_through(lasting_provider: Provider, path: str) -> None:
    """Any client's: a browser names no client when it asks."""
    for origin in (APP, OTHER_APP):
        answer = preflight(lasting_provider, path, origin)

        assert answer.status_code == 204
        assert answer.data == b""
        assert opened_for(answer) == origin
        assert answer.headers["Access-Control-Allow-Methods"] == OPEN[path]
        assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, DPoP"
        assert int(answer.headers["Access-Control-Max-Age"]) > 0
        assert "Origin" in answer.headers["Vary"]


@pytest.mark.rule("OID-10")
@pytest.mark.spec("RFC 9700", "2.6", "MUST")
@pytest.mark.parametrize("path", OPEN)
@pytest.mark.parametrize("origin", STRANGERS)
@pytest.mark.usefixtures("app", "other_app")
def test_stranger_is_told_nothing_in_a_preflight_and_in_an_answer(
    lasting_provider: Provider, path: str, origin: str
) -> None:
    """Neither `null`, nor a suffix, another scheme or another port."""
    before = preflight(lasting_provider, path, origin)
    answer = post(lasting_provider, path, origin)

    for one in (before, answer):
        assert opened_for(one) is None
        assert not [name for name, _ in one.headers if name.startswith("Access-Control-")]
        assert "Origin" in one.headers["Vary"]
    assert before.status_code == 204


@pytest.mark.rule("OID-10")
@pytest.mark.spec("RFC 9700", "2.6", "MUST NOT")
@pytest.mark.parametrize("path", CLOSED)
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
@pytest.mark.usefixtures("app")
def test_what_no_script_needs_is_closed_to_all(lasting_provider: Provider, path: str, method: str) -> None:
    """The authorization endpoint above all: the client sends the browser there, and reads nothing."""
    headers = {"Origin": APP, "Access-Control-Request-Method": "GET"}

    answer = lasting_provider.back_channel.open(path, method=method, headers=headers)

    assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.rule("OID-10")
def test_code_tokens_and_claims_are_for_the_origins_of_their_client_alone(
    lasting_provider: Provider, app: Service, other_app: Service
) -> None:
    """A whole sign-in by a script; another client's origin reads none of it."""
    provider = lasting_provider
    browser = provider.signed_in()
    for origin, expected in ((APP, APP), (OTHER_APP, None), (None, None)):
        headers = {} if origin is None else {"Origin": origin}
        asked = provider.authorize(browser, app, scope="openid offline_access")
        code = answer_of(provider.consent(browser, asked.location))["code"]
        form = {
            "grant_type": "authorization_code",
            "client_id": app.client_id,
            "code": code,
            "redirect_uri": app.callback,
            "code_verifier": app.verifier,
        }
        tokens = provider.back_channel.post("/token", data=form, headers=headers)
        bearer = headers | {"Authorization": f"Bearer {tokens.json['access_token']}"}
        claims = provider.back_channel.get("/userinfo", headers=bearer)
        form = {"client_id": app.client_id, "token": tokens.json["refresh_token"]}
        revoked = provider.back_channel.post("/revoke", data=form, headers=headers)
        form = {"client_id": app.client_id, "scope": "openid"}
        device = provider.back_channel.post("/device_authorization", data=form, headers=headers)
        pushed = provider.back_channel.post("/par", data=provider.parameters(app), headers=headers)

        for answer in (tokens, claims, revoked, device, pushed):
            assert answer.status_code in {200, 201}, answer.text
            assert opened_for(answer) == expected
            exposed = None if expected is None else "WWW-Authenticate, DPoP-Nonce"
            assert answer.headers.get("Access-Control-Expose-Headers") == exposed
            assert ("Origin" in answer.headers.get("Vary", "")) is (origin is not None)
    assert other_app.client.allowed_origins == (OTHER_APP,)


@pytest.mark.rule("OID-10")
def test_error_after_the_client_is_known_is_for_its_own_origins(
    lasting_provider: Provider, app: Service, other_app: Service
) -> None:
    """A device that waits, a code that is none, a grant that is not the client's."""
    device = a_device(lasting_provider, app).answer["device_code"]
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    for fields in (
        {"grant_type": grant, "device_code": device},
        {"grant_type": "authorization_code", "code": "x"},
        {"grant_type": "client_credentials"},
    ):
        own = post(lasting_provider, "/token", APP, client_id=app.client_id, **fields)
        others = post(lasting_provider, "/token", OTHER_APP, client_id=app.client_id, **fields)

        assert own.status_code == others.status_code == 400
        assert (opened_for(own), opened_for(others)) == (APP, None)
    assert other_app.client_id != app.client_id


@pytest.mark.rule("OID-10")
@pytest.mark.usefixtures("app", "other_app")
def test_error_before_a_client_is_known_is_for_every_registered_origin(lasting_provider: Provider) -> None:
    """A developer reads what went wrong; it says nothing of anybody."""
    for origin in (APP, OTHER_APP):
        unknown = post(lasting_provider, "/token", origin, grant_type="refresh_token", client_id="nobody")
        dead = lasting_provider.back_channel.get(
            "/userinfo", headers={"Origin": origin, "Authorization": "Bearer mpa_nothing"}
        )
        no_form = lasting_provider.back_channel.post("/token", json={}, headers={"Origin": origin})
        wrong_method = lasting_provider.back_channel.get("/token", headers={"Origin": origin})

        statuses = [one.status_code for one in (unknown, dead, no_form, wrong_method)]
        assert statuses == [401, 401, 400, 405]
        assert {opened_for(one) for one in (unknown, dead, no_form, wrong_method)} == {origin}


@pytest.mark.rule("OID-10")
def test_origin_that_was_taken_away_is_a_stranger_at_once(lasting_provider: Provider) -> None:
    """And one that was given is known at once."""
    service = lasting_provider.a_client(is_public=True, allowed_origins=("https://old.example.org",))

    lasting_provider.change(service, allowed_origins=("https://new.example.org",))

    for origin, expected in (("https://old.example.org", None), ("https://new.example.org",) * 2):
        assert opened_for(preflight(lasting_provider, "/token", str(origin))) == expected
        answer = post(lasting_provider, "/token", str(origin), client_id=service.client_id, grant_type="x")
        assert opened_for(answer) == expected


@pytest.mark.rule("OID-10")
def test_request_without_an_origin_pays_for_nothing(lasting_provider: Provider, app: Service) -> None:
    """Neither a statement nor a header: servers of services don't send one."""
    with recorded_queries(lasting_provider.context.database.reader) as plain:
        answer = lasting_provider.back_channel.get("/userinfo")
    with recorded_queries(lasting_provider.context.database.reader) as asked:
        preflight(lasting_provider, "/token", APP)

    assert len(plain) == 0
    assert "Vary" not in answer.headers
    assert len(asked) == 1
    options = lasting_provider.back_channel.options("/token")
    assert opened_for(options) is None
    assert app.client.allowed_origins == (APP,)


@pytest.mark.rule("OID-10")
@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks.json"])
def test_public_documents_are_for_every_origin(lasting_provider: Provider, path: str) -> None:
    """They are the same for everybody."""
    answer = lasting_provider.back_channel.get(path, headers={"Origin": "https://anybody.example"})

    assert opened_for(answer) == "*"


@pytest.mark.rule("OID-10", "LOG-4")
@pytest.mark.spec("OIDC Core", "3.1.2.6", "MUST")
def test_silent_request_of_a_frame_without_cookies_hears_that_nobody_is_signed_in(
    lasting_provider: Provider, app: Service
) -> None:
    """Browsers send no cookie of ours from another site's frame, whoever is signed in: an error, and no page."""
    headers = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    query = lasting_provider.parameters(app, prompt="none")

    answer = lasting_provider.client().get("/authorize", query_string=query, headers=headers)

    assert answer.status_code == 303
    assert answer_of(answer)["error"] == "login_required"
    assert "Set-Cookie" not in answer.headers
