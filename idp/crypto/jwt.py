"""Signs and verifies JSON Web Tokens; algorithms by allow-list (RFC 8725), keys as objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import msgspec
from jwt.algorithms import get_default_algorithms
from jwt.utils import base64url_encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.crypto.keyring import SigningKey

#: What this server signs with and accepts from clients. No `none`, no shared-secret signature.
ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
_IMPLEMENTATIONS = {name: get_default_algorithms()[name] for name in ALGORITHMS}
_MAX_LENGTH = 16_384


class JWTRefused(Exception):
    """A JWT that is not to be trusted; the text is for the log."""


def sign(claims: Mapping[str, Any], key: SigningKey, *, typ: str | None = "JWT") -> str:
    """Sign claims with a key of ours, named in the header.

    The compact form is put together here: PyJWT's `encode` looks the algorithm up and encodes the header
    anew for each token, which costs as much as the ES256 signature.
    """
    signing_input = key.header(typ) + b"." + base64url_encode(msgspec.json.encode(claims))
    signature = _IMPLEMENTATIONS[key.alg].sign(signing_input, key.private_key)
    return (signing_input + b"." + base64url_encode(signature)).decode()


def unverified_header(token: str) -> dict[str, Any]:
    """Read the header of a JWT before its key is known.

    Raises:
        JWTRefused: Not a JWT, or too long to be looked at.
    """
    if len(token) > _MAX_LENGTH:
        raise JWTRefused("too long")
    try:
        return jwt.get_unverified_header(token)
    except (jwt.InvalidTokenError, ValueError) as error:
        raise JWTRefused(str(error)) from error


def verified_claims(
    token: str, keys: Mapping[str | None, Any], *, algorithms: tuple[str, ...] = ALGORITHMS
) -> dict[str, Any]:
    """Check a signature and nothing else: each kind of token has its own rules for its claims.

    Args:
        token: As received.
        keys: Public key objects by `kid`; a sole key may stand under None for a token without `kid`.
        algorithms: What the context allows; the key's type must fit too.

    Raises:
        JWTRefused: Unknown key, other algorithm, wrong signature, or no claims.
    """
    header = unverified_header(token)
    key = keys.get(header.get("kid"))
    if key is None and "kid" not in header and len(keys) == 1:
        key = next(iter(keys.values()))
    if key is None:
        raise JWTRefused("unknown key")
    try:
        return jwt.decode(
            token,
            key=key,
            algorithms=list(algorithms),
            options={
                "verify_aud": False,
                "verify_exp": False,
                "verify_iat": False,
                "verify_nbf": False,
                "verify_iss": False,
                "verify_sub": False,
                "verify_jti": False,
                "enforce_minimum_key_length": True,
            },
        )
    except (jwt.InvalidTokenError, jwt.InvalidKeyError, ValueError, TypeError) as error:
        raise JWTRefused(type(error).__name__) from error


def public_keys(jwks: Mapping[str, Any]) -> dict[str | None, Any]:
    """Read the public signing keys of a JWK Set (RFC 7517), by `kid`; what can't be read is passed over."""
    keys: dict[str | None, Any] = {}
    listed = jwks.get("keys")
    for jwk in listed if isinstance(listed, list) else ():
        if (
            not isinstance(jwk, dict)
            or not isinstance(jwk.get("kid"), str | None)
            or jwk.get("use", "sig") != "sig"
            or "d" in jwk
        ):
            continue
        try:
            keys[jwk.get("kid")] = jwt.PyJWK(jwk).key
        except (jwt.PyJWKError, jwt.InvalidKeyError, ValueError, TypeError, KeyError):
            continue
    return keys


def unverified_claims(token: str) -> dict[str, Any]:
    """Read the claims of a JWT to find whose key should verify it; nothing else may rest on them.

    Raises:
        JWTRefused: Not a JWT, or too long to be looked at.
    """
    unverified_header(token)
    try:
        return jwt.decode(token, options={"verify_signature": False})
    except jwt.InvalidTokenError as error:
        raise JWTRefused(type(error).__name__) from error
