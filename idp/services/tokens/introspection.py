"""Says what a token is worth (OID-2; RFC 7662), in JSON or signed (RFC 9701)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from idp.crypto.jwt import sign
from idp.domain.disclosure import Way
from idp.domain.tokens import TokenKind
from idp.protocol import scope as scope_syntax
from idp.protocol.tokens import introspection
from idp.protocol.tokens.introspection import LiveToken
from idp.services.clients.encryption import encrypted
from idp.services.tokens.issuing import preferred_key, token_type
from idp.services.tokens.presented import hash_of
from idp.storage.repositories import tokens

if TYPE_CHECKING:
    from datetime import datetime

    from idp.crypto.keyring import SigningKey
    from idp.domain.client import Client
    from idp.services.context import Context
    from idp.storage.repositories.tokens import StoredToken

#: RFC 9701 section 6: `introspection_signed_response_alg` is RS256 when it is left out.
_DEFAULT_ALG: Final = "RS256"


@dataclass(frozen=True, slots=True)
class Introspection:
    """The answer: plain members, or the same signed (RFC 9701 section 5)."""

    members: dict[str, Any]
    signed: str | None = None


def introspect(context: Context, client: Client, token: str, *, accept: str = "") -> Introspection:
    """Answer about a token of the client that asks, or one made for it; about any other, only that it is not active.

    Args:
        context: The parts.
        client: Authenticated.
        token: As received.
        accept: The Accept header.
    """
    now = context.clock()
    stored = _known(context, client, token)
    live = None if stored is None else _live_token(stored, now)
    members = introspection.answer(live, issuer=context.issuer)
    is_signed = introspection.is_jwt_accepted(accept) or _always_signed(client)
    answer = Introspection(members, _signed(context, client, members, now) if is_signed else None)
    if live is not None and live.family.account_id is not None:
        # Of the person an answer tells the identifier, and how and when they signed in; no claim.
        whom = (live.family.account_id, client.client_id)
        context.disclosures.note(context.database, Way.INTROSPECTION, whom, {}, now)
    return answer


def _known(context: Context, client: Client, token: str) -> StoredToken | None:
    """Find a token that the caller may know of: its own, or one made for the API that it is (RFC 7662 section 4)."""
    token_hash = hash_of(context, token)
    if token_hash is None:
        return None
    with context.database.read() as connection:
        stored = tokens.find(connection, token_hash)
        if stored is None or stored.client_id == client.client_id:
            return stored
        if client.resource_identifier not in stored.audience:
            return None
        owner = context.clients.of_version(connection, stored.client_id, stored.client_version)
    return stored if owner is not None and owner.is_enabled(context.clock()) else None


def _live_token(stored: StoredToken, now: datetime) -> LiveToken | None:
    if not stored.is_live(now):
        return None
    return LiveToken(
        family=stored.family,
        scopes=scope_syntax.parse(stored.scope) or frozenset(),
        issued_at=stored.issued_at,
        expires_at=stored.expires_at,
        token_type=token_type(stored.confirmation) if stored.kind is TokenKind.ACCESS else None,
        confirmation=stored.confirmation,
        audience=stored.audience,
    )


def _always_signed(client: Client) -> bool:
    return client.signs_messages and client.introspection_signed_response_alg is not None


def _signed(context: Context, client: Client, members: dict[str, Any], now: datetime) -> str:
    claims = introspection.jwt_claims(members, issuer=context.issuer, audience=client.client_id, now=now)
    signed = sign(claims, _key(context, client), typ=introspection.TYP)
    if client.introspection_encryption is None:
        return signed
    return encrypted(context, client, client.introspection_encryption, signed)


def _key(context: Context, client: Client) -> SigningKey:
    keyring = context.keys.keyring()
    if client.introspection_signed_response_alg is not None:
        return keyring.signing_key(client.introspection_signed_response_alg)
    # FAPI 2.0 Security Profile 5.4 takes no RS256.
    is_default = _DEFAULT_ALG in keyring.algorithms() and not client.is_fapi2
    return keyring.signing_key(_DEFAULT_ALG) if is_default else preferred_key(context)
