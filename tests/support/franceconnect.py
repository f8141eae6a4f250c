"""A FranceConnect for tests: the simulator over real HTTP, and one made of forged answers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from idp.crypto.opaque import digest
from idp.demo.franceconnect.keys import SigningKeys
from idp.demo.franceconnect.portal import ORDINARY, PLUS
from idp.demo.franceconnect_simulator import FranceConnectClient, create_app
from idp.demo.franceconnect_simulator import FranceConnectSettings as SimulatorSettings
from idp.federation.franceconnect.client import FranceConnect
from idp.federation.franceconnect.settings import FranceConnectSettings
from idp.federation.upstream import UpstreamCallback, UpstreamIdentity
from idp.outbound.http import Answer, Failure, GuardedHTTPClient, Limits, Unreachable
from tests.support.server import free_port, served

if TYPE_CHECKING:
    from flask import Flask

    from idp.demo.franceconnect.portal import EncryptionAlgorithm
    from idp.outbound.http import HTTPClient
    from tests.support.clock import SettableClock

CLIENT_ID = "a" * 64
CLIENT_SECRET = "b" * 64
REDIRECT_URI = "https://compte.example.org/franceconnect/callback"
LOGOUT_URI = "https://compte.example.org/franceconnect/logout/callback"
STATE, NONCE = "5" * 64, "7" * 64
SUBJECT = "c" * 64 + "v1"
#: As userinfo has it for the test identity `test`.
IDENTITY: dict[str, Any] = {
    "given_name": "Angela Claire Louise",
    "given_name_array": ["Angela", "Claire", "Louise"],
    "family_name": "DUBOIS",
    "birthdate": "1962-08-24",
    "gender": "female",
    "birthplace": "75107",
    "birthcountry": "99100",
    "email": "wossewodda-3728@yopmail.com",
}


@cache
def simulator_keys(*, plus: bool = False) -> SigningKeys:
    """Generate the keys of a simulator once: an RSA key takes its time."""
    return SigningKeys(PLUS if plus else ORDINARY)


def settings_for(issuer: str, **changes: Any) -> FranceConnectSettings:
    """Say how our client is registered there.

    Args:
        issuer: Of that FranceConnect.
        changes: Settings that the test gives itself.
    """
    settings: dict[str, Any] = {
        "issuer": issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": REDIRECT_URI,
        "post_logout_redirect_uri": LOGOUT_URI,
    }
    return FranceConnectSettings(**(settings | changes))


@dataclass
class RunningSimulator:
    """A simulator that listens, and a person who uses it.

    Attributes:
        issuer: Its address.
        app: Itself.
        published: Gives the key set that we publish, which FranceConnect+ encrypts to; set it once we exist.
        level: That our client asks for when the test says nothing.
        encryption_algorithm: That we are registered with there; None where tokens are signed only.
    """

    issuer: str
    app: Flask
    published: Callable[[], object] = dict
    level: str = "eidas1"
    encryption_algorithm: EncryptionAlgorithm | None = None

    def person_goes(self, url: str, login: str = "test") -> dict[str, str]:
        """Go the person's way, from the address that the browser was sent to, to the callback's parameters.

        Args:
            url: Of the authorization endpoint.
            login: The test identity to choose.
        """
        browser = self.app.test_client()
        chosen = browser.get(url)
        if "code" not in parameters_of(chosen.headers["Location"]):
            place = chosen.headers["Location"]
            chosen = browser.post(
                f"{place}/login", data={"login": login, "password": "123"}, base_url=self._origin
            )
        place = chosen.headers["Location"]
        return parameters_of(browser.post(f"{place}/consent", base_url=self._origin).headers["Location"])

    def person_gives_up(self, url: str) -> dict[str, str]:
        """Leave at the list of identities, to the callback's parameters."""
        browser = self.app.test_client()
        place = browser.get(url).headers["Location"]
        return parameters_of(browser.get(f"{place}/abort", base_url=self._origin).headers["Location"])

    def person_types(self, url: str, **identity: str) -> dict[str, str]:
        """Type an identity by hand, to the callback's parameters."""
        browser = self.app.test_client()
        place = browser.get(url).headers["Location"]
        chosen = browser.post(f"{place}/custom", data=identity, base_url=self._origin)
        place = chosen.headers["Location"]
        return parameters_of(browser.post(f"{place}/consent", base_url=self._origin).headers["Location"])

    def person_is_stopped(self, url: str, login: str) -> tuple[int, str, dict[str, str]]:
        """Choose an identity that can't go on, and follow the link of the page that says so.

        Args:
            url: Of the authorization endpoint.
            login: The test identity to choose.

        Returns:
            The status and the text of the page, and the callback's parameters.
        """
        browser = self.app.test_client()
        place = browser.get(url).headers["Location"]
        page = browser.post(f"{place}/login", data={"login": login, "password": "123"}, base_url=self._origin)
        back = browser.get(f"{place}/abort", base_url=self._origin)
        return page.status_code, page.text, parameters_of(back.headers["Location"])

    def person_signs_out(self, url: str) -> str:
        """Go through the logout's page, whose form the browser submits; gives the address that follows."""
        browser = self.app.test_client()
        form = form_fields(browser.get(url).text)
        answer = browser.post(f"{self.issuer}/session/end/confirm", data=form)
        return answer.headers["Location"]

    def misbehave(self, **fault: Any) -> None:
        """Put a fault in force."""
        answer = self.app.test_client().post("/control", json=fault, base_url=self._origin)
        assert answer.status_code == 200, answer.text

    def behave(self) -> None:
        """Answer faithfully again."""
        self.app.test_client().delete("/control", base_url=self._origin)

    def client(self, clock: SettableClock, **changes: Any) -> FranceConnect:
        """Build our client for it, over real HTTP.

        Args:
            clock: The time.
            changes: Settings that the test gives itself; `timeout` and `decryption_keys` are the client's own.
        """
        timeout = changes.pop("timeout", timedelta(seconds=60))
        decryption_keys = changes.pop("decryption_keys", tuple)
        http = GuardedHTTPClient(Limits(total=timeout), allow_private_networks=True)
        registered = {"acr_values": self.level, "encryption_algorithm": self.encryption_algorithm}
        return FranceConnect(
            settings_for(self.issuer, **(registered | changes)),
            http,
            clock,
            timeout=timeout,
            decryption_keys=decryption_keys,
        )

    @property
    def _origin(self) -> str:
        return self.issuer.removesuffix("/api/v2")


