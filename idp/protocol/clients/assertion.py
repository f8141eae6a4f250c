"""Client assertions: what private_key_jwt and client_secret_jwt must say (RFC 7523 section 3; OIDC Core 9; OID-4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Any, Final, cast

from idp.domain.client import Client
from idp.protocol.clocks import SKEW
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.signature_algorithms import algorithms_of

#: `client_assertion_type` (RFC 7523 section 2.2).
ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#: The farthest `exp`: each `jti` is kept until then, and memory is no bottomless pit.
MAX_LIFETIME: Final = timedelta(minutes=10)

_LONGEST_JTI = 255


@dataclass(frozen=True, slots=True)
class AssertionUse:
    """What to remember of an accepted assertion, so that it is accepted once.

    Attributes:
        jti: Its name; unique for the client.
        expires_at: Until when the name must be remembered.
    """

    jti: str
    expires_at: datetime


def client_named_by(claims: Mapping[str, Any]) -> str | None:
    """Read who an assertion speaks for, before its signature is verified: to find the keys."""
    subject = claims.get("sub")
    return subject if isinstance(subject, str) and subject else None


def algorithms(client: Client) -> tuple[str, ...]:
    """Name the algorithms by which a client may sign with its private key: what it registered is a promise."""
    return algorithms_of(client, client.authentication_signing_alg)


def endpoint_audiences(client: Client, origins: tuple[str, ...], path: str) -> frozenset[str]:
    """Name the audiences that a client may use beside the issuer: none, unless an administrator let it.

    Args:
        client: Who made the assertion.
        origins: Addresses under which our endpoints are reached.
        path: Of the endpoint that was called.
    """
    # FAPI 2.0 Security Profile 5.3.2.1: "shall only accept its issuer identifier value [...] as a string in the
    # aud claim".
    if client.is_fapi2 or not client.accepts_endpoint_audience:
        return frozenset()
    return frozenset(origin + end for origin in origins for end in ("/token", path))


def check_claims(
    claims: Mapping[str, Any],
    *,
    client_id: str,
    issuer: str,
    now: datetime,
    endpoints: frozenset[str] = frozenset(),
) -> AssertionUse:
    """Check what a client assertion says, once its signature is verified.

    Args:
        claims: The verified payload.
        client_id: The client whose key verified it.
        issuer: Us: the only audience accepted, as a string. The address of an endpoint or a list
            would let another provider pass the assertion on (CVE-2025-27370, CVE-2025-27371).
        now: The present moment.
        endpoints: Other addresses of ours that this client may name, in a list too; see `endpoint_audiences`.

    Returns:
        What to remember against replay.

    Raises:
        EndpointError: invalid_client, when a claim is missing, wrong or too far away.
    """
    if claims.get("iss") != client_id or claims.get("sub") != client_id:
        raise _refused("iss or sub is not the client")
    # RFC 7523 section 3: "MUST reject any JWT that does not contain its own identity as the
    # intended audience".
    if not _is_for_us(claims.get("aud"), issuer, endpoints):
        raise _refused("aud is not the issuer alone")
    expires_at = _checked_times(claims, now.timestamp())
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI or not jti.isprintable():
        raise _refused("jti absent, empty, too long or unprintable")
    return AssertionUse(jti, datetime.fromtimestamp(expires_at, UTC))


def _is_for_us(audience: object, issuer: str, endpoints: frozenset[str]) -> bool:
    if not endpoints:
        return audience == issuer
    named = audience if isinstance(audience, list) else [audience]
    # Each of them: one that is not ours may be somebody who passes the assertion on.
    return bool(named) and all(isinstance(one, str) and one in endpoints | {issuer} for one in named)


def _checked_times(claims: Mapping[str, Any], now: float) -> float:
    expires_at = _seconds(claims, "exp")
    if expires_at is None:
        raise _refused("exp absent")
    if expires_at <= now:
        raise _refused("expired")
    if expires_at > now + MAX_LIFETIME.total_seconds():
        raise _refused("exp too far away")
    for name in ("iat", "nbf"):
        value = _seconds(claims, name)
        if value is not None and value > now + SKEW.total_seconds():
            raise _refused(f"{name} in the future")
    return expires_at


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    # A boolean is an int to Python, and NaN is neither before nor after any moment.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or (isinstance(value, float) and not isfinite(value)):
        raise _refused(f"{name} is not a number")
    return cast("float", value)


def _refused(reason: str) -> EndpointError:
    return EndpointError(ErrorCode.INVALID_CLIENT, reason=f"client assertion: {reason}")
