"""Authorization codes and token families: life cycles, single use, reuse (OID-1, OID-2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

#: What proofs of possession may be signed with (RFC 9449 section 11.6): asymmetric, and safe for FAPI 2.0.
PROOF_ALGORITHMS: Final = ("ES256", "PS256", "EdDSA")


class TokenKind(StrEnum):
    """What a stored token is; the prefix of the secret says the same."""

    ACCESS = "access"
    REFRESH = "refresh"


class ConfirmationMethod(StrEnum):
    """What the holder of a token proves (RFC 7800 section 3.1): the member of `cnf`."""

    DPOP = "jkt"
    CERTIFICATE = "x5t#S256"


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The key that a token is bound to (RFC 9449 section 6, RFC 8705 section 3).

    Attributes:
        method: How possession is proven.
        thumbprint: SHA-256 of the key or certificate, base64url, 43 characters.
    """

    method: ConfirmationMethod
    thumbprint: str

    @property
    def cnf(self) -> dict[str, str]:
        """The member of a token or of an introspection answer."""
        return {self.method.value: self.thumbprint}


@dataclass(frozen=True, slots=True)
class DPoPPolicy:
    """How proofs of possession are taken (RFC 9449).

    Attributes:
        require_nonce: A proof needs a nonce of ours (section 8).
        nonce_lifetime: How long a nonce may be used.
        proof_age: How old a proof may be.
    """

    require_nonce: bool = False
    nonce_lifetime: timedelta = timedelta(minutes=5)
    proof_age: timedelta = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class VerifiedElement:
    """One element of `verified_claims` that was asked for and allowed (OIDC IDA 5.3 to 5.6).

    Attributes:
        verification: What is asked of the verification, and demanded of it: as received, checked.
        claims: The claims, each with the values that would do; empty for any.
    """

    verification: dict[str, Any]
    claims: dict[str, tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class GrantedClaims:
    """Which claims go where, after consent (OIDC Core 5.4, 5.5), and which of them as verified (OIDC IDA 5.2)."""

    id_token: tuple[str, ...] = ()
    userinfo: tuple[str, ...] = ()
    verified_id_token: tuple[VerifiedElement, ...] = ()
    verified_userinfo: tuple[VerifiedElement, ...] = ()


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
        resources: APIs that tokens may be made for (RFC 8707); empty for UserInfo.
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
    resources: tuple[str, ...] = ()
