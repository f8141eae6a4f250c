"""`Session`: a browser that is signed in; idle and absolute limits (LOG-3, LOG-5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from idp.domain.authentication import Authentication


@dataclass(frozen=True, slots=True)
class SessionLifetimes:
    """How long a session lives: RGAA 13.1 asks for 20 hours or more without a warning."""

    idle: timedelta = timedelta(hours=20)
    absolute: timedelta = timedelta(days=7)
    touch: timedelta = timedelta(minutes=1)
    recent: timedelta = timedelta(minutes=15)
    most_per_account: int = 20


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser.

    Attributes:
        session_id: Public name of the session; `sid` on the wire is derived from it for each client.
        account_id: Whose session it is.
        authentication: The latest proof of presence in it.
        created_at: When the browser signed in.
        last_seen_at: Written at most once a minute.
        language: The language the person chose, "fr" or "en"; None to follow the browser.
        upstream: The portal that the login came through, "franceconnect" or "franceconnect_plus"; else None.
    """

    session_id: str
    account_id: str
    authentication: Authentication
    created_at: datetime
    last_seen_at: datetime
    language: str | None = None
    upstream: str | None = None

    def is_live(self, now: datetime, lifetimes: SessionLifetimes) -> bool:
        """Tell whether neither limit is past (LOG-3)."""
        return now < self.last_seen_at + lifetimes.idle and now < self.created_at + lifetimes.absolute

    def is_recent(self, now: datetime, lifetimes: SessionLifetimes) -> bool:
        """Tell whether the person proved their presence lately enough for a sensitive act."""
        return now < self.authentication.at + lifetimes.recent

    def should_be_touched(self, now: datetime, lifetimes: SessionLifetimes) -> bool:
        """Tell whether `last_seen_at` is old enough to be worth a write."""
        return now >= self.last_seen_at + lifetimes.touch
