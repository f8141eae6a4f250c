"""Queries about codes and tokens; the atomic `consume_code` and `consume_refresh`.

Everything here is on the hot path: Core statements built once, explicit columns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import Text, bindparam, func, insert, literal_column, select, update

from idp.domain.tokens import Confirmation, ConfirmationMethod, TokenFamily, TokenKind
from idp.storage.models import accounts, authorization_codes, clients, token_families, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Column, ColumnElement, Connection, ScalarSelect, Table

_INSERT_FAMILY = insert(token_families)
_INSERT_CODE = insert(authorization_codes)
_INSERT_TOKENS = insert(tokens)


def live_clients_of(connection: Connection, account_id: str, now: datetime) -> dict[str, datetime]:
    """Tell which clients hold something live of a person, and since when."""
    rows = connection.execute(
        select(token_families.c.client_id, func.min(token_families.c.created_at))
        .where(
            token_families.c.account_id == account_id,
            token_families.c.revoked_at.is_(None),
            token_families.c.expires_at > now,
        )
        .group_by(token_families.c.client_id)
    )
    return {row[0]: row[1] for row in rows}


def _of_family(column: Column[Any], table: Table) -> ScalarSelect[Any]:
    # SQLite's RETURNING can't name another table, but may hold a scalar subquery. SQLAlchemy writes the columns in
    # such a RETURNING without their table, so that `family_id = family_id` would hold for every family: the outer
    # one is written out.
    own: ColumnElement[str] = literal_column(f"{table.name}.family_id", Text)
    return select(column).where(token_families.c.family_id == own).scalar_subquery()


# One statement decides the winner.
# RFC 6749 section 4.1.2: "MUST NOT use the authorization code more than once".
_CONSUME_CODE = (
    update(authorization_codes)
    .where(
        authorization_codes.c.code_hash == bindparam("hash_"),
        authorization_codes.c.client_id == bindparam("client_"),
        authorization_codes.c.consumed_at.is_(None),
    )
    .values(consumed_at=bindparam("now_"))
    .returning(
        authorization_codes.c.family_id,
        authorization_codes.c.redirect_uri,
        authorization_codes.c.code_challenge,
        authorization_codes.c.expires_at,
        authorization_codes.c.dpop_jkt,
        _of_family(token_families.c.grant, authorization_codes).label("family_grant"),
        _of_family(token_families.c.revoked_at, authorization_codes).label("family_revoked_at"),
    )
)
_CODE = select(
    authorization_codes.c.family_id,
    authorization_codes.c.redirect_uri,
    authorization_codes.c.code_challenge,
    authorization_codes.c.expires_at,
    authorization_codes.c.client_id,
    authorization_codes.c.consumed_at,
    authorization_codes.c.dpop_jkt,
).where(authorization_codes.c.code_hash == bindparam("hash_"))
_FAMILY = select(token_families.c.grant, token_families.c.revoked_at).where(
    token_families.c.family_id == bindparam("id_")
)
_TOKEN = (
    select(
        tokens.c.kind,
        tokens.c.client_id,
        tokens.c.scope,
        tokens.c.confirmation,
        tokens.c.audience,
        tokens.c.counter,
        tokens.c.issued_at,
        tokens.c.expires_at,
        tokens.c.consumed_at,
        tokens.c.revoked_at,
        tokens.c.family_id,
        token_families.c.grant.label("family_grant"),
        token_families.c.revoked_at.label("family_revoked_at"),
        clients.c.version.label("client_version"),
        accounts.c.email,
        accounts.c.state,
        accounts.c.limited_at,
        accounts.c.language,
    )
    .select_from(tokens.join(token_families).join(clients).outerjoin(accounts))
    .where(tokens.c.token_hash == bindparam("hash_"))
)
_CONSUME_REFRESH = (
    update(tokens)
    .where(
        tokens.c.token_hash == bindparam("hash_"),
        tokens.c.kind == TokenKind.REFRESH,
        tokens.c.client_id == bindparam("client_"),
        tokens.c.consumed_at.is_(None),
        tokens.c.revoked_at.is_(None),
        tokens.c.expires_at > bindparam("now_"),
    )
    .values(consumed_at=bindparam("now_"))
    .returning(
        tokens.c.family_id,
        tokens.c.counter,
        tokens.c.scope,
        tokens.c.confirmation,
        _of_family(token_families.c.grant, tokens).label("family_grant"),
        _of_family(token_families.c.revoked_at, tokens).label("family_revoked_at"),
    )
)
_REVOKE_TOKEN = (
    update(tokens)
    .where(tokens.c.token_hash == bindparam("hash_"), tokens.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now_"))
)


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token about to be stored: its hash and what is said of it.

    Attributes:
        confirmation: The key it is bound to; None for a token that whoever holds it may use.
        audience: The APIs it is made for (RFC 8707); empty for one of UserInfo.
    """

    token_hash: bytes
    kind: TokenKind
    client_id: str
    scope: str
    counter: int
    issued_at: datetime
    expires_at: datetime
    confirmation: Confirmation | None = None
    audience: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredCode:
    """A code as it was issued.

    Attributes:
        dpop_jkt: Thumbprint of the key that must prove itself with the code (RFC 9449 section 10).
    """

    family_id: str
    redirect_uri: str
    code_challenge: str | None
    expires_at: datetime
    client_id: str
    consumed_at: datetime | None = None
    dpop_jkt: str | None = None