@contextmanager
def running_simulator(
    clock: SettableClock,
    *,
    redirect_uri: str = REDIRECT_URI,
    logout_uri: str = LOGOUT_URI,
    own_keys: bool = False,
    plus: bool = False,
    encryption_algorithm: EncryptionAlgorithm | None = "RSA-OAEP-256",
    **registration: Any,
) -> Iterator[RunningSimulator]:
    """Run a simulator that knows our client, in threads of this process.

    For FranceConnect+, set `published` on what is yielded before the first token: it is asked for our key set.

    Args:
        clock: The time, for both sides.
        redirect_uri: Our login callback.
        logout_uri: Our logout callback.
        own_keys: For a test that rotates them.
        plus: Be FranceConnect+.
        encryption_algorithm: Of FranceConnect+, as we registered; None for tokens that are signed only.
        registration: Other attributes of `FranceConnectClient`.

    Yields:
        The simulator.
    """
    port = free_port()
    issuer = f"http://localhost:{port}/api/v2"
    algorithm = encryption_algorithm if plus else None
    client = FranceConnectClient(
        CLIENT_ID,
        CLIENT_SECRET,
        (redirect_uri,),
        (logout_uri,),
        encryption_alg=algorithm,
        jwks_uri="https://compte.example.org/jwks.json",
        **registration,
    )
    keys = SigningKeys(PLUS if plus else ORDINARY) if own_keys else simulator_keys(plus=plus)
    settings = SimulatorSettings(
        issuer=issuer, clients=(client,), clock=clock, plus=plus, fetch=lambda _: running.published()
    )
    level = PLUS.levels[0] if plus else ORDINARY.levels[0]
    running = RunningSimulator(
        issuer, create_app(settings, keys), level=level, encryption_algorithm=algorithm
    )
    with served(running.app, port=port):
        yield running


def form_fields(page: str) -> dict[str, str]:
    """Read the hidden fields of a page."""
    return dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page))


def parameters_of(address: str) -> dict[str, str]:
    """Read the query of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@cache
def an_ec_key() -> ec.EllipticCurvePrivateKey:
    """Give the key that the forged FranceConnect publishes."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def an_rsa_key() -> rsa.RSAPrivateKey:
    """Give an RSA key."""
    return rsa.generate_private_key(65537, 2048)


def published(kid: str, key: ec.EllipticCurvePrivateKey) -> dict[str, Any]:
    """Write a public key as a member of a JWK Set."""
    jwk: dict[str, Any] = json.loads(ECAlgorithm.to_jwk(key.public_key()))
    return jwk | {"kid": kid, "use": "sig", "alg": "ES256"}


