"""Secrets of clients: made, shown once, kept as hashes; encrypted as well where they sign (OID-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from idp.crypto.opaque import SecretKind, digest, new_secret
from idp.domain.client import Client, ClientAuthenticationMethod, ClientSecret
from idp.storage.repositories import clients

if TYPE_CHECKING:
    from datetime import datetime

    from idp.crypto.opaque import Sealer
    from idp.storage.engine import Connection

_BY_SECRET: Final = frozenset(
    {
        ClientAuthenticationMethod.SECRET_BASIC,
        ClientAuthenticationMethod.SECRET_POST,
        ClientAuthenticationMethod.SECRET_JWT,
    }
)


@dataclass(frozen=True, slots=True, repr=False)
class IssuedSecret:
    """A new secret: in clear for the only time, and as it is kept."""

    clear: str
    kept: ClientSecret


def needs_secret(client: Client) -> bool:
    """Tell whether a client proves itself by a secret."""
    return client.authentication_method in _BY_SECRET


def has_secret(client: Client, now: datetime) -> bool:
    """Tell whether a client has a live secret of the kind that its method needs."""
    signs = _signs(client)
    return any(secret.is_live(now) and (secret.sealed is not None) == signs for secret in client.secrets)


def issue(sealer: Sealer, client: Client, now: datetime) -> IssuedSecret:
    """Make a secret; one that signs is kept encrypted too, for its hash checks no signature."""
    clear = new_secret(SecretKind.CLIENT_SECRET)
    sealed = sealer.seal(clear.encode(), bound_to=bound_to(client.client_id)) if _signs(client) else None
    return IssuedSecret(clear, ClientSecret(digest(clear), now, sealed=sealed))


def keep_secret(connection: Connection, client: Client, issued: IssuedSecret | None, now: datetime) -> None:
    """Bring the stored secrets of a changed client in line with it, in the transaction of the change.

    Args:
        connection: That transaction.
        client: As changed.
        issued: A new secret, which ends every other; None leaves those of a client that needs one as they are,
            and ends those of a client that no longer does.
        now: When.
    """
    if issued is not None:
        clients.add_secret(connection, client.client_id, issued.kept)
    if issued is not None or not needs_secret(client):
        kept = b"" if issued is None else issued.kept.secret_hash
        clients.expire_secrets(connection, client.client_id, at=now, but=kept)


def bound_to(client_id: str) -> str:
    """Name the place that the secret of a client is sealed for, so that it opens nowhere else."""
    return f"client_secret/{client_id}"


def _signs(client: Client) -> bool:
    return client.authentication_method is ClientAuthenticationMethod.SECRET_JWT
