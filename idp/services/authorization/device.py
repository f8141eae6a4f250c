"""Devices that a person signs in from another screen: their codes, and the request these open (RFC 8628)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from idp.crypto.opaque import SecretKind, digest, keyed_digest, new_letters, new_secret
from idp.domain.client import GrantType
from idp.domain.device_authorization import DeviceAuthorization
from idp.domain.errors import ThrottledUntil
from idp.domain.pending_authorization import PendingAuthorization, RequestOrigin
from idp.domain.throttle import network_of
from idp.protocol.authorization import device as wire
from idp.protocol.authorization.request import parse
from idp.protocol.authorization.response_mode import RedirectedError
from idp.protocol.errors import EndpointError, ErrorCode
from idp.services.sign_in import throttling
from idp.services.sign_in.throttling import Brake
from idp.storage.repositories import device_authorizations, pending_authorizations

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from idp.domain.client import Client
    from idp.services.context import Context

#: Two devices get the same user code once in millions of years; several times in a row is no chance.
_MOST_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Malformed:
    """What was typed can't be a user code."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """No device waits under this code: it was never given, it is past its time, or somebody answered."""


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many codes were tried from here."""

    until: datetime


def begin(context: Context, client: Client, asked: Mapping[str, str]) -> dict[str, Any]:
    """Give a device its two codes (RFC 8628 section 3.2).

    Args:
        context: The parts.
        client: Authenticated, or public and named.
        asked: Parameters as received, one value each.

    Returns:
        The members of the answer.

    Raises:
        EndpointError: unauthorized_client; or what an authorization request would be refused for.
    """
    # FAPI 2.0 has no device flow: its requests are pushed, and answered in the browser that asked.
    if GrantType.DEVICE_CODE not in client.grant_types or client.is_fapi2:
        raise EndpointError(ErrorCode.UNAUTHORIZED_CLIENT, reason="grant_type not allowed for the client")
    device_code = new_secret(SecretKind.DEVICE_CODE)
    now = context.clock()
    device = DeviceAuthorization(
        device_hash=digest(device_code),
        client_id=client.client_id,
        parameters=_checked(context, client, asked, digest(device_code)),
        created_at=now,
        expires_at=now + context.token_lifetimes.device_code,
    )
    user_code = wire.shown_user_code(_kept(context, device))
    verification_uri = context.issuer + wire.VERIFICATION_PATH
    return {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": verification_uri,
        "verification_uri_complete": f"{verification_uri}?{urlencode({'user_code': user_code})}",
        "expires_in": int(context.token_lifetimes.device_code.total_seconds()),
        "interval": int(device.interval.total_seconds()),
    }


def open_request(
    context: Context, typed: str, *, address: str, browser_hash: bytes
) -> PendingAuthorization | Malformed | Unknown | Throttled:
    """Turn the code that a person typed into a request that waits for them, as any other does.

    Args:
        context: The parts.
        typed: As typed.
        address: The visitor's IP address; empty when it can't be told.
        browser_hash: Names the browser, which alone can go on.
    """
    letters = wire.read_user_code(typed)
    if letters is None:
        return Malformed()
    now = context.clock()
    brakes = _brakes(context, address, browser_hash)
    with context.database.write() as connection:
        decision = throttling.count(context, connection, brakes, now)
    if isinstance(decision, ThrottledUntil):
        return Throttled(decision.when)
    with context.database.write() as connection:
        device = device_authorizations.by_user_code(connection, _user_code_hash(context, letters))
        if device is None or not device.can_be_answered(now):
            return Unknown()
        throttling.clear(context, connection, brakes, now)
        pending = PendingAuthorization(
            pending_id=new_secret(SecretKind.PENDING),
            client_id=device.client_id,
            parameters=device.parameters,
            created_at=now,
            expires_at=device.expires_at,
            origin=RequestOrigin(device=device.device_hash),
        )
        pending_authorizations.create(connection, pending, browser_hash=browser_hash)
    return pending


def _checked(
    context: Context, client: Client, asked: Mapping[str, str], device_hash: bytes
) -> dict[str, str]:
    """Hold what a device asks for to the checks of an authorization request: a device has no page for errors."""
    parameters = wire.authorization_parameters(asked, client_id=client.client_id, issuer=context.issuer)
    origin = RequestOrigin(device=device_hash)
    try:
        parse(parameters.items(), lambda _: client, context.clock(), origin)
    except RedirectedError as error:
        raise EndpointError(error.code, error.description, reason=error.reason) from error
    return parameters


def _kept(context: Context, device: DeviceAuthorization) -> str:
    """Keep a device under a user code that no other has; gives the code's letters."""
    for _ in range(_MOST_TRIES):
        letters = new_letters(wire.USER_CODE_LETTERS, wire.USER_CODE_LENGTH)
        user_code_hash = _user_code_hash(context, letters)
        with context.database.write() as connection:
            if device_authorizations.create(connection, device, user_code_hash=user_code_hash):
                return letters
    raise EndpointError(ErrorCode.TEMPORARILY_UNAVAILABLE, reason="every user code that was made is taken")


def _user_code_hash(context: Context, letters: str) -> bytes:
    # Keyed: 34 bits are searched in minutes by whoever reads the table.
    return keyed_digest(context.derived.codes, "device", letters)


def _brakes(context: Context, address: str, browser_hash: bytes) -> tuple[Brake, ...]:
    """List the counters of codes typed: as passwords, they can be guessed (RFC 8628 section 5.1)."""
    limits = context.sign_in_limits
    return (
        Brake("user_code+network", network_of(address), limits.network),
        Brake("user_code+browser", browser_hash.hex(), limits.account_device),
    )
