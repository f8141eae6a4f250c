"""Makes the tokens of a family: opaque access and refresh tokens, the ID token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idp.crypto.jwt import sign
from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.domain.tokens import TokenKind
from idp.protocol.claims.values import claim_values
from idp.protocol.scope import OFFLINE_ACCESS, OPENID, serialise
from idp.protocol.tokens.id_token import IDTokenFacts, id_token_claims
from idp.services.authorization.requests import wire_session_id
from idp.storage.repositories import accounts, attributes
from idp.storage.repositories.tokens import NewToken

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.client import Client
    from idp.domain.tokens import TokenFamily
    from idp.services.context import Context
    from idp.storage.engine import Connection


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What a client gets from /token, before it is signed and sent."""

    access_token: str
    refresh_token: str | None
    scopes: frozenset[str]
    family: TokenFamily
    person: dict[str, Any]


def new_access_token(
    context: Context, client: Client, scopes: frozenset[str], now: datetime, *, counter: int
) -> tuple[str, NewToken]:
    """Make an access token and what is stored of it."""
    secret = new_secret(SecretKind.ACCESS_TOKEN)
    stored = NewToken(
        token_hash=digest(secret),
        kind=TokenKind.ACCESS,
        client_id=client.client_id,
        scope=serialise(scopes),
        counter=counter,
        issued_at=now,
        expires_at=now + context.token_lifetimes.access_token,
    )
    return secret, stored


def new_refresh_token(
    context: Context, family: TokenFamily, secret: str, now: datetime, *, counter: int
) -> NewToken:
    """Describe a refresh token for storage: its idle life never outlives the family's absolute one."""
    return NewToken(
        token_hash=digest(secret),
        kind=TokenKind.REFRESH,
        client_id=family.client_id,
        scope=serialise(family.scopes),
        counter=counter,
        issued_at=now,
        expires_at=min(now + context.token_lifetimes.refresh_idle, family.expires_at),
    )


def may_refresh(client: Client, family: TokenFamily) -> bool:
    """Tell whether a family gets a refresh token: the client may, and the person was asked (OIDC Core 11)."""
    return client.may_refresh and OFFLINE_ACCESS in family.scopes


def person_claims(connection: Connection, family: TokenFamily, names: tuple[str, ...]) -> dict[str, Any]:
    """Read the claims about the person that were granted; nothing is read when none were."""
    if not names or family.account_id is None:
        return {}
    account = accounts.by_id(connection, family.account_id)
    if account is None:
        return {}
    return values_of(
        attributes.of_account(connection, family.account_id), account.email, account.language, names
    )


def values_of(
    known: dict[str, attributes.StoredAttribute], email: str, language: str | None, names: tuple[str, ...]
) -> dict[str, Any]:
    """Give wire values of the claims named, from what is stored."""
    values: dict[str, Any] = {name: attribute.value for name, attribute in known.items()}
    latest = max((attribute.recorded_at for attribute in known.values()), default=None)
    values |= {"email": email, "language": language, "updated_at": latest}
    return claim_values(values, names)


def token_response(
    context: Context, client: Client, issued: TokenSet, *, code: str | None = None
) -> dict[str, Any]:
    """Sign the ID token and give the members of the answer (RFC 6749 section 5.1; OIDC Core 3.1.3.3).

    Runs after the commit: a signature is the dearest part, and holds no lock.
    """
    lifetime = context.token_lifetimes.access_token
    body: dict[str, Any] = {
        "access_token": issued.access_token,
        "token_type": "Bearer",
        "expires_in": int(lifetime.total_seconds()),
        "scope": serialise(issued.scopes),
    }
    if issued.refresh_token is not None:
        body["refresh_token"] = issued.refresh_token
    if OPENID in issued.scopes:
        body["id_token"] = _id_token(context, client, issued, code=code)
    return body


def _id_token(context: Context, client: Client, issued: TokenSet, *, code: str | None) -> str:
    family = issued.family
    key = context.keys.keyring().signing_key(client.id_token_signed_response_alg)
    facts = IDTokenFacts(
        issuer=context.issuer,
        client_id=client.client_id,
        subject=family.subject,
        alg=key.alg,
        auth_time=family.auth_time,
        acr=family.acr,
        amr=family.amr,
        # OIDC Core 12.2: a refreshed ID token "SHOULD NOT have a nonce Claim".
        nonce=family.nonce if code is not None else None,
        sid=None
        if family.session_id is None
        else wire_session_id(context, family.session_id, client.client_id),
        code=None,
        access_token=issued.access_token,
        person=issued.person,
    )
    return sign(
        id_token_claims(facts, now=context.clock(), lifetime=context.token_lifetimes.id_token), key, typ="JWT"
    )
