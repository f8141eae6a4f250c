"""Exact match of redirect URIs; the only maker of `RedirectTarget` (RFC 9700 section 4.1.3)."""

from __future__ import annotations

import re
from dataclasses import InitVar, dataclass
from typing import Final

from idp.domain.client import Client

#: Never followed, whatever was registered: they run code or read what is local.
FORBIDDEN_SCHEMES: Final = frozenset(
    {
        "about",
        "blob",
        "chrome",
        "data",
        "file",
        "filesystem",
        "ftp",
        "intent",
        "jar",
        "javascript",
        "mailto",
        "ms-appx",
        "ms-appx-web",
        "resource",
        "sms",
        "tel",
        "vbscript",
        "view-source",
        "ws",
        "wss",
    }
)

# RFC 8252 section 7.3: the IP literals only; "localhost" can resolve to elsewhere (section 8.3).
_LOOPBACK = re.compile(r"http://(127\.0\.0\.1|\[::1\])(?::([1-9][0-9]{0,4}))?((?:[/?].*)?)")
_SEAL: Final = object()
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class RedirectTarget:
    """A redirect URI that is proven to be the client's own; this module alone makes it."""

    uri: str
    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        """Refuse any maker but the functions of this module.

        Raises:
            TypeError: When the seal is not the one of this module.
        """
        if seal is not _SEAL:
            raise TypeError("a RedirectTarget is made by match() and match_post_logout() only")


def match(client: Client, raw: str) -> RedirectTarget | None:
    """Prove that a redirect URI is one the client registered.

    RFC 9700 section 4.1.3: "MUST utilize exact string matching except for port numbers in
    localhost redirection URIs of native apps".

    Args:
        client: Who asks.
        raw: The redirect URI as received.

    Returns:
        The proven target; None when the URI is not the client's.
    """
    if raw in client.redirect_uris or _is_loopback_of(client, raw):
        return None if scheme(raw) in FORBIDDEN_SCHEMES else RedirectTarget(raw, _SEAL)
    return None


def own_page(uri: str) -> RedirectTarget:
    """Take the address of a page of ours, where the answer to a device's request ends (RFC 8628 section 3.3)."""
    return RedirectTarget(uri, _SEAL)


def match_post_logout(client: Client, raw: str) -> RedirectTarget | None:
    """Prove that a URI is one the client registered for after a logout (RP-Initiated Logout 3).

    Returns:
        The proven target; None when the URI is not the client's, letter by letter.
    """
    if raw not in client.post_logout_redirect_uris or scheme(raw) in FORBIDDEN_SCHEMES:
        return None
    return RedirectTarget(raw, _SEAL)


def scheme(uri: str) -> str:
    """Give the scheme of a URI, in lower case; empty when it has none."""
    head, colon, _ = uri.partition(":")
    return head.lower() if colon else ""


def _is_loopback_of(client: Client, raw: str) -> bool:
    # RFC 8252 section 7.3: "MUST allow any port to be specified at the time of the request for
    # loopback IP redirect URIs". A native app is public; a server has a fixed address.
    if not client.is_public:
        return False
    asked = _loopback(raw)
    return asked is not None and any(_loopback(uri) == asked for uri in client.redirect_uris)


def _loopback(uri: str) -> tuple[str, str] | None:
    found = _LOOPBACK.fullmatch(uri)
    if found is None or int(found[2] or 0) > _LAST_PORT:
        return None
    return found[1], found[3]
