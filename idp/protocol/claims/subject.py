"""Public and pairwise subject identifiers (OIDC Core 8; CON-6).

A subject is a keyed hash, so that it is stable, can't be reversed, and two sectors can't join what
they know. The account's id never leaves. Whoever has the key can compute every subject: it must
neither be lost (people would become strangers to their services) nor leak.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hmac import digest
from urllib.parse import urlsplit

from idp.domain.client import Client, SubjectType

#: A sector never starts with NUL: the two kinds of subject can't meet.
_PUBLIC = b"\x00public\x00"
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


def subject_of(client: Client, account_id: str, key: bytes) -> str:
    """Name the person as this client knows them.

    Args:
        client: Who will read it.
        account_id: Internal name of the account; never reused (OIDC Core 2: "never reassigned").
        key: The secret of all subjects, 32 bytes or more.

    Returns:
        43 ASCII characters.
    """
    if client.subject_type is SubjectType.PUBLIC:
        return public(key, account_id)
    return pairwise(key, sector_of(client), account_id)


def pairwise(key: bytes, sector: str, account_id: str) -> str:
    """Name the person for one sector (OIDC Core 8.1)."""
    return _hash(key, sector.encode() + b"\x00" + account_id.encode())


def public(key: bytes, account_id: str) -> str:
    """Name the person alike for every client that an administrator allowed to share it."""
    return _hash(key, _PUBLIC + account_id.encode())


def sector_of(client: Client) -> str:
    """Name the group of clients that see one person under one subject.

    OIDC Core 8.1: the sector identifier that was registered, else the host of the redirect URIs. A
    host of this machine, or none, tells nothing of who the client is, and several hosts without a
    sector identifier are refused at registration: each such client is then a sector of its own.
    """
    if client.sector_identifier:
        return client.sector_identifier
    hosts = redirect_hosts(client.redirect_uris)
    if len(hosts) == 1 and not hosts & _LOCAL_HOSTS:
        return next(iter(hosts))
    return client.client_id


def redirect_hosts(redirect_uris: tuple[str, ...]) -> frozenset[str]:
    """Name the hosts of web redirect URIs, in lower case; an app's own scheme has none."""
    return frozenset(
        parts.hostname
        for parts in map(urlsplit, redirect_uris)
        if parts.scheme in {"https", "http"} and parts.hostname
    )


def _hash(key: bytes, message: bytes) -> str:
    return urlsafe_b64encode(digest(key, message, "sha256")).rstrip(b"=").decode()
