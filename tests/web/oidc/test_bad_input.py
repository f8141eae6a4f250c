"""Whatever is sent to an endpoint, it answers as its standard says: never a 500, nothing half-made."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.provider import FORM, SESSION_COOKIE, answer_of, basic

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from tests.support.provider import Provider

BACK_CHANNEL = ("/token", "/introspect", "/revoke")
TEN_MEGABYTES = 10 * 1024 * 1024


#: Bodies that are no form of ours, with their content type.
BODIES: dict[str, tuple[str | None, bytes]] = {
    "JSON": ("application/json", b'{"grant_type": "client_credentials"}'),
    "a form without a content type": (None, b"grant_type=client_credentials"),
    "text": ("text/plain", b"grant_type=client_credentials"),
    "multipart": ("multipart/form-data; boundary=x", b"--x\r\n\r\n--x--"),
    "multipart without a boundary": ("multipart/form-data", b"grant_type=client_credentials"),
    "an unreadable content type": ("\x01;;=", b"grant_type=client_credentials"),
}
#: Forms whose content can't be read as it was meant.
FORMS = {
    "nothing": b"",
    "no pair": b"&&&==&",
    "raw bytes that are no UTF-8": b"grant_type=client_credentials&token=\xff\xfe&code=\xc3",
    "escaped bytes that are no UTF-8": b"grant_type=client_credentials&token=%FF%FE&code=%C3",
    "a lone surrogate": b"grant_type=client_credentials&token=%ED%A0%80&code=%ED%A0%80",
    "NUL": b"grant_type=client_credentials&token=%00&code=%00&client_id=%00",
    "a line break": b"grant_type=client_credentials%0d%0aX: y&token=%0a",
    "a truncated escape": b"grant_type=%&token=%z&client_id=%2",
    "many parameters": b"&".join(b"a%d=1" % number for number in range(3000)),
    "a parameter too long": b"grant_type=client_credentials&token=" + b"a" * 100_000,
    "an array by brackets": b"grant_type[]=client_credentials&token[a]=b",
}
#: Authorization headers that are no client's.
HEADERS = {
    "empty": "",
    "scheme alone": "Basic",
    "scheme and blank": "Basic ",
    "not base64": "Basic !!!!",
    "base64 of no pair": "Basic " + base64.b64encode(b"nobody").decode(),
    "base64 of bytes that are no UTF-8": "Basic " + base64.b64encode(b"\xff\xfe:\xff").decode(),
    "not ASCII": "Basic é",
    "padding missing": "Basic YTpi",
    "padding in excess": "Basic YTpi====",
    "NUL in the name": "Basic " + base64.b64encode(b"a\x00b:c").decode(),
    "escaped NUL in the name": "Basic " + base64.b64encode(b"a%00b:c").decode(),
    "escaped surrogate in the name": "Basic " + base64.b64encode(b"%ED%A0%80:c").decode(),
    "line break in the name": "Basic " + base64.b64encode(b"a\nb:c").decode(),
    "long name": "Basic " + base64.b64encode(b"a" * 3000 + b":b").decode(),
    "another scheme": "Bearer abc",
    "two schemes": "Basic YTpi, Basic YTpi",
    "digest": 'Digest username="a"',
}


def assert_refused(answer: TestResponse, *statuses: int) -> None:
    """Check that an answer is a JSON error that says what kind, and keeps its cause to itself."""
    assert answer.status_code in statuses, (answer.status_code, answer.text)
    assert answer.mimetype == "application/json"
    assert set(answer.json) == {"error", "error_description"}
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.spec("RFC 6749", "5.2", "MUST")
@pytest.mark.parametrize("path", BACK_CHANNEL)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_back_channel_body_that_is_no_form_is_refused(
    lasting_provider: Provider, path: str, body: tuple[str | None, bytes]
) -> None:
    """What is not a form is told so, in JSON."""
    content_type, data = body
    headers = {} if content_type is None else {"Content-Type": content_type}

    answer = lasting_provider.back_channel.post(path, data=data, headers=headers)

    assert_refused(answer, 400)
    assert answer.json["error"] == "invalid_request"


@pytest.mark.spec("RFC 6749", "5.2", "MUST")
@pytest.mark.parametrize("path", BACK_CHANNEL)
@pytest.mark.parametrize("body", FORMS.values(), ids=FORMS)
def test_back_channel_form_that_is_unreadable_is_refused(
    lasting_provider: Provider, path: str, body: bytes
) -> None:
    """A form whose values can't be what was meant is refused, with and without a client."""
    service = lasting_provider.a_client()
    proof = {"Authorization": basic(service.client_id, service.secret)}

    answers = [
        lasting_provider.back_channel.post(path, data=body, content_type=FORM, headers=headers)
        for headers in ({}, proof)
    ]

    for answer in answers:
        assert_refused(answer, 400, 401)


