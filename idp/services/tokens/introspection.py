"""Says what a token is worth (OID-2; RFC 7662)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.domain.tokens import TokenKind
from idp.protocol import scope as scope_syntax
from idp.protocol.tokens import introspection
from idp.protocol.tokens.introspection import LiveToken
from idp.storage.repositories import tokens

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.client import Client
    from idp.services.context import Context
    from idp.storage.repositories.tokens import StoredToken


def introspect(context: Context, client: Client, token: str) -> dict[str, Any]:
    """Answer about a token of the client that asks; about any other, only that it is not active.

    The hint of RFC 7662 section 2.1 is not needed: the prefix of a token tells its kind.
    """
    stored = _stored(context, token)
    now = context.clock()
    is_own = stored is not None and stored.client_id == client.client_id
    live = _live_token(stored, now) if stored is not None and is_own else None
    return introspection.answer(live, issuer=context.issuer)


def _stored(context: Context, token: str) -> StoredToken | None:
    kinds = (SecretKind.ACCESS_TOKEN, SecretKind.REFRESH_TOKEN)
    if not any(is_well_formed(kind, token) for kind in kinds):
        return None
    with context.database.read() as connection:
        return tokens.find(connection, digest(token))


def _live_token(stored: StoredToken, now: datetime) -> LiveToken | None:
    if not stored.is_live(now):
        return None
    return LiveToken(
        kind=TokenKind(stored.kind),
        family=stored.family,
        scopes=scope_syntax.parse(stored.scope) or frozenset(),
        issued_at=stored.issued_at,
        expires_at=stored.expires_at,
    )
