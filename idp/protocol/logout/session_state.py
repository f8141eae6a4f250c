"""What a service watches to learn that the person's session has changed (Session Management 4.2)."""

from __future__ import annotations

from hashlib import sha256
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}


def session_state(client_id: str, origin: str, browser_state: str, salt: str) -> str:
    """Give the `session_state` of an answer; `static/check-session.js` computes the same.

    Session Management 2: "It MUST NOT contain the space character"; three separate what is hashed.

    Args:
        client_id: Who will watch; checked.
        origin: Of the page that gets the answer, as a browser writes it.
        browser_state: Value of the cookie that our frame reads.
        salt: Random, so that two answers to one service differ.
    """
    hashed = sha256(f"{client_id} {origin} {browser_state} {salt}".encode()).hexdigest()
    return f"{hashed}.{salt}"


def web_origin(uri: str) -> str | None:
    """Give the origin of a page as a browser writes it (RFC 6454 section 6.2); None when it has none.

    Args:
        uri: A registered redirect URI; an app's own scheme has no origin that a page could have.
    """
    parts = urlsplit(uri)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        return None
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"
