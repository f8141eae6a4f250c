"""What the ID token and the signed userinfo must say (OIDC Core 3.1.3.7, 5.3.2; franceconnect.md 3, 4).

Signatures are checked before any of this. Each refusal names the check, never a value.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from idp.crypto.opaque import digest, equal
from idp.federation.franceconnect.settings import LEVELS
from idp.federation.upstream import UpstreamMisbehaved
from idp.protocol.tokens.id_token import half_hash

if TYPE_CHECKING:
    from idp.federation.franceconnect.settings import FranceConnectSettings

_LONGEST_SUBJECT = 255


def check_id_token(
    claims: dict[str, Any],
    settings: FranceConnectSettings,
    *,
    nonce_hash: bytes,
    access_token: str,
    asked_level: str,
    now: datetime,
) -> tuple[str, str]:
    """Check the claims of an ID token whose signature is good.

    Args:
        claims: Of the token.
        settings: Whom we expect it from, and who we are there.
        nonce_hash: Of the nonce that this browser's journey sent.
        access_token: That came beside it.
        asked_level: Of assurance.
        now: Aware UTC.

    Returns:
        The subject, and the level that was reached: as it says, no less than was asked for, no more than it says.

    Raises:
        UpstreamMisbehaved: Which check failed.
    """
    _check_envelope(claims, settings, now, "id_token")
    _require(_is_time(claims.get("iat")), "id_token.iat")
    _require(claims.get("azp", settings.client_id) == settings.client_id, "id_token.azp")
    nonce = claims.get("nonce")
    # OIDC Core 3.1.3.7: "The Client SHOULD check the nonce value for replay attacks"; S-82 makes it a must.
    _require(isinstance(nonce, str) and equal(digest(nonce), nonce_hash), "id_token.nonce")
    level = claims.get("acr")
    _require(_reaches(level, asked_level), "id_token.acr")
    if "at_hash" in claims:
        # FranceConnect leaves it out of the code flow: checked when there, never required.
        expected = half_hash(access_token, settings.signing_algorithm)
        _require(claims["at_hash"] == expected, "id_token.at_hash")
    subject = claims.get("sub")
    _require(_is_subject(subject), "id_token.sub")
    return str(subject), str(level)


def check_userinfo(
    claims: dict[str, Any], settings: FranceConnectSettings, *, subject: str, now: datetime
) -> None:
    """Check the claims of a userinfo token whose signature is good.

    Raises:
        UpstreamMisbehaved: Which check failed.
    """
    _check_envelope(claims, settings, now, "userinfo")
    # OIDC Core 5.3.2: "The sub Claim in the UserInfo Response MUST be verified to exactly match".
    _require(claims.get("sub") == subject, "userinfo.sub")


def _check_envelope(
    claims: dict[str, Any], settings: FranceConnectSettings, now: datetime, token: str
) -> None:
    _require(claims.get("iss") == settings.issuer, f"{token}.iss")
    # A list of several would need `azp` and a reason (S-85): FranceConnect sends one string.
    _require(claims.get("aud") in (settings.client_id, [settings.client_id]), f"{token}.aud")
    moment, leeway = now.timestamp(), settings.leeway.total_seconds()
    expires_at, issued_at, not_before = claims.get("exp"), claims.get("iat"), claims.get("nbf")
    _require(_is_time(expires_at) and float(expires_at or 0) + leeway > moment, f"{token}.exp")
    for name, value in (("iat", issued_at), ("nbf", not_before)):
        if value is not None:
            _require(_is_time(value) and float(value) - leeway <= moment, f"{token}.{name}")


def _require(condition: bool, what: str) -> None:  # noqa: FBT001 - reads as a sentence
    if not condition:
        raise UpstreamMisbehaved(what)


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 2**40


def _is_subject(value: object) -> bool:
    return (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_SUBJECT
        and value.isascii()
        and value.isprintable()
    )


def _reaches(acr: object, asked: str) -> bool:
    return isinstance(acr, str) and acr in LEVELS and LEVELS.index(acr) >= LEVELS.index(asked)
