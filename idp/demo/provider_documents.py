"""The documents of a provider that a relying party reads, and the signatures that it checks by them."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256, sha384, sha512
from http import HTTPStatus
from threading import Lock
from time import sleep
from typing import Any
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key

from idp.demo.outcomes import (
    AnswerRejected,
    OtherAudience,
    OtherIssuer,
    ProviderUnavailable,
    UnknownKey,
)
from idp.demo.wire import Answer, Send, WireError

METADATA_LIFE = timedelta(minutes=10)
# After a key that could not be found, wait before asking for the key set again.
REFETCH_PAUSE = timedelta(seconds=10)
DISCOVERY_TRIES = 3
DISCOVERY_PAUSE_SECONDS = 0.3

ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
# OIDC Core 3.1.3.6: the hash is that of the algorithm; Ed25519 uses SHA-512.
HALF_HASHES = {"ES256": sha256, "RS256": sha256, "PS256": sha256, "ES384": sha384, "EdDSA": sha512}

ENDPOINTS = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri")


def utc_now() -> datetime:
    """Read the machine's clock."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class RelyingPartySettings:
    """What the service registered at the provider.

    Attributes:
        issuer: As the provider writes it in its tokens.
        client_id: Of this service.
        redirect_uri: Where the provider answers.
        post_logout_redirect_uri: Where it sends the person after logout.
        scope: Asked at each login.
        client_secret: For client_secret_basic and client_secret_post.
        private_key: For private_key_jwt; with a kid.
        token_endpoint_auth_method: One of these three, or none.
        algorithms: Accepted signatures, an allow-list.
        clock: Tells the time.
        timeout_seconds: For each request to the provider.
        send: Sends the requests; tests may hand an application over without a network.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    post_logout_redirect_uri: str = ""
    scope: str = "openid"
    client_secret: str | None = field(default=None, repr=False)
    private_key: ECKey | None = field(default=None, repr=False)
    token_endpoint_auth_method: str = "client_secret_basic"
    algorithms: tuple[str, ...] = ALGORITHMS
    clock: Callable[[], datetime] = utc_now
    timeout_seconds: float = 10.0
    send: Send | None = None


class Provider:
    """What a service knows of its provider: the discovery document, the keys, and who may have signed what."""

    def __init__(self, settings: RelyingPartySettings, send: Send) -> None:
        self.settings = settings
        self._send = send
        self._lock = Lock()
        self._metadata: dict[str, Any] = {}
        self._metadata_until = datetime.min.replace(tzinfo=UTC)
        self._keys: list[dict[str, Any]] = []
        self._refetch_from = self._metadata_until

    def metadata(self) -> dict[str, Any]:
        """Return the discovery document, read again every ten minutes.

        Raises:
            ProviderUnavailable: It can't be had, or is not this issuer's.
        """
        with self._lock:
            if self._metadata_until <= self.settings.clock():
                self._metadata = self._fetch_metadata()
                self._metadata_until = self.settings.clock() + METADATA_LIFE
            return self._metadata

    def _fetch_metadata(self) -> dict[str, Any]:
        """Ask a few times: in a demonstration the provider may be still starting."""
        url = self.settings.issuer.rstrip("/") + "/.well-known/openid-configuration"
        for remaining in reversed(range(DISCOVERY_TRIES)):
            try:
                return self._checked_metadata(json_object(self.get(url)))
            except ProviderUnavailable:
                if remaining == 0:
                    raise
            sleep(DISCOVERY_PAUSE_SECONDS)
        raise ProviderUnavailable("discovery")

    def _checked_metadata(self, document: dict[str, Any]) -> dict[str, Any]:
        """Check that the document is this issuer's and has what a login needs."""
        # OIDC Discovery 4.3: "The issuer value returned MUST be identical to the Issuer URL".
        if document.get("issuer") != self.settings.issuer:
            raise ProviderUnavailable("discovery document of another issuer")
        scheme = urlsplit(self.settings.issuer).scheme
        for name in ENDPOINTS:
            if urlsplit(str(document.get(name, ""))).scheme != scheme:
                raise ProviderUnavailable(f"{name} is missing or of another scheme")
        if "S256" not in document.get("code_challenge_methods_supported", []):
            raise ProviderUnavailable("no PKCE with S256")
        return document

    def _key(self, kid: str | None, alg: str) -> Key:
        """Find the key that signed; an unknown name makes us read the key set again."""
        with self._lock:
            found = self._find(kid, alg)
            now = self.settings.clock()
            if found is None and now >= self._refetch_from:
                self._keys = self._fetch_keys()
                found = self._find(kid, alg)
                if found is None:
                    self._refetch_from = now + REFETCH_PAUSE
        if found is None:
            raise UnknownKey("signed by an unknown key")
        try:
            return JWKRegistry.import_key(found)
        except (JoseError, ValueError) as error:
            raise AnswerRejected("a key that can't be read") from error

    def _find(self, kid: str | None, alg: str) -> dict[str, Any] | None:
        """Find one key by its name, or the only one that fits when the token names none."""
        fitting = [
            key
            for key in self._keys
            if (kid is None or key.get("kid") == kid)
            and key.get("use", "sig") == "sig"
            and key.get("alg", alg) == alg
        ]
        return fitting[0] if len(fitting) == 1 else None

    def _fetch_keys(self) -> list[dict[str, Any]]:
        """Read the provider's JWK Set."""
        keys = json_object(self.get(str(self._metadata["jwks_uri"]))).get("keys")
        if not isinstance(keys, list):
            raise ProviderUnavailable("not a JWK Set")
        return [key for key in keys if isinstance(key, dict)]

    def verified(self, token: str, typ: str | None = None) -> tuple[str, dict[str, Any]]:
        """Verify a signature, and the type when one is asked; return the algorithm and the payload."""
        try:
            header = jws.extract_compact(token.encode()).headers()
            alg, kid = str(header.get("alg")), header.get("kid")
            if typ is not None and str(header.get("typ")).lower().removeprefix("application/") != typ:
                raise AnswerRejected("token of another type")
            if alg not in self.settings.algorithms:
                raise AnswerRejected(f"signature algorithm {alg}")
            key = self._key(None if kid is None else str(kid), alg)
            payload = json.loads(jws.deserialize_compact(token, key, algorithms=[alg]).payload)
        except (JoseError, ValueError) as error:
            raise AnswerRejected("signature") from error
        if not isinstance(payload, dict):
            raise AnswerRejected("payload is not an object")
        return alg, payload

    def check_envelope(self, claims: dict[str, Any]) -> None:
        """Check who issued a token, and that it is for us alone."""
        if claims.get("iss") != self.settings.issuer:
            raise OtherIssuer("token of another issuer")
        if claims.get("aud") not in (self.settings.client_id, [self.settings.client_id]):
            raise OtherAudience("token for another audience")
        if claims.get("azp", self.settings.client_id) != self.settings.client_id:
            raise AnswerRejected("token for another party")

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """GET a document of the provider."""
        try:
            return self._send("GET", url, headers or {}, None)
        except WireError as error:
            raise ProviderUnavailable(f"no answer from {url}") from error


def json_object(response: Answer) -> dict[str, Any]:
    """Read the JSON object of a successful answer."""
    try:
        document = response.json() if response.status_code == HTTPStatus.OK else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ProviderUnavailable(f"no JSON object in an answer {response.status_code}")
    return document


def half_hash(access_token: str, alg: str) -> str:
    """Compute at_hash: the left half of the hash, in base64url (OIDC Core 3.1.3.6)."""
    digest = HALF_HASHES[alg](access_token.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