@pytest.mark.spec("RFC 6749", "3.2", "MUST NOT")
@pytest.mark.parametrize("path", BACK_CHANNEL)
@pytest.mark.parametrize(
    "name",
    ["grant_type", "code", "redirect_uri", "code_verifier", "client_id", "client_secret", "refresh_token",
     "scope", "token", "token_type_hint", "client_assertion", "client_assertion_type"],
)  # fmt: skip
def test_back_channel_parameter_that_is_repeated_is_refused(
    lasting_provider: Provider, path: str, name: str
) -> None:
    """A parameter that comes twice, even with one value, makes the request invalid."""
    service = lasting_provider.a_client()
    headers, _ = service.authentication()
    form = f"grant_type=client_credentials&token=x&{name}=a&{name}=a"

    answer = lasting_provider.back_channel.post(path, data=form, content_type=FORM, headers=headers)

    assert_refused(answer, 400)
    assert answer.json["error"] == "invalid_request"


@pytest.mark.spec("RFC 6749", "2.3.1", "MUST NOT")
@pytest.mark.parametrize("path", BACK_CHANNEL)
@pytest.mark.parametrize("name", ["client_secret", "token", "code", "refresh_token", "client_assertion"])
def test_back_channel_parameter_in_the_address_is_refused(
    lasting_provider: Provider, path: str, name: str
) -> None:
    """An address is logged by everything on the way: no parameter may stand there."""
    service = lasting_provider.a_client()
    headers, _ = service.authentication()

    answer = lasting_provider.back_channel.post(
        f"{path}?{name}=x", data={"grant_type": "client_credentials", "token": "x"}, headers=headers
    )

    assert_refused(answer, 400)


@pytest.mark.spec("RFC 6749", "5.2", "MUST")
@pytest.mark.parametrize("path", BACK_CHANNEL)
@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
def test_client_whose_header_is_unreadable_is_challenged(
    lasting_provider: Provider, path: str, header: str
) -> None:
    """Credentials that can't be read are a failed authentication, with its challenge."""
    answer = lasting_provider.back_channel.post(
        path,
        data={"grant_type": "client_credentials", "token": "x"},
        headers={"Authorization": header},
    )

    assert_refused(answer, 401)
    assert answer.json["error"] == "invalid_client"
    assert answer.headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.spec("RFC 6749", "3.2", "MUST")
@pytest.mark.parametrize("path", BACK_CHANNEL)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "TRACE"])
def test_back_channel_method_that_is_not_post_is_refused(
    lasting_provider: Provider, path: str, method: str
) -> None:
    """Only POST is taken, and the answer says so."""
    answer = lasting_provider.back_channel.open(path, method=method)

    assert_refused(answer, 405)
    assert answer.headers["Allow"] == "OPTIONS, POST"


@pytest.mark.parametrize("path", [*BACK_CHANNEL, "/userinfo"])
def test_json_endpoint_that_gets_ten_megabytes_refuses_them(lasting_provider: Provider, path: str) -> None:
    """A body beyond every use is refused before it is read."""
    answer = lasting_provider.back_channel.post(
        path, data=b"token=" + b"a" * TEN_MEGABYTES, content_type=FORM, headers={}
    )

    assert_refused(answer, 413)


@pytest.mark.parametrize("path", ["/authorize", "/logout", "/logout/confirm", "/consent", "/sign-out"])
def test_page_that_gets_ten_megabytes_refuses_them(lasting_provider: Provider, path: str) -> None:
    """The same on pages, with a page."""
    answer = lasting_provider.client().post(path, data=b"token=" + b"a" * TEN_MEGABYTES, content_type=FORM)

    assert answer.status_code in {400, 413}
    assert answer.mimetype == "text/html"


#: Queries whose bytes are no text.
QUERIES = {
    "raw bytes": b"state=\xff\xfe",
    "escaped bytes": b"state=%FF%FE",
    "a lone surrogate": b"state=%ED%A0%80",
    "NUL": b"state=a%00b",
    "a line break": b"state=a%0d%0aSet-Cookie:%20a=b",
}


@pytest.mark.spec("RFC 6749", "4.1.2.1", "MUST")
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_authorization_request_with_unreadable_value_is_told_to_the_service(
    lasting_provider: Provider, query: bytes
) -> None:
    """A value that is no text is never changed into another: the service hears invalid_request, without it."""
    service = lasting_provider.a_client()
    usual = b"&".join(
        f"{name}={value}".encode() for name, value in lasting_provider.parameters(service, state=None).items()
    )
    environ = {"QUERY_STRING": (usual + b"&" + query).decode("latin-1")}

    answer = lasting_provider.client().get("/authorize", environ_overrides=environ)

    assert answer.status_code == 303, answer.text
    assert answer.location.startswith(service.callback + "?")
    assert answer_of(answer)["error"] == "invalid_request"
    assert "state" not in answer_of(answer)


