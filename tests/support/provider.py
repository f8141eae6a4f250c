"""The whole provider over a test's database: clients, accounts, signed-in browsers, requests of services."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from html.parser import HTMLParser
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
from flask.testing import FlaskClient

from idp.app import build_context, create_app, key_folder
from idp.config import parse
from idp.crypto.chain_seal import sealing
from idp.crypto.opaque import SecretKind, digest, new_id, new_request_id, new_secret
from idp.domain.account import Account, AccountState
from idp.domain.authentication import Authentication
from idp.domain.client import (
    CertificateSubject,
    ClaimUse,
    Client,
    ClientAuthenticationMethod,
    ClientSecret,
    GrantType,
)
from idp.services.sign_in.sessions import open_session
from idp.storage.models import account_attributes
from idp.storage.repositories import accounts, clients
from tests.support import databases as shared
from tests.support.client_keys import a_key, self_signed
from tests.support.clock import A_MONDAY_MORNING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from flask import Flask
    from werkzeug.test import TestResponse

    from idp.crypto.chain_seal import Seal
    from idp.services.context import Context
    from idp.storage.engine import Database
    from tests.support.client_keys import ClientCertificate, ClientKey
    from tests.support.clock import SettableClock

ISSUER = "https://compte.example.org"
CALLBACK = "https://parking.example.org/callback"
BYE = "https://parking.example.org/bye"
#: RFC 7636 appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
SESSION_COOKIE = "__Host-mon_paris_session"
BROWSER_COOKIE = "__Host-mon_paris_browser"
FORM = "application/x-www-form-urlencoded"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: Sections of `a_provider` that make the test's own machine the TLS proxy in front, which hands certificates over.
BEHIND_TLS: Final[dict[str, dict[str, Any]]] = {
    "server": {"trusted_proxies": ["127.0.0.1"]},
    "mutual_tls": {"certificate_header": "Client-Cert"},
}
_REASON = {"fr": "Pour le service.", "en": "For the service."}


@dataclass(frozen=True, slots=True)
class Service:
    """A registered client and what it knows: its secret, its keys, its callback.

    Attributes:
        client: As registered.
        secret: The newest.
        verifier: Of its PKCE challenges.
        key: What it signs assertions with; None for one that has a secret for that, or none.
        certificate: What its connections show, whatever its method: in `a_provider(..., **BEHIND_TLS)` only.
        clock: The time of its assertions.
    """

    client: Client
    secret: str = ""
    verifier: str = VERIFIER
    key: ClientKey | None = None
    certificate: ClientCertificate | None = None
    clock: SettableClock | None = None

    @property
    def client_id(self) -> str:
        """Its identifier."""
        return self.client.client_id

    @property
    def callback(self) -> str:
        """Its first redirect URI."""
        return self.client.redirect_uris[0]

    def authentication(self) -> tuple[dict[str, str], dict[str, str]]:
        """Give the headers and the fields by which it proves itself, anew for each request."""
        headers = {} if self.certificate is None else {"Client-Cert": self.certificate.client_cert}
        match self.client.authentication_method:
            case ClientAuthenticationMethod.SECRET_BASIC:
                return headers | {"Authorization": basic(self.client_id, self.secret)}, {}
            case ClientAuthenticationMethod.SECRET_POST:
                return headers, {"client_id": self.client_id, "client_secret": self.secret}
            case ClientAuthenticationMethod.PRIVATE_KEY_JWT | ClientAuthenticationMethod.SECRET_JWT:
                return headers, {
                    "client_assertion": self.assertion(),
                    "client_assertion_type": ASSERTION_TYPE,
                }
            case _:
                return headers, {"client_id": self.client_id}

    def assertion(self, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
        """Sign a client assertion that passes, once, with changes.

        Args:
            header: Members of the header, beside or instead of the usual ones.
            changes: Claims that differ; None takes one away.
        """
        assert self.clock is not None
        now = int(self.clock().timestamp())
        usual = {
            "iss": self.client_id,
            "sub": self.client_id,
            "aud": ISSUER,
            "iat": now,
            "exp": now + 60,
            "jti": new_request_id(),
        }
        claims = {name: value for name, value in (usual | changes).items() if value is not None}
        if self.key is not None:
            return self.key.sign(claims, **(header or {}))
        return jwt.encode(claims, self.secret, "HS256", headers=header)


@dataclass(eq=False)
class Provider:
    """The application and its parts, with words for what tests do to it.

    Attributes:
        app: The application.
        context: Its parts.
        clock: The time.
        terms_version: What the accounts of `an_account` have accepted: where no terms hold, anything.
    """

    app: Flask
    context: Context
    clock: SettableClock
    terms_version: str = "v1"
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def client(self) -> FlaskClient:
        """Open a browser: a test client with cookies of its own."""
        return self.app.test_client()

    @cached_property
    def back_channel(self) -> FlaskClient:
        """A program that keeps no cookie."""
        return self.app.test_client(use_cookies=False)

    def a_client(self, **fields: Any) -> Service:
        """Register a client that may do everything, with changes.

        What the client needs for its `authentication_method` is made and registered: a secret, a key, a
        self-signed certificate. For tls_client_auth give a `certificate`; its subject is registered.

        Args:
            fields: Attributes of `Client`; `is_public=True` for one without a secret; `key` and `certificate`
                for those that the client shall use.
        """
        number = next(self._numbers)
        if fields.pop("is_public", False):
            fields["authentication_method"] = ClientAuthenticationMethod.NONE
        fields.setdefault("client_id", f"service-{number}")
        service = self._proof_for(fields)
        usual: dict[str, Any] = {
            "name": f"Service {number}",
            "redirect_uris": (CALLBACK,),
            "post_logout_redirect_uris": (BYE,),
            "scopes": frozenset({"openid", "profile", "email", "offline_access", "api"}),
            "claims": (
                ClaimUse("email", _REASON, required=True),
                ClaimUse("given_name", _REASON),
                ClaimUse("family_name", _REASON),
            ),
            "grant_types": frozenset(GrantType),
            "consent_required": False,
            "created_at": self.clock(),
        }
        client = Client(**(usual | fields))
        with self.context.database.write() as connection:
            clients.create(connection, client)
        return replace(service, client=client)

    def _proof_for(self, fields: dict[str, Any]) -> Service:
        """Give a client what it proves itself with, and write into its attributes what is registered of it."""
        method = fields.get("authentication_method", ClientAuthenticationMethod.SECRET_BASIC)
        key, certificate, secret = fields.pop("key", None), fields.pop("certificate", None), ""
        match method:
            case (
                ClientAuthenticationMethod.SECRET_BASIC
                | ClientAuthenticationMethod.SECRET_POST
                | ClientAuthenticationMethod.SECRET_JWT
            ):
                secret = new_secret(SecretKind.CLIENT_SECRET)
                fields.setdefault("secrets", (self.a_secret(fields["client_id"], secret),))
            case ClientAuthenticationMethod.PRIVATE_KEY_JWT:
                key = key or a_key(fields.get("authentication_signing_alg") or "ES256")
                if "jwks_uri" not in fields:
                    fields.setdefault("jwks", {"keys": [key.jwk]})
            case ClientAuthenticationMethod.SELF_SIGNED_TLS:
                certificate = certificate or self_signed(fields["client_id"])
                if "jwks_uri" not in fields:
                    fields.setdefault("jwks", {"keys": [certificate.jwk]})
            case ClientAuthenticationMethod.TLS if certificate is not None:
                subject = CertificateSubject("subject_dn", certificate.subject)
                fields.setdefault("certificate_subject", subject)
            case _:
                pass
        nobody = Client(fields["client_id"], fields["client_id"])
        return Service(nobody, secret, key=key, certificate=certificate, clock=self.clock)

    def a_secret(self, client_id: str, secret: str, expires_at: datetime | None = None) -> ClientSecret:
        """Make what is stored of a secret, sealed as client_secret_jwt needs it."""
        sealed = self.context.sealer.seal(secret.encode(), bound_to=f"client_secret/{client_id}")
        return ClientSecret(digest(secret), self.clock(), expires_at, sealed)

    def change(self, service: Service, **fields: Any) -> Service:
        """Store a changed client."""
        with self.context.database.write() as connection:
            present = clients.by_id(connection, service.client_id)
            assert present is not None
            assert clients.replace(connection, replace(present, **fields))
        return replace(service, client=replace(present, version=present.version + 1, **fields))

    def an_account(self, email: str | None = None, **fields: Any) -> Account:
        """Write an account whose password nobody can type: nothing here pays for a hash.

        Args:
            email: Its address.
            fields: Attributes by wire name, such as `given_name`; and `language`.
        """
        now = self.clock()
        address = email or f"zoe{next(self._numbers)}@example.org"
        language = fields.pop("language", "fr")
        account = Account(
            account_id=new_id(now),
            email=address,
            state=AccountState.ACTIVE,
            password_is_generated=False,
            language=language,
            terms_version=self.terms_version,
            created_at=now,
            last_sign_in_at=now,
        )
        with self.context.database.write() as connection:
            accounts.create(connection, account=account, email_canonical=address, password_hash="x")
            for name, value in fields.items():
                connection.execute(
                    account_attributes.insert().values(
                        account_id=account.account_id,
                        name=name,
                        value=value,
                        source="declared",
                        level=100,
                        recorded_at=now,
                    )
                )
        return account

    def signed_in(self, account: Account | None = None, *, browser: FlaskClient | None = None) -> FlaskClient:
        """Open a browser in which an account is signed in by password, now."""
        person = account or self.an_account()
        with self.context.database.write() as connection:
            opened = open_session(
                self.context,
                connection,
                person.account_id,
                Authentication.by_password(self.clock()),
                browser="Firefox",
            )
        browser = browser or self.client()
        browser.set_cookie(SESSION_COOKIE, opened.cookie)
        return browser

    def parameters(self, service: Service, **changes: str | None) -> dict[str, str]:
        """Give the parameters of an authorization request that passes, with changes; None takes one away."""
        usual: dict[str, str | None] = {
            "client_id": service.client_id,
            "redirect_uri": service.callback,
            "response_type": "code",
            "scope": "openid",
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def authorize(self, browser: FlaskClient, service: Service, **changes: str | None) -> TestResponse:
        """Send a browser to /authorize, as a service does."""
        return browser.get("/authorize", query_string=self.parameters(service, **changes))

    def code(self, browser: FlaskClient, service: Service, **changes: str | None) -> str:
        """Get a code for a service that asks for nothing more than the person has given."""
        answer = self.authorize(browser, service, **changes)
        assert answer.status_code == 303, answer.text
        parameters = answer_of(answer)
        assert "code" in parameters, parameters
        return parameters["code"]

    def post(self, path: str, service: Service | None = None, **fields: str | None) -> TestResponse:
        """Send a form to a back-channel endpoint, as a service that proves itself."""
        headers, proof = ({}, {}) if service is None else service.authentication()
        form = {name: value for name, value in {**proof, **fields}.items() if value is not None}
        return self.back_channel.post(path, data=form, headers=headers)

    def redeem(self, service: Service, code: str, /, **changes: str | None) -> TestResponse:
        """Bring a code to /token."""
        usual: dict[str, str | None] = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": service.callback,
            "code_verifier": service.verifier,
        }
        return self.post("/token", service, **(usual | changes))

    def refresh(self, service: Service, refresh_token: str, /, **changes: str | None) -> TestResponse:
        """Bring a refresh token to /token."""
        usual: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.post("/token", service, **(usual | changes))

    def tokens(self, browser: FlaskClient, service: Service, **changes: str | None) -> dict[str, Any]:
        """Go the whole way to tokens, giving consent where it is asked."""
        answer = self.authorize(browser, service, **changes)
        if "/consent" in answer.headers.get("Location", ""):
            answer = self.consent(browser, answer.location)
        tokens = self.redeem(service, answer_of(answer)["code"])
        assert tokens.status_code == 200, tokens.text
        body: dict[str, Any] = tokens.json or {}
        return body

    def consent(
        self,
        browser: FlaskClient,
        location: str,
        decision: str = "allow",
        claims: tuple[str, ...] = (),
        *,
        purposes: Mapping[str, str] | None = None,
    ) -> TestResponse:
        """Answer the consent page that a request led to; purposes by "yes" or "no"."""
        fields = form_of(browser.get(location))
        answers = {f"purpose-{name}": answer for name, answer in (purposes or {}).items()}
        return browser.post(
            "/consent", data={**fields, **answers, "decision": decision, "claims": list(claims)}
        )

    def userinfo(self, access_token: str) -> TestResponse:
        """Ask for the claims of a token."""
        return self.back_channel.get("/userinfo", headers={"Authorization": f"Bearer {access_token}"})

    def introspect(self, service: Service, token: str) -> dict[str, Any]:
        """Ask what a token is worth."""
        answer = self.post("/introspect", service, token=token)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json or {}
        return body

    def is_dead(self, service: Service, tokens: dict[str, Any]) -> bool:
        """Tell whether nothing can be done any more with an answer of /token, asking everywhere."""
        if self.userinfo(tokens["access_token"]).status_code != 401:
            return False
        if self.introspect(service, tokens["access_token"]) != {"active": False}:
            return False
        refresh_token = tokens.get("refresh_token")
        return refresh_token is None or self.refresh(service, refresh_token).json == {
            "error": "invalid_grant",
            "error_description": "The grant is invalid, expired, revoked or was issued to another client.",
        }


class _Fields(HTMLParser):
    """Collects the hidden fields of every form but the sign-out button of the header."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}
        self._skips = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a field."""
        values = dict(attrs)
        if tag == "form":
            self._skips = values.get("action") == "/sign-out"
        if tag == "input" and values.get("type") == "hidden" and not self._skips:
            self.fields[values.get("name") or ""] = values.get("value") or ""


def a_provider(
    database: Database, clock: SettableClock, *, keys: Path | None = None, **sections: dict[str, Any]
) -> Provider:
    """Build the application as `idp run` does, over a test's database.

    Args:
        database: Migrated; the test closes it.
        clock: The time.
        keys: A folder of keys of the test's own; else the one that the tests of this process share.
        sections: Settings that differ from the defaults, by section.
    """
    raw: dict[str, Any] = {
        "server": {"issuer": ISSUER},
        "keys": {"directory": str(keys or the_keys())},
        "database": {"url": "sqlite:///unused.db"},
    }
    for name, section in sections.items():
        raw[name] = raw.get(name, {}) | section
    settings = parse(raw, "test")
    context = replace(build_context(settings, clock=clock), database=database)
    return Provider(create_app(settings, clock=clock, context=context), context, clock)


@cache
def the_keys() -> Path:
    """Make the signing keys of this process: an RSA key costs as much as twenty tests."""
    folder = Path(mkdtemp(prefix=f"keys-{os.getpid()}-", dir=shared.shared_folder()))
    settings = parse({"keys": {"directory": str(folder)}}, "test")
    key_folder(settings).initialise(("ES256", "RS256", "ECDH-ES"), A_MONDAY_MORNING)
    return folder


def the_seal(chain: str, sequence: int, link: bytes) -> bytes | None:
    """Seal the end of a chain with the keys of this process, which are made at its first use."""
    return _sealing()(chain, sequence, link)


@cache
def _sealing() -> Seal:
    return sealing(key_folder(parse({"keys": {"directory": str(the_keys())}}, "test")))


def basic(client_id: str, secret: str) -> str:
    """Write an Authorization header (RFC 7617)."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


def challenge_of(verifier: str) -> str:
    """Make the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def answer_of(response: TestResponse) -> dict[str, str]:
    """Read what an authorization response carries, whatever the mode."""
    if response.status_code == 303:
        parts = urlsplit(response.location)
        return dict(parse_qsl(parts.fragment or parts.query))
    if 'http-equiv="refresh"' in response.text:
        return dict(parse_qsl(urlsplit(continue_url(response)).query))
    return form_of(response)


def continue_url(response: TestResponse) -> str:
    """Read where a page goes on to by itself."""
    marker = 'http-equiv="refresh" content="0;url='
    start = response.text.index(marker) + len(marker)
    return response.text[start : response.text.index('"', start)].replace("&amp;", "&")


def form_of(response: TestResponse) -> dict[str, str]:
    """Read the hidden fields of the main form of a page."""
    assert response.status_code == 200, (response.status_code, response.headers.get("Location"))
    page = _Fields()
    page.feed(response.text)
    return page.fields


def pending_of(location: str) -> str:
    """Read the identifier of the pending request in the address of a page."""
    return parse_qs(urlsplit(location).query)["pending"][0]
