"""Scope syntax and what a client may ask (RFC 6749 section 3.3; OIDC Core 3.1.2.1)."""

from __future__ import annotations

import re

from idp.domain.client import Client

OPENID = "openid"
OFFLINE_ACCESS = "offline_access"
#: Of services that write to the page "Mes demandes" (PRO-6): for a client itself, given by administrators alone.
REQUESTS = "requests"
#: Of services that read the subscribers of their lists (PRO-7): the same way.
NEWSLETTERS = "newsletters"
#: Every scope that means something to us, in the order of the discovery document.
SUPPORTED_SCOPES = (OPENID, "profile", "email", "address", "phone", OFFLINE_ACCESS)

_SCOPE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+(?: +[\x21\x23-\x5B\x5D-\x7E]+)*")


def parse(raw: str) -> frozenset[str] | None:
    """Read a list of scopes.

    Args:
        raw: As received; several spaces between two scopes count as one.

    Returns:
        The scopes; None when a character is outside of RFC 6749 section 3.3.
    """
    if _SCOPE.fullmatch(raw) is None:
        return None
    return frozenset(raw.split())


def allowed(client: Client, scopes: frozenset[str]) -> frozenset[str]:
    """Keep what the client may have.

    OIDC Core 3.1.2.1: "Scope values used that are not understood by an implementation SHOULD be
    ignored"; those that the client may not ask are dropped likewise, and the token answer tells
    what was given (RFC 6749 section 3.3).
    """
    scopes &= client.scopes
    # OIDC Core 11: ignored where no refresh token can come of it.
    return scopes if client.may_refresh else scopes - {OFFLINE_ACCESS}


def serialise(scopes: frozenset[str]) -> str:
    """Write scopes as the wire does, always in the same order."""
    return " ".join(sorted(scopes))
