"""Queries about sign-ups: an address waiting for its proof, in one browser (ACC-1, ACC-4).

A handle is the secret that a browser holds; rows are found by its hash and the browser's together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, delete, insert, literal, null, select, update

from idp.storage.models import signups

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

_TABLE = signups
_COLUMNS = (
    _TABLE.c.email,
    _TABLE.c.email_canonical,
    _TABLE.c.language,
    _TABLE.c.pending_id,
    _TABLE.c.code_expires_at,
    _TABLE.c.tries,
    _TABLE.c.proven_at,
    _TABLE.c.franceconnect,
)
_NOW = bindparam("now_", type_=_TABLE.c.expires_at.type)
_OPEN = (_TABLE.c.consumed_at.is_(None), _TABLE.c.expires_at > _NOW)
_FIND = select(*_COLUMNS).where(
    _TABLE.c.signup_hash == bindparam("hash_"), _TABLE.c.browser_hash == bindparam("browser_"), *_OPEN
)
_BY_LINK = select(*_COLUMNS).where(
    _TABLE.c.link_hash == bindparam("hash_"), _TABLE.c.proven_at.is_(None), *_OPEN
)


@dataclass(frozen=True, slots=True)
class Signup:
    """A sign-up that may still go on.

    Attributes:
        email: As typed; mail goes there.
        email_canonical: The form by which accounts are found.
        language: Of its mails.
        pending_id: The authorization request it began in.
        code_expires_at: Until when the code may be typed.
        tries: Codes typed so far.
        proven_at: When the address was proven; None while it waits.
        franceconnect: The identity that FranceConnect certified, sealed.
    """

    email: str
    email_canonical: str
    language: str
    pending_id: str | None
    code_expires_at: datetime
    tries: int
    proven_at: datetime | None
    franceconnect: str | None


@dataclass(frozen=True, slots=True)
class NewSecrets:
    """The hashes of what one mail carries; None for what no mail carries: it can't be proven by it."""

    code_hash: bytes | None
    link_hash: bytes | None
    code_expires_at: datetime


def create(
    connection: Connection,
    signup: Signup,
    secrets: NewSecrets,
    *,
    signup_hash: bytes,
    browser_hash: bytes,
    now: datetime,
    expires_at: datetime,
) -> None:
    """Keep a sign-up until its address is proven."""
    connection.execute(
        insert(_TABLE).values(
            signup_hash=signup_hash,
            browser_hash=browser_hash,
            email=signup.email,
            email_canonical=signup.email_canonical,
            language=signup.language,
            pending_id=signup.pending_id,
            code_hash=secrets.code_hash,
            code_expires_at=secrets.code_expires_at,
            tries=0,
            mails_sent=1,
            link_hash=secrets.link_hash,
            expires_at=expires_at,
            created_at=now,
            franceconnect=signup.franceconnect,
        )
    )


def find(connection: Connection, signup_hash: bytes, browser_hash: bytes, now: datetime) -> Signup | None:
    """Find a sign-up that may still go on, in the browser it belongs to and no other."""
    parameters = {"hash_": signup_hash, "browser_": browser_hash, "now_": now}
    return _signup_or_none(connection.execute(_FIND, parameters).one_or_none())


def by_link(connection: Connection, link_hash: bytes, now: datetime) -> Signup | None:
    """Find the sign-up that a mailed link would prove, and change nothing: programs that read mail follow links."""
    return _signup_or_none(connection.execute(_BY_LINK, {"hash_": link_hash, "now_": now}).one_or_none())


def try_code(
    connection: Connection,
    signup_hash: bytes,
    browser_hash: bytes,
    code_hash: bytes,
    *,
    most_tries: int,
    now: datetime,
) -> Signup | None:
    """Count a try, then compare, in one statement: parallel guesses can't exceed the limit, one right code wins.

    Returns:
        The sign-up after the try, proven or not; None when no code could be tried.
    """
    is_right = _TABLE.c.code_hash == code_hash
    statement = (
        update(_TABLE)
        .where(
            *_in_browser(signup_hash, browser_hash, now),
            _TABLE.c.proven_at.is_(None),
            _TABLE.c.tries < most_tries,
            _TABLE.c.code_expires_at > now,
        )
        .values(
            tries=_TABLE.c.tries + 1,
            proven_at=case((is_right, literal(now, _TABLE.c.proven_at.type)), else_=null()),
            # One mail, one proof: a right code ends the link that came with it.
            link_hash=case((is_right, null()), else_=_TABLE.c.link_hash),
        )
        .returning(*_COLUMNS)
    )
    return _signup_or_none(connection.execute(statement).one_or_none())


