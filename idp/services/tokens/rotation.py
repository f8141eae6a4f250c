"""Refresh tokens: rotation for public clients, reuse ends the family (OID-2; D-07)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idp.crypto.opaque import SecretKind, derived_secret, digest, is_well_formed
from idp.domain.events import FamilyRevoked
from idp.domain.tokens import TokenKind
from idp.protocol import scope as scope_syntax
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.tokens.access_token import targets
from idp.services.age import is_open
from idp.services.audit import record
from idp.services.tokens.exchange import Refused
from idp.services.tokens.issuing import (
    TokenSet,
    new_access_token,
    new_refresh_token,
    token_response,
)
from idp.services.tokens.person import person_claims
from idp.storage.engine import retried
from idp.storage.repositories import tokens

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.client import Client
    from idp.domain.tokens import Confirmation, TokenFamily
    from idp.services.context import Context
    from idp.services.tokens.issuing import AccessToken
    from idp.storage.engine import Connection
    from idp.storage.repositories.tokens import StoredToken

#: A token that does not rotate gets its idle life anew when this part of it is gone: one write in many uses.
_RENEWAL_PART = 14


@dataclass(frozen=True, slots=True)
class Presented:
    """A refresh token that a client presents.

    Attributes:
        client: Authenticated, or public and named.
        refresh_token: As received.
        asked: The scopes asked for; None for all that was granted.
        resources: The APIs that the access token is for, as received (RFC 8707).
        confirmation: What the request proves possession of.
        now: The present moment.
    """

    client: Client
    refresh_token: str
    asked: frozenset[str] | None
    resources: tuple[str, ...]
    confirmation: Confirmation | None
    now: datetime

    @property
    def token_hash(self) -> bytes:
        """What is kept of it."""
        return digest(self.refresh_token)

    def proves(self, bound_to: Confirmation | None) -> bool:
        """Tell whether the request proves the key that the refresh token is bound to (RFC 9449 section 5)."""
        return bound_to is None or bound_to == self.confirmation


@retried
def refresh(
    context: Context,
    client: Client,
    *,
    refresh_token: str,
    scope: str | None,
    resources: tuple[str, ...] = (),
    confirmation: Confirmation | None = None,
) -> dict[str, Any]:
    """Turn a refresh token into new tokens (RFC 6749 section 6; RFC 9700 section 4.14).

    Public clients rotate; confidential ones prove themselves and keep their token.

    Args:
        context: The parts.
        client: Authenticated, or public and named.
        refresh_token: As received.
        scope: As received: a part of what was granted, for this access token only.
        resources: The APIs that this access token is for, as received; all that were granted when none is named.
        confirmation: What the access token is bound to, proven.

    Raises:
        EndpointError: invalid_grant, invalid_scope, or invalid_target.
    """
    if not is_well_formed(SecretKind.REFRESH_TOKEN, refresh_token):
        raise EndpointError(ErrorCode.INVALID_GRANT, reason="malformed refresh token")
    presented = Presented(
        client, refresh_token, _asked_scopes(scope), resources, confirmation, context.clock()
    )
    with context.database.write() as connection:
        outcome = (_rotate if client.is_public else _keep)(context, connection, presented)
        if isinstance(outcome, TokenSet) and not _is_of_age(context, connection, presented, outcome.family):
            outcome = _too_young(connection, presented, outcome.family)
    if isinstance(outcome, Refused):
        raise EndpointError(ErrorCode.INVALID_GRANT, reason=outcome.reason)
    return token_response(context, client, outcome)


def _is_of_age(context: Context, connection: Connection, presented: Presented, family: TokenFamily) -> bool:
    """Look at the age again: the service may have set one since, or FranceConnect certified another birth date."""
    return family.account_id is None or is_open(context, connection, presented.client, family.account_id)


def _too_young(connection: Connection, presented: Presented, family: TokenFamily) -> Refused:
    """End what the authorization gave; the next one asks the parent (CON-7)."""
    tokens.revoke_family(connection, family.family_id, presented.now, "below_minimum_age")
    record(
        connection,
        FamilyRevoked("below_minimum_age"),
        presented.now,
        actor="system",
        account_id=family.account_id,
        client_id=presented.client.client_id,
    )
    return Refused("below the minimum age of the service, or of unknown age")


def _rotate(context: Context, connection: Connection, presented: Presented) -> TokenSet | Refused:
    client, now = presented.client, presented.now
    consumed = tokens.consume_refresh(connection, presented.token_hash, client.client_id, now)
    if consumed is None:
        return _not_consumed(context, connection, presented)
    family = consumed.family
    if family.revoked_at is not None:
        return Refused("family revoked")
    if not presented.proves(consumed.confirmation):
        # Raised inside the transaction: whoever stole the token without its key uses nothing up.
        raise EndpointError(ErrorCode.INVALID_GRANT, reason="no proof by the key of the refresh token")
    counter = consumed.counter + 1
    access_token = _access_token(context, presented, family, counter)
    successor = _successor(context, presented.refresh_token)
    # A token that was bound to nothing becomes bound to the first key that is proven with it.
    renewed = new_refresh_token(
        context, family, successor, now, counter=counter, confirmation=presented.confirmation
    )
    tokens.add_tokens(connection, family.family_id, [access_token.stored, renewed])
    return _token_set(connection, presented, access_token, successor, family)


def _not_consumed(context: Context, connection: Connection, presented: Presented) -> TokenSet | Refused:
    """Tell a retry from a reuse: only the immediately previous token, within seconds, gets its successor again."""
    client, now = presented.client, presented.now
    stored = _of_client(connection, presented)
    if stored is None:
        return Refused("unknown refresh token, or another client's")
    if stored.consumed_at is None or stored.family.revoked_at is not None:
        return Refused("refresh token expired or revoked")
    successor = _successor(context, presented.refresh_token)
    following = tokens.find(connection, digest(successor))
    bound_to = stored.confirmation if following is None else following.confirmation
    if not presented.proves(bound_to):
        return Refused("no proof by the key of the refresh token")
    is_retry = now < stored.consumed_at + context.token_lifetimes.refresh_retry
    if not is_retry or following is None or not following.is_live(now):
        tokens.revoke_family(connection, stored.family.family_id, now, "refresh_reused")
        record(connection, FamilyRevoked("refresh_reused"), now, actor="system", client_id=client.client_id)
        return Refused("refresh token reused")
    access_token = _access_token(context, presented, stored.family, following.counter)
    tokens.add_tokens(connection, stored.family.family_id, [access_token.stored])
    return _token_set(connection, presented, access_token, successor, stored.family)


def _keep(context: Context, connection: Connection, presented: Presented) -> TokenSet | Refused:
    stored = _of_client(connection, presented)
    if stored is None or not stored.is_live(presented.now):
        return Refused("refresh token unknown, another client's, expired or revoked")
    access_token = _access_token(context, presented, stored.family, stored.counter)
    tokens.add_tokens(connection, stored.family.family_id, [access_token.stored])
    idle = context.token_lifetimes.refresh_idle
    renewed_until = min(presented.now + idle, stored.family.expires_at)
    if renewed_until - stored.expires_at > idle / _RENEWAL_PART:
        tokens.extend_refresh(connection, presented.token_hash, renewed_until)
    return _token_set(connection, presented, access_token, presented.refresh_token, stored.family)


def _access_token(context: Context, presented: Presented, family: TokenFamily, counter: int) -> AccessToken:
    return new_access_token(
        context,
        presented.client,
        family,
        _narrowed(family, presented.asked),
        presented.now,
        counter=counter,
        resources=targets(presented.resources, family.resources),
        confirmation=presented.confirmation,
    )


def _token_set(
    connection: Connection,
    presented: Presented,
    access_token: AccessToken,
    refresh_token: str,
    family: TokenFamily,
) -> TokenSet:
    person = person_claims(connection, family)
    return TokenSet(access_token, refresh_token, _narrowed(family, presented.asked), family, person)


def _of_client(connection: Connection, presented: Presented) -> StoredToken | None:
    stored = tokens.find(connection, presented.token_hash)
    if (
        stored is None
        or stored.kind is not TokenKind.REFRESH
        or stored.client_id != presented.client.client_id
    ):
        return None
    return stored


def _successor(context: Context, refresh_token: str) -> str:
    # Derived, so that a retry gets the same answer though only hashes are kept.
    return derived_secret(SecretKind.REFRESH_TOKEN, context.derived.refresh_successor, refresh_token.encode())


def _asked_scopes(scope: str | None) -> frozenset[str] | None:
    if scope is None:
        return None
    asked = scope_syntax.parse(scope)
    if asked is None:
        raise EndpointError(ErrorCode.INVALID_SCOPE, reason="malformed scope")
    return asked


def _narrowed(family: TokenFamily, asked: frozenset[str] | None) -> frozenset[str]:
    if asked is None:
        return family.scopes
    if not asked <= family.scopes:
        # RFC 6749 section 6: "MUST NOT include any scope not originally granted". Raised inside the
        # transaction: nothing is consumed by a request that was wrong.
        raise EndpointError(ErrorCode.INVALID_SCOPE, reason="scope wider than granted")
    return asked
