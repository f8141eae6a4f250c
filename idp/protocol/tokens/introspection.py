"""Introspection answers (RFC 7662 section 2.2), and what wraps them when they are signed (RFC 9701)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from idp.domain.tokens import Confirmation, TokenFamily
from idp.protocol.scope import serialise
from idp.protocol.tokens.access_token import authentication_claims

#: RFC 9701 section 5: it keeps an answer from passing for an ID token, or for the token it speaks of.
TYP: Final = "token-introspection+jwt"
#: How a resource server asks for a signed answer, and how it comes (RFC 9701 sections 4, 5).
MEDIA_TYPE: Final = f"application/{TYP}"


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token that is good at this moment.

    Attributes:
        family: All that was born of one authorization.
        scopes: What this very token gives, the family's or less.
        issued_at: When it was made.
        expires_at: When it ends.
        token_type: The scheme by which it is presented; None for a refresh token.
        confirmation: The key it is bound to; None for whoever holds it.
        audience: The APIs it is made for; empty for UserInfo.
    """

    family: TokenFamily
    scopes: frozenset[str]
    issued_at: datetime
    expires_at: datetime
    token_type: str | None
    confirmation: Confirmation | None = None
    audience: tuple[str, ...] = ()


def answer(token: LiveToken | None, *, issuer: str) -> dict[str, Any]:
    """Say what is known of a token.

    Args:
        token: None when it is unknown, expired, revoked, malformed, or none of the caller's
            business. RFC 7662 section 2.2: the answer then "SHOULD NOT include any additional
            information about an inactive token, including why the token is inactive".
        issuer: Us, as a URL.
    """
    if token is None:
        return {"active": False}
    family = token.family
    members: dict[str, Any] = {
        "active": True,
        "iss": issuer,
        "client_id": family.client_id,
        "sub": family.subject,
        "scope": serialise(token.scopes),
        "iat": int(token.issued_at.timestamp()),
        "exp": int(token.expires_at.timestamp()),
    }
    if token.token_type is not None:
        members["token_type"] = token.token_type
    if token.audience:
        members["aud"] = token.audience[0] if len(token.audience) == 1 else list(token.audience)
    if token.confirmation is not None:
        # RFC 9449 section 6.2, RFC 8705 section 3.2: a resource server checks the proof by itself.
        members["cnf"] = token.confirmation.cnf
    # RFC 9470 section 6.2: a resource server needs them to ask for a fresher login.
    return members | authentication_claims(family)


def jwt_claims(members: dict[str, Any], *, issuer: str, audience: str, now: datetime) -> dict[str, Any]:
    """Wrap an answer for its signature.

    RFC 9701 section 5: neither `sub` nor `exp` stand beside it, so that it can't be taken for an access token.

    Args:
        members: The answer.
        issuer: Us, as a URL.
        audience: Who asked.
        now: The present moment.
    """
    return {"iss": issuer, "aud": audience, "iat": int(now.timestamp()), "token_introspection": members}


def is_jwt_accepted(accept: str) -> bool:
    """Tell whether an Accept header asks for a signed answer (RFC 9701 section 4)."""
    return any(part.partition(";")[0].strip().lower() == MEDIA_TYPE for part in accept.split(","))