@dataclass(frozen=True, slots=True)
class ConsumedRefresh:
    """A refresh token that this call used up."""

    family: TokenFamily
    counter: int
    scope: str
    confirmation: Confirmation | None = None


@dataclass(frozen=True, slots=True)
class StoredToken:
    """A token, its family and the account it speaks of, read by one statement."""

    kind: TokenKind
    client_id: str
    client_version: int
    scope: str
    counter: int
    issued_at: datetime
    expires_at: datetime
    consumed_at: datetime | None
    revoked_at: datetime | None
    family: TokenFamily
    email: str | None
    account_may_be_told: bool
    language: str | None
    confirmation: Confirmation | None = None
    audience: tuple[str, ...] = ()

    def is_live(self, now: datetime) -> bool:
        """Tell whether the token may still be used: its own dates, its family, its account."""
        return (
            self.consumed_at is None
            and self.revoked_at is None
            and self.family.revoked_at is None
            and now < self.expires_at
            and (self.family.account_id is None or self.account_may_be_told)
        )


def create_family(connection: Connection, family: TokenFamily) -> None:
    """Write what was granted; codes and tokens point at it."""
    connection.execute(
        _INSERT_FAMILY,
        {
            "family_id": family.family_id,
            "client_id": family.client_id,
            "account_id": family.account_id,
            "consent_id": family.consent_id,
            "session_id": family.session_id,
            "subject": family.subject,
            "grant": family,
            "created_at": family.created_at,
            "expires_at": family.expires_at,
        },
    )


def find_family(connection: Connection, family_id: str) -> TokenFamily | None:
    """Read what was granted, dead or alive."""
    row = connection.execute(_FAMILY, {"id_": family_id}).one_or_none()
    return None if row is None else _family_from(row.grant, row.revoked_at)


def create_code(connection: Connection, code: StoredCode, *, code_hash: bytes) -> None:
    """Write a new authorization code."""
    connection.execute(
        _INSERT_CODE,
        {
            "code_hash": code_hash,
            "family_id": code.family_id,
            "client_id": code.client_id,
            "redirect_uri": code.redirect_uri,
            "code_challenge": code.code_challenge,
            "dpop_jkt": code.dpop_jkt,
            "expires_at": code.expires_at,
        },
    )


def consume_code(
    connection: Connection, code_hash: bytes, client_id: str, now: datetime
) -> tuple[StoredCode, TokenFamily] | None:
    """Use up a code, at most once whatever the number of concurrent callers.

    Returns:
        The code and its family if this call used it up; None if unknown, another client's, or used already.
    """
    row = connection.execute(
        _CONSUME_CODE, {"hash_": code_hash, "client_": client_id, "now_": now}
    ).one_or_none()
    if row is None:
        return None
    code = StoredCode(
        row.family_id, row.redirect_uri, row.code_challenge, row.expires_at, client_id, now, row.dpop_jkt
    )
    return code, _family_from(row.family_grant, row.family_revoked_at)


def find_code(connection: Connection, code_hash: bytes) -> StoredCode | None:
    """Read a code whatever its state, to see whether it is being replayed."""
    row = connection.execute(_CODE, {"hash_": code_hash}).one_or_none()
    return None if row is None else StoredCode(*row)


def add_tokens(connection: Connection, family_id: str, new: Sequence[NewToken]) -> None:
    """Write tokens, in one statement."""
    connection.execute(
        _INSERT_TOKENS,
        [
            {
                "token_hash": token.token_hash,
                "family_id": family_id,
                "kind": token.kind,
                "client_id": token.client_id,
                "scope": token.scope,
                "confirmation": _confirmation_text(token.confirmation),
                "audience": list(token.audience) or None,
                "counter": token.counter,
                "issued_at": token.issued_at,
                "expires_at": token.expires_at,
            }
            for token in new
        ],
    )


