"""A tiny OpenID provider, in process, that can misbehave: what the relying parties are tried on."""

from __future__ import annotations

import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue
from joserfc import jws
from joserfc.jwk import ECKey, OctKey

from idp.demo.wire import Answer, WireError
from idp.demo.wire import answer as wire_answer

ISSUER = "http://provider.test"
CLIENT_ID = "service"
CLIENT_SECRET = "secret-of-the-service"

#: Stands for a member to leave out.
ABSENT = object()
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


@dataclass
class FakeProvider:
    """Issues tokens to whoever comes, for one person; each attribute can be spoiled.

    Attributes:
        issuer: Its name, and where it is.
        now: Its clock.
        person: What userinfo says, beside `sub`.
        id_token_changes: Members to change or leave out.
        header_changes: The same for the header.
        token_changes: The same for the token response.
        userinfo_changes: The same for userinfo.
        metadata_changes: The same for the discovery document.
        answer_changes: The same for the answer at the callback.
        signed_userinfo: Whether userinfo is a JWT.
        withdrawn: Whether every token is dead.
        down: Whether connections fail.
        gives_refresh_token: Whether a login gives one.
        requests: Paths asked, in order.
        purpose_version: Of the question about mobile providers; None for a service that asks nothing.
        choice: What the person answered, as the `purposes` claim has it.
    """

    issuer: str = ISSUER
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 9, tzinfo=UTC))
    subject: str = "subject-1"
    person: dict[str, Any] = field(default_factory=dict)
    id_token_changes: dict[str, Any] = field(default_factory=dict)
    header_changes: dict[str, Any] = field(default_factory=dict)
    token_changes: dict[str, Any] = field(default_factory=dict)
    userinfo_changes: dict[str, Any] = field(default_factory=dict)
    metadata_changes: dict[str, Any] = field(default_factory=dict)
    answer_changes: dict[str, Any] = field(default_factory=dict)
    signed_userinfo: bool = False
    withdrawn: bool = False
    down: bool = False
    gives_refresh_token: bool = True
    requests: list[str] = field(default_factory=list)
    token_requests: list[dict[str, str]] = field(default_factory=list)
    purpose_version: str | None = "1"
    choice: dict[str, Any] | None = None
    takes_notices: bool = True
    notices: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make the first key and route the endpoints."""
        self.key = ECKey.generate_key("P-256")
        self.kid = "first"
        self.wrong_key = ECKey.generate_key("P-256")
        self.sign_with_wrong_key = False
        self._numbers = count(1)
        self._codes: dict[str, dict[str, str]] = {}
        self._alive: set[str] = set()
        self._access_tokens: dict[str, datetime] = {}
        self._own_tokens: set[str] = set()
        self.app = app = Flask("provider")
        app.add_url_rule("/.well-known/openid-configuration", view_func=self.metadata)
        for path, view, method in (
            ("/jwks.json", self.jwks, "GET"),
            ("/authorize", self.authorize, "GET"),
            ("/token", self.token, "POST"),
            ("/userinfo", self.userinfo, "GET"),
            ("/revoke", self.revoke, "POST"),
            ("/api/purposes", self.purposes, "GET"),
            ("/api/purposes/mobile_providers", self.answer_purpose, "PUT"),
            ("/api/subjects/<subject>/requests/<kind>/<reference>", self.put_request, "PUT"),
        ):
            app.add_url_rule(path, view.__name__, view, methods=[method])
        self.client = app.test_client()

    def _name(self, kind: str) -> str:
        return f"{kind}-{next(self._numbers)}"

    def rotate(self) -> None:
        """Sign with a new key from now on."""
        self.key, self.kid = ECKey.generate_key("P-256"), "second"

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
    ) -> Answer:
        """Answer a relying party without a network."""
        parts = urlsplit(url)
        self.requests.append(parts.path)
        if self.down:
            raise WireError("the provider is down")
        answer = self.client.open(
            parts.path,
            method=method,
            query_string=parts.query,
            headers=list(headers.items()),
            data=body,
        )
        return wire_answer(answer.status_code, answer.headers.get("Content-Type", ""), answer.data)

    def go(self, url: str) -> str:
        """Do what a browser does at the authorization endpoint; return the callback address."""
        assert url.startswith(f"{self.issuer}/authorize?"), url
        return self.client.get(url.removeprefix(self.issuer)).headers["Location"]

    def metadata(self) -> ResponseReturnValue:
        """Serve the discovery document."""
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/jwks.json",
            "end_session_endpoint": f"{self.issuer}/logout",
            "revocation_endpoint": f"{self.issuer}/revoke",
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return jsonify(_changed(document, self.metadata_changes))

    def jwks(self) -> ResponseReturnValue:
        """Serve the current key."""
        return jsonify(keys=[{**self.key.as_dict(private=False), "kid": self.kid, "alg": "ES256"}])

    def authorize(self) -> ResponseReturnValue:
        """Give a code at once."""
        code = self._name("code")
        self._codes[code] = asked = request.args.to_dict()
        answer = {"code": code, "state": asked["state"], "iss": self.issuer}
        query = urlencode(_changed(answer, self.answer_changes))
        return Response(status=303, headers={"Location": f"{asked['redirect_uri']}?{query}"})

    def token(self) -> ResponseReturnValue:
        """Redeem a code or a refresh token, or give the service a token of its own."""
        if request.form["grant_type"] == "client_credentials":
            return jsonify(self._own_token(request.form["scope"]))
        self.token_requests.append({**request.form.to_dict(), **_basic_client()})
        if request.form["grant_type"] == "refresh_token":
            if self.withdrawn or request.form["refresh_token"] not in self._alive:
                return jsonify(error="invalid_grant", error_description="révoqué"), 400
            return jsonify(self._tokens({}))
        asked = self._codes.pop(request.form["code"], None)
        verifier = request.form["code_verifier"].encode()
        if asked is None or asked["code_challenge"] != _base64url(sha256(verifier).digest()):
            return jsonify(error="invalid_grant"), 400
        return jsonify(_changed(self._tokens(asked), self.token_changes))

    def _own_token(self, scope: str) -> dict[str, Any]:
        access_token = self._name("own")
        self._own_tokens.add(access_token)
        return {"access_token": access_token, "token_type": "Bearer", "expires_in": 300, "scope": scope}

    def put_request(self, subject: str, kind: str, reference: str) -> ResponseReturnValue:
        """Keep what the service says of a request."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in self._own_tokens:
            return jsonify(error="invalid_token"), 401
        if not self.takes_notices:
            return jsonify(error="unknown_subject"), 404
        self.notices.append({"subject": subject, "kind": kind, "reference": reference, **request.get_json()})
        return jsonify(reference=reference), 201

    def _tokens(self, asked: dict[str, str]) -> dict[str, Any]:
        access_token = self._name("access")
        self._access_tokens[access_token] = self.now + timedelta(minutes=5)
        tokens = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "scope": asked.get("scope", "openid"),
            "id_token": self._id_token(access_token, asked.get("nonce")),
        }
        if self.gives_refresh_token:
            tokens["refresh_token"] = self._name("refresh")
            self._alive = {tokens["refresh_token"]}
        return tokens

    def _id_token(self, access_token: str, nonce: str | None) -> str:
        now = int(self.now.timestamp())
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "iat": now,
            "exp": now + 300,
            "sid": "sid-1",
            "auth_time": now,
            "at_hash": _base64url(sha256(access_token.encode()).digest()[:16]),
            **({} if nonce is None else {"nonce": nonce}),
        }
        return self._signed(_changed(claims, self.id_token_changes))

    def _signed(self, claims: dict[str, Any], typ: str = "JWT") -> str:
        header = _changed({"alg": "ES256", "kid": self.kid, "typ": typ}, self.header_changes)
        if header["alg"] == "none":
            return ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims)) + "."
        if header["alg"] == "HS256":
            secret = OctKey.import_key(CLIENT_SECRET)
            return jws.serialize_compact(header, json.dumps(claims), secret, algorithms=["HS256"])
        key = self.wrong_key if self.sign_with_wrong_key else self.key
        return jws.serialize_compact(header, json.dumps(claims), key, algorithms=["ES256"])

    def logout_token(self, **changes: Any) -> str:
        """Sign a logout token, with changes."""
        now = int(self.now.timestamp())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": self.subject,
            "sid": "sid-1",
            "iat": now,
            "exp": now + 120,
            "jti": self._name("logout"),
            "events": {LOGOUT_EVENT: {}},
        }
        return self._signed(_changed(claims, changes), "logout+jwt")

    def event_token(self, kind: str, typ: str = "secevent+jwt", **changes: Any) -> str:
        """Sign a security event token, with changes."""
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": int(self.now.timestamp()),
            "jti": self._name("event"),
            "sub_id": {"format": "iss_sub", "iss": self.issuer, "sub": self.subject},
            "events": {kind: {}},
        }
        return self._signed(_changed(claims, changes), typ)

    def choose(self, *, allowed: bool) -> None:
        """Answer on the provider's own page."""
        at = int(self.now.timestamp())
        self.choice = {"answer": allowed, "version": str(self.purpose_version), "updated_at": at}

    def purposes(self) -> ResponseReturnValue:
        """List the questions of the service."""
        if not self._is_live():
            return jsonify(error="invalid_token"), 401
        question = {
            "name": "mobile_providers",
            "version": self.purpose_version,
            "title": {"fr": "Payer par une application"},
            "yes": {"fr": "J’autorise PayByPhone, Flowbird, EasyPark et Indigo Neo."},
            "no": {"fr": "Je n’autorise pas."},
        }
        return jsonify(purposes=[] if self.purpose_version is None else [question])

    def answer_purpose(self) -> ResponseReturnValue:
        """Keep an answer to the present words."""
        if not self._is_live():
            return jsonify(error="invalid_token"), 401
        sent = request.get_json()
        if sent["version"] != self.purpose_version:
            return jsonify(error="purpose_version_mismatch"), 409
        self.choose(allowed=sent["answer"])
        return jsonify(name="mobile_providers")

    def _is_live(self) -> bool:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return not self.withdrawn and self._access_tokens.get(token, self.now) > self.now

    def userinfo(self) -> ResponseReturnValue:
        """Answer JSON, or a JWT."""
        if not self._is_live():
            return jsonify(error="invalid_token"), 401
        answers = {} if self.choice is None else {"mobile_providers": self.choice}
        purposes = {} if self.purpose_version is None else {"purposes": answers}
        claims = _changed({"sub": self.subject, **self.person, **purposes}, self.userinfo_changes)
        if not self.signed_userinfo:
            return jsonify(claims)
        envelope = {"iss": self.issuer, "aud": CLIENT_ID}
        signed = self._signed(_changed({**envelope, **claims}, self.userinfo_changes))
        return Response(signed, mimetype="application/jwt")

    def revoke(self) -> ResponseReturnValue:
        """Forget a refresh token."""
        self._alive.discard(request.form["token"])
        return Response(status=200)


def _changed(members: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Change or leave out members."""
    return {k: v for k, v in {**members, **changes}.items() if v is not ABSENT}


def _base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")


def _basic_client() -> dict[str, str]:
    """Read the client's HTTP Basic credentials, when it sent some."""
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme != "Basic":
        return {}
    client_id, _, secret = b64decode(encoded).decode().partition(":")
    return {"basic_client_id": client_id, "basic_client_secret": secret}


def parameters(url: str) -> dict[str, str]:
    """Return the query of an address."""
    return dict(parse_qsl(urlsplit(url).query))
