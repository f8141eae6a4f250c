"""Queries about subscriptions to the lists of services (PRO-7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, select, update

from idp.domain.account import AccountState
from idp.domain.civil_identity import CONTACT_EMAIL, Level
from idp.domain.newsletters import Subscription
from idp.storage.models import account_attributes, accounts, newsletter_subscriptions
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row

_TABLE = newsletter_subscriptions
_COLUMNS = (
    _TABLE.c.account_id,
    _TABLE.c.client_id,
    _TABLE.c.name,
    _TABLE.c.asked_at,
    _TABLE.c.expires_at,
    _TABLE.c.confirmed_at,
)


#: The address that a person gave us to write to, once it is proven (PRO-2).
_CONTACT = account_attributes.alias("contact")
_IS_CONTACT = and_(
    _CONTACT.c.account_id == accounts.c.account_id,
    _CONTACT.c.name == CONTACT_EMAIL,
    _CONTACT.c.level >= Level.PROVEN,
)


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody who confirmed, and where to write to them.

    Attributes:
        account_id: Who; never told.
        email: Where to: the contact address that they have proven, else the login address.
        is_contact_email: Which of the two it is.
        language: In which.
        confirmed_at: Since when.
        place: In the list: a hash, in an order that tells nothing.
    """

    account_id: str
    email: str
    is_contact_email: bool
    language: str
    confirmed_at: datetime
    place: bytes


@dataclass(frozen=True, slots=True)
class Links:
    """Hashes of the links of a subscription."""

    confirmation: bytes
    unsubscribe: bytes


def of_account(connection: Connection, account_id: str) -> Sequence[Subscription]:
    """List what a person asked for and confirmed."""
    rows = connection.execute(
        select(*_COLUMNS).where(_TABLE.c.account_id == account_id).order_by(_TABLE.c.client_id, _TABLE.c.name)
    )
    return [_subscription_from(row) for row in rows]


def ask(connection: Connection, asked: Subscription, links: Links) -> bool:
    """Keep that a person asked; a newer link voids the older.

    Returns:
        False when the subscription is confirmed already: it stays as it is.
    """
    statement = insert_into(connection, _TABLE).values(
        account_id=asked.account_id,
        client_id=asked.client_id,
        name=asked.name,
        confirmation_hash=links.confirmation,
        unsubscribe_hash=links.unsubscribe,
        asked_at=asked.asked_at,
        expires_at=asked.expires_at,
        confirmed_at=None,
    )
    written = statement.on_conflict_do_update(
        index_elements=[_TABLE.c.account_id, _TABLE.c.client_id, _TABLE.c.name],
        set_={
            "confirmation_hash": statement.excluded.confirmation_hash,
            "asked_at": statement.excluded.asked_at,
            "expires_at": statement.excluded.expires_at,
        },
        where=_TABLE.c.confirmed_at.is_(None),
    ).returning(_TABLE.c.account_id)
    return connection.scalar(written) is not None


def by_confirmation(connection: Connection, token_hash: bytes) -> Subscription | None:
    """Find what a mailed link confirms, and change nothing; nothing for an account that is locked."""
    return _find(connection, _TABLE.c.confirmation_hash == token_hash)


def by_unsubscribe(connection: Connection, token_hash: bytes) -> Subscription | None:
    """Find what the link of a letter ends, and change nothing; also for an account that is locked."""
    row = connection.execute(select(*_COLUMNS).where(_TABLE.c.unsubscribe_hash == token_hash)).one_or_none()
    return None if row is None else _subscription_from(row)


def confirm(connection: Connection, token_hash: bytes, now: datetime) -> Subscription | None:
    """Let a subscription count, at most once whatever the number of concurrent callers.

    Returns:
        What was confirmed; None when the link confirms nothing, or nothing any more.
    """
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.confirmation_hash == token_hash,
            _TABLE.c.confirmed_at.is_(None),
            _TABLE.c.expires_at > now,
        )
        # The hash stays: who presses twice is told that it is done.
        .values(confirmed_at=now, expires_at=None)
        .returning(*_COLUMNS)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _subscription_from(row)


def remove(connection: Connection, account_id: str, client_id: str, name: str) -> Subscription | None:
    """End a subscription; gives back what it was, None when there was none."""
    statement = (
        delete(_TABLE)
        .where(
            _TABLE.c.account_id == account_id,
            _TABLE.c.client_id == client_id,
            _TABLE.c.name == name,
        )
        .returning(*_COLUMNS)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else _subscription_from(row)


def subscribers(
    connection: Connection, client_id: str, name: str, *, after: bytes, limit: int
) -> Sequence[Subscriber]:
    """List those who confirmed; who is locked or limited is left out (PRI-4).

    Args:
        connection: An open connection.
        client_id: Whose list.
        name: Of the list.
        after: The place of the last one of the page before, who may be gone; empty for the first page.
        limit: How many at most.
    """
    rows = connection.execute(
        select(
            _TABLE.c.account_id,
            func.coalesce(_CONTACT.c.value, accounts.c.email),
            _CONTACT.c.value.is_not(None),
            accounts.c.language,
            _TABLE.c.confirmed_at,
            _TABLE.c.unsubscribe_hash,
        )
        .join(accounts, accounts.c.account_id == _TABLE.c.account_id)
        .outerjoin(_CONTACT, _IS_CONTACT)
        .where(
            _TABLE.c.client_id == client_id,
            _TABLE.c.name == name,
            _TABLE.c.unsubscribe_hash > after,
            _TABLE.c.confirmed_at.is_not(None),
            accounts.c.state == AccountState.ACTIVE,
            accounts.c.limited_at.is_(None),
        )
        .order_by(_TABLE.c.unsubscribe_hash)
        .limit(limit)
    )
    return [Subscriber(*row) for row in rows]


def _find(connection: Connection, which: ColumnElement[bool]) -> Subscription | None:
    row = connection.execute(
        select(*_COLUMNS)
        .join(accounts, accounts.c.account_id == _TABLE.c.account_id)
        .where(which, accounts.c.state == AccountState.ACTIVE)
    ).one_or_none()
    return None if row is None else _subscription_from(row)


def _subscription_from(row: Row[*tuple[Any, ...]]) -> Subscription:
    return Subscription(*row)
