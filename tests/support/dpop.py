"""Makes DPoP proofs, good and bad, without the code under test (RFC 9449 section 4.2)."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.support.provider import ISSUER

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.clock import SettableClock

PrivateKey = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | rsa.RSAPrivateKey
#: What RFC 7638 section 3.2 hashes of each kind of key.
_REQUIRED: Final = {"EC": ("crv", "kty", "x", "y"), "OKP": ("crv", "kty", "x"), "RSA": ("e", "kty", "n")}
_MAKERS: Final[dict[str, Callable[[], PrivateKey]]] = {
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}
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
    key: PrivateKey = field(init=False)

    def __post_init__(self) -> None:
        """Make the key."""
        self.key = _MAKERS[self.alg]()

    @property
    def jwk(self) -> dict[str, Any]:
        """The public half, as proofs show it."""
        return public_jwk(self.key)

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
            self.key,
            algorithm=self.alg,
            headers={name: value for name, value in members.items() if name not in without},
        )


def public_jwk(key: PrivateKey) -> dict[str, Any]:
    """Write the public half of a key."""
    match key:
        case ec.EllipticCurvePrivateKey():
            return dict(ECAlgorithm.to_jwk(key.public_key(), as_dict=True))
        case rsa.RSAPrivateKey():
            members = dict(RSAAlgorithm.to_jwk(key.public_key(), as_dict=True))
            members.pop("key_ops", None)
            return members
        case _:
            return dict(OKPAlgorithm.to_jwk(key.public_key(), as_dict=True))


def base64url(raw: bytes) -> str:
    """Encode without padding (RFC 7515 section 2)."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
