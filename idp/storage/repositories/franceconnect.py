"""Queries about FranceConnect links (ACC-6), and about journeys through FranceConnect."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from idp.storage.models import franceconnect_journeys, franceconnect_links
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection

_LINKS = franceconnect_links
_LINK_COLUMNS = (_LINKS.c.link_id, _LINKS.c.account_id, _LINKS.c.upstream_subject, _LINKS.c.pivot_hash)
_LIVE_LINK = select(*_LINK_COLUMNS).where(_LINKS.c.ended_at.is_(None))
_BY_SUBJECT = _LIVE_LINK.where(_LINKS.c.upstream_subject == bindparam("subject"))
_BY_PIVOT = _LIVE_LINK.where(_LINKS.c.pivot_hash == bindparam("pivot"))
_OF_ACCOUNT = _LIVE_LINK.where(_LINKS.c.account_id == bindparam("id_"))

_JOURNEYS = franceconnect_journeys
_JOURNEY_COLUMNS = (
    _JOURNEYS.c.state_hash,
    _JOURNEYS.c.purpose,
    _JOURNEYS.c.nonce_hash,
    _JOURNEYS.c.account_id,
    _JOURNEYS.c.pending_id,
    _JOURNEYS.c.continue_to,
    _JOURNEYS.c.identity,
)


class Purpose(StrEnum):
    """What a journey is for."""

    SIGN_IN = "sign_in"
    LINK = "link"
    REAUTHENTICATE = "reauthenticate"
    LOGOUT = "logout"


@dataclass(frozen=True, slots=True)
class Link:
    """A live link between an account and a FranceConnect identity."""

    link_id: str
    account_id: str
    upstream_subject: str
    pivot_hash: bytes


@dataclass(frozen=True, slots=True)
class Journey:
    """A browser's way to FranceConnect and back.

    Attributes:
        state_hash: Names it; the state itself is known to the browser and FranceConnect only.
        purpose: What for.
        nonce_hash: Of the nonce that the ID token must bring back.
        account_id: Whose, when somebody was signed in.
        pending_id: The authorization request it is in.
        continue_to: Where to go afterwards, when there is none.
        identity: What came back, sealed, while the person chooses what to do with it.
    """

    state_hash: bytes
    purpose: str
    nonce_hash: bytes | None
    account_id: str | None
    pending_id: str | None
    continue_to: str | None
    identity: str | None


def link_by_subject(connection: Connection, subject: str) -> Link | None:
    """Find the live link of a FranceConnect identity."""
    row = connection.execute(_BY_SUBJECT, {"subject": subject}).one_or_none()
    return None if row is None else Link(*row)


def link_by_pivot(connection: Connection, pivot_hash: bytes) -> Link | None:
    """Find the live link that certifies the same pivot identity (FC-3)."""
    row = connection.execute(_BY_PIVOT, {"pivot": pivot_hash}).one_or_none()
    return None if row is None else Link(*row)


def link_of_account(connection: Connection, account_id: str) -> Link | None:
    """Find the live link of an account."""
    row = connection.execute(_OF_ACCOUNT, {"id_": account_id}).one_or_none()
    return None if row is None else Link(*row)


def create_link(connection: Connection, link: Link, now: datetime) -> bool:
    """Write a new link; False when the identity, the account or the pivot has one: unique indexes decide (ACC-6)."""
    statement = (
        insert_into(connection, _LINKS)
        .values(
            link_id=link.link_id,
            account_id=link.account_id,
            upstream_subject=link.upstream_subject,
            pivot_hash=link.pivot_hash,
            linked_at=now,
            last_sign_in_at=now,
        )
        .on_conflict_do_nothing()
        .returning(_LINKS.c.link_id)
    )
    return connection.scalar(statement) is not None


def touch_link(connection: Connection, link_id: str, now: datetime) -> bool:
    """Write that a link was used; other logins of the same person wait from here on. False when it has ended."""
    result = connection.execute(
        update(_LINKS)
        .where(_LINKS.c.link_id == link_id, _LINKS.c.ended_at.is_(None))
        .values(last_sign_in_at=now)
    )
    return result.rowcount == 1


def set_pivot(connection: Connection, link_id: str, pivot_hash: bytes) -> bool:
    """Write the pivot that a link certifies now; False when another account certifies that one."""
    try:
        with connection.begin_nested():
            connection.execute(
                update(_LINKS).where(_LINKS.c.link_id == link_id).values(pivot_hash=pivot_hash)
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
    connection: Connection, state_hash: bytes, *, browser_hash: bytes, now: datetime
) -> Journey | None:
    """Use up a state, at most once whatever the number of callbacks, and in the browser it was given to."""
    statement = (
        update(_JOURNEYS)
        .where(
            _JOURNEYS.c.state_hash == state_hash,
            _JOURNEYS.c.browser_hash == browser_hash,
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
