"""The claims of an ID Token (OIDC Core 2, 3.1.3.6; OID-3)."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256, sha384, sha512
from typing import Any, Final

#: The hash that goes with each signature algorithm (OIDC Core 3.1.3.6). Ed25519 hashes with
#: SHA-512 (RFC 8032 section 5.1), and so do those who check `at_hash`.
HASHES: Final = {
    "RS256": sha256,
    "PS256": sha256,
    "ES256": sha256,
    "RS384": sha384,
    "PS384": sha384,
    "ES384": sha384,
    "RS512": sha512,
    "PS512": sha512,
    "ES512": sha512,
    "EdDSA": sha512,
    "Ed25519": sha512,
}


@dataclass(frozen=True, slots=True)
class IDTokenFacts:
    """What an ID Token says.

    Attributes:
        issuer: Us, as a URL.
        client_id: For whom it is; the only audience, as a string.
        subject: The person, as this client knows them.
        alg: With what it will be signed.
        auth_time: When the person proved their presence, integer seconds; also on refresh.
        acr: How surely.
        amr: How.
        nonce: As received; None without one, and on refresh (OIDC Core 12.2).
        sid: The session, as this client knows it (Front-Channel Logout 3).
        code: The code in the same answer, for `c_hash`.
        access_token: The token in the same answer, for `at_hash`.
        state: The `state` of an answer through the browser, for `s_hash` (FAPI 1.0 part 2, 5.1.1).
        person: Claims on the person that were granted for the ID Token.
    """

    issuer: str
    client_id: str
    subject: str
    alg: str
    auth_time: int
    acr: str | None = None
    amr: tuple[str, ...] = ()
    nonce: str | None = None
    sid: str | None = None
    code: str | None = None
    access_token: str | None = None
    state: str | None = None
    person: Mapping[str, Any] | None = None


def id_token_claims(facts: IDTokenFacts, *, now: datetime, lifetime: timedelta) -> dict[str, Any]:
    """Build the payload of an ID Token.

    What the person's claims say comes first and what the protocol says last, so that no attribute,
    whatever its name, can pass for `iss`, `sub` or `exp`.
    """
    issued_at = int(now.timestamp())
    optional = {
        "acr": facts.acr,
        "amr": list(facts.amr) or None,
        "nonce": facts.nonce,
        "sid": facts.sid,
        "c_hash": facts.code and half_hash(facts.code, facts.alg),
        "at_hash": facts.access_token and half_hash(facts.access_token, facts.alg),
        "s_hash": facts.state and half_hash(facts.state, facts.alg),
    }
    claims = {name: value for name, value in (facts.person or {}).items() if name not in optional}
    claims |= {name: value for name, value in optional.items() if value is not None}
    claims |= {
        "iss": facts.issuer,
        "sub": facts.subject,
        "aud": facts.client_id,
        "iat": issued_at,
        "exp": issued_at + int(lifetime.total_seconds()),
        "auth_time": facts.auth_time,
    }
    return claims


def half_hash(value: str, alg: str) -> str:
    """Give the left half of a hash, for `at_hash`, `c_hash` and `s_hash` (OIDC Core 3.1.3.6, 3.3.2.11).

    Args:
        value: A code, an access token or a state.
        alg: The signature algorithm of the ID Token, one of `HASHES`.
    """
    digest = HASHES[alg](value.encode()).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()
