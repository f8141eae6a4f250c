"""Queries about accounts that nobody uses, their warnings, and the links that keep them (LIF-1, LIF-2, LIF-3).

A batch follows the index of `accounts.last_active_at` from where the one before ended: what nobody has forgotten is
never read.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, tuple_, update

from idp.domain.life_cycle import Delivery, SentWarning
from idp.storage.models import account_links, accounts, data_requests, lifecycle_warnings, outbox
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Row, Select

_WARNINGS: Final = lifecycle_warnings
#: A message given up so shortly before it expired was tried to the end; one given up earlier was refused.
_LAST_TRY: Final = timedelta(hours=1)
#: When the account was last used: rows of before the column have no other trace.
_used_at: Final = func.coalesce(accounts.c.last_sign_in_at, accounts.c.created_at)
_IDLE_COLUMNS: Final = (
    accounts.c.account_id,
    accounts.c.email,
    accounts.c.language,
    accounts.c.last_active_at,
)
_OPEN_REQUEST: Final = exists().where(
    data_requests.c.account_id == accounts.c.account_id, data_requests.c.state == "open"
)
#: Restricted processing and requests under way keep the data until they are dealt with (PRI-4).
_IS_KEPT: Final = or_(accounts.c.limited_at.is_not(None), _OPEN_REQUEST)
_WARNING_COLUMNS: Final = (
    _WARNINGS.c.account_id,
    _WARNINGS.c.stage,
    _WARNINGS.c.queued_at,
    _WARNINGS.c.deletes_at,
    _WARNINGS.c.delivered_at,
    _WARNINGS.c.bounced_at,
    _WARNINGS.c.message_id,
    outbox.c.message_id.label("queued_id"),
    outbox.c.dead_at,
    outbox.c.expires_at,
    outbox.c.last_error,
)
_OF_ACCOUNTS: Final = (
    select(*_WARNING_COLUMNS)
    .select_from(
        _WARNINGS.join(
            accounts,
            (accounts.c.account_id == _WARNINGS.c.account_id)
            & (accounts.c.last_active_at == _WARNINGS.c.idle_since),
        ).outerjoin(outbox, outbox.c.message_id == _WARNINGS.c.message_id)
    )
    .where(_WARNINGS.c.account_id.in_(bindparam("ids", expanding=True)))
    .order_by(_WARNINGS.c.account_id, _WARNINGS.c.queued_at)
)
_USE: Final = (
    update(accounts)
    .where(
        accounts.c.account_id.in_(
            select(accounts.c.account_id)
            .where(accounts.c.account_id == bindparam("id_"))
            # Whoever holds the row is signing in, or deletes it: neither is waited for.
            .with_for_update(skip_locked=True)
        )
    )
    .values(last_active_at=bindparam("now_"))
)


@dataclass(frozen=True, slots=True)
class IdleAccount:
    """An account that may have something due.

    Attributes:
        account_id: Which one.
        email: Its address.
        language: Of its mails.
        idle_since: Its latest use.
        warnings: Those since then.
        last_error: Why the latest of them did not arrive, in the mail server's code; None when nothing is known.
    """

    account_id: str
    email: str
    language: str
    idle_since: datetime
    warnings: tuple[SentWarning, ...]
    last_error: str | None


@dataclass(frozen=True, slots=True)
class NewWarning:
    """A warning as it is queued."""

    account_id: str
    idle_since: datetime
    stage: int
    message_id: str
    deletes_at: datetime


@dataclass(frozen=True, slots=True)
class NewLink:
    """A link that keeps an account: the hash of its token."""

    account_id: str
    token_hash: bytes
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ReactivationLink:
    """A mailed link as it was found, usable or not.

    Attributes:
        account_id: Whose account it keeps.
        email: Its address.
        language: Of the account.
        last_active_at: When the account was last used.
        created_at: When the link was mailed.
        expires_at: Until when it serves.
        consumed_at: When it served, or was made void.
    """

    account_id: str
    email: str
    language: str
    last_active_at: datetime
    created_at: datetime
    expires_at: datetime
    consumed_at: datetime | None


def date_undated(connection: Connection, limit: int) -> int:
    """Fill in when accounts were last used that were made before that was kept; gives back how many."""
    some = (
        select(accounts.c.account_id)
        .where(accounts.c.last_active_at.is_(None))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = update(accounts).where(accounts.c.account_id.in_(some)).values(last_active_at=_used_at)
    return connection.execute(statement).rowcount


def count_undated(connection: Connection) -> int:
    """Count accounts whose latest use has not been filled in."""
    return connection.scalar(select(func.count()).where(accounts.c.last_active_at.is_(None))) or 0


def count_idle(connection: Connection, before: datetime) -> int:
    """Count accounts last used before a moment."""
    return connection.scalar(select(func.count()).where(accounts.c.last_active_at <= before)) or 0


def count_kept(connection: Connection, before: datetime) -> int:
    """Count accounts last used before a moment that are kept in any case."""
    return connection.scalar(select(func.count()).where(accounts.c.last_active_at <= before, _IS_KEPT)) or 0


def idle(
    connection: Connection, *, before: datetime, after: tuple[datetime, str] | None, limit: int
) -> Sequence[IdleAccount]:
    """Read the next accounts in the order of their latest use.

    Args:
        connection: For reads.
        before: Those last used after it are not read.
        after: Latest use and identifier of the last account of the batch before; None to begin.
        limit: How many.
    """
    return _with_warnings(connection, connection.execute(idle_statement(before, after, limit)).all())


def idle_statement(
    before: datetime, after: tuple[datetime, str] | None, limit: int
) -> Select[tuple[str, str, str, datetime]]:
    """Make the statement of a batch."""
    statement = (
        select(*_IDLE_COLUMNS)
        .where(accounts.c.last_active_at <= before, ~_IS_KEPT)
        .order_by(accounts.c.last_active_at, accounts.c.account_id)
        .limit(limit)
    )
    if after is None:
        return statement
    place: ColumnElement[Any] = tuple_(accounts.c.last_active_at, accounts.c.account_id)
    return statement.where(
        place > tuple_(*after, types=[accounts.c.last_active_at.type, accounts.c.account_id.type])
    )


def undated(connection: Connection, *, before: datetime, after: str, limit: int) -> Sequence[IdleAccount]:
    """Read accounts as they will be once their latest use is filled in: for a run that writes nothing."""
    statement = (
        select(*_IDLE_COLUMNS[:-1], _used_at.label("last_active_at"))
        .where(
            accounts.c.last_active_at.is_(None), _used_at <= before, accounts.c.account_id > after, ~_IS_KEPT
        )
        .order_by(accounts.c.account_id)
        .limit(limit)
    )
    return [_idle(row, ()) for row in connection.execute(statement)]


def hold(connection: Connection, account_ids: Sequence[str]) -> Sequence[IdleAccount]:
    """Read accounts again in a transaction, in which nobody uses them until it ends.

    Those that somebody else holds are left out, on PostgreSQL: a login, or another node. SQLite has one writer.
    """
    statement = (
        select(*_IDLE_COLUMNS)
        .where(accounts.c.account_id.in_(account_ids), accounts.c.last_active_at.is_not(None))
        .with_for_update(skip_locked=True)
    )
    held = connection.execute(statement).all()
    # A statement of its own: it sees what was committed while the first one ran.
    kept = select(accounts.c.account_id).where(
        accounts.c.account_id.in_([row.account_id for row in held]), _IS_KEPT
    )
    without = set(connection.scalars(kept))
    return _with_warnings(connection, [row for row in held if row.account_id not in without])


def add_warnings(connection: Connection, warnings: Sequence[NewWarning], now: datetime) -> None:
    """Write warnings that were queued; the next try of a stage takes the place of the one before."""
    insertion = insert_into(connection, _WARNINGS)
    statement = insertion.on_conflict_do_update(
        index_elements=[_WARNINGS.c.account_id, _WARNINGS.c.idle_since, _WARNINGS.c.stage],
        set_={
            "message_id": insertion.excluded.message_id,
            "queued_at": insertion.excluded.queued_at,
            "deletes_at": insertion.excluded.deletes_at,
            "delivered_at": None,
            "bounced_at": None,
        },
    )
    rows = [
        {
            "account_id": one.account_id,
            "idle_since": one.idle_since,
            "stage": one.stage,
            "message_id": one.message_id,
            "queued_at": now,
            "deletes_at": one.deletes_at,
        }
        for one in warnings
    ]
    connection.execute(statement, rows)


def add_links(connection: Connection, links: Sequence[NewLink], purpose: str, now: datetime) -> None:
    """Keep links; earlier ones of the same period serve too, as the mails say."""
    rows = [
        {
            "token_hash": link.token_hash,
            "account_id": link.account_id,
            "purpose": purpose,
            "created_at": now,
            "expires_at": link.expires_at,
        }
        for link in links
    ]
    connection.execute(insert(account_links), rows)


def delivered(connection: Connection, message_id: str, now: datetime) -> None:
    """Keep that a mail arrived, if it is a warning: the outbox forgets it sooner."""
    connection.execute(update(_WARNINGS).where(_WARNINGS.c.message_id == message_id).values(delivered_at=now))


def is_void(connection: Connection, message_id: str) -> bool:
    """Tell whether a warning need not be sent any more: another took its place, or the account was used."""
    holds = select(_WARNINGS.c.account_id).join_from(
        _WARNINGS,
        accounts,
        (accounts.c.account_id == _WARNINGS.c.account_id)
        & (accounts.c.last_active_at == _WARNINGS.c.idle_since),
    )
    return connection.scalar(holds.where(_WARNINGS.c.message_id == message_id)) is None


def bounced(
    connection: Connection, now: datetime, *, message_id: str | None = None, canonical: str | None = None
) -> Sequence[str]:
    """Keep that a warning was sent back, or every one of the present period to an address.

    Returns:
        Whose they are; empty when there is none.
    """
    statement = update(_WARNINGS).values(bounced_at=now).where(_WARNINGS.c.bounced_at.is_(None))
    if message_id is not None:
        statement = statement.where(_WARNINGS.c.message_id == message_id)
    else:
        of_address = select(accounts.c.account_id).where(
            accounts.c.email_canonical == canonical, accounts.c.last_active_at == _WARNINGS.c.idle_since
        )
        statement = statement.where(_WARNINGS.c.account_id.in_(of_address))
    return sorted(set(connection.scalars(statement.returning(_WARNINGS.c.account_id))))


def forget_void(connection: Connection, limit: int) -> int:
    """Delete warnings of former periods; gives back how many."""
    void = (
        select(_WARNINGS.c.account_id, _WARNINGS.c.idle_since, _WARNINGS.c.stage)
        .join_from(_WARNINGS, accounts)
        .where(accounts.c.last_active_at != _WARNINGS.c.idle_since)
        .limit(limit)
    )
    keys = tuple_(_WARNINGS.c.account_id, _WARNINGS.c.idle_since, _WARNINGS.c.stage)
    return connection.execute(delete(_WARNINGS).where(keys.in_(void))).rowcount


def find_link(connection: Connection, token_hash: bytes, purpose: str) -> ReactivationLink | None:
    """Find a link whatever its state: the page explains it."""
    statement = (
        select(
            accounts.c.account_id,
            accounts.c.email,
            accounts.c.language,
            func.coalesce(accounts.c.last_active_at, _used_at, type_=accounts.c.created_at.type),
            account_links.c.created_at,
            account_links.c.expires_at,
            account_links.c.consumed_at,
        )
        .join_from(account_links, accounts)
        .where(account_links.c.token_hash == token_hash, account_links.c.purpose == purpose)
    )
    row = connection.execute(statement).one_or_none()
    return None if row is None else ReactivationLink(*row)


def use(connection: Connection, account_id: str, now: datetime) -> None:
    """Begin another period: the account was used (LIF-1). Never waits, and never undoes a deletion."""
    connection.execute(_USE, {"id_": account_id, "now_": now})


def reactivate(connection: Connection, account_id: str, now: datetime) -> bool:
    """Begin another period by a link; waits for whoever holds the account, and is False when it is gone."""
    statement = update(accounts).where(accounts.c.account_id == account_id).values(last_active_at=now)
    return connection.execute(statement).rowcount == 1


def _with_warnings(connection: Connection, rows: Sequence[Row[*tuple[Any, ...]]]) -> Sequence[IdleAccount]:
    found: dict[str, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    if rows:
        for warning in connection.execute(_OF_ACCOUNTS, {"ids": [row.account_id for row in rows]}):
            found[warning.account_id].append(warning)
    return [_idle(row, found.get(row.account_id, ())) for row in rows]


def _idle(row: Row[*tuple[Any, ...]], warnings: Sequence[Row[*tuple[Any, ...]]]) -> IdleAccount:
    return IdleAccount(
        row.account_id,
        row.email,
        row.language,
        row.last_active_at,
        tuple(
            SentWarning(
                one.stage,
                one.queued_at,
                one.deletes_at,
                fate,
                one.delivered_at if fate is Delivery.DELIVERED else None,
            )
            for one in warnings
            for fate in (_fate(one),)
        ),
        _error(warnings[-1]) if warnings else None,
    )


def _fate(warning: Row[*tuple[Any, ...]]) -> Delivery:
    if warning.bounced_at is not None:
        return Delivery.REFUSED
    if warning.delivered_at is not None:
        return Delivery.DELIVERED
    if warning.queued_id is None:
        # Purged long after it was given up.
        return Delivery.REFUSED
    if warning.dead_at is None:
        return Delivery.PENDING
    was_tried_to_the_end = warning.dead_at >= warning.expires_at - _LAST_TRY
    return Delivery.LOST if was_tried_to_the_end else Delivery.REFUSED


def _error(warning: Row[*tuple[Any, ...]]) -> str | None:
    if warning.bounced_at is not None:
        return "sent back"
    error: str | None = warning.last_error
    return error
