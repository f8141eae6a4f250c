"""What a client reads of a person with an access token (OIDC Core 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idp.crypto.jwt import sign
from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.domain.tokens import TokenKind
from idp.protocol import scope as scope_syntax
from idp.protocol.errors import BearerError, ErrorCode
from idp.protocol.scope import OPENID
from idp.services.tokens.issuing import values_of
from idp.storage.repositories import attributes, tokens

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.tokens import StoredToken


@dataclass(frozen=True, slots=True)
class UserInfo:
    """The answer: plain claims, or the same signed when the client registered for it (OIDC Core 5.3.2)."""

    claims: dict[str, Any]
    signed: str | None


def read(context: Context, access_token: str | None) -> UserInfo:
    """Give the claims that the person allowed; two reads, no write.

    Args:
        context: The parts.
        access_token: As received; None when the request had none.

    Raises:
        BearerError: No token; invalid_token; insufficient_scope for a token without `openid`.
    """
    if access_token is None:
        raise BearerError.without_token()
    if not is_well_formed(SecretKind.ACCESS_TOKEN, access_token):
        raise BearerError(ErrorCode.INVALID_TOKEN, reason="malformed access token")
    with context.database.read() as connection:
        stored = _live(context, tokens.find(connection, digest(access_token)))
        client = _client(context, connection, stored)
        claims = _claims(connection, stored)
    return UserInfo(claims, _signed(context, client, claims))


def _live(context: Context, stored: StoredToken | None) -> StoredToken:
    if stored is None or stored.kind is not TokenKind.ACCESS or not stored.is_live(context.clock()):
        raise BearerError(ErrorCode.INVALID_TOKEN, reason="access token unknown, expired or revoked")
    if OPENID not in (scope_syntax.parse(stored.scope) or frozenset()) or stored.family.account_id is None:
        raise BearerError(ErrorCode.INSUFFICIENT_SCOPE, reason="access token without openid", scope=OPENID)
    return stored


def _client(context: Context, connection: Connection, stored: StoredToken) -> Client:
    client = context.clients.of_version(connection, stored.client_id, stored.client_version)
    if client is None or not client.is_enabled(context.clock()):
        raise BearerError(ErrorCode.INVALID_TOKEN, reason="client disabled")
    return client


def _claims(connection: Connection, stored: StoredToken) -> dict[str, Any]:
    family, names = stored.family, stored.family.claims.userinfo
    claims: dict[str, Any] = {"sub": family.subject}
    if names and family.account_id is not None:
        known = attributes.of_account(connection, family.account_id)
        claims |= values_of(known, stored.email or "", stored.language, names)
    return claims


def _signed(context: Context, client: Client, claims: dict[str, Any]) -> str | None:
    if client.userinfo_signed_response_alg is None:
        return None
    key = context.keys.keyring().signing_key(client.userinfo_signed_response_alg)
    # OIDC Core 5.3.2: a signed answer "SHOULD contain the Claims iss and aud"; without an expiry it could
    # be shown for ever, and `typ` keeps it from passing for an ID token.
    now = int(context.clock().timestamp())
    lifetime = int(context.token_lifetimes.id_token.total_seconds())
    return sign(
        claims | {"iss": context.issuer, "aud": client.client_id, "iat": now, "exp": now + lifetime}, key
    )
