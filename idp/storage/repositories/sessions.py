"""Queries about sessions and known devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Integer, bindparam, delete, insert, select, update

from idp.domain.account import Account
from idp.domain.authentication import Authentication
from idp.domain.consent import Consent
from idp.domain.session import Session
from idp.storage.models import accounts, consents, devices, sessions
from idp.storage.repositories.accounts import account_from
from idp.storage.repositories.consents import CONSENT_COLUMNS, consent_from
from idp.storage.repositories.terms import version_to_accept

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

_SESSION_COLUMNS = (
    sessions.c.session_id,
    sessions.c.created_at.label("session_created_at"),
    sessions.c.last_seen_at,
    sessions.c.authenticated_at,
    sessions.c.amr,
    sessions.c.acr,
    sessions.c.upstream,
    sessions.c.browser,
)
_ACCOUNT_COLUMNS = tuple(column for column in accounts.c if column.name != "password_hash")
_BY_COOKIE = (
    select(*_SESSION_COLUMNS, *_ACCOUNT_COLUMNS)
    .join_from(sessions, accounts)
    .where(sessions.c.cookie_hash == bindparam("hash_"))
)
# The silent authorization reads session, account and consent at once.
_BY_COOKIE_FOR_CLIENT = (
    select(
        *_SESSION_COLUMNS,
        *_ACCOUNT_COLUMNS,
        *CONSENT_COLUMNS,
        version_to_accept(accounts.c.terms_version).scalar_subquery().label("terms_to_accept"),
    )
    .select_from(
        sessions.join(accounts).outerjoin(
            consents,
            (consents.c.account_id == accounts.c.account_id)
            & (consents.c.client_id == bindparam("client_"))
            & consents.c.withdrawn_at.is_(None),
        )
    )
    .where(sessions.c.cookie_hash == bindparam("hash_"))
)
# The key alone: writing `last_seen_at` waits for nobody.
_HOLD = (
    select(sessions.c.session_id)
    .where(sessions.c.session_id == bindparam("id_"))
    .with_for_update(read=True, key_share=True)
)
_OF_ACCOUNT = (
    select(*_SESSION_COLUMNS, sessions.c.account_id, accounts.c.language)
    .join_from(sessions, accounts)
    .where(sessions.c.account_id == bindparam("id_"))
    .order_by(sessions.c.last_seen_at.desc())
)
_INSERT_SESSION = insert(sessions)
_TOUCH = (
    update(sessions).where(sessions.c.session_id == bindparam("id_")).values(last_seen_at=bindparam("now_"))
)
_KEPT = (
    select(sessions.c.session_id)
    .where(sessions.c.account_id == bindparam("id_"))
    .order_by(sessions.c.last_seen_at.desc())
    .limit(bindparam("keep", type_=Integer))
)
_END_OLDEST = (
    delete(sessions)
    .where(sessions.c.account_id == bindparam("id_"), sessions.c.session_id.not_in(_KEPT))
    .returning(sessions.c.session_id)
)
_IS_DEVICE = (devices.c.device_hash == bindparam("hash_"), devices.c.account_id == bindparam("id_"))
_DEVICE = select(devices.c.device_hash).where(*_IS_DEVICE)
_SEE_DEVICE = update(devices).where(*_IS_DEVICE).values(last_seen_at=bindparam("now_"))
_INSERT_DEVICE = insert(devices)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session and the account it belongs to, read by one statement."""

    session: Session
    account: Account


@dataclass(frozen=True, slots=True)
class SignedInForClient:
    """Who is signed in, what they allow one client, and the version of the terms that they must accept, if any."""

    signed_in: SignedIn
    consent: Consent | None
    terms_to_accept: str | None

    @property
    def terms_are_accepted(self) -> bool:
        """Tell whether no major version is newer than the one accepted last (CGU-2)."""
        return self.terms_to_accept is None


@dataclass(frozen=True, slots=True)
class ListedSession:
    """A session as its owner sees it (LOG-5)."""

    session: Session
    browser: str


def by_cookie(connection: Connection, cookie_hash: bytes) -> SignedIn | None:
    """Find a session and its account by the hash of the cookie; limits are the caller's to check."""
    row = connection.execute(_BY_COOKIE, {"hash_": cookie_hash}).one_or_none()
    return None if row is None else SignedIn(_session_from(row), account_from(row))


def by_cookie_for_client(
    connection: Connection, cookie_hash: bytes, client_id: str, now: datetime
) -> SignedInForClient | None:
    """Find a session, its account, what that person allows a client, and the terms they must accept."""
    row = connection.execute(
        _BY_COOKIE_FOR_CLIENT, {"hash_": cookie_hash, "client_": client_id, "now_": now}
    ).one_or_none()
    if row is None:
        return None
    consent = None if row.consent_id is None else consent_from(row)
    signed_in = SignedIn(_session_from(row), account_from(row))
    return SignedInForClient(signed_in, consent, row.terms_to_accept)


def of_account(connection: Connection, account_id: str) -> list[ListedSession]:
    """List the sessions of an account, the latest seen first."""
    rows = connection.execute(_OF_ACCOUNT, {"id_": account_id})
    return [ListedSession(_session_from(row), row.browser) for row in rows]


