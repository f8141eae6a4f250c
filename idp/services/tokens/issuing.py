"""Makes the tokens of a family: access tokens, refresh tokens, the ID token (OID-3, OID-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from idp.crypto.jwt import sign
from idp.crypto.opaque import SecretKind, digest, new_id, new_secret
from idp.domain.disclosure import Way
from idp.domain.tokens import ConfirmationMethod, TokenKind
from idp.protocol.scope import OFFLINE_ACCESS, OPENID, serialise
from idp.protocol.tokens import access_token as jwt_access_token
from idp.protocol.tokens.id_token import IDTokenFacts, id_token_claims
from idp.services.clients.encryption import encrypted
from idp.services.clients.key_sets import encryption_jwk
from idp.services.sign_in.wire_session import wire_session_id
from idp.storage.repositories.tokens import NewToken

if TYPE_CHECKING:
    from datetime import datetime

    from idp.crypto.keyring import SigningKey
    from idp.domain.client import Client
    from idp.domain.tokens import Confirmation, TokenFamily
    from idp.services.context import Context

#: What we sign with when a client has no say: short and fast, and every security profile takes it.
_PREFERRED_ALG: Final = "ES256"


@dataclass(frozen=True, slots=True)
class AccessToken:
    """An access token and what is stored of it."""

    value: str
    stored: NewToken


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What a client gets from /token, before the ID token is signed and all is sent."""

    access_token: AccessToken
    refresh_token: str | None
    scopes: frozenset[str]
    family: TokenFamily
    person: dict[str, Any]


def new_access_token(
    context: Context,
    client: Client,
    family: TokenFamily,
    scopes: frozenset[str],
    now: datetime,
    *,
    counter: int,
    resources: tuple[str, ...] = (),
    confirmation: Confirmation | None = None,
) -> AccessToken:
    """Make an access token and what is stored of it.

    Args:
        context: The parts.
        client: Whose it is.
        family: What it belongs to.
        scopes: What it gives, the family's or less.
        now: The present moment.
        counter: How often the family was refreshed.
        resources: The APIs it is made for, checked (RFC 8707): a JWT that they look at by themselves. None of
            them makes an opaque one, for UserInfo.
        confirmation: The key it is bound to; None for whoever holds it.
    """
    expires_at = now + context.token_lifetimes.access_token
    if resources:
        jti = new_id(now)
        claims = jwt_access_token.access_token_claims(
            family,
            issuer=context.issuer,
            jti=jti,
            audience=resources,
            scopes=scopes,
            confirmation=confirmation,
            issued_at=now,
            expires_at=expires_at,
        )
        value = sign(claims, preferred_key(context), typ=jwt_access_token.TYP)
        token_hash = digest(jwt_access_token.stored_name(jti))
    else:
        value = new_secret(SecretKind.ACCESS_TOKEN)
        token_hash = digest(value)
    stored = NewToken(
        token_hash=token_hash,
        kind=TokenKind.ACCESS,
        client_id=client.client_id,
        scope=serialise(scopes),
        counter=counter,
        issued_at=now,
        expires_at=expires_at,
        confirmation=confirmation,
        audience=resources,
    )
    return AccessToken(value, stored)


def new_refresh_token(
    context: Context,
    family: TokenFamily,
    secret: str,
    now: datetime,
    *,
    counter: int,
    confirmation: Confirmation | None = None,
) -> NewToken:
    """Describe a refresh token for storage: its idle life never outlives the family's absolute one.

    Args:
        context: The parts.
        family: What it belongs to.
        secret: The token.
        now: The present moment.
        counter: How often the family was refreshed.
        confirmation: The key that a public client must prove with it (RFC 9449 section 5); a confidential one
            proves itself, and may change its key.
    """
    return NewToken(
        token_hash=digest(secret),
        kind=TokenKind.REFRESH,
        client_id=family.client_id,
        scope=serialise(family.scopes),
        counter=counter,
        issued_at=now,
        expires_at=min(now + context.token_lifetimes.refresh_idle, family.expires_at),
        confirmation=confirmation,
    )


def may_refresh(client: Client, family: TokenFamily) -> bool:
    """Tell whether a family gets a refresh token: the client may, and the person was asked (OIDC Core 11)."""
    return client.may_refresh and OFFLINE_ACCESS in family.scopes


