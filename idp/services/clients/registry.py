"""Registers and changes clients, for administrators; every act is audited (ADM-1, CON-1)."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Final

from idp.crypto.opaque import new_id
from idp.domain.client import Client
from idp.domain.events import ClientChanged
from idp.protocol.clients.metadata import MetadataProblem, Rules, problems
from idp.services.audit import record
from idp.services.clients.logos import address_of, looked_at
from idp.services.clients.secrets import has_secret, issue, keep_secret, needs_secret
from idp.services.clients.sectors import sector_problems
from idp.storage.repositories import clients, logos, tokens
from idp.storage.repositories.logos import StoredLogo

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from idp.domain.client import ClientSecret
    from idp.services.clients.secrets import IssuedSecret
    from idp.services.tools import Tools
    from idp.storage.engine import Connection

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


def create(tools: Tools, client: Client, logo: bytes | None = None) -> Registered | Invalid | Taken:
    """Register a client; one that authenticates with a secret gets one, shown once.

    Args:
        tools: The parts.
        client: Without secrets; an empty `client_id` is made here.
        logo: An image, as it was read.
    """
    now = tools.clock()
    wanted = replace(client, client_id=client.client_id or new_id(now), version=1, created_at=now, secrets=())
    checked = checked_with_logo(tools, wanted, logo)
    if isinstance(checked, Invalid):
        return checked
    wanted, image = checked
    found = sector_problems(tools, wanted)
    if found:
        return Invalid(found)
    secret = issue(tools.sealer, wanted, now) if needs_secret(wanted) else None
    if secret is not None:
        wanted = replace(wanted, secrets=(secret.kept,))
    with tools.database.write() as connection:
        if clients.version(connection, wanted.client_id) is not None:
            return Taken()
        write_new(connection, wanted, image, now)
    return Registered(wanted, None if secret is None else secret.clear)


def find(tools: Tools, client_id: str) -> Client | Unknown:
    """Read a client with everything it registered."""
    with tools.database.read() as connection:
        return clients.by_id(connection, client_id) or Unknown()


def every(tools: Tools) -> list[Client]:
    """Read all clients, by name."""
    with tools.database.read() as connection:
        return clients.every(connection)


def update(
    tools: Tools, changed: Client, logo: bytes | None = None, *, without_logo: bool = False
) -> Registered | Invalid | Unknown | ChangedMeanwhile:
    """Store a changed client over the version that it was made from.

    A client that comes to need a secret, or one of another kind, gets one; of one that no longer does, every
    secret ends at once.

    Args:
        tools: The parts.
        changed: With the version and the secrets that it was read with.
        logo: A new image, as it was read; None to leave the one that is there.
        without_logo: Take the logo away.
    """
    now = tools.clock()
    candidate = changed if needs_secret(changed) else replace(changed, secrets=())
    if without_logo:
        candidate = replace(candidate, logo_uri=None)
    checked = checked_with_logo(tools, candidate, logo)
    if isinstance(checked, Invalid):
        return checked
    candidate, image = checked
    present = find(tools, changed.client_id)
    if isinstance(present, Unknown):
        return present
    found = changed_sector_problems(tools, present, candidate)
    if found:
        return Invalid(found)
    is_new = needs_secret(candidate) and not has_secret(candidate, now)
    secret = issue(tools.sealer, candidate, now) if is_new else None
    with tools.database.write() as connection:
        if not write_changed(connection, Changed(present, candidate, image, secret), now):
            return ChangedMeanwhile()
    return Registered(
        replace(candidate, version=changed.version + 1), None if secret is None else secret.clear
    )


def rotate_secret(tools: Tools, client_id: str, grace: timedelta) -> Registered | Invalid | Unknown:
    """Give a client a new secret; the one before goes on for a while, so that the service can be changed over.

    Args:
        tools: The parts.
        client_id: Which client.
        grace: How long the one before lives at most; none for one that leaked. Older ones end at once: two
            secrets are enough to change over, and a third would be forgotten.
    """
    now = tools.clock()
    with tools.database.write() as connection:
        client = clients.by_id(connection, client_id)
        if client is None:
            return Unknown()
        if not needs_secret(client):
            method = client.authentication_method
            return Invalid((MetadataProblem("token_endpoint_auth_method", f"is {method}: no secret"),))
        secret = issue(tools.sealer, client, now)
        before = max((one for one in client.secrets if one.is_live(now)), key=_made, default=None)
        if before is not None:
            clients.expire_secrets(connection, client_id, at=now, but=before.secret_hash)
        clients.add_secret(connection, client_id, secret.kept)
        clients.expire_secrets(connection, client_id, at=now + grace, but=secret.kept.secret_hash)
        clients.touch(connection, client_id)
        record(connection, ClientChanged("secret_rotated"), now, actor=_ACTOR, client_id=client_id)
    return Registered(client, secret.clear)


def disable(tools: Tools, client_id: str) -> Registered | Unknown:
    """Close a service at once: no login, no token; what it holds is revoked in the same transaction."""
    now = tools.clock()
    with tools.database.write() as connection:
        client = clients.by_id(connection, client_id)
        if client is None:
            return Unknown()
        if client.disabled_at is not None:
            return Registered(client)
        disabled = write_disabled(connection, client, now)
    # Somebody changed it between the two statements: what they wrote is closed then.
    return disable(tools, client_id) if disabled is None else Registered(disabled)


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


def rules_of(tools: Tools) -> Rules:
    """Say what this installation has keys for."""
    keyring = tools.keys.keyring()
    usual = Rules()
    # Before the first key is made nothing says what can be signed: the defaults hold.
    return replace(
        usual,
        signing_algs=keyring.algorithms() or usual.signing_algs,
        decryption_algs=keyring.encryption_algorithms() or usual.decryption_algs,
    )


def checked_with_logo(
    tools: Tools, client: Client, logo: bytes | None
) -> tuple[Client, StoredLogo | None] | Invalid:
    """Look at a client and its image before anything is written: everything that is wrong, at once."""
    image = None if logo is None else looked_at(logo)
    if isinstance(image, StoredLogo):
        client = replace(client, logo_uri=address_of(client.client_id, image))
    found = problems(client, rules_of(tools))
    if isinstance(image, MetadataProblem):
        return Invalid((*found, image))
    return Invalid(found) if found else (client, image)


def changed_sector_problems(
    tools: Tools, present: Client | None, changed: Client
) -> tuple[MetadataProblem, ...]:
    """Ask a sector whether the client is its own, where either has changed; never inside of a transaction."""
    if present is not None and _sector_of(present) == _sector_of(changed):
        return ()
    return sector_problems(tools, changed)


@dataclass(frozen=True, slots=True)
class Changed:
    """A change that was checked.

    Attributes:
        present: As it was read.
        candidate: As it shall be.
        image: A new logo; None to leave the one that is there, or none where the candidate has none.
        secret: A new one; None for none.
    """

    present: Client
    candidate: Client
    image: StoredLogo | None = None
    secret: IssuedSecret | None = None


def write_new(connection: Connection, client: Client, image: StoredLogo | None, now: datetime) -> None:
    """Write a new client that was checked, with its secrets and its logo."""
    clients.create(connection, client)
    if image is not None:
        logos.put(connection, client.client_id, image, now)
    record(connection, ClientChanged("created"), now, actor=_ACTOR, client_id=client.client_id)


def write_changed(connection: Connection, change: Changed, now: datetime) -> bool:
    """Write a change that was checked; False when another change came first."""
    candidate = change.candidate
    if not clients.replace(connection, candidate):
        return False
    keep_secret(connection, candidate, change.secret, now)
    if change.image is not None:
        logos.put(connection, candidate.client_id, change.image, now)
    elif candidate.logo_uri is None:
        logos.remove(connection, candidate.client_id)
    event = ClientChanged("updated", changed_fields(change.present, candidate))
    record(connection, event, now, actor=_ACTOR, client_id=candidate.client_id)
    return True


def write_disabled(connection: Connection, client: Client, now: datetime) -> Client | None:
    """Close a client; what it holds dies in the same transaction. None when another change came first."""
    disabled = replace(client, disabled_at=now)
    if not clients.replace(connection, disabled):
        return None
    tokens.revoke_families_of_client(connection, client.client_id, now, "client_disabled")
    record(connection, ClientChanged("disabled"), now, actor=_ACTOR, client_id=client.client_id)
    return disabled


def _sector_of(client: Client) -> tuple[str | None, tuple[str, ...]]:
    return client.sector_identifier_uri, client.redirect_uris


def _made(secret: ClientSecret) -> datetime:
    return secret.created_at
