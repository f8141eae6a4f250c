"""Request objects: from the claims of a verified one to the parameters of a request (RFC 9101; OIDC Core 6).

Whether a refusal travels, and where, depends on how the object came: who calls decides, and turns a
`RequestObjectRefused` into the error of its road.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from idp.domain.client import Client
from idp.protocol import signature_algorithms
from idp.protocol.authorization.request import KNOWN_PARAMETERS
from idp.protocol.clocks import SKEW
from idp.protocol.errors import ErrorCode, ProtocolError
from idp.protocol.parameters import LISTS

#: FAPI 2.0 Message Signing 5.3.1: `nbf` "no longer than 60 minutes in the past", `exp` "no longer than 60
#: minutes after the nbf claim".
LONGEST: Final = timedelta(minutes=60)
#: What `request_uri` may be answered with; the first is RFC 9101 section 5.2.3's, clients of OIDC Core 6.2 send others.
MEDIA_TYPES: Final = ("application/oauth-authz-req+jwt", "application/jwt", "application/jose")

# RFC 9101 section 10.8: what says that it is something else is not a request. Absent, or the general "JWT", is what
# OIDC Core knows.
_TYPES: Final = frozenset({"jwt", "oauth-authz-req+jwt"})
#: Parameters that JSON has a better form for than text (RFC 9101 section 4; OIDC Core 6.1).
_OBJECTS: Final = frozenset({"claims", "registration"})
_NUMBERS: Final = frozenset({"max_age"})
_NESTED: Final = ("request", "request_uri")
# The last second that a number of 64 bits holds exactly, whoever reads it: beyond, nothing is a moment.
_LAST_MOMENT: Final = 2**53
_PARTS_OF_JWE: Final = 5


class RequestObjectRefused(ProtocolError):
    """A request object that is not to be trusted or not to be read; never the error of an answer itself."""

    def __init__(
        self,
        description: str | None = None,
        *,
        reason: str,
        code: ErrorCode = ErrorCode.INVALID_REQUEST_OBJECT,
    ) -> None:
        super().__init__(code, description, reason=f"request object: {reason}")


def algorithms_of(client: Client) -> tuple[str, ...]:
    """Say what a client may sign its request objects with."""
    return signature_algorithms.algorithms_of(client, client.request_object_signing_alg)


def is_encrypted(token: str) -> bool:
    """Tell whether an object is a JWE in its compact form (RFC 7516 section 3.1)."""
    return token.count(".") == _PARTS_OF_JWE - 1


def check_encryption(header: Mapping[str, Any] | None, client: Client) -> None:
    """Hold a client to the encryption that it registered (OIDC Registration 2).

    Args:
        header: Of the JWE; None when the object is not encrypted.
        client: Who sent it.

    Raises:
        RequestObjectRefused: Not encrypted, or otherwise.
    """
    registered = client.request_object_encryption
    if registered is None:
        return
    if header is None:
        raise RequestObjectRefused("The request object must be encrypted.", reason="not encrypted")
    if header.get("alg") != registered.alg or header.get("enc") != registered.enc:
        raise RequestObjectRefused(
            "The request object is not encrypted as registered.", reason="encrypted otherwise than registered"
        )


def check_header(header: Mapping[str, Any], client: Client) -> None:
    """Check what a request object says of itself, before its signature.

    Raises:
        RequestObjectRefused: Another kind of JWT, or one without a signature.
    """
    kind = header.get("typ")
    if kind is not None and _media_type(kind) not in _TYPES:
        raise RequestObjectRefused(reason="another typ")
    if str(header.get("alg")).lower() == "none":
        raise _unsigned(client)


def parameters_of(
    claims: Mapping[str, Any], client: Client, *, issuer: str, now: datetime
) -> list[tuple[str, str]]:
    """Take the parameters out of a request object, once its signature is verified.

    RFC 9101 section 6.3: "MUST only use the parameters in the Request Object, even if the same parameter is provided
    in the query parameter".

    Args:
        claims: The verified payload.
        client: Who was named beside the object, and whose key verified it.
        issuer: Us.
        now: The present moment.

    Returns:
        Names and values as a query would have brought them; `resource` may stand several times.

    Raises:
        RequestObjectRefused: For another client, another provider or another time; or a value has the wrong form.
    """
    _check_who(claims, client)
    _check_audience(claims, client, issuer)
    _check_times(claims, client, now)
    if any(name in claims for name in _NESTED):
        # RFC 9101 section 4: "request and request_uri parameters MUST NOT be included in Request Objects".
        raise RequestObjectRefused(
            "A request object can not contain request or request_uri.", reason="request or request_uri inside"
        )
    return [
        (name, text)
        for name, value in claims.items()
        if name in KNOWN_PARAMETERS
        for text in _texts(name, value)
    ]


def _unsigned(client: Client) -> RequestObjectRefused:
    registered = client.request_object_signing_alg, client.request_object_encryption, client.profile
    if client.require_signed_requests or any(one is not None for one in registered):
        return RequestObjectRefused("The request object must be signed.", reason="unsigned")
    return RequestObjectRefused(
        "Unsigned request objects are not supported.", reason="unsigned", code=ErrorCode.REQUEST_NOT_SUPPORTED
    )


def _media_type(kind: object) -> str | None:
    # RFC 7515 section 4.1.9: "application/" may be left out, and case does not matter.
    return kind.lower().removeprefix("application/") if isinstance(kind, str) else None


def _check_who(claims: Mapping[str, Any], client: Client) -> None:
    # RFC 9101 section 5: "MUST match the request or request_uri Request Object's client_id".
    if claims.get("client_id") != client.client_id:
        raise RequestObjectRefused(
            "The client_id of the request object is missing or another.", reason="client_id absent or another"
        )
    if claims.get("iss", client.client_id) != client.client_id:
        raise RequestObjectRefused(reason="iss is not the client")
    # RFC 9101 section 10.8: a client assertion must not serve as a request, nor the other way round.
    if claims.get("sub") == client.client_id:
        raise RequestObjectRefused(reason="sub is the client, as in a client assertion")


def _check_audience(claims: Mapping[str, Any], client: Client, issuer: str) -> None:
    audience = claims.get("aud")
    if audience is None and not client.signs_messages:
        return
    # FAPI 2.0 Message Signing 5.3.1: "shall require the aud claim in the request object to be, or to be an array
    # containing, the authorization server's issuer identifier".
    if audience != issuer and not (isinstance(audience, list) and issuer in audience):
        raise RequestObjectRefused("The aud of the request object is not the issuer.", reason="aud is not us")


def _check_times(claims: Mapping[str, Any], client: Client, now: datetime) -> None:
    present, skew = now.timestamp(), SKEW.total_seconds()
    expires_at, starts_at = _moment(claims, "exp"), _moment(claims, "nbf")
    if expires_at is not None and expires_at <= present - skew:
        raise RequestObjectRefused("The request object has expired.", reason="expired")
    for name in ("nbf", "iat"):
        moment = _moment(claims, name)
        if moment is not None and moment > present + skew:
            raise RequestObjectRefused(reason=f"{name} in the future")
    if not client.signs_messages:
        return
    if expires_at is None or starts_at is None:
        raise RequestObjectRefused("The request object has no nbf or no exp.", reason="nbf or exp absent")
    longest = LONGEST.total_seconds()
    if present - starts_at > longest or expires_at - starts_at > longest:
        raise RequestObjectRefused(
            "The request object is valid for too long.", reason="nbf or exp too far away"
        )


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    # A boolean is an int to Python; NaN compares with nothing, so that it is refused here too.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not -_LAST_MOMENT < value < _LAST_MOMENT:
        raise RequestObjectRefused(reason=f"{name} is not a moment")
    return float(value)


def _texts(name: str, value: object) -> tuple[str, ...]:
    """Write a value as a query would have brought it."""
    if isinstance(value, str):
        return (value,)
    if name in LISTS and isinstance(value, list) and all(isinstance(one, str) for one in value):
        return tuple(value)
    if name in _NUMBERS and isinstance(value, int) and not isinstance(value, bool):
        return (str(value),)
    if name in _OBJECTS and isinstance(value, dict):
        return (_as_json(value),)
    raise RequestObjectRefused(
        "A parameter in the request object has the wrong type.", reason=f"{name} has the wrong type"
    )


def _as_json(value: dict[str, Any]) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except RecursionError as error:
        raise RequestObjectRefused(reason="nested too deep") from error
