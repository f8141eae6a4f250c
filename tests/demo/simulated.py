"""A service and its person's browser, in front of a simulator of FranceConnect."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jws
from joserfc.jwk import KeySet

from idp.demo.franceconnect.keys import SigningKeys
from idp.demo.franceconnect.portal import ORDINARY, PLUS
from idp.demo.franceconnect_simulator import (
    FranceConnectClient,
    FranceConnectSettings,
    create_app,
)

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.demo.franceconnect.portal import EncryptionAlgorithm

ORIGIN = "http://localhost:8001"
ISSUER = f"{ORIGIN}/api/v2"
CALLBACK = "http://localhost:8000/franceconnect/callback"
SIGNED_OUT = "http://localhost:8000/franceconnect/logout/callback"
SECRET = "s" * 64
JWKS_URI = "http://localhost:8000/jwks.json"
ALL_SCOPES = "openid identite_pivot profile email preferred_username idp_birthdate"

AUTHORIZE = {
    "response_type": "code",
    "client_id": "mon-paris",
    "redirect_uri": CALLBACK,
    "scope": "openid identite_pivot email",
    "state": "5" * 64,
    "nonce": "7" * 64,
    "acr_values": "eidas1",
}


@cache
def signing_keys(*, plus: bool = False) -> SigningKeys:
    """Generate the keys of a simulator once for every test: an RSA key takes its time."""
    return SigningKeys(PLUS if plus else ORDINARY)


@dataclass
class Service:
    """A service's and a browser's view of a simulator.

    Attributes:
        plus: Whether it is FranceConnect+.
        encryption_alg: That the service registered there.
        published: The service's key set; an exception stands for a fetch that fails.
        fetched: Where it was fetched, each time.
        now: The time.
        browser: Of the person.
    """

    plus: bool = False
    encryption_alg: EncryptionAlgorithm | None = None
    published: object = None
    fetched: list[str] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime(2026, 11, 22, 9, tzinfo=UTC))
    browser: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        """Register a service of each kind."""
        common = {"redirect_uris": (CALLBACK,), "post_logout_redirect_uris": (SIGNED_OUT,)}
        settings = FranceConnectSettings(
            issuer=ISSUER,
            clients=(
                FranceConnectClient(
                    "mon-paris",
                    SECRET,
                    **common,
                    encryption_alg=self.encryption_alg,
                    jwks_uri=JWKS_URI,
                ),
                FranceConnectClient("old", SECRET, **common, signs_userinfo=False),
                FranceConnectClient("rsa", SECRET, **common, signing_alg="RS256"),
                FranceConnectClient("same-entity", SECRET, **common, entity_id="mon-paris"),
                FranceConnectClient("few", SECRET, **common, scopes=frozenset({"openid"})),
                FranceConnectClient(
                    "exceptional",
                    SECRET,
                    **common,
                    scopes=frozenset({"openid", "amr"}),
                    idp_hints=frozenset({"known"}),
                ),
            ),
            clock=lambda: self.now,
            plus=self.plus,
            fetch=self._fetch,
        )
        self.browser = create_app(settings, signing_keys(plus=self.plus)).test_client()

    def _fetch(self, jwks_uri: str) -> object:
        """Give the service's key set."""
        self.fetched.append(jwks_uri)
        if isinstance(self.published, Exception):
            raise self.published
        return self.published

    def get(self, path: str, **parameters: str) -> TestResponse:
        """GET a path below the issuer, or a whole address."""
        where = path if path.startswith(("http:", "/api")) else f"/api/v2{path}"
        return self.browser.get(where, query_string=parameters or None, base_url=ORIGIN)

    def post(self, path: str, **form: str) -> TestResponse:
        """POST a form to a path below the issuer."""
        where = path if path.startswith("/api") else f"/api/v2{path}"
        return self.browser.post(where, data=form, base_url=ORIGIN)

    def authorize(self, **changes: str | None) -> TestResponse:
        """Ask for a code; None leaves a parameter out."""
        asked = {**AUTHORIZE, **({"acr_values": "eidas2"} if self.plus else {}), **changes}
        return self.get("/authorize", **{k: v for k, v in asked.items() if v is not None})

    def choose(self, login: str, **changes: str | None) -> TestResponse:
        """Come to the list of identities and choose one."""
        interaction = self.authorize(**changes).headers["Location"]
        return self.post(f"{interaction}/login", login=login, password="123")

    def code(self, login: str = "test", **changes: str | None) -> str:
        """Go the person's whole way."""
        information = self.choose(login, **changes).headers["Location"]
        return query(self.post(f"{information}/consent"))["code"]

    def token(self, code_to_redeem: str, **changes: str | None) -> TestResponse:
        """Redeem a code; None leaves a parameter out."""
        form = {
            "grant_type": "authorization_code",
            "code": code_to_redeem,
            "redirect_uri": CALLBACK,
            "client_id": "mon-paris",
            "client_secret": SECRET,
            **changes,
        }
        return self.post("/token", **{k: v for k, v in form.items() if v is not None})

    def tokens(self, login: str = "test", **changes: str | None) -> dict[str, Any]:
        """Return the token response after a whole login."""
        client_id = changes.get("client_id") or "mon-paris"
        return members(self.token(self.code(login, **changes), client_id=client_id))

    def userinfo(self, access_token: str) -> TestResponse:
        """Ask userinfo."""
        bearer = {"Authorization": f"Bearer {access_token}"}
        return self.browser.get("/api/v2/userinfo", headers=bearer, base_url=ORIGIN)

    def claims(self, login: str, scope: str = ALL_SCOPES) -> dict[str, Any]:
        """Return the verified userinfo of a test identity."""
        return self.verified(self.userinfo(self.tokens(login, scope=scope)["access_token"]).text)

    def verified(self, token: str, alg: str = "ES256") -> dict[str, Any]:
        """Check a signature against the published keys."""
        keys = KeySet.import_key_set(self.get("/jwks").json)
        payload: dict[str, Any] = json.loads(
            jws.deserialize_compact(token, keys, algorithms=[alg]).payload,
        )
        return payload

    def sign_out(self, **parameters: str) -> TestResponse:
        """Ask for a logout, and submit the form of its page as the browser does."""
        page = self.get("/session/end", **parameters)
        if page.status_code != HTTPStatus.OK:
            return page
        return self.post("/session/end/confirm", **hidden_fields(page))

    def fault(self, **body: object) -> TestResponse:
        """Break the simulator."""
        return self.browser.post("/control", json=body, base_url=ORIGIN)


def query(response: TestResponse) -> dict[str, str]:
    """Return the parameters that a redirect to the callback carries."""
    location = response.headers["Location"]
    assert location.startswith(CALLBACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def hidden_fields(response: TestResponse) -> dict[str, str]:
    """Return the hidden fields of a page."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', response.text))


def members(response: TestResponse) -> dict[str, Any]:
    """Return the JSON object of an answer."""
    assert isinstance(response.json, dict)
    return response.json


def header(token: str) -> dict[str, Any]:
    """Return the header of a JWT."""
    segment = token.partition(".")[0]
    decoded: dict[str, Any] = json.loads(urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    return decoded
