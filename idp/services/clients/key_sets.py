"""The public keys of a client: registered with it, or fetched from its `jwks_uri` (OIDC Registration 2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idp.crypto.jwt import JWTRefused, unverified_header, verified_claims
from idp.outbound.key_sets import KeySet, KeySetUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.domain.client import Client
    from idp.services.context import Context

__all__ = ["KeySetUnavailable", "encryption_jwk", "key_set_of", "keys_of", "signed_claims"]

#: Curves on which ECDH is done, and not signatures alone.
_AGREEMENT_CURVES: Final = frozenset({"P-256", "P-384", "P-521", "X25519"})


def keys_of(context: Context, client: Client, *, kid: str | None = None) -> dict[str | None, Any]:
    """Give the keys by which a client signs, as objects, by `kid`.

    Args:
        context: The parts of the use cases.
        client: Whose.
        kid: The key that is needed: a set that lacks it is fetched anew, for the client may have changed its keys.

    Raises:
        KeySetUnavailable: The client has no keys, or its `jwks_uri` can't be read.
    """
    return key_set_of(context, client, has=lambda keys: kid is None or kid in keys.signing_keys).signing_keys


def signed_claims(
    context: Context, client: Client, token: str, *, algorithms: tuple[str, ...]
) -> dict[str, Any]:
    """Check that a client signed a token, and give its claims, which are the caller's to check.

    Args:
        context: The parts of the use cases.
        client: Whose key must have signed it.
        token: As received.
        algorithms: What is allowed for tokens of this kind.

    Raises:
        JWTRefused: Another algorithm, another key, or a wrong signature.
        KeySetUnavailable: The client has no keys, or its `jwks_uri` can't be read.
    """
    header = unverified_header(token)
    # Before any key is looked for: nobody makes us fetch keys for what no key could verify.
    if header.get("alg") not in algorithms:
        raise JWTRefused("another algorithm than allowed")
    kid = header.get("kid")
    keys = keys_of(context, client, kid=kid if isinstance(kid, str) else None)
    return verified_claims(token, keys, algorithms=algorithms)


def encryption_jwk(context: Context, client: Client, alg: str) -> dict[str, Any]:
    """Give the public key to encrypt for a client with, by the algorithm that it registered.

    Raises:
        KeySetUnavailable: There is none that fits.
    """
    keys = key_set_of(context, client, has=lambda keys: bool(_fit_to_encrypt(keys, alg)))
    fit = _fit_to_encrypt(keys, alg)
    if not fit:
        raise KeySetUnavailable(f"no key for {alg}")
    # One that says what it is for, before one that may do for anything.
    return max(fit, key=lambda jwk: (jwk.get("use") == "enc", jwk.get("alg") == alg))


def key_set_of(context: Context, client: Client, *, has: Callable[[KeySet], bool] = lambda _: True) -> KeySet:
    """Give every public key of a client.

    Args:
        context: The parts of the use cases.
        client: Whose.
        has: Tells whether what is needed is in a set; it is fetched anew when not, but never too often.

    Raises:
        KeySetUnavailable: The client has no keys, or its `jwks_uri` can't be read.
    """
    if client.jwks is not None:
        return KeySet.of(client.jwks)
    if client.jwks_uri is None:
        raise KeySetUnavailable("no keys registered")
    return context.key_sets.find(context.http, client.jwks_uri, context.clock(), has=has)


def _fit_to_encrypt(keys: KeySet, alg: str) -> list[dict[str, Any]]:
    return [
        jwk
        for jwk in keys.keys
        if jwk.get("use", "enc") == "enc" and jwk.get("alg", alg) == alg and _is_of_kind(jwk, alg)
    ]


def _is_of_kind(jwk: dict[str, Any], alg: str) -> bool:
    if alg.startswith("RSA"):
        return jwk.get("kty") == "RSA"
    return jwk.get("kty") in {"EC", "OKP"} and jwk.get("crv") in _AGREEMENT_CURVES
