"""DPoP: what a client signs to prove, request by request, that it holds a key (RFC 9449 section 4; OID-5)."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from math import isfinite
from typing import Any, Final, cast
from urllib.parse import urlsplit

from idp.domain.tokens import PROOF_ALGORITHMS
from idp.protocol.clocks import SKEW
from idp.protocol.errors import EndpointError, ErrorCode

TYP: Final = "dpop+jwt"

_LONGEST_JTI: Final = 255
_LONGEST_ADDRESS: Final = 2_000
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})", re.ASCII)
_UNRESERVED: Final = re.compile(r"[A-Za-z0-9\-._~]", re.ASCII)
_VISIBLE: Final = re.compile(r"[!-~]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a proof must speak of.

    Attributes:
        method: HTTP method of the request.
        addresses: Where the request may have been sent, without query and fragment.
        access_token: The token that comes with the proof; None at the token endpoint.
        now: The present moment.
        proof_age: How old a proof may be.
    """

    method: str
    addresses: tuple[str, ...]
    access_token: str | None
    now: datetime
    proof_age: timedelta


@dataclass(frozen=True, slots=True)
class ProofUse:
    """What is left to check of a proof, and to remember of it so that it serves once.

    Attributes:
        jti: Its name; unique for the key and the address.
        nonce: The nonce of ours that it carries, not checked yet; None without one.
        expires_at: Until when it must be remembered.
    """

    jti: str
    nonce: str | None
    expires_at: datetime


def public_jwk(header: Mapping[str, Any]) -> dict[str, Any]:
    """Read the key that a proof shows, before its signature is checked with it (RFC 9449 section 4.3).

    Args:
        header: As received; nothing of it is to be believed yet.

    Raises:
        EndpointError: invalid_dpop_proof, for another kind of JWT, another algorithm, or no key.
    """
    if header.get("typ") != TYP:
        raise _refused("typ is not dpop+jwt")
    # "alg [...] MUST NOT be none or an identifier for a symmetric algorithm".
    if header.get("alg") not in PROOF_ALGORITHMS:
        raise _refused("alg is not one of ours")
    if "crit" in header:
        raise _refused("critical header members")
    jwk = header.get("jwk")
    if not isinstance(jwk, dict):
        raise _refused("no jwk")
    return jwk


def check_claims(claims: Mapping[str, Any], expected: Expected) -> ProofUse:
    """Check what a proof says, once its signature is verified (RFC 9449 section 4.3).

    Raises:
        EndpointError: invalid_dpop_proof.
    """
    if claims.get("htm") != expected.method:
        raise _refused("htm is another method")
    _check_address(claims.get("htu"), expected.addresses)
    if expected.access_token is not None and claims.get("ath") != token_hash(expected.access_token):
        raise _refused("ath is not the hash of the access token")
    nonce = claims.get("nonce")
    if nonce is not None and not isinstance(nonce, str):
        raise _refused("nonce is not a text")
    return ProofUse(
        _checked_jti(claims.get("jti")), nonce, _issued_at(claims, expected) + expected.proof_age + SKEW
    )


def token_hash(access_token: str) -> str:
    """Give the `ath` of an access token: base64url of its SHA-256 (RFC 9449 section 4.2)."""
    return urlsafe_b64encode(sha256(access_token.encode()).digest()).rstrip(b"=").decode()


def normalised(address: str) -> str | None:
    """Bring an address to the form in which equal ones are the same text, without query and fragment.

    Syntax-based and scheme-based normalization (RFC 3986 sections 6.2.2, 6.2.3), as RFC 9449 section 4.3 asks.

    Returns:
        The address; None when it is none of http or https.
    """
    if len(address) > _LONGEST_ADDRESS or _VISIBLE.fullmatch(address) is None:
        return None
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "@" in parts.netloc:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else _unescaped(parts.hostname).lower()
    shown_port = "" if port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{port}"
    return f"{parts.scheme}://{host}{shown_port}{_without_dots(_unescaped(parts.path))}"


def _check_address(htu: object, addresses: tuple[str, ...]) -> None:
    if not isinstance(htu, str) or normalised(htu) is None:
        raise _refused("htu is no address")
    if normalised(htu) not in {normalised(address) for address in addresses}:
        raise _refused("htu is another address")


def _unescaped(text: str) -> str:
    """Write unreserved characters as they are, and the digits of other escapes in capitals."""

    def written(escape: re.Match[str]) -> str:
        character = chr(int(escape[1], 16))
        return character if _UNRESERVED.fullmatch(character) else escape[0].upper()

    return _ESCAPE.sub(written, text)


def _without_dots(path: str) -> str:
    """Remove the segments `.` and `..` (RFC 3986 section 5.2.4)."""
    segments = path.split("/")[1:]
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _checked_jti(jti: object) -> str:
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI or not jti.isprintable():
        raise _refused("jti absent, empty, too long or unprintable")
    return jti


def _issued_at(claims: Mapping[str, Any], expected: Expected) -> datetime:
    value = claims.get("iat")
    # A boolean is an int to Python, and NaN is neither before nor after any moment.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or (isinstance(value, float) and not isfinite(value)):
        raise _refused("iat is not a number")
    iat = cast("float", value)
    now = expected.now.timestamp()
    if iat > now + SKEW.total_seconds():
        raise _refused("iat in the future")
    if iat < now - expected.proof_age.total_seconds():
        raise _refused("iat too long ago")
    return datetime.fromtimestamp(iat, UTC)


def _refused(reason: str) -> EndpointError:
    return EndpointError(ErrorCode.INVALID_DPOP_PROOF, reason=f"proof: {reason}")
