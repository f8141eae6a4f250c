"""Tokens that a client gets for itself (RFC 6749 section 4.4; OID-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.crypto.opaque import new_id
from idp.domain.tokens import GrantedClaims, TokenFamily
from idp.protocol import scope as scope_syntax
from idp.protocol.claims.standard import SCOPE_CLAIMS
from idp.protocol.errors import EndpointError, ErrorCode
from idp.protocol.scope import OFFLINE_ACCESS, OPENID
from idp.protocol.tokens.access_token import targets
from idp.services.tokens.issuing import TokenSet, new_access_token, token_response
from idp.storage.engine import retried
from idp.storage.repositories import tokens

if TYPE_CHECKING:
    from idp.domain.client import Client
    from idp.domain.tokens import Confirmation
    from idp.services.context import Context

#: Scopes that speak of a person: a client alone is nobody.
_PERSONAL = frozenset(SCOPE_CLAIMS) | {OPENID, OFFLINE_ACCESS}


@retried
def issue(
    context: Context,
    client: Client,
    *,
    scope: str | None,
    resources: tuple[str, ...] = (),
    confirmation: Confirmation | None = None,
) -> dict[str, Any]:
    """Give a client an access token of its own.

    Args:
        context: The parts.
        client: Authenticated, and allowed this grant.
        scope: As received; all that the client may have for itself when absent.
        resources: The APIs that the token is for, as received (RFC 8707); none makes an opaque token.
        confirmation: What the token is bound to, proven.

    Raises:
        EndpointError: invalid_scope, or invalid_target.
    """
    allowed = client.scopes - _PERSONAL
    scopes = allowed if scope is None else scope_syntax.parse(scope)
    if scopes is None or not scopes <= allowed:
        raise EndpointError(ErrorCode.INVALID_SCOPE, reason="scope not the client's own")
    audience = targets(resources, client.resources) if resources else ()
    now = context.clock()
    family = TokenFamily(
        family_id=new_id(now),
        client_id=client.client_id,
        account_id=None,
        consent_id=None,
        session_id=None,
        subject=client.client_id,
        scopes=scopes,
        claims=GrantedClaims(),
        nonce=None,
        auth_time=int(now.timestamp()),
        acr=None,
        amr=(),
        created_at=now,
        expires_at=now + context.token_lifetimes.access_token,
    )
    access_token = new_access_token(
        context, client, family, scopes, now, counter=0, resources=audience, confirmation=confirmation
    )
    with context.database.write() as connection:
        tokens.create_family(connection, family)
        tokens.add_tokens(connection, family.family_id, [access_token.stored])
    return token_response(context, client, TokenSet(access_token, None, scopes, family, {}))
