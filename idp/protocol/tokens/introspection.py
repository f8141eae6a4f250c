"""Introspection answers (RFC 7662 section 2.2)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from idp.domain.tokens import TokenFamily, TokenKind
from idp.protocol.scope import serialise


@dataclass(frozen=True, slots=True)
class LiveToken:
    """A token that is good at this moment.

    Attributes:
        kind: Access or refresh.
        family: All that was born of one authorization.
        scopes: What this very token gives, the family's or less.
        issued_at: When it was made.
        expires_at: When it ends.
    """

    kind: TokenKind
    family: TokenFamily
    scopes: frozenset[str]
    issued_at: datetime
    expires_at: datetime


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
    if token.kind is TokenKind.ACCESS:
        members["token_type"] = "Bearer"
    if family.account_id is not None:
        # RFC 9470 section 6.2: a resource server needs them to ask for a fresher login.
        members["auth_time"] = family.auth_time
        if family.acr is not None:
            members["acr"] = family.acr
    return members
