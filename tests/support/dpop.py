"""Makes DPoP proofs, good and bad, without the code under test (RFC 9449 section 4.2)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import jwt

from tests.support.client_keys import ClientKey, a_key, public_jwk
from tests.support.provider import ISSUER, answer_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

#: What RFC 7638 section 3.2 hashes of each kind of key.
_REQUIRED: Final = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
_NUMBERS: Final = count(1)


@dataclass(eq=False)
class ProofMaker:
    """A client's key, and the proofs it makes.

    Attributes:
        clock: The time that proofs bear.
        alg: With what they are signed.
        key: The private key.
    """

    clock: SettableClock
    alg: str = "ES256"
    key: ClientKey = field(init=False)

    def __post_init__(self) -> None:
        """Make the key."""
        self.key = a_key(self.alg)

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half, as proofs show it."""
        return public_jwk(self.key.private)

    @property
    def jkt(self) -> str:
        """The thumbprint of the key (RFC 7638)."""
        jwk = self.jwk
        members = {name: jwk[name] for name in _REQUIRED[jwk["kty"]]}
        canonical = json.dumps(members, separators=(",", ":"), sort_keys=True)
        return base64url(hashlib.sha256(canonical.encode()).digest())

    def proof(
        self,
        path: str = "/token",
        *,
        method: str = "POST",
        access_token: str | None = None,
        nonce: str | None = None,
        header: dict[str, Any] | None = None,
        without: tuple[str, ...] = (),
        **claims: Any,
    ) -> str:
        """Make a proof that passes, with changes.

        Args:
            path: Of the endpoint.
            method: HTTP method of the request.
            access_token: The token that goes with it.
            nonce: The nonce of the server.
            header: Members of the header that differ.
            without: Claims and members of the header to leave out.
            claims: Claims that differ.
        """
        usual: dict[str, Any] = {
            "jti": f"proof-{next(_NUMBERS)}",
            "htm": method,
            "htu": ISSUER + path,
            "iat": int(self.clock().timestamp()),
        }
        if access_token is not None:
            usual["ath"] = base64url(hashlib.sha256(access_token.encode()).digest())
        if nonce is not None:
            usual["nonce"] = nonce
        members = {"typ": "dpop+jwt", "jwk": self.jwk} | (header or {})
        return jwt.encode(
            {name: value for name, value in (usual | claims).items() if name not in without},
            self.key.private,
            algorithm=self.alg,
            headers={name: value for name, value in members.items() if name not in without},
        )


def a_code(provider: Provider, service: Service, **changes: str | None) -> str:
    """Get a code for somebody who allows what is asked.

    Args:
        provider: Who is asked.
        service: Who asks.
        changes: Parameters of the authorization request that differ.
    """
    browser = provider.signed_in()
    answer = provider.authorize(browser, service, **changes)
    if "/consent" in answer.headers.get("Location", ""):
        answer = provider.consent(browser, answer.location)
    return answer_of(answer)["code"]


def with_proof(
    provider: Provider,
    service: Service,
    proof: str | None,
    fields: Mapping[str, str | None],
    *,
    path: str = "/token",
) -> TestResponse:
    """Send a form as a service that proves itself, and its key.

    Args:
        provider: Who is asked.
        service: Who asks.
        proof: The DPoP header; None for none.
        fields: The form.
        path: The endpoint.
    """
    headers, authentication = service.authentication()
    form = {name: value for name, value in {**authentication, **fields}.items() if value is not None}
    proven = {} if proof is None else {"DPoP": proof}
    return provider.back_channel.post(path, data=form, headers=headers | proven)


def redeem(
    provider: Provider, service: Service, code: str, proof: str | None, **changes: str | None
) -> TestResponse:
    """Bring a code to /token, with a proof."""
    usual: dict[str, str | None] = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": service.callback,
        "code_verifier": service.verifier,
    }
    return with_proof(provider, service, proof, usual | changes)


def refresh(
    provider: Provider, service: Service, refresh_token: str, proof: str | None, **changes: str | None
) -> TestResponse:
    """Bring a refresh token to /token, with a proof."""
    usual: dict[str, str | None] = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    return with_proof(provider, service, proof, usual | changes)


def userinfo(
    provider: Provider, access_token: str, proof: str | None, *, scheme: str = "DPoP", method: str = "GET"
) -> TestResponse:
    """Ask for the claims of a token, with a proof."""
    headers = {"Authorization": f"{scheme} {access_token}"} | ({} if proof is None else {"DPoP": proof})
    return provider.back_channel.open("/userinfo", method=method, headers=headers)


def base64url(raw: bytes) -> str:
    """Encode without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
