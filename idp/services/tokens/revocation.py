"""Revokes tokens at the request of their client (OID-2; RFC 7009)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.domain.events import FamilyRevoked
from idp.domain.tokens import TokenKind
from idp.services.audit import record
from idp.services.tokens.presented import hash_of
from idp.storage.engine import retried
from idp.storage.repositories import tokens

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.services.context import Context


@retried
def revoke(context: Context, client: Client, token: str) -> None:
    """Revoke a token of the client that asks: a refresh token ends its family, an access token itself.

    A token that is unknown, or another client's, changes nothing and is not told apart (RFC 7009 section 2.2).
    """
    now, token_hash = context.clock(), hash_of(context, token)
    if token_hash is None:
        return
    with context.database.write() as connection:
        stored = tokens.find(connection, token_hash)
        if stored is None or stored.client_id != client.client_id:
            return
        if stored.kind is TokenKind.ACCESS:
            tokens.revoke_token(connection, token_hash, now)
        elif tokens.revoke_family(connection, stored.family.family_id, now, "revoked_by_client"):
            event = FamilyRevoked("revoked_by_client")
            record(connection, event, now, actor="client", client_id=client.client_id)
