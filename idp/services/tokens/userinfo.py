"""What a client reads of a person with an access token (OIDC Core 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from idp.crypto.jwt import sign
from idp.domain.disclosure import Way
from idp.services.clients.encryption import encrypted
from idp.services.tokens.opening import check, find
from idp.services.tokens.person import Holder, of_userinfo, purposes_of, told

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.services.context import Context
    from idp.services.tokens.opening import Opened, PresentedToken
    from idp.storage.engine import Connection


@dataclass(frozen=True, slots=True)
class UserInfo:
    """The answer: plain claims, or the same signed or encrypted as the client registered (OIDC Core 5.3.2)."""

    claims: dict[str, Any]
    token: str | None
    client: Client


def read(context: Context, presented: PresentedToken) -> UserInfo:
    """Give the claims that the person allowed.

    Two reads, one more with verified claims and one more for a client that declares purposes, and no write for
    a token that is bound to no key.

    Args:
        context: The parts.
        presented: The token, and the proof that goes with it.

    Raises:
        BearerError: invalid_token; insufficient_scope for a token without `openid`; invalid_dpop_proof or
            use_dpop_nonce; insufficient_user_authentication (RFC 9470 section 3).
        KeySetUnavailable: The client's key to encrypt with can't be had.
    """
    with context.database.read() as connection:
        opened = find(context, connection, presented)
        client = opened.client
        claims = _claims(connection, opened)
    check(context, presented, opened)
    answer = UserInfo(claims, _token(context, client, claims), client)
    whom = (opened.account_id, client.client_id)
    context.disclosures.note(context.database, Way.USERINFO, whom, claims, context.clock())
    return answer


def _claims(connection: Connection, opened: Opened) -> dict[str, Any]:
    stored, family, place = opened.stored, opened.stored.family, of_userinfo(opened.stored.family)
    claims: dict[str, Any] = {"sub": family.subject}
    if place:
        holder = Holder(opened.account_id, stored.email or "", stored.language)
        claims |= told(connection, family, place, holder)
    if opened.client.purposes:
        # Nobody is asked for it apart: it is the person's own word to this very client (CON-3).
        claims |= purposes_of(connection, opened.client, opened.account_id)
    return claims


def _token(context: Context, client: Client, claims: dict[str, Any]) -> str | None:
    """Sign, encrypt, or sign and encrypt the claims as the client registered (OIDC Core 5.3.2)."""
    signed = _signed(context, client, claims)
    if client.userinfo_encryption is None:
        return signed
    if signed is not None:
        return encrypted(context, client, client.userinfo_encryption, signed)
    plain = msgspec.json.encode(claims).decode()
    return encrypted(context, client, client.userinfo_encryption, plain, cty=None)


def _signed(context: Context, client: Client, claims: dict[str, Any]) -> str | None:
    if client.userinfo_signed_response_alg is None:
        return None
    key = context.keys.keyring().signing_key(client.userinfo_signed_response_alg)
    # OIDC Core 5.3.2: a signed answer "SHOULD contain the Claims iss and aud"; without an expiry it could
    # be shown for ever. `typ` stays JWT, which strict libraries demand; it passes for no ID token, having
    # no `auth_time`.
    now = int(context.clock().timestamp())
    lifetime = int(context.token_lifetimes.id_token.total_seconds())
    return sign(
        claims | {"iss": context.issuer, "aud": client.client_id, "iat": now, "exp": now + lifetime}, key
    )
