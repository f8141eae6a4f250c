"""Opens, finds, renews, lists and ends sessions (LOG-3, LOG-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from idp.crypto.opaque import SecretKind, digest, is_well_formed, new_id, new_secret
from idp.domain.events import SessionEnded
from idp.domain.session import Session
from idp.services.audit import record
from idp.services.sign_in.endings import Member, tell
from idp.storage.repositories import sessions
from idp.storage.repositories.sessions import ListedSession, SignedIn, SignedInForClient

if TYPE_CHECKING:
    from datetime import datetime

    from idp.domain.authentication import Authentication
    from idp.services.context import Context
    from idp.storage.engine import Connection

__all__ = [
    "Ended",
    "ListedSession",
    "OpenedSession",
    "SignedIn",
    "end",
    "end_others",
    "end_others_within",
    "end_within",
    "find",
    "find_for_client",
    "list_sessions",
    "open_session",
]


@dataclass(frozen=True, slots=True)
class Ended:
    """A session just ended.

    Attributes:
        members: Services that the person used in it.
        upstream_id_token: FranceConnect's raw ID token when the session came from there: its logout wants it
            (franceconnect.md 5).
        upstream: Through which portal it came, "franceconnect" or "franceconnect_plus".
    """

    members: tuple[Member, ...] = ()
    upstream_id_token: str | None = None
    upstream: str | None = None


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session just opened or renewed, and the new value of its cookie, shown once."""

    session: Session
    cookie: str


def find(context: Context, cookie: str | None) -> SignedIn | None:
    """Find whom a cookie speaks for; None when it is unknown, past a limit, or of a locked account."""
    if cookie is None or not is_well_formed(SecretKind.SESSION, cookie):
        return None
    with context.database.read() as connection:
        found = sessions.by_cookie(connection, digest(cookie))
    return found if found is not None and _is_live(context, found) else None


def find_for_client(
    context: Context, connection: Connection, cookie: str | None, client_id: str
) -> SignedInForClient | None:
    """Find whom a cookie speaks for, and what matters to a client, by one statement."""
    if cookie is None or not is_well_formed(SecretKind.SESSION, cookie):
        return None
    found = sessions.by_cookie_for_client(connection, digest(cookie), client_id, context.clock())
    return found if found is not None and _is_live(context, found.signed_in) else None


def _is_live(context: Context, found: SignedIn) -> bool:
    now = context.clock()
    if not found.account.is_active or not found.session.is_live(now, context.session_lifetimes):
        return False
    if found.session.should_be_touched(now, context.session_lifetimes):
        with context.database.write() as connection:
            sessions.touch(connection, found.session.session_id, now)
    return True


def open_session(
    context: Context,
    connection: Connection,
    account_id: str,
    authentication: Authentication,
    *,
    browser: str,
    replaces: Session | None = None,
    upstream: str | None = None,
    upstream_id_token: str | None = None,
) -> OpenedSession:
    """Open a session in the transaction of the login, or renew the one that the same person has (S-40).

    The cookie is new in both cases: one value for each rise of privilege. A session of another person in the
    same browser ends.

    Args:
        context: The parts.
        connection: The transaction of the login.
        account_id: Who signed in.
        authentication: How.
        browser: What to call the browser in the list of sessions.
        replaces: The session that the browser had.
        upstream: The portal that the login came through, "franceconnect" or "franceconnect_plus"; else None.
        upstream_id_token: Its raw ID token, wanted back by its logout.

    Returns:
        The session and its cookie.
    """
    now = context.clock()
    cookie = new_secret(SecretKind.SESSION)
    if replaces is not None and replaces.account_id == account_id:
        session = Session(
            replaces.session_id,
            account_id,
            authentication,
            replaces.created_at,
            now,
            replaces.language,
            upstream,
        )
        renewed = sessions.renew(
            connection,
            session.session_id,
            authentication,
            cookie_hash=digest(cookie),
            now=now,
            upstream=upstream,
            upstream_id_token=_sealed(context, session.session_id, upstream_id_token),
        )
        if renewed:
            return OpenedSession(session, cookie)
    elif replaces is not None and sessions.end(connection, replaces.account_id, replaces.session_id):
        tell(connection, [replaces.session_id], sealer=context.sealer, now=now)
    session = Session(new_id(now), account_id, authentication, now, now, None, upstream)
    sessions.create(
        connection,
        session,
        cookie_hash=digest(cookie),
        expires_at=now + context.session_lifetimes.absolute,
        browser=browser,
        upstream_id_token=_sealed(context, session.session_id, upstream_id_token),
    )
    evicted = sessions.end_oldest(connection, account_id, keep=context.session_lifetimes.most_per_account)
    tell(connection, evicted, sealer=context.sealer, now=now)
    return OpenedSession(session, cookie)


def list_sessions(context: Context, account_id: str) -> list[ListedSession]:
    """List the live sessions of a person, the latest seen first."""
    now = context.clock()
    with context.database.read() as connection:
        listed = sessions.of_account(connection, account_id)
    return [one for one in listed if one.session.is_live(now, context.session_lifetimes)]


def end(context: Context, account_id: str, session_id: str, *, reason: str = "sign_out") -> Ended:
    """End one session of a person; one that had ended already has no members any more."""
    with context.database.write() as connection:
        ended = end_within(context, connection, account_id, session_id, context.clock(), reason=reason)
    return Ended() if ended is None else ended


def end_within(
    context: Context,
    connection: Connection,
    account_id: str,
    session_id: str,
    now: datetime,
    *,
    reason: str,
) -> Ended | None:
    """End one session of a person, in a transaction that does more; None when it had ended already."""
    upstream, sealed = sessions.upstream_of(connection, session_id)
    if not sessions.end(connection, account_id, session_id):
        return None
    members = tell(connection, [session_id], sealer=context.sealer, now=now)
    record(connection, SessionEnded(reason), now, account_id=account_id)
    if sealed is None:
        return Ended(members)
    return Ended(members, context.sealer.unseal(sealed, bound_to=session_id).decode(), upstream)


def end_others(context: Context, account_id: str, *, but: str | None, reason: str = "ended_by_person") -> int:
    """End every session of a person but one; gives back how many ended."""
    now = context.clock()
    with context.database.write() as connection:
        return len(end_others_within(context, connection, account_id, now, but=but, reason=reason))


def end_others_within(
    context: Context,
    connection: Connection,
    account_id: str,
    now: datetime,
    *,
    but: str | None,
    reason: str,
) -> tuple[str, ...]:
    """End every session of a person but one, in a transaction that does more; gives back those that ended."""
    ended = tuple(sessions.end_all(connection, account_id, but=but))
    if ended:
        tell(connection, ended, sealer=context.sealer, now=now)
        record(connection, SessionEnded(reason), now, account_id=account_id)
    return ended


def _sealed(context: Context, session_id: str, upstream_id_token: str | None) -> str | None:
    if upstream_id_token is None:
        return None
    return context.sealer.seal(upstream_id_token.encode(), bound_to=session_id)
