"""JWT access tokens: for a resource server that looks at them by itself (RFC 9068; OID-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.scope import serialise

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.tokens import Confirmation, TokenFamily

#: RFC 9068 section 2.1; it keeps an access token from passing for any other JWT of ours, and they for it.
TYP: Final = "at+jwt"


def access_token_claims(
    family: TokenFamily,
    *,
    issuer: str,
    jti: str,
    audience: tuple[str, ...],
    scopes: frozenset[str],
    confirmation: Confirmation | None,
    issued_at: datetime,
    expires_at: datetime,
) -> dict[str, Any]:
    """Build the payload of a JWT access token (RFC 9068 section 2.2).

    Args:
        family: What was granted, to whom, about whom.
        issuer: Us, as a URL.
        jti: Names this token.
        audience: The resources it is made for; at least one.
        scopes: What this very token gives.
        confirmation: The key it is bound to; None for whoever holds it.
        issued_at: Now.
        expires_at: When it ends.
    """
    claims: dict[str, Any] = {
        "iss": issuer,
        "sub": family.subject,
        # RFC 7519 section 4.1.3: the usual single audience may be a string, which every library reads.
        "aud": audience[0] if len(audience) == 1 else list(audience),
        "client_id": family.client_id,
        "scope": serialise(scopes),
        "iat": int(issued_at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "jti": jti,
    }
    if confirmation is not None:
        claims["cnf"] = confirmation.cnf
    return claims | authentication_claims(family)


def authentication_claims(family: TokenFamily) -> dict[str, Any]:
    """Say how the person signed in (RFC 9068 section 2.2.1); nothing for a client that speaks for itself."""
    if family.account_id is None:
        return {}
    claims: dict[str, Any] = {"auth_time": family.auth_time}
    if family.acr is not None:
        claims["acr"] = family.acr
    if family.amr:
        claims["amr"] = list(family.amr)
    return claims


def targets(asked: tuple[str, ...], granted: tuple[str, ...]) -> tuple[str, ...]:
    """Say for which APIs a token is: those asked for now, or all that were granted (RFC 8707 section 2.2).

    Args:
        asked: The `resource` parameters of the token request, in order.
        granted: What the authorization, or the registration of the client, allows.

    Raises:
        EndpointError: invalid_target, for one that was not granted.
    """
    if not set(asked) <= set(granted):
        raise EndpointError(ErrorCode.INVALID_TARGET, reason="resource that was not granted")
    return tuple(dict.fromkeys(asked)) or granted


def stored_name(jti: str) -> str:
    """Name a JWT access token for storage.

    Its digest stands where the digest of an opaque token would: the space, which no opaque token
    has, keeps a `jti` that was read from being presented as a token.
    """
    return f"{TYP} {jti}"