def find(connection: Connection, token_hash: bytes) -> StoredToken | None:
    """Read a token with its family and account, and the version of its client."""
    row = connection.execute(_TOKEN, {"hash_": token_hash}).one_or_none()
    if row is None:
        return None
    return StoredToken(
        kind=TokenKind(row.kind),
        client_id=row.client_id,
        client_version=row.client_version,
        scope=row.scope,
        counter=row.counter,
        issued_at=row.issued_at,
        expires_at=row.expires_at,
        consumed_at=row.consumed_at,
        revoked_at=row.revoked_at,
        family=_family_from(row.family_grant, row.family_revoked_at),
        email=row.email,
        # PRI-4: of a limited account nothing is told, whatever was granted.
        account_may_be_told=row.state == "active" and row.limited_at is None,
        language=row.language,
        confirmation=_confirmation_from(row.confirmation),
        audience=tuple(row.audience or ()),
    )


def consume_refresh(
    connection: Connection, token_hash: bytes, client_id: str, now: datetime
) -> ConsumedRefresh | None:
    """Use up a refresh token that rotates, at most once; None when it can't be, or another call did."""
    row = connection.execute(
        _CONSUME_REFRESH, {"hash_": token_hash, "client_": client_id, "now_": now}
    ).one_or_none()
    if row is None:
        return None
    return ConsumedRefresh(
        _family_from(row.family_grant, row.family_revoked_at),
        row.counter,
        row.scope,
        _confirmation_from(row.confirmation),
    )


def revoke_token(connection: Connection, token_hash: bytes, now: datetime) -> None:
    """Revoke one token."""
    connection.execute(_REVOKE_TOKEN, {"hash_": token_hash, "now_": now})


def extend_refresh(connection: Connection, token_hash: bytes, expires_at: datetime) -> None:
    """Give a refresh token that does not rotate its idle life anew."""
    connection.execute(
        update(tokens)
        .where(tokens.c.token_hash == token_hash, tokens.c.expires_at < expires_at)
        .values(expires_at=expires_at)
    )


def revoke_family(connection: Connection, family_id: str, now: datetime, reason: str) -> bool:
    """Kill every token of an authorization; False when it was dead."""
    return _revoke(connection, token_families.c.family_id == family_id, now, reason) > 0


def revoke_families_of_account(
    connection: Connection, account_id: str, now: datetime, reason: str, *, but_session: str | None = None
) -> int:
    """Kill every token that speaks of an account, but those of one session; gives back how many."""
    condition = token_families.c.account_id == account_id
    if but_session is not None:
        condition &= token_families.c.session_id.is_distinct_from(but_session)
    return _revoke(connection, condition, now, reason)


def revoke_families_of_sessions(
    connection: Connection, session_ids: Sequence[str], now: datetime, reason: str
) -> int:
    """Kill every token that was born in one of these sessions."""
    return _revoke(connection, token_families.c.session_id.in_(session_ids), now, reason)


def revoke_families_of_client_for(
    connection: Connection, account_id: str, client_id: str, now: datetime, reason: str
) -> int:
    """Kill every token that a client holds for a person: a withdrawn consent acts at once (CON-4)."""
    condition = (token_families.c.account_id == account_id) & (token_families.c.client_id == client_id)
    return _revoke(connection, condition, now, reason)


def revoke_families_of_client(connection: Connection, client_id: str, now: datetime, reason: str) -> int:
    """Kill every token of a client."""
    return _revoke(connection, token_families.c.client_id == client_id, now, reason)


def _revoke(connection: Connection, condition: Any, now: datetime, reason: str) -> int:  # noqa: ANN401 - a clause
    result = connection.execute(
        update(token_families)
        .where(condition, token_families.c.revoked_at.is_(None))
        .values(revoked_at=now, revoked_reason=reason)
    )
    return result.rowcount


def _confirmation_text(confirmation: Confirmation | None) -> str | None:
    return None if confirmation is None else f"{confirmation.method}:{confirmation.thumbprint}"


def _confirmation_from(text: str | None) -> Confirmation | None:
    if text is None:
        return None
    method, _, thumbprint = text.partition(":")
    return Confirmation(ConfirmationMethod(method), thumbprint)


def _family_from(grant: dict[str, Any], revoked_at: datetime | None) -> TokenFamily:
    family: TokenFamily = msgspec.convert(grant, TokenFamily)
    return family if revoked_at is None else replace(family, revoked_at=revoked_at)
