"""What a client reads of a person with an access token (OIDC Core 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from idp.crypto.jwt import sign
from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.domain.authentication import ACR_VALUES, rank
from idp.domain.tokens import Confirmation, ConfirmationMethod, TokenKind
from idp.protocol import scope as scope_syntax
from idp.protocol.errors import BearerError, EndpointError, ErrorCode, TokenScheme
from idp.protocol.scope import OPENID
from idp.services.clients.encryption import encrypted
from idp.services.tokens.person import Holder, of_userinfo, told
from idp.services.tokens.proofs import check_proof
from idp.storage.repositories import tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.crypto.certificates import Certificate
    from idp.domain.client import Client
    from idp.domain.tokens import TokenFamily
    from idp.services.context import Context
    from idp.storage.engine import Connection
    from idp.storage.repositories.tokens import StoredToken


@dataclass(frozen=True, slots=True)
class PresentedToken:
    """An access token, and what came with it.

    Attributes:
        value: As received.
        scheme: In which it was presented; Bearer for a token in a form.
        method: HTTP method of the request.
        path: Path of the request.
        proof: The DPoP header; None without one.
        certificate: Gives what the client's connection showed; called for a token that needs it.
    """

    value: str
    scheme: TokenScheme
    method: str
    path: str
    proof: str | None
    certificate: Callable[[], Certificate | None]


@dataclass(frozen=True, slots=True)
class UserInfo:
    """The answer: plain claims, or the same signed or encrypted as the client registered (OIDC Core 5.3.2)."""

    claims: dict[str, Any]
    token: str | None
    client: Client


def read(context: Context, presented: PresentedToken) -> UserInfo:
    """Give the claims that the person allowed.

    Two reads, one more with verified claims, and no write for a token that is bound to no key.

    Args:
        context: The parts.
        presented: The token, and the proof that goes with it.

    Raises:
        BearerError: invalid_token; insufficient_scope for a token without `openid`; invalid_dpop_proof or
            use_dpop_nonce; insufficient_user_authentication (RFC 9470 section 3).
        KeySetUnavailable: The client's key to encrypt with can't be had.
    """
    if not is_well_formed(SecretKind.ACCESS_TOKEN, presented.value):
        raise _invalid(presented, "malformed access token")
    with context.database.read() as connection:
        stored = _live(context, presented, tokens.find(connection, digest(presented.value)))
        client = _client(context, connection, presented, stored)
        claims = _claims(connection, stored)
    _check_possession(context, presented, stored)
    _check_authentication(context, client, presented, stored.family)
    return UserInfo(claims, _token(context, client, claims), client)


def _live(context: Context, presented: PresentedToken, stored: StoredToken | None) -> StoredToken:
    if stored is None or stored.kind is not TokenKind.ACCESS or not stored.is_live(context.clock()):
        raise _invalid(presented, "access token unknown, expired or revoked")
    if stored.audience:
        # RFC 8707 section 3: a token made for one API must open no other; this one never gets here as a JWT.
        raise _invalid(presented, "access token made for an API")
    if OPENID not in (scope_syntax.parse(stored.scope) or frozenset()) or stored.family.account_id is None:
        raise BearerError(
            ErrorCode.INSUFFICIENT_SCOPE,
            reason="access token without openid",
            scheme=presented.scheme,
            scope=OPENID,
        )
    return stored


def _client(
    context: Context, connection: Connection, presented: PresentedToken, stored: StoredToken
) -> Client:
    client = context.clients.of_version(connection, stored.client_id, stored.client_version)
    if client is None or not client.is_enabled(context.clock()):
        raise _invalid(presented, "client disabled")
    return client


def _check_possession(context: Context, presented: PresentedToken, stored: StoredToken) -> None:
    """Check that whoever brings the token holds what it is bound to (RFC 9449 section 7; RFC 8705 section 3)."""
    bound_to = stored.confirmation
    if bound_to is not None and bound_to.method is ConfirmationMethod.DPOP:
        _check_proof(context, presented, stored, bound_to)
    elif presented.scheme is not TokenScheme.BEARER:
        raise _invalid(presented, "DPoP scheme with a token that is bound to no key")
    elif bound_to is not None:
        certificate = presented.certificate()
        if certificate is None or certificate.thumbprint != bound_to.thumbprint:
            raise _invalid(presented, "access token without the certificate it is bound to")


def _check_proof(
    context: Context, presented: PresentedToken, stored: StoredToken, bound_to: Confirmation
) -> None:
    if presented.scheme is not TokenScheme.DPOP:
        # RFC 9449 section 7.2: who takes both schemes has to refuse a bound token in that of bearer tokens.
        raise BearerError(
            ErrorCode.INVALID_TOKEN, reason="bound token by the Bearer scheme", scheme=TokenScheme.DPOP
        )
    if presented.proof is None:
        raise BearerError(
            ErrorCode.INVALID_DPOP_PROOF, reason="bound token without a proof", scheme=TokenScheme.DPOP
        )
    try:
        thumbprint = check_proof(
            context,
            presented.proof,
            method=presented.method,
            path=presented.path,
            client_id=stored.client_id,
            access_token=presented.value,
        )
    except EndpointError as error:
        raise BearerError(error.code, reason=error.reason, scheme=TokenScheme.DPOP) from error
    if thumbprint != bound_to.thumbprint:
        raise _invalid(presented, "proof by another key")


def _check_authentication(
    context: Context, client: Client, presented: PresentedToken, family: TokenFamily
) -> None:
    """Ask for a fresher or stronger login where an administrator wants one (RFC 9470 section 3)."""
    age = context.clock().timestamp() - family.auth_time
    is_fresh = client.userinfo_max_age is None or age <= client.userinfo_max_age
    if is_fresh and _reaches(family.acr, client.userinfo_acr):
        return
    raise BearerError(
        ErrorCode.INSUFFICIENT_USER_AUTHENTICATION,
        reason="login too old or too weak",
        scheme=presented.scheme,
        acr=client.userinfo_acr,
        max_age=client.userinfo_max_age,
    )


def _reaches(acr: str | None, wanted: str | None) -> bool:
    if wanted is None or acr == wanted:
        return True
    return wanted in ACR_VALUES and rank(acr or "") > rank(wanted)


def _claims(connection: Connection, stored: StoredToken) -> dict[str, Any]:
    family, place = stored.family, of_userinfo(stored.family)
    claims: dict[str, Any] = {"sub": family.subject}
    if place and family.account_id is not None:
        holder = Holder(family.account_id, stored.email or "", stored.language)
        claims |= told(connection, family, place, holder)
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


def _invalid(presented: PresentedToken, reason: str) -> BearerError:
    return BearerError(ErrorCode.INVALID_TOKEN, reason=reason, scheme=presented.scheme)
