"""The operations that are measured, as whoever calls the provider does them.

Each is a generator of requests, so that the same steps run over sockets under load and in process, where
their statements are counted.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from tests.bench.wire import Answer, Request, Steps

CONFIDENTIAL = "bench-confidential"
PUBLIC = "bench-public"
REDIRECT_URI = "https://service.example.org/callback"
SCOPES = "openid profile email offline_access"
# RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SESSION_COOKIE = "mon_paris_session"
OK, SEE_OTHER = 200, 303
_TOKEN_FIELD = re.compile(rb'name="csrf_token"[^>]*value="([^"]+)"')


class UnexpectedAnswerError(RuntimeError):
    """The provider answered something else than the operation needs: its figures would mean nothing."""


@dataclass
class Visitor:
    """One person at one browser, and the tokens that a service holds for them.

    Args:
        email: Of the account.
        password: Of the account.
        session: The value of the session cookie.
        secret: Of the confidential client.
    """

    email: str
    password: str
    session: str
    secret: str
    jar: dict[str, str] = field(default_factory=dict)
    access_token: str = ""
    refresh_token: str = ""
    public_refresh_token: str = ""

    def basic(self) -> tuple[str, str]:
        """Give the header by which the confidential client proves itself (RFC 6749 section 2.3.1)."""
        raw = f"{quote(CONFIDENTIAL)}:{quote(self.secret)}".encode()
        return ("Authorization", "Basic " + base64.b64encode(raw).decode())


Operation = Callable[[Visitor], Steps]


def prepare(visitor: Visitor) -> Steps:
    """Sign in, and get the tokens that the other operations use."""
    # The logins measured before were so many that they ended the session which the visitor began with (S-36).
    yield from login(visitor)
    yield from code(visitor)
    # A client that can't prove itself is answered without a page when it asks silently only (RFC 6749 section 10.2).
    answer = yield _authorize(PUBLIC, visitor.session, prompt="none")
    body = yield from _token(
        {"client_id": PUBLIC, "grant_type": "authorization_code", **_proof(_code_of(answer))}
    )
    visitor.public_refresh_token = body["refresh_token"]


def code(visitor: Visitor) -> Steps:
    """Sign in silently with a session, and exchange the code."""
    answer = yield _authorize(CONFIDENTIAL, visitor.session)
    form = {"grant_type": "authorization_code", **_proof(_code_of(answer))}
    body = yield from _token(form, visitor.basic())
    visitor.access_token, visitor.refresh_token = body["access_token"], body["refresh_token"]


def refresh_confidential(visitor: Visitor) -> Steps:
    """Refresh as a client that proves itself, and keeps its token."""
    yield from _token(
        {"grant_type": "refresh_token", "refresh_token": visitor.refresh_token}, visitor.basic()
    )


def refresh_public(visitor: Visitor) -> Steps:
    """Refresh as a client that can't keep a secret: the token rotates."""
    token = visitor.public_refresh_token
    body = yield from _token({"grant_type": "refresh_token", "client_id": PUBLIC, "refresh_token": token})
    visitor.public_refresh_token = body["refresh_token"]


def client_credentials(visitor: Visitor) -> Steps:
    """Get a token for the client itself."""
    yield from _token({"grant_type": "client_credentials"}, visitor.basic())


def userinfo(visitor: Visitor) -> Steps:
    """Read a person's claims."""
    answer = yield Request("GET", "/userinfo", (("Authorization", f"Bearer {visitor.access_token}"),))
    _expect(answer, OK)


def introspection(visitor: Visitor) -> Steps:
    """Ask what a token is worth."""
    body = urlencode({"token": visitor.access_token})
    answer = yield Request("POST", "/introspect", (visitor.basic(),), body)
    if not _json(answer)["active"]:
        message = "a live token is said to be dead"
        raise UnexpectedAnswerError(message)


def discovery(_visitor: Visitor) -> Steps:
    """Read the provider's metadata."""
    _expect((yield Request("GET", "/.well-known/openid-configuration")), OK)


