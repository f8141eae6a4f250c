"""Registers and changes clients, for administrators; every act is audited (ADM-1, CON-1)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from idp.crypto.opaque import SecretKind, digest, new_id, new_secret
from idp.domain.client import Client, ClientAuthenticationMethod, ClientSecret
from idp.domain.events import ClientChanged
from idp.protocol.clients.metadata import MetadataProblem, Rules, problems
from idp.services.audit import record
from idp.storage.repositories import clients, tokens

if TYPE_CHECKING:
    from datetime import timedelta

    from idp.services.operations.tools import Tools

_WITH_SECRET: Final = frozenset(
    {ClientAuthenticationMethod.SECRET_BASIC, ClientAuthenticationMethod.SECRET_POST}
)
_NOT_CHANGES: Final = frozenset({"version", "secrets", "created_at"})
_ACTOR: Final = "administrator"


@dataclass(frozen=True, slots=True)
class Registered:
    """A client is stored.

    Attributes:
        client: As stored.
        secret: A new secret, in clear for the only time; None when none was made.
    """

    client: Client
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Invalid:
    """Nothing was stored: this is wrong, all at once."""

    problems: tuple[MetadataProblem, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """Nothing was stored: a client of this identifier exists."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """There is no such client."""


@dataclass(frozen=True, slots=True)
class ChangedMeanwhile:
    """Nothing was stored: somebody else changed the client since it was read."""


def create(tools: Tools, client: Client) -> Registered | Invalid | Taken:
    """Register a client; one that authenticates with a secret gets one, shown once.

    Args:
        tools: The parts.
        client: Without secrets; an empty `client_id` is made here.
    """
    now = tools.clock()
    wanted = replace(client, client_id=client.client_id or new_id(now), version=1, created_at=now, secrets=())
    found = problems(wanted, _rules(tools))
    if found:
        return Invalid(found)
    secret = _secret_for(wanted)
    if secret is not None:
        wanted = replace(wanted, secrets=(ClientSecret(digest(secret), now),))
    with tools.database.write() as connection:
        if clients.version(connection, wanted.client_id) is not None:
            return Taken()
        clients.create(connection, wanted)
        record(connection, ClientChanged("created"), now, actor=_ACTOR, client_id=wanted.client_id)
    return Registered(wanted, secret)


def find(tools: Tools, client_id: str) -> Client | Unknown:
    """Read a client with everything it registered."""
    with tools.database.read() as connection:
        return clients.by_id(connection, client_id) or Unknown()


def every(tools: Tools) -> list[Client]:
    """Read all clients, by name."""
    with tools.database.read() as connection:
        return clients.every(connection)


def update(tools: Tools, changed: Client) -> Registered | Invalid | Unknown | ChangedMeanwhile:
    """Store a changed client over the version that it was made from.

    A client that comes to need a secret gets one; of one that no longer does, every secret ends at once.
    """
    now = tools.clock()
    needs_secret = changed.authentication_method in _WITH_SECRET
    candidate = changed if needs_secret else replace(changed, secrets=())
    found = problems(candidate, _rules(tools))
    if found:
        return Invalid(found)
    has_secret = any(secret.is_live(now) for secret in changed.secrets)
    secret = _secret_for(candidate) if needs_secret and not has_secret else None
    with tools.database.write() as connection:
        present = clients.by_id(connection, changed.client_id)
        if present is None:
            return Unknown()
        if not clients.replace(connection, changed):
            return ChangedMeanwhile()
        if not needs_secret:
            clients.expire_secrets(connection, changed.client_id, at=now, but=b"")
        if secret is not None:
            clients.add_secret(connection, changed.client_id, ClientSecret(digest(secret), now))
        event = ClientChanged("updated", changed_fields(present, changed))
        record(connection, event, now, actor=_ACTOR, client_id=changed.client_id)
    return Registered(replace(candidate, version=changed.version + 1), secret)


def rotate_secret(tools: Tools, client_id: str, grace: timedelta) -> Registered | Invalid | Unknown:
    """Give a client a new secret; the old ones go on for a while, so that the service can be changed over.

    Args:
        tools: The parts.
        client_id: Which client.
        grace: How long the old ones live at most; none for one that leaked.
    """
    now = tools.clock()
    with tools.database.write() as connection:
        client = clients.by_id(connection, client_id)
        if client is None:
            return Unknown()
        secret = _secret_for(client)
        if secret is None:
            return Invalid(
                (
                    MetadataProblem(
                        "token_endpoint_auth_method", f"is {client.authentication_method}: no secret"
                    ),
                )
            )
        new = ClientSecret(digest(secret), now)
        clients.add_secret(connection, client_id, new)
        clients.expire_secrets(connection, client_id, at=now + grace, but=new.secret_hash)
        clients.touch(connection, client_id)
        record(connection, ClientChanged("secret_rotated"), now, actor=_ACTOR, client_id=client_id)
    return Registered(client, secret)


def disable(tools: Tools, client_id: str) -> Registered | Unknown:
    """Close a service at once: no login, no token; what it holds is revoked in the same transaction."""
    now = tools.clock()
    with tools.database.write() as connection:
        client = clients.by_id(connection, client_id)
        if client is None:
            return Unknown()
        if client.disabled_at is not None:
            return Registered(client)
        disabled = replace(client, disabled_at=now)
        clients.replace(connection, disabled)
        tokens.revoke_families_of_client(connection, client_id, now, "client_disabled")
        record(connection, ClientChanged("disabled"), now, actor=_ACTOR, client_id=client_id)
    return Registered(disabled)


def enable(tools: Tools, client_id: str) -> Registered | Unknown:
    """Open a service again."""
    now = tools.clock()
    with tools.database.write() as connection:
        client = clients.by_id(connection, client_id)
        if client is None:
            return Unknown()
        if client.disabled_at is None:
            return Registered(client)
        enabled = replace(client, disabled_at=None)
        clients.replace(connection, enabled)
        record(connection, ClientChanged("enabled"), now, actor=_ACTOR, client_id=client_id)
    return Registered(enabled)


def delete(tools: Tools, client_id: str) -> bool:
    """Erase a client with its consents and tokens; False when there is none."""
    now = tools.clock()
    with tools.database.write() as connection:
        removed = clients.remove(connection, client_id)
        if removed:
            record(connection, ClientChanged("deleted"), now, actor=_ACTOR, client_id=client_id)
    return removed


def changed_fields(before: Client, after: Client) -> tuple[str, ...]:
    """Name the attributes that differ."""
    names = (field.name for field in fields(Client) if field.name not in _NOT_CHANGES)
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def _rules(tools: Tools) -> Rules:
    algorithms = tools.keys.keyring().algorithms()
    # Before the first key is made nothing says what can be signed: the defaults hold.
    return Rules(signing_algs=algorithms) if algorithms else Rules()


def _secret_for(client: Client) -> str | None:
    return new_secret(SecretKind.CLIENT_SECRET) if client.authentication_method in _WITH_SECRET else None