def preferred_key(context: Context) -> SigningKey:
    """Give the key to sign with where no client registered an algorithm.

    Raises:
        KeyringError: No key is active.
    """
    keyring = context.keys.keyring()
    active = keyring.algorithms()
    return keyring.signing_key(_PREFERRED_ALG if _PREFERRED_ALG in active or not active else active[0])


def token_response(
    context: Context, client: Client, issued: TokenSet, *, nonce: str | None = None
) -> dict[str, Any]:
    """Sign the ID token and give the members of the answer (RFC 6749 section 5.1; OIDC Core 3.1.3.3).

    Runs after the commit: a signature is the dearest part, and holds no lock.

    Args:
        context: The parts.
        client: Who gets it.
        issued: What was made and stored.
        nonce: The nonce of the authorization that is being answered; OIDC Core 12.2: a refreshed ID token
            "SHOULD NOT have a nonce Claim".
    """
    stored = issued.access_token.stored
    body: dict[str, Any] = {
        "access_token": issued.access_token.value,
        "token_type": token_type(stored.confirmation),
        "expires_in": int((stored.expires_at - stored.issued_at).total_seconds()),
        "scope": serialise(issued.scopes),
    }
    if issued.refresh_token is not None:
        body["refresh_token"] = issued.refresh_token
    if OPENID in issued.scopes:
        body["id_token"] = id_token(
            context,
            client,
            issued.family,
            nonce=nonce,
            access_token=issued.access_token.value,
            person=issued.person,
            now=context.clock(),
        )
    return body


def token_type(confirmation: Confirmation | None) -> str:
    """Name the scheme by which a token is presented (RFC 9449 section 5; RFC 8705 section 3 keeps Bearer)."""
    is_dpop = confirmation is not None and confirmation.method is ConfirmationMethod.DPOP
    return "DPoP" if is_dpop else "Bearer"


def id_token(
    context: Context,
    client: Client,
    family: TokenFamily,
    *,
    nonce: str | None,
    person: dict[str, Any],
    now: datetime,
    code: str | None = None,
    access_token: str | None = None,
    state: str | None = None,
) -> str:
    """Make an ID token: signed, and encrypted when the client registered for it (OIDC Core 2, 10.2).

    What it tells is noted (PRI-2): no transaction may be open.

    Args:
        context: The parts.
        client: For whom it is.
        family: What was granted, and how the person signed in.
        nonce: As received with the authorization; None on refresh.
        person: Claims about the person that were granted for the ID token.
        now: The present moment.
        code: The code in the same answer, for `c_hash`.
        access_token: The token in the same answer, for `at_hash`.
        state: The state of an answer through the browser, for `s_hash`.

    Raises:
        KeyringError: No key of the registered algorithm is active.
        KeySetUnavailable: The client's key to encrypt with can't be had; no transaction may be open.
    """
    key = context.keys.keyring().signing_key(client.id_token_signed_response_alg)
    facts = IDTokenFacts(
        issuer=context.issuer,
        client_id=client.client_id,
        subject=family.subject,
        alg=key.alg,
        auth_time=family.auth_time,
        acr=family.acr,
        amr=family.amr,
        nonce=nonce,
        sid=None
        if family.session_id is None
        else wire_session_id(context, family.session_id, client.client_id),
        code=code,
        access_token=access_token,
        state=state,
        person=person,
    )
    signed = sign(id_token_claims(facts, now=now, lifetime=context.token_lifetimes.id_token), key)
    if client.id_token_encryption is not None:
        signed = encrypted(context, client, client.id_token_encryption, signed)
    if family.account_id is not None:
        whom = (family.account_id, client.client_id)
        context.disclosures.note(context.database, Way.ID_TOKEN, whom, person, now)
    return signed


def require_encryption_key(context: Context, client: Client) -> None:
    """Make sure, before a grant is used up, that the ID token which comes of it can be encrypted.

    Raises:
        KeySetUnavailable: The client's keys can't be had; it may come again with the same grant.
    """
    if client.id_token_encryption is not None:
        encryption_jwk(context, client, client.id_token_encryption.alg)
