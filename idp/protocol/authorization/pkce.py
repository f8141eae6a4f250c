"""Proof key for code exchange, S256 only (RFC 7636; OID-1)."""

from __future__ import annotations

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

from idp.protocol.errors import EndpointError, ErrorCode

#: The only transformation: `plain` protects nothing from who reads the request (RFC 9700 2.1.1).
METHOD = "S256"

_VERIFIER = re.compile(r"[A-Za-z0-9\-._~]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9\-_]{43}")


def is_challenge(raw: str) -> bool:
    """Tell whether a text can be the base64url of a SHA-256."""
    return _CHALLENGE.fullmatch(raw) is not None


def challenge_of(code_verifier: str) -> str:
    """Transform a verifier as S256 does (RFC 7636 section 4.2)."""
    return urlsafe_b64encode(sha256(code_verifier.encode()).digest()).rstrip(b"=").decode()


def verify(code_verifier: str | None, code_challenge: str | None) -> None:
    """Check that whoever brings the code is who asked for it (RFC 7636 section 4.6).

    Args:
        code_verifier: As received at /token; None when absent.
        code_challenge: As kept with the code: base64url of a SHA-256, 43 characters; None when the
            request had none, which only a client that an administrator opted out may do.

    Raises:
        EndpointError: invalid_grant, when the verifier is absent, malformed or another's, or when
            it comes for a code that was asked for without a challenge.
    """
    if code_challenge is None:
        if code_verifier is not None:
            # RFC 9700 section 4.8.2: a verifier without a challenge is how somebody who removed
            # the challenge from the request (downgrade) shows.
            raise EndpointError(ErrorCode.INVALID_GRANT, reason="code_verifier without challenge")
        return
    # fullmatch, not match: `$` would let a trailing newline through.
    if code_verifier is None or _VERIFIER.fullmatch(code_verifier) is None:
        raise EndpointError(ErrorCode.INVALID_GRANT, reason="code_verifier absent or malformed")
    if not hmac.compare_digest(challenge_of(code_verifier), code_challenge):
        raise EndpointError(ErrorCode.INVALID_GRANT, reason="code_verifier of another challenge")