@pytest.mark.parametrize("path", ["/", "/authorize", "/userinfo", "/logout", "/consent", "/account/services"])
@pytest.mark.parametrize("query", [b"\xff", b"a=\xff&lang=\xff", b"pending=%FF&notice=%00", b"%", b"=&=&="])
def test_page_with_unreadable_query_answers_without_failing(
    lasting_provider: Provider, path: str, query: bytes
) -> None:
    """No query brings a page down."""
    answer = lasting_provider.client().get(path, environ_overrides={"QUERY_STRING": query.decode("latin-1")})

    assert answer.status_code < 500


@pytest.mark.parametrize(
    "cookie",
    ["", "x", "é", "a" * 4000, '"', "mps_" + "a" * 49, "mps_" + "\x7f" * 49],
    ids=["empty", "short", "not ASCII", "long", "quote", "no checksum", "control"],
)
def test_session_cookie_that_is_not_ours_is_nobody(lasting_provider: Provider, cookie: str) -> None:
    """A cookie that we did not make signs nobody in and breaks nothing."""
    service = lasting_provider.a_client()
    headers = {"Cookie": f"{SESSION_COOKIE}={cookie}; other"}

    answer = lasting_provider.back_channel.get(
        "/authorize", query_string=lasting_provider.parameters(service, prompt="none"), headers=headers
    )

    assert answer_of(answer)["error"] == "login_required"


@pytest.mark.spec("RFC 6749", "3.1", "MUST")
def test_authorization_request_posted_as_json_gets_a_page(lasting_provider: Provider) -> None:
    """OIDC Core 3.1.2.1: parameters are form-serialized; JSON has none of them."""
    browser = lasting_provider.client()

    answer = browser.post("/authorize", json={"client_id": "service-1"}, follow_redirects=True)

    assert answer.status_code == 400
    assert answer.mimetype == "text/html"


@pytest.mark.parametrize(
    "method,path,allowed",
    [
        ("PUT", "/authorize", "GET, HEAD, OPTIONS, POST"),
        ("DELETE", "/userinfo", "GET, HEAD, OPTIONS, POST"),
        ("PATCH", "/logout", "GET, HEAD, OPTIONS, POST"),
        ("GET", "/sign-out", "OPTIONS, POST"),
        ("GET", "/logout/confirm", "OPTIONS, POST"),
        ("POST", "/.well-known/openid-configuration", "GET, HEAD, OPTIONS"),
        ("DELETE", "/jwks.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_method_that_is_not_taken_is_told_which_are(
    lasting_provider: Provider, method: str, path: str, allowed: str
) -> None:
    """RFC 9110 section 15.5.6: a 405 names the methods that are allowed."""
    answer = lasting_provider.back_channel.open(path, method=method)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == allowed


def test_assertion_with_hostile_claims_is_refused(lasting_provider: Provider) -> None:
    """Names in an assertion are read before its signature: no database and no hash may choke on them."""
    names: list[Any] = ["a\x00b", "\ud800", "", "a" * 5000, 5, None, ["a"], {"a": 1}, "nobody"]

    for name in names:
        token = unsigned({"sub": name, "iss": name, "jti": name})
        answer = lasting_provider.post(
            "/token",
            grant_type="client_credentials",
            client_assertion=token,
            client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        )
        assert_refused(answer, 400, 401)


@pytest.mark.parametrize(
    "token",
    [
        "", "a", "a.b", "a.b.c", "...", "é.é.é", "e30.e30.", "W10.W10.", "bnVsbA.e30.",
        base64.urlsafe_b64encode(b'{"alg":"none","b64":false,"crit":["b64"]}').rstrip(b"=").decode() + "..",
        base64.urlsafe_b64encode(b"[" * 3000).rstrip(b"=").decode() + ".e30.x",
        "eyJhbGciOiJFUzI1NiJ9." + base64.urlsafe_b64encode(b'{"a":' + b"[" * 3000).rstrip(b"=").decode() + ".eA",
        "eyJhbGciOiJFUzI1NiIsImtpZCI6NX0.e30.eA",
    ],
    ids=str,
)  # fmt: skip
def test_token_that_is_no_jwt_is_refused_wherever_one_is_read(lasting_provider: Provider, token: str) -> None:
    """Hints and assertions that can't be parsed are refused by the error of each place."""
    service = lasting_provider.a_client()
    browser = lasting_provider.signed_in()

    assertion = lasting_provider.post(
        "/token",
        grant_type="client_credentials",
        client_assertion=token or "x",
        client_assertion_type="urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    )
    hint = lasting_provider.authorize(browser, service, id_token_hint=token or "x", prompt="none")
    logout = browser.get("/logout", query_string={"id_token_hint": token or "x"})

    assert assertion.status_code == 401
    assert answer_of(hint)["error"] == "invalid_request"
    assert logout.status_code == 400


def unsigned(claims: dict[str, Any]) -> str:
    """Write a JWT that nobody signed."""
    parts = ({"alg": "ES256", "kid": "k"}, claims, {})
    return ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts
    )
