"""Exchanges a code; a replay revokes what the code gave (OID-1)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from idp.crypto.opaque import SecretKind, digest, is_well_formed, new_secret
from idp.domain.events import FamilyRevoked
from idp.domain.tokens import Confirmation, ConfirmationMethod
from idp.protocol.authorization import pkce
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.tokens.access_token import targets
from idp.services.audit import record
from idp.services.tokens.issuing import (
    TokenSet,
    may_refresh,
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
    from idp.domain.tokens import TokenFamily
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.tokens import StoredCode


#: FAPI 2.0 Security Profile 5.3.2.1: "shall issue authorization codes with a maximum lifetime of 60 seconds".
_FAPI_CODE_LIFETIME: Final = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Presented:
    """A code that a client presents, and what comes with it.

    Attributes:
        client: Authenticated, or public and named.
        code: As received.
        redirect_uri: As received; must be the one of the request.
        code_verifier: As received; None when absent.
        resources: The APIs that the access token is for, as received (RFC 8707).
        confirmation: What the tokens are bound to, proven.
        now: The present moment.
    """

    client: Client
    code: str
    redirect_uri: str | None
    code_verifier: str | None
    resources: tuple[str, ...]
    confirmation: Confirmation | None
    now: datetime


@dataclass(frozen=True, slots=True)
class Refused:
    """The code gives nothing; why, for the log. A value, so that what was revoked commits."""

    reason: str


@retried
def exchange_code(
    context: Context,
    client: Client,
    *,
    code: str,
    redirect_uri: str | None,
    code_verifier: str | None,
    resources: tuple[str, ...] = (),
    confirmation: Confirmation | None = None,
) -> dict[str, Any]:
    """Turn a code into tokens, once (RFC 6749 section 4.1.3; OIDC Core 3.1.3).

    Args:
        context: The parts.
        client: Authenticated, or public and named.
        code: As received.
        redirect_uri: As received; must be the one of the request.
        code_verifier: As received; None when absent.
        resources: The APIs that the access token is for, as received; all that were granted when none is named.
        confirmation: What the tokens are bound to, proven.

    Returns:
        The members of the answer.

    Raises:
        EndpointError: invalid_grant, or invalid_target.
    """
    if not is_well_formed(SecretKind.AUTHORIZATION_CODE, code):
        raise EndpointError(ErrorCode.INVALID_GRANT, reason="malformed code")
    now, code_hash = context.clock(), digest(code)
    presented = Presented(client, code, redirect_uri, code_verifier, resources, confirmation, now)
    with context.database.write() as connection:
        consumed = tokens.consume_code(connection, code_hash, client.client_id, now)
        if consumed is None:
            stored = tokens.find_code(connection, code_hash)
            outcome: Refused | TokenSet = _replayed(connection, presented, stored)
        else:
            stored, family = consumed
            outcome = _unfit(presented, stored, family) or first_tokens(
                context,
                connection,
                client,
                family,
                now,
                # Raised inside the transaction: a request that was wrong uses no code up.
                resources=targets(resources, family.resources),
                confirmation=confirmation,
            )
    if isinstance(outcome, Refused):
        raise EndpointError(ErrorCode.INVALID_GRANT, reason=outcome.reason)
    return token_response(context, client, outcome, nonce=outcome.family.nonce)


def first_tokens(
    context: Context,
    connection: Connection,
    client: Client,
    family: TokenFamily,
    now: datetime,
    *,
    resources: tuple[str, ...] = (),
    confirmation: Confirmation | None = None,
) -> TokenSet:
    """Make and store the first tokens of a family, in the transaction that uses its grant up.

    Args:
        context: The parts.
        connection: Of the transaction.
        client: Who gets them.
        family: What was granted.
        now: The present moment.
        resources: The APIs that the access token is for, checked.
        confirmation: What the access token is bound to; and the refresh token of a public client, which
            has nothing else to prove itself with (RFC 9449 section 5).
    """
    access_token = new_access_token(
        context, client, family, family.scopes, now, counter=0, resources=resources, confirmation=confirmation
    )
    new = [access_token.stored]
    refresh_token = None
    if may_refresh(client, family):
        refresh_token = new_secret(SecretKind.REFRESH_TOKEN)
        bound = confirmation if client.is_public else None
        new.append(new_refresh_token(context, family, refresh_token, now, counter=0, confirmation=bound))
    tokens.add_tokens(connection, family.family_id, new)
    person = person_claims(connection, family)
    return TokenSet(access_token, refresh_token, family.scopes, family, person)


def _unfit(presented: Presented, stored: StoredCode, family: TokenFamily) -> Refused | None:
    """Check what the code is bound to; whatever fails, the code is used up."""
    if presented.now >= _end_of(presented.client, stored, family):
        return Refused("code expired")
    if family.revoked_at is not None:
        return Refused("family revoked")
    if presented.redirect_uri != stored.redirect_uri:
        # RFC 6749 section 4.1.3: the values "MUST be identical".
        return Refused("redirect_uri differs from the request's")
    if not _is_verified(presented.code_verifier, stored.code_challenge):
        return Refused("code_verifier does not match")
    return None if _is_proven(presented, stored) else Refused("no proof by the key of the code")


def _end_of(client: Client, stored: StoredCode, family: TokenFamily) -> datetime:
    return (
        min(stored.expires_at, family.created_at + _FAPI_CODE_LIFETIME)
        if client.is_fapi2
        else stored.expires_at
    )


def _replayed(connection: Connection, presented: Presented, stored: StoredCode | None) -> Refused:
    """Revoke what a code gave when it comes again, if the replay would have been valid (D-08).

    Revoking on any replay would let whoever saw a code end a person's access.
    """
    client_id = presented.client.client_id
    if stored is None:
        return Refused("unknown code")
    if stored.client_id != client_id:
        return Refused("code of another client")
    if not _is_verified(presented.code_verifier, stored.code_challenge):
        return Refused("code replayed without its verifier")
    if not _is_proven(presented, stored):
        return Refused("code replayed without its key")
    if tokens.revoke_family(connection, stored.family_id, presented.now, "code_replayed"):
        event = FamilyRevoked("code_replayed")
        record(connection, event, presented.now, actor="system", client_id=client_id)
    return Refused("code replayed")


def _is_proven(presented: Presented, stored: StoredCode) -> bool:
    """Tell whether the key that a code is bound to was proven with it (RFC 9449 section 10)."""
    if stored.dpop_jkt is None:
        return True
    return presented.confirmation == Confirmation(ConfirmationMethod.DPOP, stored.dpop_jkt)


def _is_verified(code_verifier: str | None, code_challenge: str | None) -> bool:
    try:
        pkce.verify(code_verifier, code_challenge)
    except EndpointError:
        return False
    return True
