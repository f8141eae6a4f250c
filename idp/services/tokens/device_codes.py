"""Gives a device its tokens once its person has allowed them; until then it has to wait (RFC 8628 section 3.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.domain.device_authorization import SLOWER_BY, DeviceState
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.tokens.access_token import targets
from idp.services.tokens.exchange import first_tokens
from idp.services.tokens.issuing import TokenSet, token_response
from idp.storage.engine import retried
from idp.storage.repositories import device_authorizations, tokens

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.client import Client
    from idp.domain.tokens import Confirmation, TokenFamily
    from idp.services.context import Context
    from idp.storage.engine import Connection


@dataclass(frozen=True, slots=True)
class NoTokens:
    """The device gets nothing, yet or ever. A value, so that what was counted commits."""

    code: ErrorCode
    reason: str


@retried
def redeem_device_code(
    context: Context,
    client: Client,
    *,
    device_code: str,
    resources: tuple[str, ...] = (),
    confirmation: Confirmation | None = None,
) -> dict[str, Any]:
    """Turn a device code into tokens, once.

    A code that comes again is refused and revokes nothing: RFC 8628 section 3.5 has a device repeat a request whose
    answer was lost, so that a repetition tells of no theft.

    Args:
        context: The parts.
        client: Authenticated, or public and named.
        device_code: As received.
        resources: The APIs that the access token is for, as received; all that were granted when none is named.
        confirmation: What the tokens are bound to, proven.

    Returns:
        The members of the answer.

    Raises:
        EndpointError: authorization_pending, slow_down, access_denied, expired_token, invalid_grant or
            invalid_target.
    """
    if not is_well_formed(SecretKind.DEVICE_CODE, device_code):
        raise EndpointError(ErrorCode.INVALID_GRANT, reason="malformed device code")
    now, device_hash = context.clock(), digest(device_code)
    with context.database.write() as connection:
        found = _redeemed(connection, client, device_hash, now)
        outcome: NoTokens | TokenSet = (
            found
            if isinstance(found, NoTokens)
            else first_tokens(
                context,
                connection,
                client,
                found,
                now,
                # Raised inside the transaction: a request that was wrong uses no code up.
                resources=targets(resources, found.resources),
                confirmation=confirmation,
            )
        )
    if isinstance(outcome, NoTokens):
        raise EndpointError(outcome.code, reason=outcome.reason)
    # No nonce to return: what a device asks for has none.
    return token_response(context, client, outcome)


def _redeemed(
    connection: Connection, client: Client, device_hash: bytes, now: datetime
) -> TokenFamily | NoTokens:
    family_id = device_authorizations.redeem(connection, device_hash, client.client_id, now)
    if family_id is None:
        return _not_redeemed(connection, client, device_hash, now)
    family = tokens.find_family(connection, family_id)
    if family is None or family.revoked_at is not None:
        return NoTokens(ErrorCode.ACCESS_DENIED, "family revoked since the person allowed it")
    return family


def _not_redeemed(connection: Connection, client: Client, device_hash: bytes, now: datetime) -> NoTokens:
    """Say why there are no tokens; while the person has not answered, hold the device to its interval."""
    device = device_authorizations.hold(connection, device_hash, client.client_id)
    if device is None:
        return NoTokens(ErrorCode.INVALID_GRANT, "unknown device code, or another client's")
    if device.consumed_at is not None:
        return NoTokens(ErrorCode.INVALID_GRANT, "device code redeemed before")
    if device.state is DeviceState.REFUSED:
        return NoTokens(ErrorCode.ACCESS_DENIED, "the person refused")
    if device.is_expired(now):
        return NoTokens(ErrorCode.EXPIRED_TOKEN, "device code expired")
    if device.is_polled_too_soon(now):
        device_authorizations.poll(connection, device_hash, now, interval=device.interval + SLOWER_BY)
        return NoTokens(ErrorCode.SLOW_DOWN, "asked again too soon")
    device_authorizations.poll(connection, device_hash, now, interval=device.interval)
    return NoTokens(ErrorCode.AUTHORIZATION_PENDING, "the person has not answered")