def jwks(_visitor: Visitor) -> Steps:
    """Read the provider's keys."""
    _expect((yield Request("GET", "/jwks.json")), OK)


def login(visitor: Visitor) -> Steps:
    """Come from a service without a session: sign-in page, password, back to the service with a code."""
    visitor.jar.pop(SESSION_COOKIE, None)
    answer = yield _with_cookies(_authorize(CONFIDENTIAL, None), visitor)
    page = yield _with_cookies(Request("GET", _followed(answer, visitor)), visitor)
    _expect(page, OK)
    visitor.jar.update(page.cookies())
    found = _TOKEN_FIELD.search(page.body)
    if found is None:
        message = "the sign-in page has no form"
        raise UnexpectedAnswerError(message)
    pending = urlsplit(answer.header("Location")).query.removeprefix("pending=").partition("&")[0]
    form = {
        "csrf_token": unescape(found[1].decode()),
        "pending": unquote(pending),
        "email": visitor.email,
        "password": visitor.password,
    }
    answer = yield _with_cookies(Request("POST", "/sign-in", (), urlencode(form)), visitor)
    visitor.jar.update(answer.cookies())
    if SESSION_COOKIE not in visitor.jar or b"code=" not in answer.body:
        message = f"no sign-in: {answer.status} {answer.head}"
        raise UnexpectedAnswerError(message)
    visitor.session = visitor.jar[SESSION_COOKIE]


def floor(_visitor: Visitor) -> Steps:
    """Ask the floor for its answer: nothing but the server and Flask."""
    _expect((yield Request("GET", "/")), OK)


#: Name in the tables, and what it does; the order of the tables.
OPERATIONS: dict[str, Operation] = {
    "code: /authorize + /token": code,
    "refresh, confidential": refresh_confidential,
    "refresh, public": refresh_public,
    "client credentials": client_credentials,
    "userinfo": userinfo,
    "introspection": introspection,
    "discovery": discovery,
    "JWKS": jwks,
    "password login": login,
}
ALL = OPERATIONS | {"prepare": prepare, "floor": floor}


def _authorize(client_id: str, session: str | None, **others: str) -> Request:
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": REDIRECT_URI,
        "scope": SCOPES,
        "state": "a-state-of-the-service",
        "nonce": "a-nonce-of-the-service",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        **others,
    }
    headers = () if session is None else (("Cookie", f"{SESSION_COOKIE}={session}"),)
    return Request("GET", f"/authorize?{urlencode(query)}", headers)


def _token(form: dict[str, str], *headers: tuple[str, str]) -> Generator[Request, Answer, dict[str, Any]]:
    answer = yield Request("POST", "/token", headers, urlencode(form))
    return _json(answer)


def _proof(secret: str) -> dict[str, str]:
    return {"code": secret, "redirect_uri": REDIRECT_URI, "code_verifier": VERIFIER}


def _code_of(answer: Answer) -> str:
    _expect(answer, SEE_OTHER)
    _, found, rest = answer.header("Location").partition("code=")
    if not found:
        message = f"no code: {answer.header('Location')}"
        raise UnexpectedAnswerError(message)
    return rest.partition("&")[0]


def _followed(answer: Answer, visitor: Visitor) -> str:
    _expect(answer, SEE_OTHER)
    visitor.jar.update(answer.cookies())
    return answer.header("Location")


def _with_cookies(request: Request, visitor: Visitor) -> Request:
    if not visitor.jar:
        return request
    cookie = "; ".join(f"{name}={value}" for name, value in visitor.jar.items())
    return Request(request.method, request.path, (*request.headers, ("Cookie", cookie)), request.body)


def _json(answer: Answer) -> dict[str, Any]:
    _expect(answer, OK)
    body: dict[str, Any] = json.loads(answer.body)
    return body


def _expect(answer: Answer, status: int) -> None:
    if answer.status != status:
        message = f"{answer.status} instead of {status}: {answer.head} {answer.body[:500]!r}"
        raise UnexpectedAnswerError(message)
