"""Queries about links to identities of the State's portals (ACC-6), and about journeys through them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.storage.models import franceconnect_journeys, franceconnect_links
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

_LINKS = franceconnect_links
_LINK_COLUMNS = (
    _LINKS.c.link_id,
    _LINKS.c.account_id,
    _LINKS.c.upstream_subject,
    _LINKS.c.pivot_hash,
    _LINKS.c.provider,
)
_LIVE_LINK = select(*_LINK_COLUMNS).where(_LINKS.c.ended_at.is_(None))
_BY_SUBJECT = _LIVE_LINK.where(
    _LINKS.c.provider == bindparam("provider"), _LINKS.c.upstream_subject == bindparam("subject")
)
_BY_PIVOT = _LIVE_LINK.where(_LINKS.c.pivot_hash == bindparam("pivot")).order_by(_LINKS.c.link_id)
_OF_ACCOUNT = _LIVE_LINK.where(_LINKS.c.account_id == bindparam("id_")).order_by(_LINKS.c.link_id)
#: One order for everybody, so that nobody waits for a row of who waits for theirs.
_HELD = _OF_ACCOUNT.with_for_update()
_FRANCECONNECT = "franceconnect"

_JOURNEYS = franceconnect_journeys
_JOURNEY_COLUMNS = (
    _JOURNEYS.c.state_hash,
    _JOURNEYS.c.purpose,
    _JOURNEYS.c.nonce_hash,
    _JOURNEYS.c.account_id,
    _JOURNEYS.c.pending_id,
    _JOURNEYS.c.continue_to,
    _JOURNEYS.c.identity,
    _JOURNEYS.c.provider,
    _JOURNEYS.c.level,
)


class Purpose(StrEnum):
    """What a journey is for."""

    SIGN_IN = "sign_in"
    LINK = "link"
    REAUTHENTICATE = "reauthenticate"
    LOGOUT = "logout"


@dataclass(frozen=True, slots=True)
class Link:
    """A live link between an account and an identity of a portal.

    Attributes:
        link_id: Names it.
        account_id: Whose.
        upstream_subject: How that portal names the person: another one has a subject of its own for them.
        pivot_hash: Of the identity that it certifies: the same at both portals.
        provider: The portal, "franceconnect" or "franceconnect_plus".
    """

    link_id: str
    account_id: str
    upstream_subject: str
    pivot_hash: bytes
    provider: str = _FRANCECONNECT


@dataclass(frozen=True, slots=True)
class Journey:
    """A browser's way to a portal and back.

    Attributes:
        state_hash: Names it; the state itself is known to the browser and FranceConnect only.
        purpose: What for.
        nonce_hash: Of the nonce that the ID token must bring back.
        account_id: Whose, when somebody was signed in.
        pending_id: The authorization request it is in.
        continue_to: Where to go afterwards, when there is none.
        identity: What came back, sealed, while the person chooses what to do with it.
        provider: The portal.
        level: The level of assurance that it is asked for; None for a logout.
    """

    state_hash: bytes
    purpose: str
    nonce_hash: bytes | None
    account_id: str | None
    pending_id: str | None
    continue_to: str | None
    identity: str | None
    provider: str = _FRANCECONNECT
    level: str | None = None


def link_by_subject(connection: Connection, subject: str, provider: str = _FRANCECONNECT) -> Link | None:
    """Find the live link of an identity of a portal."""
    row = connection.execute(_BY_SUBJECT, {"subject": subject, "provider": provider}).one_or_none()
    return None if row is None else Link(*row)


def links_by_pivot(connection: Connection, pivot_hash: bytes) -> tuple[Link, ...]:
    """Find the live links that certify a pivot identity, one for each portal at most (FC-3)."""
    return tuple(Link(*row) for row in connection.execute(_BY_PIVOT, {"pivot": pivot_hash}))


def links_of_account(connection: Connection, account_id: str) -> tuple[Link, ...]:
    """Find the live links of an account, one for each portal at most."""
    return tuple(Link(*row) for row in connection.execute(_OF_ACCOUNT, {"id_": account_id}))


def link_of_account(connection: Connection, account_id: str, provider: str = _FRANCECONNECT) -> Link | None:
    """Find the live link of an account at a portal."""
    found = links_of_account(connection, account_id)
    return next((link for link in found if link.provider == provider), None)


def hold_links(connection: Connection, account_id: str) -> tuple[Link, ...]:
    """Find the live links of an account; whoever else wants them so waits for the end of this transaction."""
    return tuple(Link(*row) for row in connection.execute(_HELD, {"id_": account_id}))


def hold_pivot(connection: Connection, pivot_hash: bytes) -> None:
    """Have whoever else is about to certify the same pivot identity wait for the end of this transaction.

    The unique index sees one portal at a time: without this, two accounts could get one person's identity, each at
    another portal, at the same instant. SQLite has one writer at a time anyway.
    """
    if connection.dialect.name == "postgresql":
        number = int.from_bytes(pivot_hash[:8], "big", signed=True)
        connection.execute(select(func.pg_advisory_xact_lock(number)))


def create_link(connection: Connection, link: Link, now: datetime, *, level: str = "eidas1") -> bool:
    """Write a new link; False when the identity, the account or the pivot has one: unique indexes decide (ACC-6).

    Args:
        connection: The transaction.
        link: The link.
        now: The moment.
        level: What the portal said of the login that it is made by.
    """
    statement = (
        insert_into(connection, _LINKS)
        .values(
            link_id=link.link_id,
            account_id=link.account_id,
            provider=link.provider,
            level=level,
            upstream_subject=link.upstream_subject,
            pivot_hash=link.pivot_hash,
            linked_at=now,
            last_sign_in_at=now,
        )
        .on_conflict_do_nothing()
        .returning(_LINKS.c.link_id)
    )
    return connection.scalar(statement) is not None


def touch_link(connection: Connection, link_id: str, level: str, now: datetime) -> bool:
    """Write that a link was used, and what the portal said of that login; False when it has ended."""
    result = connection.execute(
        update(_LINKS)
        .where(_LINKS.c.link_id == link_id, _LINKS.c.ended_at.is_(None))
        .values(last_sign_in_at=now, level=level)
    )
    return result.rowcount == 1


def set_pivot(connection: Connection, account_id: str, pivot_hash: bytes) -> bool:
    """Write the pivot that an account certifies now, whatever the portal; False when another account has that one."""
    try:
        with connection.begin_nested():
            connection.execute(
                update(_LINKS)
                .where(_LINKS.c.account_id == account_id, _LINKS.c.ended_at.is_(None))
                .values(pivot_hash=pivot_hash)
            )
    except IntegrityError:
        return False
    return True


def end_link(connection: Connection, link_id: str, reason: str, now: datetime) -> bool:
    """End a link and keep it as history; its identity is free again. False when it had ended."""
    result = connection.execute(
        update(_LINKS)
        .where(_LINKS.c.link_id == link_id, _LINKS.c.ended_at.is_(None))
        .values(ended_at=now, ended_reason=reason)
    )
    return result.rowcount == 1


def begin_journey(
    connection: Connection, journey: Journey, *, browser_hash: bytes, now: datetime, expires_at: datetime
) -> None:
    """Remember a journey until its callback."""
    connection.execute(
        insert(_JOURNEYS).values(
            state_hash=journey.state_hash,
            browser_hash=browser_hash,
            provider=journey.provider,
            level=journey.level,
            purpose=journey.purpose,
            nonce_hash=journey.nonce_hash,
            account_id=journey.account_id,
            pending_id=journey.pending_id,
            continue_to=journey.continue_to,
            created_at=now,
            expires_at=expires_at,
            identity=journey.identity,
        )
    )


def use_journey(
    connection: Connection, state_hash: bytes, *, browser_hash: bytes, provider: str, now: datetime
) -> Journey | None:
    """Use up a state, at most once whatever the number of callbacks, in the browser it was given to.

    Args:
        connection: The transaction.
        state_hash: Of the state that came back.
        browser_hash: The browser that brought it.
        provider: Whose callback it was brought to: each portal has its own (RFC 9700 section 4.4).
        now: The moment.
    """
    statement = (
        update(_JOURNEYS)
        .where(
            _JOURNEYS.c.state_hash == state_hash,
            _JOURNEYS.c.browser_hash == browser_hash,
            _JOURNEYS.c.provider == provider,
            _JOURNEYS.c.consumed_at.is_(None),
            _JOURNEYS.c.expires_at > now,
        )
        .values(consumed_at=now)
        .returning(*_JOURNEY_COLUMNS)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else Journey(*row)


def find_journey(
    connection: Connection, state_hash: bytes, *, browser_hash: bytes, now: datetime
) -> Journey | None:
    """Find a journey of this browser, used up or not."""
    row = connection.execute(
        select(*_JOURNEY_COLUMNS).where(
            _JOURNEYS.c.state_hash == state_hash,
            _JOURNEYS.c.browser_hash == browser_hash,
            _JOURNEYS.c.expires_at > now,
        )
    ).one_or_none()
    return None if row is None else Journey(*row)


def hold_identity(
    connection: Connection, journey: Journey, sealed: str, *, browser_hash: bytes, expires_at: datetime
) -> None:
    """Keep what came back until the person has chosen; what the same way held before is dropped."""
    connection.execute(
        update(_JOURNEYS)
        .where(_JOURNEYS.c.browser_hash == browser_hash, _same_way(journey.purpose, journey.pending_id))
        .values(identity=None)
    )
    connection.execute(
        update(_JOURNEYS)
        .where(_JOURNEYS.c.state_hash == journey.state_hash)
        .values(identity=sealed, expires_at=expires_at)
    )


def held_journey(
    connection: Connection, purpose: Purpose, pending_id: str | None, *, browser_hash: bytes, now: datetime
) -> Journey | None:
    """Find the journey of this browser whose identity waits for a choice."""
    row = connection.execute(
        select(*_JOURNEY_COLUMNS)
        .where(
            _JOURNEYS.c.browser_hash == browser_hash,
            _same_way(purpose, pending_id),
            _JOURNEYS.c.identity.is_not(None),
            _JOURNEYS.c.expires_at > now,
        )
        .order_by(_JOURNEYS.c.created_at.desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else Journey(*row)


def turn_into_link(connection: Connection, journey: Journey, account_id: str, *, browser_hash: bytes) -> bool:
    """Have the identity that waits be compared with an account's; False when another request was first."""
    connection.execute(
        update(_JOURNEYS)
        .where(_JOURNEYS.c.browser_hash == browser_hash, _same_way(Purpose.LINK, journey.pending_id))
        .values(identity=None)
    )
    result = connection.execute(
        update(_JOURNEYS)
        .where(_JOURNEYS.c.state_hash == journey.state_hash, _JOURNEYS.c.identity.is_not(None))
        .values(purpose=Purpose.LINK, account_id=account_id)
    )
    return result.rowcount == 1


def release_identity(connection: Connection, state_hash: bytes) -> bool:
    """Drop what a journey held; False when another request was first."""
    result = connection.execute(
        update(_JOURNEYS)
        .where(_JOURNEYS.c.state_hash == state_hash, _JOURNEYS.c.identity.is_not(None))
        .values(identity=None)
    )
    return result.rowcount == 1


def _same_way(purpose: str, pending_id: str | None) -> ColumnElement[bool]:
    return (_JOURNEYS.c.purpose == purpose) & _JOURNEYS.c.pending_id.is_not_distinct_from(pending_id)
