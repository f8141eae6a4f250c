"""Exchanges a code; a replay revokes what the code gave (OID-1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idp.crypto.opaque import SecretKind, digest, is_well_formed, new_secret
from idp.domain.events import FamilyRevoked
from idp.protocol.authorization import pkce
from idp.protocol.errors import EndpointError, ErrorCode
from idp.services.audit import record
from idp.services.tokens.issuing import (
    TokenSet,
    may_refresh,
    new_access_token,
    new_refresh_token,
    person_claims,
    token_response,
)
from idp.storage.repositories import tokens

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.client import Client
    from idp.domain.tokens import TokenFamily
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.tokens import StoredCode


@dataclass(frozen=True, slots=True)
class Refused:
    """The code gives nothing; why, for the log. A value, so that what was revoked commits."""

    reason: str


def exchange_code(
    context: Context, client: Client, *, code: str, redirect_uri: str | None, code_verifier: str | None
) -> dict[str, Any]:
    """Turn a code into tokens, once (RFC 6749 section 4.1.3; OIDC Core 3.1.3).

    Args:
        context: The parts.
        client: Authenticated, or public and named.
        code: As received.
        redirect_uri: As received; must be the one of the request.
        code_verifier: As received; None when absent.

    Returns:
        The members of the answer.

    Raises:
        EndpointError: invalid_grant.
    """
    if not is_well_formed(SecretKind.AUTHORIZATION_CODE, code):
        raise EndpointError(ErrorCode.INVALID_GRANT, reason="malformed code")
    now, code_hash = context.clock(), digest(code)
    with context.database.write() as connection:
        consumed = tokens.consume_code(connection, code_hash, client.client_id, now)
        if consumed is None:
            outcome: Refused | TokenSet = _replayed(
                connection, client, tokens.find_code(connection, code_hash), code_verifier, now
            )
        else:
            stored, family = consumed
            outcome = _unfit(stored, family, redirect_uri, code_verifier, now) or _issue(
                context, connection, client, family, now
            )
    if isinstance(outcome, Refused):
        raise EndpointError(ErrorCode.INVALID_GRANT, reason=outcome.reason)
    return token_response(context, client, outcome, nonce=outcome.family.nonce)


def _unfit(
    stored: StoredCode,
    family: TokenFamily,
    redirect_uri: str | None,
    code_verifier: str | None,
    now: datetime,
) -> Refused | None:
    """Check what the code is bound to; whatever fails, the code is used up."""
    if now >= stored.expires_at:
        return Refused("code expired")
    if family.revoked_at is not None:
        return Refused("family revoked")
    if redirect_uri != stored.redirect_uri:
        # RFC 6749 section 4.1.3: the values "MUST be identical".
        return Refused("redirect_uri differs from the request's")
    return (
        None
        if _is_verified(code_verifier, stored.code_challenge)
        else Refused("code_verifier does not match")
    )


def _replayed(
    connection: Connection,
    client: Client,
    stored: StoredCode | None,
    code_verifier: str | None,
    now: datetime,
) -> Refused:
    """Revoke what a code gave when it comes again, if the replay would have been valid (D-08).

    Revoking on any replay would let whoever saw a code end a person's access.
    """
    if stored is None:
        return Refused("unknown code")
    if stored.client_id != client.client_id:
        return Refused("code of another client")
    if not _is_verified(code_verifier, stored.code_challenge):
        return Refused("code replayed without its verifier")
    if tokens.revoke_family(connection, stored.family_id, now, "code_replayed"):
        record(connection, FamilyRevoked("code_replayed"), now, actor="system", client_id=client.client_id)
    return Refused("code replayed")


def _issue(
    context: Context, connection: Connection, client: Client, family: TokenFamily, now: datetime
) -> TokenSet:
    access_token = new_access_token(context, client, family, family.scopes, now, counter=0)
    new = [access_token.stored]
    refresh_token = None
    if may_refresh(client, family):
        refresh_token = new_secret(SecretKind.REFRESH_TOKEN)
        new.append(new_refresh_token(context, family, refresh_token, now, counter=0))
    tokens.add_tokens(connection, family.family_id, new)
    person = person_claims(connection, family, family.claims.id_token)
    return TokenSet(access_token, refresh_token, family.scopes, family, person)


def _is_verified(code_verifier: str | None, code_challenge: str | None) -> bool:
    try:
        pkce.verify(code_verifier, code_challenge)
    except EndpointError:
        return False
    return True
