"""What it takes to open anything with a person's access token (RFC 6750, RFC 8705, RFC 9449, RFC 9470).

UserInfo and the APIs that take a person's token share it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.crypto.opaque import SecretKind, digest, is_well_formed
from idp.domain.authentication import ACR_VALUES, rank
from idp.domain.tokens import Confirmation, ConfirmationMethod, TokenKind
from idp.protocol import scope as scope_syntax
from idp.protocol.errors import BearerError, EndpointError, ErrorCode, TokenScheme
from idp.protocol.scope import OPENID
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
class Opened:
    """What a token opens: what is stored of it, whose it is, and about whom."""

    stored: StoredToken
    client: Client
    account_id: str


@dataclass(frozen=True, slots=True)
class Own:
    """A token that speaks of no person: what is stored of it, and whose it is."""

    stored: StoredToken
    client: Client


def find(context: Context, connection: Connection, presented: PresentedToken) -> Opened:
    """Find a live token about a person; one read. `check` comes after it, outside of transactions.

    Raises:
        BearerError: invalid_token; insufficient_scope for a token without `openid`.
    """
    if not is_well_formed(SecretKind.ACCESS_TOKEN, presented.value):
        raise _invalid(presented, "malformed access token")
    stored = _live(context, presented, tokens.find(connection, digest(presented.value)))
    client = _client(context, connection, presented, stored)
    account_id = stored.family.account_id
    if account_id is None or OPENID not in (scope_syntax.parse(stored.scope) or frozenset()):
        raise BearerError(
            ErrorCode.INSUFFICIENT_SCOPE,
            reason="access token without openid",
            scheme=presented.scheme,
            scope=OPENID,
        )
    return Opened(stored, client, account_id)


def find_own(context: Context, connection: Connection, presented: PresentedToken, *, scope: str) -> Own:
    """Find a live token that a client got for itself; one read. `check_own` comes after it, outside of transactions.

    Raises:
        BearerError: invalid_token; insufficient_scope for a token without the scope, or about a person: whoever
            they allow something acts for them, not for itself.
    """
    if not is_well_formed(SecretKind.ACCESS_TOKEN, presented.value):
        raise _invalid(presented, "malformed access token")
    stored = _live(context, presented, tokens.find(connection, digest(presented.value)))
    client = _client(context, connection, presented, stored)
    has_scope = scope in (scope_syntax.parse(stored.scope) or frozenset()) and scope in client.scopes
    if stored.family.account_id is not None or not has_scope:
        raise BearerError(
            ErrorCode.INSUFFICIENT_SCOPE,
            reason=f"access token without {scope}, or about a person",
            scheme=presented.scheme,
            scope=scope,
        )
    return Own(stored, client)


def check_own(context: Context, presented: PresentedToken, own: Own) -> None:
    """Check that whoever brings a client's own token holds its key.

    Raises:
        BearerError: invalid_token; invalid_dpop_proof or use_dpop_nonce.
    """
    _check_possession(context, presented, own.stored)


def check(context: Context, presented: PresentedToken, opened: Opened) -> None:
    """Check that whoever brings a token holds its key, and that the login suffices.

    Raises:
        BearerError: invalid_token; invalid_dpop_proof or use_dpop_nonce; insufficient_user_authentication
            (RFC 9470 section 3).
    """
    _check_possession(context, presented, opened.stored)
    _check_authentication(context, opened.client, presented, opened.stored.family)


def _live(context: Context, presented: PresentedToken, stored: StoredToken | None) -> StoredToken:
    if stored is None or stored.kind is not TokenKind.ACCESS or not stored.is_live(context.clock()):
        raise _invalid(presented, "access token unknown, expired or revoked")
    if stored.audience:
        # RFC 8707 section 3: a token made for one API must open no other; this one never gets here as a JWT.
        raise _invalid(presented, "access token made for an API")
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


def _invalid(presented: PresentedToken, reason: str) -> BearerError:
    return BearerError(ErrorCode.INVALID_TOKEN, reason=reason, scheme=presented.scheme)
