"""Authorization codes and token families: life cycles, single use, reuse (OID-1, OID-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class TokenKind(StrEnum):
    """What a stored token is; the prefix of the secret says the same."""

    ACCESS = "access"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class GrantedClaims:
    """Which claims go where, after consent (OIDC Core 5.4, 5.5)."""

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenFamily:
    """All that was born of one authorization: it lives and dies as a whole.

    Attributes:
        family_id: Names the family.
        client_id: Whose tokens they are.
        account_id: About whom; None for client credentials.
        consent_id: The consent they stand on, if any.
        session_id: The session they were born in.
        subject: `sub` as this client sees it.
        scopes: Granted scopes.
        claims: Granted claims.
        nonce: As received, for the ID Token.
        auth_time: When the person proved their presence, integer seconds.
        acr: How surely.
        amr: How.
        created_at: When the code was issued.
        expires_at: Absolute end of every refresh token of the family.
        revoked_at: None while alive.
    """

    family_id: str
    client_id: str
    account_id: str | None
    consent_id: str | None
    session_id: str | None
    subject: str
    scopes: frozenset[str]
    claims: GrantedClaims
    nonce: str | None
    auth_time: int
    acr: str | None
    amr: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
