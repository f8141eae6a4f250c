"""What the simulator remembers, in memory: interactions, sessions, codes, access tokens.

FranceConnect v2: a code lives 30 seconds, an access token 60, a session and an interaction
30 minutes; at FranceConnect+, the last two live 10.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from secrets import token_urlsafe
from threading import Lock
from typing import Generic, TypeVar

from idp.demo.franceconnect.authorization import AuthorizationRequest
from idp.demo.franceconnect.civil_register import ConfirmedIdentity
from idp.demo.franceconnect.logout import LogoutRequest
from idp.demo.franceconnect.portal import ORDINARY, Portal
from idp.demo.franceconnect.settings import FranceConnectClient

CODE_LIFE = timedelta(seconds=30)
ACCESS_TOKEN_LIFE = timedelta(seconds=60)
LOGOUT_LIFE = timedelta(minutes=10)

#: A redeemed code is remembered a while, so that a replay is seen.
CODE_MEMORY = timedelta(minutes=10)

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class Session:
    """A person authenticated at the identity provider, for a while (single sign-on)."""

    identity: ConfirmedIdentity
    authenticated_at: datetime


@dataclass(frozen=True)
class Interaction:
    """A request waiting for the person, bound to one browser.

    Attributes:
        request: What the service asked.
        browser: The cookie of the browser that brought it.
        session: Set once the person is authenticated.
        refusal: The Y code of the page that stopped it.
    """

    request: AuthorizationRequest
    browser: str
    session: Session | None = None
    refusal: str = ""


@dataclass
class Code:
    """An authorization code.

    Attributes:
        request: What it answers.
        session: Who it speaks of.
        expires_at: 30 seconds after it was made.
        access_token: What it was redeemed for, if it was.
    """

    request: AuthorizationRequest
    session: Session
    expires_at: datetime
    access_token: str | None = None


@dataclass(frozen=True)
class Grant:
    """What an access token opens."""

    client: FranceConnectClient
    scopes: frozenset[str]
    identity: ConfirmedIdentity


@dataclass
class Shelf(Generic[Kept]):
    """Things kept under an unguessable name until a moment."""

    things: dict[str, tuple[datetime, Kept]] = field(default_factory=dict)

    def put(self, thing: Kept, until: datetime, now: datetime) -> str:
        """Keep a thing and return its new name; what is past its time goes."""
        self.things = {key: kept for key, kept in self.things.items() if kept[0] > now}
        name = token_urlsafe(32)
        self.things[name] = (until, thing)
        return name

    def get(self, name: str, now: datetime) -> Kept | None:
        """Return a thing that is still kept."""
        until, thing = self.things.get(name, (now, None))
        return thing if until > now else None

    def set(self, name: str, thing: Kept) -> None:
        """Replace a thing, without giving it more time."""
        self.things[name] = (self.things[name][0], thing)

    def drop(self, name: str) -> None:
        """Forget a thing."""
        self.things.pop(name, None)


class State:
    """Everything that one simulator remembers; each method is one step under one lock."""

    def __init__(self, portal: Portal = ORDINARY) -> None:
        self._portal = portal
        self._lock = Lock()
        self._interactions: Shelf[Interaction] = Shelf()
        self._sessions: Shelf[Session] = Shelf()
        self._codes: Shelf[Code] = Shelf()
        self._grants: Shelf[Grant] = Shelf()
        self._logouts: Shelf[LogoutRequest] = Shelf()

    def begin(self, request: AuthorizationRequest, browser: str, now: datetime) -> str:
        """Keep a request for the person to answer; a live session is taken over, where the level allows it."""
        with self._lock:
            remembered = request.level in self._portal.remembered
            session = self._sessions.get(browser, now) if remembered else None
            interaction = Interaction(request, browser, session)
            return self._interactions.put(interaction, now + self._portal.session_life, now)

    def interaction(self, uid: str, browser: str, now: datetime) -> Interaction | None:
        """Find a request of this browser."""
        with self._lock:
            found = self._interactions.get(uid, now)
            return found if found is not None and found.browser == browser else None

    def sign_in(self, uid: str, identity: ConfirmedIdentity, now: datetime) -> str:
        """Open a session for the person; the browser gets a new cookie, which is returned."""
        with self._lock:
            session = Session(identity, now)
            browser = self._sessions.put(session, now + self._portal.session_life, now)
            waiting = self._interactions.things[uid][1]
            self._interactions.set(uid, replace(waiting, browser=browser, session=session))
            return browser

    def refuse(self, uid: str, code: str) -> None:
        """Note that the person can't go on."""
        with self._lock:
            waiting = self._interactions.things[uid][1]
            self._interactions.set(uid, replace(waiting, session=None, refusal=code))

    def end(self, uid: str) -> None:
        """Close a request: it was answered."""
        with self._lock:
            self._interactions.drop(uid)

    def has_session(self, browser: str, now: datetime) -> bool:
        """Tell whether this browser is signed in."""
        with self._lock:
            return self._sessions.get(browser, now) is not None

    def sign_out(self, browser: str) -> None:
        """End the session of a browser."""
        with self._lock:
            self._sessions.drop(browser)

    def begin_logout(self, request: LogoutRequest, now: datetime) -> str:
        """Keep a logout until the browser has confirmed it."""
        with self._lock:
            return self._logouts.put(request, now + LOGOUT_LIFE, now)

    def end_logout(self, name: str, now: datetime) -> LogoutRequest | None:
        """Take a logout that the browser confirms, once."""
        with self._lock:
            found = self._logouts.get(name, now)
            self._logouts.drop(name)
            return found

    def issue_code(self, request: AuthorizationRequest, session: Session, now: datetime) -> str:
        """Make a code."""
        with self._lock:
            code = Code(request, session, now + CODE_LIFE)
            return self._codes.put(code, now + CODE_MEMORY, now)

    def code(self, value: str, now: datetime) -> Code | None:
        """Find a code, expired or redeemed ones included."""
        with self._lock:
            return self._codes.get(value, now)

    def redeem(self, code: Code, now: datetime) -> str | None:
        """Use up a code and make its access token; None when it was used already.

        A second use ends the access token that the first one gave.
        """
        with self._lock:
            if code.access_token is not None:
                self._grants.drop(code.access_token)
                return None
            grant = Grant(code.request.client, code.request.scopes, code.session.identity)
            code.access_token = self._grants.put(grant, now + ACCESS_TOKEN_LIFE, now)
            return code.access_token

    def grant(self, access_token: str, now: datetime) -> Grant | None:
        """Find what an access token opens."""
        with self._lock:
            return self._grants.get(access_token, now)

    def revoke(self, access_token: str, client: FranceConnectClient, now: datetime) -> None:
        """Forget an access token of this client (RFC 7009)."""
        with self._lock:
            found = self._grants.get(access_token, now)
            if found is not None and found.client == client:
                self._grants.drop(access_token)
