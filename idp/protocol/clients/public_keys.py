"""The public keys that a client registers: for what it signs, and for what is encrypted to it (RFC 7517; OID-4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

#: How the key of an encrypted message is given (RFC 7518 section 4), and what its content is encrypted with
#: (section 5). RSA1_5 is broken in practice, `dir` and AES key wrapping would need a secret that both sides read.
ENCRYPTION_ALGORITHMS: Final = ("RSA-OAEP", "RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A256KW")
CONTENT_ENCRYPTIONS: Final = ("A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM")
#: The kinds of keys, and what each can verify, by the curve that it is on; None for RSA.
KEY_ALGORITHMS: Final[dict[str, dict[str | None, tuple[str, ...]]]] = {
    "EC": {"P-256": ("ES256",)},
    "OKP": {"Ed25519": ("EdDSA", "Ed25519")},
    "RSA": {None: ("RS256", "PS256")},
}
_ECDH: Final = tuple(alg for alg in ENCRYPTION_ALGORITHMS if alg.startswith("ECDH"))
_DECRYPTS: Final[dict[str, dict[str | None, tuple[str, ...]]]] = {
    "EC": dict.fromkeys(("P-256", "P-384", "P-521"), _ECDH),
    "OKP": {"X25519": _ECDH},
    "RSA": {None: tuple(alg for alg in ENCRYPTION_ALGORITHMS if alg.startswith("RSA"))},
}

#: What is kept of a public key; members that nobody here reads are dropped (RFC 7517 section 4: "MUST be ignored").
_TEXTS: Final = frozenset({"kty", "use", "alg", "kid", "crv", "x", "y", "n", "e"})
_CHAIN: Final = "x5c"
_MOST_KEYS: Final = 20
# 2048 bits in base64url, which is what `n` is written in.
_SHORTEST_MODULUS: Final = 341
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_BASE64URL = re.compile(r"[A-Za-z0-9_\-]+")


def key_set_faults(jwks: dict[str, Any]) -> Iterator[str]:
    """Say what is wrong with a key set; its members are whatever was sent."""
    keys = jwks.get("keys")
    if not isinstance(keys, list) or not keys or len(keys) > _MOST_KEYS:
        yield f"must have a keys array of 1 to {_MOST_KEYS} keys"
        return
    for key in keys:
        yield from _key_faults(key)
    kids = [key.get("kid") for key in keys if isinstance(key, dict)]
    if len(kids) > 1 and len({kid for kid in kids if _is_text(kid)}) < len(kids):
        yield "must give each key a kid of its own"


def known_members(jwks: dict[str, Any]) -> dict[str, Any]:
    """Drop what nobody here reads from a key set; private members stay, for the checks to refuse them."""
    keys = jwks.get("keys")
    if not isinstance(keys, list):
        return {}
    kept = _TEXTS | {_CHAIN} | _PRIVATE_MEMBERS
    return {
        "keys": [
            {name: value for name, value in key.items() if name in kept} if isinstance(key, dict) else None
            for key in keys
        ]
    }


def can_verify(jwks: dict[str, Any]) -> bool:
    """Tell whether some key of a set may prove a signature of the client."""
    return any(_may_be_used(key, "sig") and _algorithms(KEY_ALGORITHMS, key) for key in _keys(jwks))


def can_decrypt(jwks: dict[str, Any], alg: str) -> bool:
    """Tell whether the client has a key for messages encrypted by an algorithm."""
    return any(
        _may_be_used(key, "enc") and alg in _algorithms(_DECRYPTS, key) and key.get("alg", alg) == alg
        for key in _keys(jwks)
    )


def signing_algorithms(jwks: dict[str, Any]) -> tuple[str, ...]:
    """Name what the keys of a set may sign with; of an RSA key, the padding that is not of 1993."""
    signing = (key for key in _keys(jwks) if _may_be_used(key, "sig"))
    return tuple(
        "PS256" if algs == KEY_ALGORITHMS["RSA"][None] else algs[0]
        for algs in (_algorithms(KEY_ALGORITHMS, key) for key in signing)
        if algs
    )


def _keys(jwks: dict[str, Any]) -> Iterator[dict[str, Any]]:
    keys = jwks.get("keys")
    return (key for key in (keys if isinstance(keys, list) else ()) if isinstance(key, dict))


def _may_be_used(key: dict[str, Any], use: str) -> bool:
    return bool(key.get("use", use) == use)


def _algorithms(kinds: dict[str, dict[str | None, tuple[str, ...]]], key: dict[str, Any]) -> tuple[str, ...]:
    kty, curve = key.get("kty"), key.get("crv")
    by_curve = kinds.get(kty, {}) if isinstance(kty, str) else {}
    return by_curve.get(curve if kty != "RSA" else None, ()) if isinstance(curve, str | None) else ()


def _key_faults(key: object) -> Iterator[str]:
    if not isinstance(key, dict):
        yield "must have objects as keys"
        return
    if not _PRIVATE_MEMBERS.isdisjoint(key):
        yield "must have public keys only; this one is to be considered stolen"
    chain = key.get(_CHAIN, ["-"])
    if not all(_is_text(key[name]) for name in _TEXTS & key.keys()) or not (
        isinstance(chain, list) and chain and all(map(_is_text, chain))
    ):
        yield "must have keys whose members are text, and x5c a list of texts"
    kty, use = key.get("kty"), key.get("use")
    if not isinstance(kty, str) or kty not in KEY_ALGORITHMS:
        yield f"must have keys of kty {' '.join(KEY_ALGORITHMS)}"
        return
    if use not in (None, "sig", "enc"):
        yield "must have keys whose use, if any, is sig or enc"
    algs = (
        *(_algorithms(KEY_ALGORITHMS, key) if use != "enc" else ()),
        *(_algorithms(_DECRYPTS, key) if use != "sig" else ()),
    )
    if not algs:
        yield "must have keys on a curve that is served: P-256, Ed25519; to decrypt, P-384, P-521, X25519 too"
    elif "alg" in key and key["alg"] not in algs:
        yield f"must have keys whose alg, if any, fits the key: {' '.join(algs)}"
    yield from _material_faults(key, kty)


def _material_faults(key: dict[str, Any], kty: str) -> Iterator[str]:
    members = {"EC": ("x", "y"), "OKP": ("x",), "RSA": ("n", "e")}[kty]
    if not all(_is_number(key.get(member)) for member in members):
        yield f"must have keys with {' and '.join(members)} in base64url for kty {kty}"
    elif kty == "RSA" and len(key["n"]) < _SHORTEST_MODULUS:
        yield "must have RSA keys of 2048 bits or more"


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value)


def _is_number(value: object) -> bool:
    return isinstance(value, str) and _BASE64URL.fullmatch(value) is not None
