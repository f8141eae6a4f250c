"""From a token as it was presented to what is stored of it: opaque, or a JWT of ours (RFC 9068)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.crypto.jwt import ALGORITHMS, JWTRefused, unverified_header, verified_header_claims
from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.protocol.tokens.access_token import TYP, stored_name

if TYPE_CHECKING:
    from idp.services.context import Context

_OPAQUE = (SecretKind.ACCESS_TOKEN, SecretKind.REFRESH_TOKEN)


def hash_of(context: Context, token: str) -> bytes | None:
    """Give the hash under which a token is stored; None for what can't be one, without a query.

    The hint of RFC 7662 section 2.1 and RFC 7009 section 2.1 is not needed: a token tells its kind by itself.
    """
    if any(is_well_formed(kind, token) for kind in _OPAQUE):
        return digest(token)
    try:
        # Looked at before the signature, so that an ID token costs none.
        if unverified_header(token).get("typ") != TYP:
            return None
        _, claims = verified_header_claims(token, context.keys.keyring().public_keys(), ALGORITHMS)
    except JWTRefused:
        return None
    return digest(stored_name(str(claims.get("jti"))))
