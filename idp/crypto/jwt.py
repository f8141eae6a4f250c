"""Signs and verifies JSON Web Tokens; algorithms by allow-list (RFC 8725), keys as objects (RFC 7517, 7638)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm, get_default_algorithms
from jwt.utils import base64url_encode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.crypto.keyring import SigningKey

#: What this server signs with and accepts from clients. No `none`, no shared-secret signature.
ALGORITHMS = ("ES256", "RS256", "PS256", "EdDSA")
_IMPLEMENTATIONS = {name: get_default_algorithms()[name] for name in ALGORITHMS}
_MAX_LENGTH = 16_384
_CHECKS_OF_CLAIMS: Final = ("aud", "exp", "iat", "nbf", "iss", "sub", "jti")
#: The members that make a public key what it is (RFC 7638 section 3.2), by `kty`.
_REQUIRED_MEMBERS: Final = {
    "EC": ("crv", "kty", "x", "y"),
    "OKP": ("crv", "kty", "x"),
    "RSA": ("e", "kty", "n"),
}
#: Private members of every kind of key (RFC 7518 section 6), and the secret itself of a symmetric one.
PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]{1,1400}")
_RSA_BITS: Final = range(2048, 8193)
_RSA_EXPONENT_BITS: Final = 64

PublicKey = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey


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


def unverified_header(token: str, longest: int = _MAX_LENGTH) -> dict[str, Any]:
    """Read the header of a JWT before its key is known.

    Raises:
        JWTRefused: Not a JWT, or too long to be looked at.
    """
    if len(token) > longest:
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
    return verified_header_claims(token, keys, algorithms)[1]


def verified_header_claims(
    token: str, keys: Mapping[str | None, Any], algorithms: tuple[str, ...], *, longest: int = _MAX_LENGTH
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Check a signature as `verified_claims`, for callers to whom the header says the kind (RFC 8725 section 3.11).

    Nothing is ever fetched or believed for the header's sake: `jwk`, `jku`, `x5c` and `x5u` are members like others.

    Returns:
        The header, which the signature covers, and the claims.

    Raises:
        JWTRefused: Unknown key, other algorithm, wrong signature, or no claims.
    """
    header = unverified_header(token, longest)
    key = keys.get(header.get("kid"))
    if key is None and "kid" not in header and len(keys) == 1:
        key = next(iter(keys.values()))
    if key is None:
        raise JWTRefused("unknown key")
    return _decoded(token, key, algorithms)


def verified_hs256(token: str, secret: str) -> dict[str, Any]:
    """Check the signature that a client made with its secret: client_secret_jwt (OIDC Core 9), and nothing else.

    A function of its own, so that no list of algorithms ever mixes secrets with public keys (RFC 8725 section 2.1).

    Raises:
        JWTRefused: Not HS256, another secret, or no claims.
    """
    unverified_header(token)
    return _decoded(token, secret.encode(), ("HS256",))[1]


def _decoded(
    token: str, key: PublicKey | bytes, algorithms: tuple[str, ...]
) -> tuple[dict[str, Any], dict[str, Any]]:
    options: Any = dict.fromkeys([f"verify_{claim}" for claim in _CHECKS_OF_CLAIMS], False)
    options["enforce_minimum_key_length"] = True
    try:
        read = jwt.decode_complete(token, key=key, algorithms=list(algorithms), options=options)
    except (jwt.InvalidTokenError, jwt.InvalidKeyError, ValueError, TypeError) as error:
        raise JWTRefused(type(error).__name__) from error
    return read["header"], read["payload"]


def public_keys(jwks: Mapping[str, Any]) -> dict[str | None, Any]:
    """Read the public signing keys of a JWK Set (RFC 7517), by `kid`; what can't be read is passed over."""
    keys: dict[str | None, Any] = {}
    listed = jwks.get("keys")
    for jwk in listed if isinstance(listed, list) else ():
        if (
            not isinstance(jwk, dict)
            or not isinstance(jwk.get("kid"), str | None)
            or jwk.get("use", "sig") != "sig"
        ):
            continue
        try:
            keys[jwk.get("kid")] = public_key_of(jwk)
        except JWTRefused:
            continue
    return keys


def public_key_of(jwk: object) -> PublicKey:
    """Read one public key that may verify signatures: P-256, Ed25519, or RSA of 2048 bits and more.

    Args:
        jwk: As received; whatever stands in a header may come here.

    Raises:
        JWTRefused: Private, symmetric, weak, of another kind, or not a key at all.
    """
    members = public_members(jwk)
    try:
        key = _key_object(members)
    except (jwt.InvalidKeyError, UnsupportedAlgorithm, ValueError, TypeError) as error:
        raise JWTRefused("a key that can't be read") from error
    if isinstance(key, rsa.RSAPublicKey):
        _refuse_unfit_rsa(key)
        return key
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1):
        return key
    raise JWTRefused("a key of another curve")


def jwk_thumbprint(jwk: object) -> str:
    """Name a public key by what it is: base64url of SHA-256 over its required members (RFC 7638 section 3).

    Raises:
        JWTRefused: Private, symmetric, or without a required member.
    """
    members = public_members(jwk)
    # RFC 7638 section 3.3: no whitespace, members in lexicographic order. Their values need no escape.
    canonical = msgspec.json.encode(members, order="sorted")
    return base64url_encode(hashlib.sha256(canonical).digest()).decode()


def public_members(jwk: object) -> dict[str, str]:
    """Give the members that make a public key what it is, and no other (RFC 7638 section 3.2).

    Raises:
        JWTRefused: Private, symmetric, of another type, or without a required member.
    """
    if not isinstance(jwk, dict) or PRIVATE_MEMBERS & jwk.keys():
        raise JWTRefused("not a public key")
    kty = jwk.get("kty")
    names = _REQUIRED_MEMBERS.get(kty) if isinstance(kty, str) else None
    if names is None:
        raise JWTRefused("a key of another type")
    return {name: _text(jwk.get(name)) for name in names}


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


def _text(value: object) -> str:
    if not isinstance(value, str) or not _BASE64URL.fullmatch(value):
        raise JWTRefused("a key with a malformed member")
    return value


def _key_object(members: dict[str, str]) -> object:
    match members["kty"]:
        case "EC":
            return ECAlgorithm.from_jwk(members)
        case "RSA":
            return RSAAlgorithm.from_jwk(members)
        case _:
            return OKPAlgorithm.from_jwk(members)


def _refuse_unfit_rsa(key: rsa.RSAPublicKey) -> None:
    # Under 2048 bits it can be forged (RFC 7518 section 3.3); far over, or with a huge exponent, each check of a
    # signature by a key that anybody may send costs us more than it costs them.
    if key.key_size not in _RSA_BITS or key.public_numbers().e.bit_length() > _RSA_EXPONENT_BITS:
        raise JWTRefused("an RSA key of another size")
