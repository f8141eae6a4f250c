"""Security event tokens: what services are told of a person, after the fact (RFC 8417; LIF-4, CON-3)."""

from __future__ import annotations

from typing import Any, Final

#: RFC 8417 section 2.3: the explicit type, so that no other token of ours passes for one.
TYP: Final = "secevent+jwt"
#: RFC 8935 section 2.
MEDIA_TYPE: Final = "application/secevent+jwt"
#: OpenID RISC Profile 2.1: the account was erased for good.
ACCOUNT_PURGED: Final = "https://schemas.openid.net/secevent/risc/event-type/account-purged"
#: RFC 8935 section 2.4: why a receiver refuses.
ERRORS: Final = frozenset(
    {
        "invalid_request",
        "invalid_key",
        "invalid_issuer",
        "invalid_audience",
        "authentication_failed",
        "access_denied",
    }
)
#: RFC 8935 section 2.4: codes of a refusal that another try may undo: the receiver has not read our new keys yet,
#: or could not tell who we are.
PASSING_ERRORS: Final = frozenset({"invalid_key", "authentication_failed"})


def purpose_changed(issuer: str) -> str:
    """Name the event of a changed answer: below our own address, so that it collides with nobody's.

    Args:
        issuer: Us, as a URL without a trailing slash.
    """
    return f"{issuer}/events/purpose-changed"


def event_claims(
    *, issuer: str, client_id: str, subject: str, event: str, payload: dict[str, Any], at: int, jti: str
) -> dict[str, Any]:
    """Build the payload of a security event token.

    It has neither `sub` nor `exp` nor `nonce`: RFC 8417 sections 4.5 and 4.6 keep it apart from ID tokens and access
    tokens by that, and it tells of the past, which does not expire (section 2.2).

    Args:
        issuer: Us, as a URL.
        client_id: For whom it is.
        subject: The person, as this client knows them.
        event: The URI of the event's type.
        payload: What the type says beside the subject.
        at: When it happened, in seconds since 1970.
        jti: The same at each delivery, so that the receiver knows one that it took already.
    """
    return {
        "iss": issuer,
        "aud": client_id,
        "iat": at,
        "jti": jti,
        # RFC 9493 section 3.2.2: a subject means something together with who names it.
        "sub_id": {"format": "iss_sub", "iss": issuer, "sub": subject},
        "events": {event: payload},
    }
