"""Encrypts for clients and decrypts what they encrypt for us: compact JWE, by allow-list (RFC 7516, 7518).

No shared secret (`dir`, key wrapping, passwords), no RSA1_5, whose padding tells, and no compression: what is
compressed before it is encrypted tells by its length (RFC 8725 section 3.6), and what is small may become huge.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from jwt.utils import base64url_decode

from idp.crypto.jwt import JWTRefused, public_key_of, public_members
from idp.protocol.clients.public_keys import CONTENT_ENCRYPTIONS, ENCRYPTION_ALGORITHMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from idp.crypto.keyring import DecryptionKey

__all__ = ["CONTENT_ENCRYPTIONS", "ENCRYPTION_ALGS", "JWERefused", "decrypt", "encrypt", "protected_header"]

ENCRYPTION_ALGS: Final = ENCRYPTION_ALGORITHMS

#: What a JWT of the longest length comes to, encrypted, with its header and key.
_MAX_LENGTH: Final = 24_576
_COMPACT: Final = re.compile(r"([A-Za-z0-9_-]{1,1024})(?:\.[A-Za-z0-9_-]*){4}", re.ASCII)
_CURVES: Final = frozenset({"P-256", "P-384", "P-521"})
_FAILURES: Final = (
    JWTRefused, JoseError, InvalidTag, UnsupportedAlgorithm, ValueError, TypeError, KeyError, AssertionError,
)  # fmt: skip


class JWERefused(Exception):
    """What can't be encrypted or decrypted; the text is for the log, and never says how far it went."""


def encrypt(
    plaintext: bytes,
    jwk: Mapping[str, Any],
    alg: str,
    enc: str,
    *,
    cty: str | None = None,
    kid: str | None = None,
) -> str:
    """Encrypt for the holder of a key.

    Args:
        plaintext: Whatever it is.
        jwk: Their public key, as published: RSA of 2048 bits and more, P-256, P-384, P-521 or X25519.
        alg: How the key of the content is given: one of `ENCRYPTION_ALGS`.
        enc: How the content is encrypted: one of `CONTENT_ENCRYPTIONS`.
        cty: "JWT" for a nested token (RFC 7519 section 5.2).
        kid: Names the key; by default as it names itself.

    Raises:
        JWERefused: Another algorithm, a key that does not fit it or that is not for encryption.
    """
    if alg not in ENCRYPTION_ALGORITHMS or enc not in CONTENT_ENCRYPTIONS:
        raise JWERefused("another algorithm")
    if jwk.get("use", "enc") != "enc" or jwk.get("alg", alg) != alg:
        raise JWERefused("a key for something else")
    members = {"alg": alg, "enc": enc, "cty": cty, "kid": kid or jwk.get("kid")}
    header = {name: value for name, value in members.items() if value is not None}
    try:
        return jwe.encrypt_compact(header, plaintext, _recipient(jwk, alg), registry=_only(alg))
    except _FAILURES as error:
        raise JWERefused("a key that can't be used") from error


def decrypt(token: str, keys: Iterable[DecryptionKey]) -> bytes:
    """Decrypt what was encrypted to one of our keys, by the one algorithm that the key is published for.

    Args:
        token: As received.
        keys: Ours, of every state: who encrypts may have read the JWK Set a while ago.

    Raises:
        JWERefused: For whatever reason; one answer for all of them (RFC 7516 section 11.5).
    """
    header = protected_header(token)
    for key in keys:
        if key.alg == header["alg"] and header.get("kid", key.kid) == key.kid:
            plaintext = _decrypted(token, header, key)
            if plaintext is not None:
                return plaintext
    raise JWERefused("not for us, or altered")


def protected_header(token: str) -> dict[str, Any]:
    """Read the header of a JWE; `decrypt` alone says whether it is the one that the sender wrote.

    Raises:
        JWERefused: Too long, not a compact JWE, or of algorithms or extensions that are not taken.
    """
    if len(token) > _MAX_LENGTH:
        raise JWERefused("too long")
    parts = _COMPACT.fullmatch(token)
    if parts is None:
        raise JWERefused("not a compact JWE")
    try:
        header = msgspec.json.decode(base64url_decode(parts[1]))
    except (ValueError, RecursionError) as error:
        raise JWERefused("not a compact JWE") from error
    if not isinstance(header, dict) or header.get("enc") not in CONTENT_ENCRYPTIONS:
        raise JWERefused("another content encryption")
    # RFC 7516 section 4.1.13: extensions "MUST be understood"; we understand none.
    if "alg" not in header or {"crit", "zip"} & header.keys():
        raise JWERefused("a header that is not understood")
    return header


def _decrypted(token: str, header: dict[str, Any], key: DecryptionKey) -> bytes | None:
    try:
        ours = _own(key.private_key, header)
        return jwe.decrypt_compact(token, ours, registry=_only(key.alg)).plaintext
    except _FAILURES:
        return None


def _own(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, header: dict[str, Any]) -> ECKey | RSAKey:
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAKey.import_key(key)
    # The sender's key comes from anybody: nothing but a point of our curve goes further (RFC 7518 section 4.6.1.1).
    public_key_of(header.get("epk"))
    return ECKey.import_key(key)


def _only(alg: str) -> jwe.JWERegistry:
    # RFC 7516 section 4: other members of the header are ignored; RFC 7519 section 5.3 puts claims there.
    return jwe.JWERegistry(algorithms=(alg, *CONTENT_ENCRYPTIONS), strict_check_header=False)


def _recipient(jwk: Mapping[str, Any], alg: str) -> RSAKey | ECKey | OKPKey:
    if alg.startswith("RSA"):
        key = public_key_of(dict(jwk))
        if not isinstance(key, rsa.RSAPublicKey):
            raise TypeError("not an RSA key")
        return RSAKey.import_key(key)
    members: dict[str, str | list[str]] = {**public_members(dict(jwk))}
    if members["kty"] == "EC" and members["crv"] in _CURVES:
        return ECKey.import_key(members)
    if members["kty"] == "OKP" and members["crv"] == "X25519":
        return OKPKey.import_key(members)
    raise TypeError("not a key to agree with")