def prove_by_link(
    connection: Connection,
    link_hash: bytes,
    *,
    new_signup_hash: bytes,
    browser_hash: bytes,
    now: datetime,
) -> Signup | None:
    """Use up a link, at most once, and hand the sign-up over to the browser that clicked (ACC-5).

    The browser that began holds a handle that opens nothing any more. What it had prepared (a service's request,
    an identity of FranceConnect) goes with the sign-up only when both browsers are one.
    """
    is_same = _TABLE.c.browser_hash == browser_hash
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.link_hash == link_hash,
            _TABLE.c.proven_at.is_(None),
            _TABLE.c.consumed_at.is_(None),
            _TABLE.c.expires_at > now,
        )
        .values(
            proven_at=now,
            signup_hash=new_signup_hash,
            browser_hash=browser_hash,
            pending_id=case((is_same, _TABLE.c.pending_id), else_=null()),
            franceconnect=case((is_same, _TABLE.c.franceconnect), else_=null()),
            code_hash=None,
            link_hash=None,
        )
        .returning(*_COLUMNS)
    )
    return _signup_or_none(connection.execute(statement).one_or_none())


def renew(
    connection: Connection, signup_hash: bytes, browser_hash: bytes, secrets: NewSecrets, now: datetime
) -> bool:
    """Replace the code and the link by new ones; the older ones end. False when the address is proven meanwhile."""
    statement = (
        update(_TABLE)
        .where(*_in_browser(signup_hash, browser_hash, now), _TABLE.c.proven_at.is_(None))
        .values(
            code_hash=secrets.code_hash,
            link_hash=secrets.link_hash,
            code_expires_at=secrets.code_expires_at,
            tries=0,
            mails_sent=_TABLE.c.mails_sent + 1,
        )
    )
    return connection.execute(statement).rowcount == 1


def consume(connection: Connection, signup_hash: bytes, browser_hash: bytes, now: datetime) -> Signup | None:
    """Use up a sign-up whose address is proven, at most once whatever the number of concurrent callers.

    Every sign-up of the address is held first, in one order for everybody: each of them wants to drop the others'.
    """
    of_this = select(_TABLE.c.email_canonical).where(_TABLE.c.signup_hash == signup_hash)
    _hold(connection, _TABLE.c.email_canonical == of_this.scalar_subquery())
    statement = (
        update(_TABLE)
        .where(*_in_browser(signup_hash, browser_hash, now), _TABLE.c.proven_at.is_not(None))
        .values(consumed_at=now, code_hash=None, link_hash=None)
        .returning(*_COLUMNS)
    )
    return _signup_or_none(connection.execute(statement).one_or_none())


def hold_address(connection: Connection, canonical: str) -> None:
    """Hold every sign-up of an address, as `consume` does: who else gives it to an account waits."""
    _hold(connection, _TABLE.c.email_canonical == canonical)


def remove_of_address(connection: Connection, canonical: str) -> None:
    """Drop every sign-up of an address: it has an account now, or its account is erased."""
    connection.execute(delete(_TABLE).where(_TABLE.c.email_canonical == canonical))


def _hold(connection: Connection, of_address: ColumnElement[bool]) -> None:
    connection.execute(
        select(_TABLE.c.signup_hash).where(of_address).order_by(_TABLE.c.signup_hash).with_for_update()
    )


def _in_browser(signup_hash: bytes, browser_hash: bytes, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        _TABLE.c.signup_hash == signup_hash,
        _TABLE.c.browser_hash == browser_hash,
        _TABLE.c.consumed_at.is_(None),
        _TABLE.c.expires_at > now,
    )


def _signup_or_none(row: Row[*tuple[Any, ...]] | None) -> Signup | None:
    return None if row is None else Signup(**row._asdict())
