"""Pushed requests: the name they wait under, and until when (RFC 9126)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

#: RFC 9126 section 2.2 suggests this form of a `request_uri`; what follows is a secret of ours.
URN: Final = "urn:ietf:params:oauth:request_uri:"


@dataclass(frozen=True, slots=True)
class PushedRequest:
    """A request that its client pushed, and that waits for the browser.

    Attributes:
        client_id: Who pushed it; nobody else may open it (RFC 9126 section 2.2).
        parameters: The request, in order: names may stand twice (`resource`).
        is_signed: It was pushed as a request object that the client signed (RFC 9101).
        created_at: When it was pushed.
        expires_at: Until when the browser may bring its name.
        consumed_at: When it was answered; None while it was not.
    """

    client_id: str
    parameters: tuple[tuple[str, str], ...]
    is_signed: bool
    created_at: datetime
    expires_at: datetime
    consumed_at: datetime | None = None

    def is_waiting(self, now: datetime) -> bool:
        """Tell whether the browser may still open it."""
        return self.consumed_at is None and now < self.expires_at


def request_uri_of(secret: str) -> str:
    """Give the name under which a request waits."""
    return f"{URN}{secret}"


def secret_of(request_uri: str) -> str | None:
    """Give the secret in a name of ours; None when it is another's address."""
    return request_uri.removeprefix(URN) if request_uri.startswith(URN) else None