def create(
    connection: Connection,
    session: Session,
    *,
    cookie_hash: bytes,
    expires_at: datetime,
    browser: str,
    upstream_id_token: str | None = None,
) -> None:
    """Write a new session."""
    connection.execute(
        _INSERT_SESSION,
        {
            "session_id": session.session_id,
            "cookie_hash": cookie_hash,
            "account_id": session.account_id,
            "created_at": session.created_at,
            "last_seen_at": session.last_seen_at,
            "expires_at": expires_at,
            "authenticated_at": session.authentication.at,
            "amr": session.authentication.methods,
            "acr": session.authentication.level,
            "upstream": session.upstream,
            "upstream_id_token": upstream_id_token,
            "browser": browser,
        },
    )


def renew(
    connection: Connection,
    session_id: str,
    authentication: Authentication,
    *,
    cookie_hash: bytes,
    now: datetime,
    upstream: str | None,
    upstream_id_token: str | None,
) -> bool:
    """Give a session a new cookie and a new proof of presence (S-40); False when it has ended."""
    result = connection.execute(
        update(sessions)
        .where(sessions.c.session_id == session_id)
        .values(
            cookie_hash=cookie_hash,
            last_seen_at=now,
            authenticated_at=authentication.at,
            amr=authentication.methods,
            acr=authentication.level,
            upstream=upstream,
            upstream_id_token=upstream_id_token,
        )
    )
    return result.rowcount == 1


def hold(connection: Connection, session_id: str) -> bool:
    """Keep a session from ending until this transaction has; False when it has ended."""
    return connection.scalar(_HOLD, {"id_": session_id}) is not None


def touch(connection: Connection, session_id: str, now: datetime) -> None:
    """Write that the session was used."""
    connection.execute(_TOUCH, {"id_": session_id, "now_": now})


def upstream_of(connection: Connection, session_id: str) -> tuple[str | None, str | None]:
    """Read the portal that a session was opened through, and the sealed ID token that it gave; None for neither."""
    row = connection.execute(
        select(sessions.c.upstream, sessions.c.upstream_id_token).where(sessions.c.session_id == session_id)
    ).one_or_none()
    return (None, None) if row is None else (row.upstream, row.upstream_id_token)


def end(connection: Connection, account_id: str, session_id: str) -> bool:
    """End one session of an account; False when it was not there."""
    statement = delete(sessions).where(
        sessions.c.session_id == session_id, sessions.c.account_id == account_id
    )
    return connection.execute(statement).rowcount == 1


def end_all(connection: Connection, account_id: str, *, but: str | None = None) -> Sequence[str]:
    """End the sessions of an account, but one; gives back those that ended."""
    statement = delete(sessions).where(sessions.c.account_id == account_id)
    if but is not None:
        statement = statement.where(sessions.c.session_id != but)
    return connection.scalars(statement.returning(sessions.c.session_id)).all()


def end_upstream(connection: Connection, account_id: str) -> Sequence[str]:
    """End the sessions of an account that came from a portal of the State; gives back those that ended (FC-5)."""
    statement = delete(sessions).where(sessions.c.account_id == account_id, sessions.c.upstream.is_not(None))
    return connection.scalars(statement.returning(sessions.c.session_id)).all()


def end_oldest(connection: Connection, account_id: str, *, keep: int) -> Sequence[str]:
    """End the oldest sessions of an account beyond a number (S-36); gives back those that ended."""
    return connection.scalars(_END_OLDEST, {"id_": account_id, "keep": keep}).all()


def device_is_known(connection: Connection, account_id: str, device_hash: bytes) -> bool:
    """Tell whether an account has signed in from this browser before (LOG-2, LOG-5)."""
    return connection.scalar(_DEVICE, {"hash_": device_hash, "id_": account_id}) is not None


def remember_device(connection: Connection, account_id: str, device_hash: bytes, now: datetime) -> bool:
    """Remember the browser of a sign-in; True when it is new to the account."""
    seen = connection.execute(_SEE_DEVICE, {"hash_": device_hash, "id_": account_id, "now_": now})
    if seen.rowcount:
        return False
    connection.execute(
        _INSERT_DEVICE,
        {"device_hash": device_hash, "account_id": account_id, "created_at": now, "last_seen_at": now},
    )
    return True


def forget_devices(connection: Connection, account_id: str) -> None:
    """Forget the browsers of an account: the next login from any of them is told as a new device's (LOG-6)."""
    connection.execute(delete(devices).where(devices.c.account_id == account_id))


def names_of(connection: Connection, account_id: str) -> Sequence[str]:
    """List the sessions of an account by their names alone."""
    return connection.scalars(select(sessions.c.session_id).where(sessions.c.account_id == account_id)).all()


def devices_of(connection: Connection, account_id: str) -> Sequence[bytes]:
    """List the browsers that an account has signed in from, by the hashes of their cookies."""
    return connection.scalars(select(devices.c.device_hash).where(devices.c.account_id == account_id)).all()


def _session_from(row: Row[*tuple[Any, ...]]) -> Session:
    return Session(
        session_id=row.session_id,
        account_id=row.account_id,
        authentication=Authentication(row.authenticated_at, tuple(row.amr), row.acr),
        created_at=row.session_created_at,
        last_seen_at=row.last_seen_at,
        language=row.language,
        upstream=row.upstream,
    )
