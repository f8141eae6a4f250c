"""Logout tokens (Back-Channel Logout 2.4)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

#: Back-Channel Logout 2.4: the recommended type, so that no other token of ours passes for one.
TYP: Final = "logout+jwt"
EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
#: Back-Channel Logout 2.4: "preferably at most two minutes in the future".
LIFETIME: Final = timedelta(minutes=2)


def logout_claims(
    *, issuer: str, client_id: str, subject: str, sid: str, jti: str, now: datetime
) -> dict[str, Any]:
    """Build the payload of a logout token; it has no nonce, so that it can't pass for an ID token.

    Args:
        issuer: Us, as a URL.
        client_id: For whom it is.
        subject: Whose session ended, as this client knows them.
        sid: Which, as this client knows it.
        jti: Told once.
        now: The present moment.
    """
    issued_at = int(now.timestamp())
    return {
        "iss": issuer,
        "aud": client_id,
        "sub": subject,
        "sid": sid,
        "iat": issued_at,
        "exp": issued_at + int(LIFETIME.total_seconds()),
        "jti": jti,
        "events": {EVENT: {}},
    }
