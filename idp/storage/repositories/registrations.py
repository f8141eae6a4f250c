"""Queries about tokens that let a client register, and manage, itself (RFC 7591, RFC 7592)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update

from idp.storage.models import client_registrations, initial_access_tokens

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

_TOKENS = initial_access_tokens
_REGISTRATIONS = client_registrations


@dataclass(frozen=True, slots=True)
class InitialToken:
    """A token that opens the registration endpoint; the token itself is nowhere.

    Attributes:
        token_id: Its name, for administrators.
        label: For whom it was made.
        uses_left: How many clients it may still register; None for any number.
        created_at: When it was made.
        expires_at: When it ends.
        revoked_at: When an administrator ended it; None while it lives.
    """

    token_id: str
    label: str
    uses_left: int | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        """Tell whether it still opens anything."""
        return self.revoked_at is None and now < self.expires_at and self.uses_left != 0


def add_initial_token(connection: Connection, token: InitialToken, token_hash: bytes) -> None:
    """Write a new token."""
    connection.execute(
        insert(_TOKENS).values(
            token_id=token.token_id,
            token_hash=token_hash,
            label=token.label,
            uses_left=token.uses_left,
            created_at=token.created_at,
            expires_at=token.expires_at,
        )
    )


def initial_tokens(connection: Connection) -> list[InitialToken]:
    """Read every token, the oldest first."""
    columns = (
        _TOKENS.c.token_id,
        _TOKENS.c.label,
        _TOKENS.c.uses_left,
        _TOKENS.c.created_at,
        _TOKENS.c.expires_at,
        _TOKENS.c.revoked_at,
    )
    rows = connection.execute(select(*columns).order_by(_TOKENS.c.created_at, _TOKENS.c.token_id))
    return [InitialToken(*row) for row in rows]


def revoke_initial_token(connection: Connection, token_id: str, now: datetime) -> bool:
    """End a token; False when there is none that has not ended."""
    statement = (
        update(_TOKENS)
        .where(_TOKENS.c.token_id == token_id, _TOKENS.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return connection.execute(statement).rowcount == 1


def initial_token_opens(connection: Connection, token_hash: bytes, now: datetime) -> bool:
    """Tell whether a token would be taken now; nothing is used up."""
    found = connection.scalar(select(_TOKENS.c.token_id).where(*_usable(token_hash, now)))
    return found is not None


def use_initial_token(connection: Connection, token_hash: bytes, now: datetime) -> str | None:
    """Use a token up by one registration; its name, or None when it opens nothing any more."""
    # One statement decides, whatever the number of clients that come at once.
    statement = (
        update(_TOKENS)
        .where(*_usable(token_hash, now))
        .values(uses_left=_TOKENS.c.uses_left - 1)
        .returning(_TOKENS.c.token_id)
    )
    token_id: str | None = connection.scalar(statement)
    return token_id


def add_registration(connection: Connection, client_id: str, token_hash: bytes, now: datetime) -> None:
    """Write the token by which a client manages its registration."""
    connection.execute(
        insert(_REGISTRATIONS).values(client_id=client_id, token_hash=token_hash, created_at=now)
    )


def managed_client(connection: Connection, token_hash: bytes) -> str | None:
    """Name the client that a token manages."""
    client_id: str | None = connection.scalar(
        select(_REGISTRATIONS.c.client_id).where(_REGISTRATIONS.c.token_hash == token_hash)
    )
    return client_id


def _usable(token_hash: bytes, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        _TOKENS.c.token_hash == token_hash,
        _TOKENS.c.revoked_at.is_(None),
        _TOKENS.c.expires_at > now,
        (_TOKENS.c.uses_left.is_(None)) | (_TOKENS.c.uses_left > 0),
    )