def published_rsa(kid: str, key: rsa.RSAPrivateKey) -> dict[str, Any]:
    """Write a public RSA key as a member of a JWK Set."""
    jwk: dict[str, Any] = json.loads(RSAAlgorithm.to_jwk(key.public_key()))
    return jwk | {"kid": kid, "use": "sig", "alg": "RS256"}


@dataclass
class ForgedFranceConnect:
    """Answers as FranceConnect does, unless the test changes a member; in the place of the HTTP client.

    Attributes:
        clock: The time.
        id_token: Members that differ in the ID token; None leaves one out.
        userinfo: The same, in userinfo.
        answers: Whole answers by path, which replace ours.
        keys: What is published.
        kid: What tokens are signed under.
        nonces: Of ID tokens, by code; another code gets `NONCE`.
        asked: Every path that was asked for.
    """

    clock: SettableClock
    issuer: str = "https://fc.example/api/v2"
    id_token: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    token: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Answer | Unreachable] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=lambda: [published("k1", an_ec_key())])
    kid: str = "k1"
    nonces: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: list[tuple[str, Mapping[str, str], bytes | None]] = field(default_factory=list)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        total: timedelta | None = None,
    ) -> Answer:
        """Answer a request, as `HTTPClient` says."""
        del total
        path = url.removeprefix(self.issuer)
        self.asked.append(path)
        self.sent.append((f"{method} {path}", headers or {}, body))
        if path in self.answers:
            given = self.answers[path]
            if isinstance(given, Unreachable):
                raise given
            return given
        match path:
            case "/jwks":
                return as_json({"keys": self.keys})
            case "/token":
                code = parse_qs((body or b"").decode()).get("code", [""])[0]
                return as_json(self.token_members(self.nonces.get(code, NONCE)))
            case "/userinfo":
                return Answer(200, {"content-type": "application/jwt"}, self.userinfo_token().encode())
            case _:
                return Answer(404, {}, b"")

    def token_members(self, nonce: str = NONCE) -> dict[str, Any]:
        """Give what the token endpoint answers."""
        members = {
            "access_token": "an-access-token",
            "expires_in": 60,
            "id_token": self.signed(self.id_token_claims(nonce)),
            "scope": "openid identite_pivot",
            "token_type": "Bearer",
        }
        return changed(members, self.token)

    def id_token_claims(self, nonce: str = NONCE) -> dict[str, Any]:
        """Give the eight members of an ID token."""
        now = int(self.clock().timestamp())
        members = {"auth_time": now, "acr": "eidas1", "nonce": nonce}
        return changed(self.envelope() | members, self.id_token)

    def userinfo_token(self) -> str:
        """Give userinfo, signed."""
        return self.signed(changed(self.envelope() | IDENTITY, self.userinfo))

    def envelope(self) -> dict[str, Any]:
        """Give the members that say for whom, from whom, until when."""
        now = int(self.clock().timestamp())
        return {"sub": SUBJECT, "iss": self.issuer, "aud": CLIENT_ID, "iat": now, "exp": now + 60}

    def signed(self, claims: dict[str, Any]) -> str:
        """Sign as FranceConnect does: no `typ` in the header."""
        return jwt.encode(claims, an_ec_key(), "ES256", headers={"kid": self.kid, "typ": None})

    def client(self, **changes: Any) -> FranceConnect:
        """Build our client for it.

        Args:
            changes: Settings that the test gives itself; `decryption_keys` and `breaker` are the client's own.
        """
        http: HTTPClient = self
        own = {name: changes.pop(name) for name in ("decryption_keys", "breaker") if name in changes}
        return FranceConnect(settings_for(self.issuer, **changes), http, self.clock, **own)

    def identify(self, client: FranceConnect | None = None) -> UpstreamIdentity:
        """Come back with a code."""
        answer = UpstreamCallback("a-code", None, self.issuer)
        return (client or self.client()).identify(answer, nonce_hash=digest(NONCE), now=self.clock())


def changed(members: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Change members; None leaves one out."""
    return {name: value for name, value in (members | dict(changes)).items() if value is not None}


def as_json(value: object, status: int = 200) -> Answer:
    """Answer JSON."""
    return Answer(status, {"content-type": "application/json"}, json.dumps(value).encode())


def nobody() -> Unreachable:
    """Say that nobody listens."""
    return Unreachable(Failure.NOT_CONNECTED, "fc.example")
