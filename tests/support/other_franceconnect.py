"""A FranceConnect made by others: what node's oidc-provider does when it is set up like FranceConnect v2.

It shares nothing with the simulator, neither code nor paths nor habits. A relying party knows it by its issuer, its
credentials and the registered algorithm; everything else, discovery says, or FranceConnect's fixed paths do.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask import Flask, Response, request
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.support.server import free_port, served

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.clock import SettableClock

#: The parameters of FranceConnect's filter; oidc-provider itself would take many more.
_TAKEN = {
    *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "acr_values"),
    *("prompt", "claims", "idp_hint", "ui_locales"),
}
_DEFAULT_PATHS = {
    "authorization_endpoint": "/auth",
    "token_endpoint": "/token",
    "userinfo_endpoint": "/me",
    "jwks_uri": "/jwks",
    "end_session_endpoint": "/session/end",
}
_FIXED_PATHS = _DEFAULT_PATHS | {"authorization_endpoint": "/authorize", "userinfo_endpoint": "/userinfo"}
_CODE_SECONDS, _TOKEN_SECONDS = 30, 60
_ERRORS = "https://docs.example/errors?code="


@dataclass(frozen=True, slots=True)
class Habits:
    """What one installation does and another does not; all of it is within the standards.

    Attributes:
        alg: Registered for the ID token and userinfo.
        path: Of the issuer; empty for one at the root.
        discovery: Whether it is served; without it, only FranceConnect's fixed paths lead anywhere.
        at_hash: Whether the ID token has it.
        typ: Of the header of tokens; None for none.
        charset: Whether media types carry one.
        chatty: Whether every answer has members that nobody asked for.
    """

    alg: str = "ES256"
    path: str = ""
    discovery: bool = True
    at_hash: bool = False
    typ: str | None = None
    charset: bool = True
    chatty: bool = True


@dataclass
class OtherFranceConnect:
    """A FranceConnect that listens, and the one person who uses it.

    Attributes:
        issuer: Its address.
        clock: The time.
        client_id: Ours, there.
        client_secret: The same.
        redirect_uri: The only one.
        logout_uri: The only one.
        habits: Of this installation.
        person: What it says of the person; tests change it.
        refuses: The person will not go on.
    """

    issuer: str
    clock: SettableClock
    client_id: str
    client_secret: str
    redirect_uri: str
    logout_uri: str
    habits: Habits
    person: dict[str, Any] = field(default_factory=dict)
    refuses: bool = False
    app: Flask = field(init=False)
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _asked: dict[str, dict[str, str]] = field(default_factory=dict)
    _codes: dict[str, tuple[dict[str, str], float]] = field(default_factory=dict)
    _access: dict[str, float] = field(default_factory=dict)
    _logouts: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make keys and routes."""
        self.rotate()
        paths = _DEFAULT_PATHS if self.habits.discovery else _FIXED_PATHS
        self.paths = {name: self.habits.path + path for name, path in paths.items()}
        self.app = Flask(__name__)
        prefix = self.habits.path
        for path, view, methods in (
            (f"{prefix}/.well-known/openid-configuration", self._discovery, ["GET"]),
            (self.paths["jwks_uri"], self._jwks, ["GET"]),
            (self.paths["authorization_endpoint"], self._authorize, ["GET", "POST"]),
            (f"{self.paths['authorization_endpoint']}/<uid>", self._resume, ["GET"]),
            (f"{prefix}/interaction/<uid>", self._interaction, ["GET", "POST"]),
            (self.paths["token_endpoint"], self._token, ["POST"]),
            (self.paths["userinfo_endpoint"], self._userinfo, ["GET"]),
            (self.paths["end_session_endpoint"], self._end_session, ["GET"]),
            (f"{self.paths['end_session_endpoint']}/confirm", self._confirm, ["POST"]),
        ):
            self.app.add_url_rule(path, view.__name__, view, methods=methods)

    # The person

    def person_goes(self, url: str, login: str = "") -> dict[str, str]:
        """Go the person's way, from the address that the browser was sent to, to the callback's parameters.

        Args:
            url: Of the authorization endpoint.
            login: Nothing here: there is one person.
        """
        del login
        browser = self.app.test_client()
        interaction = self._follow(browser, browser.get(self._local(url)).location)
        resumed = browser.post(interaction)
        callback = browser.get(self._local(resumed.location)).location
        assert callback.startswith(f"{self.redirect_uri}?"), callback
        return dict(parse_qsl(urlsplit(callback).query))

    def person_signs_out(self, url: str) -> str:
        """Submit the form of the logout's page; gives the address that follows."""
        browser = self.app.test_client()
        page = browser.get(self._local(url)).text
        xsrf = re.findall(r'name="xsrf" value="([^"]+)"', page)[0]
        confirm = f"{self.paths['end_session_endpoint']}/confirm"
        return browser.post(confirm, data={"xsrf": xsrf, "logout": "yes"}).location

    def _follow(self, browser: FlaskClient, location: str) -> str:
        assert browser.get(self._local(location)).status_code == 200
        return self._local(location)

    def _local(self, url: str) -> str:
        """Take the origin off: the person's browser speaks to the application itself."""
        parts = urlsplit(url)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    # Keys

    def rotate(self) -> None:
        """Make new keys under new names; the old ones are gone at once."""
        self._rsa = rsa.generate_private_key(65537, 2048)
        self._ec = ec.generate_private_key(ec.SECP256R1())
        self._generation = next(self._numbers)

    def _kid(self, alg: str) -> str:
        name = f"{alg}/{self._generation}/{self.issuer}"
        return base64.urlsafe_b64encode(hashlib.sha256(name.encode()).digest()).decode().rstrip("=")

    def _jwks(self) -> Response:
        """Publish, beside the two keys, those that a verifier must step over; `alg` stands nowhere."""
        keys: list[dict[str, Any]] = [
            json.loads(OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key()))
            | {"kid": "ed", "use": "sig"},
            {"kty": "OKP", "crv": "X25519", "x": "A" * 43, "kid": "x", "use": "enc"},
            {"kty": "AKP", "kid": "later", "alg": "ML-DSA-44", "pub": "AAAA", "use": "sig"},
            json.loads(RSAAlgorithm.to_jwk(self._rsa.public_key()))
            | {"kid": self._kid("RS256"), "use": "sig", "x5t": "AAAA"},
            json.loads(ECAlgorithm.to_jwk(self._ec.public_key())) | {"kid": self._kid("ES256"), "use": "sig"},
        ]
        return self._answer({"keys": keys}, "application/jwk-set+json")

    def _signed(self, claims: dict[str, Any]) -> str:
        alg = self.habits.alg
        key = self._ec if alg == "ES256" else self._rsa
        return jwt.encode(claims, key, alg, headers={"kid": self._kid(alg), "typ": self.habits.typ})

    # Endpoints

    def _discovery(self) -> Response:
        if not self.habits.discovery:
            return Response("Not Found", 404)
        document: dict[str, Any] = {
            name: self.issuer + path.removeprefix(self.habits.path) for name, path in self.paths.items()
        }
        document |= {
            "issuer": self.issuer,
            "acr_values_supported": ["eidas1"],
            "authorization_response_iss_parameter_supported": True,
            "claims_parameter_supported": True,
            "code_challenge_methods_supported": ["S256"],
            "grant_types_supported": ["authorization_code"],
            "id_token_signing_alg_values_supported": ["HS256", "ES256", "RS256"],
            "response_modes_supported": ["form_post", "fragment", "query"],
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        }
        if self.habits.chatty:
            document |= {
                "claim_types_supported": ["normal"],
                "pushed_authorization_request_endpoint": f"{self.issuer}/request",
                "require_pushed_authorization_requests": False,
                "dpop_signing_alg_values_supported": ["ES256"],
                "mtls_endpoint_aliases": {"token_endpoint": "https://mtls.example/token"},
                "x_unheard_of": {"nested": [1, None]},
            }
        return self._answer(document)

    def _authorize(self) -> Response:
        asked = request.values.to_dict()
        if set(asked) - _TAKEN or asked.get("client_id") != self.client_id:
            return Response("<h1>Y030007</h1>", 400)
        if asked.get("redirect_uri") != self.redirect_uri or len(asked.get("nonce", "")) < 22:
            return Response("<h1>Y04C013C</h1>", 400)
        uid = f"uid-{next(self._numbers)}"
        self._asked[uid] = asked
        return self._see_other(f"{self.habits.path}/interaction/{uid}")

    def _interaction(self, uid: str) -> Response:
        if request.method == "GET":
            return Response("<form method=post><button>Continuer</button></form>")
        # A whole address here, a path above: both are allowed to a Location.
        origin = self.issuer.removesuffix(self.habits.path)
        return self._see_other(f"{origin}{self.paths['authorization_endpoint']}/{uid}")

    def _resume(self, uid: str) -> Response:
        asked = self._asked.pop(uid)
        answer: dict[str, str]
        if self.refuses:
            answer = {
                "error": "access_denied",
                "error_description": "User auth aborted",
                "error_uri": f"{_ERRORS}Y030030",
            }
        else:
            code = f"code_{next(self._numbers)}-~._"
            self._codes[code] = (asked, self._now + _CODE_SECONDS)
            answer = {"code": code}
        answer |= {"state": asked["state"], "iss": self.issuer}
        if self.habits.chatty:
            answer["session_state"] = "abc.def"
        return self._see_other(f"{self.redirect_uri}?{urlencode(answer)}")

    def _token(self) -> Response:
        form = request.form.to_dict()
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            return self._failed("invalid_client", "client authentication failed", "Y0434A7B", 401)
        asked, until = self._codes.pop(form.get("code", ""), ({}, 0.0))
        if self._now >= until or form.get("redirect_uri") != asked["redirect_uri"]:
            return self._failed("invalid_grant", "grant request is invalid", "Y049E20B", 400)
        access_token = f"access-{next(self._numbers)}"
        self._access[access_token] = self._now + _TOKEN_SECONDS
        answer: dict[str, Any] = {
            "access_token": access_token,
            "expires_in": _TOKEN_SECONDS,
            "id_token": self._signed(self._id_token(asked, access_token)),
            "scope": asked["scope"],
            "token_type": "Bearer",
        }
        if self.habits.chatty:
            answer |= {"session_state": "abc.def", "x_unheard_of": None}
        return self._answer(answer)

    def _id_token(self, asked: dict[str, str], access_token: str) -> dict[str, Any]:
        claims = self._envelope() | {"acr": "eidas1", "nonce": asked["nonce"], "auth_time": int(self._now)}
        if self.habits.at_hash:
            half = hashlib.sha256(access_token.encode()).digest()[:16]
            claims["at_hash"] = base64.urlsafe_b64encode(half).decode().rstrip("=")
        if self.habits.chatty:
            claims |= {"sid": "a-session", "amr": ["fc", "pwd"], "azp": self.client_id}
        return claims

    def _userinfo(self) -> Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self._now >= self._access.get(token, 0.0):
            return self._failed("invalid_token", "invalid token provided", "Y040001", 401)
        claims = self._envelope() | self.person
        if self.habits.chatty:
            claims |= {
                "email_verified": False,
                "updated_at": 1_700_000_000,
                "address": {"country": "FR"},
                "idp_id": "x",
            }
        body = self._signed(claims)
        return Response(body, content_type=self._media_type("application/jwt"))

    def _end_session(self) -> Response:
        asked = request.args.to_dict()
        if set(asked) - {"id_token_hint", "post_logout_redirect_uri", "state", "client_id"}:
            return Response("<h1>Y030007</h1>", 400)
        key = self._ec if self.habits.alg == "ES256" else self._rsa
        jwt.decode(
            asked["id_token_hint"],
            key.public_key(),
            algorithms=[self.habits.alg],
            audience=self.client_id,
            options={"verify_exp": False, "verify_iat": False},
        )
        assert asked["post_logout_redirect_uri"] == self.logout_uri
        xsrf = f"xsrf-{next(self._numbers)}"
        self._logouts[xsrf] = f"{self.logout_uri}?{urlencode({'state': asked['state']})}"
        return Response(
            f'<form method=post action="confirm"><input type=hidden name="xsrf" value="{xsrf}"></form>'
        )

    def _confirm(self) -> Response:
        return self._see_other(self._logouts.pop(request.form["xsrf"]))

    # Answers

    @property
    def _now(self) -> float:
        return self.clock().timestamp()

    def _envelope(self) -> dict[str, Any]:
        now = int(self._now)
        return {
            "sub": self.person["sub"],
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + _TOKEN_SECONDS,
        }

    def _media_type(self, name: str) -> str:
        return f"{name}; charset=utf-8" if self.habits.charset else name

    def _answer(
        self, body: dict[str, Any], media_type: str = "application/json", status: int = 200
    ) -> Response:
        content_type = self._media_type(media_type)
        return Response(json.dumps(body), status, {"Cache-Control": "no-store"}, content_type=content_type)

    def _failed(self, error: str, description: str, code: str, status: int) -> Response:
        body = {"error": error, "error_description": description, "error_uri": f"{_ERRORS}{code}"}
        return self._answer(body, status=status)

    def _see_other(self, location: str) -> Response:
        return Response(status=303, headers={"Location": location})


@contextmanager
def other_franceconnect(
    clock: SettableClock,
    habits: Habits,
    *,
    client_id: str,
    client_secret: str,
    redirect_uri: str,
    logout_uri: str,
) -> Iterator[OtherFranceConnect]:
    """Run one, in threads of this process.

    Args:
        clock: The time, for both sides.
        habits: Of this installation.
        client_id: Ours, there.
        client_secret: The same.
        redirect_uri: Our login callback.
        logout_uri: Our logout callback.

    Yields:
        It.
    """
    port = free_port()
    issuer = f"http://localhost:{port}{habits.path}"
    running = OtherFranceConnect(issuer, clock, client_id, client_secret, redirect_uri, logout_uri, habits)
    with served(running.app, port=port):
        yield running
