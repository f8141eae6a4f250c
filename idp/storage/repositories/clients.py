"""Queries about clients and their secrets."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.domain.client import Client, ClientSecret
from idp.storage.models import (
    client_assertions,
    client_origins,
    client_secrets,
    clients,
    sessions,
    token_families,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

_VERSION = select(clients.c.version).where(clients.c.client_id == bindparam("id_"))
_BY_ID = select(clients).where(clients.c.client_id == bindparam("id_"))
_SECRETS = select(
    client_secrets.c.secret_hash,
    client_secrets.c.created_at,
    client_secrets.c.expires_at,
    client_secrets.c.sealed,
).where(client_secrets.c.client_id == bindparam("id_"))
_KNOWN_ORIGIN = (
    select(client_origins.c.origin).where(client_origins.c.origin == bindparam("origin_")).limit(1)
)
#: Columns of their own; every other attribute stands in `metadata`.
_OUTSIDE = frozenset({"client_id", "version", "name", "created_at", "disabled_at", "secrets"})


def version(connection: Connection, client_id: str) -> int | None:
    """Read how often a client was changed; None when there is no such client."""
    return connection.scalar(_VERSION, {"id_": client_id})


def by_id(connection: Connection, client_id: str) -> Client | None:
    """Read a client with its secrets."""
    row = connection.execute(_BY_ID, {"id_": client_id}).one_or_none()
    return None if row is None else _client_from(row, _secrets_of(connection, client_id))


def of_sessions(connection: Connection, session_ids: Sequence[str]) -> list[tuple[str, str, Client]]:
    """List the clients of sessions by one statement: session, subject that the client knows, client.

    The clients come without their secrets. A client that got a code in a session is of that session, whatever
    became of its tokens since: what it keeps on its own side, it alone can end.
    """
    born = (
        select(token_families.c.session_id, token_families.c.client_id, token_families.c.subject)
        .where(token_families.c.session_id.in_(session_ids))
        .distinct()
        .subquery()
    )
    statement = (
        select(born.c.session_id, born.c.subject, *clients.c)
        .join_from(born, clients, born.c.client_id == clients.c.client_id)
        .order_by(born.c.session_id, clients.c.client_id)
    )
    return [(row.session_id, row.subject, _client_from(row, ())) for row in connection.execute(statement)]


def live_sessions_of(connection: Connection, client_id: str, account_id: str) -> list[tuple[str, str]]:
    """List the live sessions in which a client got something about a person: session, subject that it knows."""
    statement = (
        select(token_families.c.session_id, token_families.c.subject)
        .join(sessions, sessions.c.session_id == token_families.c.session_id)
        .where(token_families.c.account_id == account_id, token_families.c.client_id == client_id)
        .distinct()
        .order_by(token_families.c.session_id)
    )
    return [(row.session_id, row.subject) for row in connection.execute(statement)]


def named(connection: Connection, client_ids: Sequence[str]) -> dict[str, Client]:
    """Read some clients by one statement, without their secrets; those that are gone are left out."""
    rows = connection.execute(select(clients).where(clients.c.client_id.in_(client_ids)))
    return {row.client_id: _client_from(row, ()) for row in rows}


def every(connection: Connection) -> list[Client]:
    """Read all clients, by name."""
    rows = connection.execute(select(clients).order_by(clients.c.name, clients.c.client_id)).all()
    return [_client_from(row, _secrets_of(connection, row.client_id)) for row in rows]


def every_in_public(connection: Connection) -> list[Client]:
    """Read all clients without their secrets, by name: one statement, for pages that list services."""
    rows = connection.execute(select(clients).order_by(clients.c.name, clients.c.client_id))
    return [_client_from(row, ()) for row in rows]


def create(connection: Connection, client: Client) -> None:
    """Write a new client and its secrets."""
    connection.execute(
        insert(clients).values(
            client_id=client.client_id,
            version=client.version,
            name=client.name,
            metadata=_metadata_of(client),
            created_at=client.created_at,
            disabled_at=client.disabled_at,
        )
    )
    for secret in client.secrets:
        add_secret(connection, client.client_id, secret)
    _write_origins(connection, client)


def replace(connection: Connection, client: Client) -> bool:
    """Write a changed client over the version it was made from; False when another change came first."""
    result = connection.execute(
        update(clients)
        .where(clients.c.client_id == client.client_id, clients.c.version == client.version)
        .values(
            version=client.version + 1,
            name=client.name,
            metadata=_metadata_of(client),
            disabled_at=client.disabled_at,
        )
    )
    if result.rowcount != 1:
        return False
    connection.execute(delete(client_origins).where(client_origins.c.client_id == client.client_id))
    _write_origins(connection, client)
    return True


def touch(connection: Connection, client_id: str) -> None:
    """Say that something beside the client's own row changed, such as its secrets."""
    connection.execute(
        update(clients).where(clients.c.client_id == client_id).values(version=clients.c.version + 1)
    )


def add_secret(connection: Connection, client_id: str, secret: ClientSecret) -> None:
    """Give a client one more secret."""
    connection.execute(
        insert(client_secrets).values(
            client_id=client_id,
            secret_hash=secret.secret_hash,
            created_at=secret.created_at,
            expires_at=secret.expires_at,
            sealed=secret.sealed,
        )
    )


def expire_secrets(connection: Connection, client_id: str, *, at: datetime, but: bytes) -> None:
    """Let every secret but one end at a moment, unless it ends before."""
    connection.execute(
        update(client_secrets)
        .where(
            client_secrets.c.client_id == client_id,
            client_secrets.c.secret_hash != but,
            (client_secrets.c.expires_at.is_(None)) | (client_secrets.c.expires_at > at),
        )
        .values(expires_at=at)
    )


def remove(connection: Connection, client_id: str) -> bool:
    """Erase a client and every row that points at it."""
    return connection.execute(delete(clients).where(clients.c.client_id == client_id)).rowcount == 1


def use_assertion(connection: Connection, *, jti_hash: bytes, client_id: str, expires_at: datetime) -> bool:
    """Write that an assertion was used; False when it was before: the primary key decides."""
    try:
        with connection.begin_nested():
            connection.execute(
                insert(client_assertions).values(
                    jti_hash=jti_hash, client_id=client_id, expires_at=expires_at
                )
            )
    except IntegrityError:
        return False
    return True


def is_known_origin(connection: Connection, origin: str) -> bool:
    """Tell whether any client registered this origin for its scripts (OID-10)."""
    return connection.scalar(_KNOWN_ORIGIN, {"origin_": origin}) is not None


def _write_origins(connection: Connection, client: Client) -> None:
    rows = [
        {"origin": origin, "client_id": client.client_id} for origin in dict.fromkeys(client.allowed_origins)
    ]
    if rows:
        connection.execute(insert(client_origins), rows)


def _secrets_of(connection: Connection, client_id: str) -> Sequence[ClientSecret]:
    return [ClientSecret(*row) for row in connection.execute(_SECRETS, {"id_": client_id})]


def _metadata_of(client: Client) -> dict[str, Any]:
    members = {
        field.name: getattr(client, field.name) for field in fields(client) if field.name not in _OUTSIDE
    }
    return dict(msgspec.to_builtins(members))


def _client_from(row: Row[*tuple[Any, ...]], secrets: Sequence[ClientSecret]) -> Client:
    return msgspec.convert(
        {
            **row.metadata,
            "client_id": row.client_id,
            "version": row.version,
            "name": row.name,
            "created_at": row.created_at,
            "disabled_at": row.disabled_at,
            "secrets": tuple(secrets),
        },
        Client,
        from_attributes=True,
    )
