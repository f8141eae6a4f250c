"""Queries about links that are mailed to the owner of an account: hashes only, each serves once (PWD-8)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, insert, literal, select, update

from idp.domain.account import Account, AccountState
from idp.storage.models import account_links, accounts
from idp.storage.repositories.accounts import ACCOUNT_COLUMNS, account_from

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection

_TABLE = account_links
_LIVE = (
    select(*ACCOUNT_COLUMNS, _TABLE.c.pending_id)
    .join_from(_TABLE, accounts)
    .where(
        _TABLE.c.token_hash == bindparam("hash_"),
        _TABLE.c.purpose == bindparam("purpose_"),
        _TABLE.c.consumed_at.is_(None),
        _TABLE.c.expires_at > bindparam("now_", type_=_TABLE.c.expires_at.type),
        accounts.c.state == AccountState.ACTIVE,
    )
)


@dataclass(frozen=True, slots=True)
class AccountLink:
    """A link that may still be used, and whose it is."""

    account: Account
    pending_id: str | None


def add_for(
    connection: Connection,
    canonical: str,
    *,
    token_hash: bytes,
    purpose: str,
    pending_id: str | None,
    now: datetime,
    expires_at: datetime,
) -> bool:
    """Keep a link for the active account of an address, if there is one; the newer voids the older.

    The same two statements run whether or not there is an account, so that their number tells nothing.

    Returns:
        Whether there is such an account.
    """
    of_address = select(accounts.c.account_id).where(
        accounts.c.email_canonical == canonical, accounts.c.state == AccountState.ACTIVE
    )
    connection.execute(
        update(_TABLE)
        .where(
            _TABLE.c.account_id.in_(of_address), _TABLE.c.purpose == purpose, _TABLE.c.consumed_at.is_(None)
        )
        .values(consumed_at=now)
    )
    row = of_address.add_columns(
        literal(token_hash, _TABLE.c.token_hash.type),
        literal(purpose),
        literal(pending_id, _TABLE.c.pending_id.type),
        literal(now, _TABLE.c.created_at.type),
        literal(expires_at, _TABLE.c.expires_at.type),
    )
    names = ["account_id", "token_hash", "purpose", "pending_id", "created_at", "expires_at"]
    statement = insert(_TABLE).from_select(names, row).returning(_TABLE.c.account_id)
    return connection.scalar(statement) is not None


def find(connection: Connection, token_hash: bytes, purpose: str, now: datetime) -> AccountLink | None:
    """Find a link that may still be used, and change nothing: programs that read mail follow links (S-272)."""
    found = connection.execute(_LIVE, {"hash_": token_hash, "purpose_": purpose, "now_": now}).one_or_none()
    return None if found is None else AccountLink(account_from(found), found.pending_id)


def that_set_password(
    connection: Connection, token_hash: bytes, purpose: str, since: datetime
) -> AccountLink | None:
    """Find a link that has set the password its account has now, a moment ago; None for one that was voided."""
    statement = (
        select(*ACCOUNT_COLUMNS, _TABLE.c.pending_id)
        .join_from(_TABLE, accounts)
        .where(
            _TABLE.c.token_hash == token_hash,
            _TABLE.c.purpose == purpose,
            _TABLE.c.consumed_at >= since,
            # Both are written by one transaction, at one time.
            _TABLE.c.consumed_at == accounts.c.password_changed_at,
            accounts.c.state == AccountState.ACTIVE,
        )
    )
    found = connection.execute(statement).one_or_none()
    return None if found is None else AccountLink(account_from(found), found.pending_id)


def consume(connection: Connection, token_hash: bytes, purpose: str, now: datetime) -> bool:
    """Use up a link, at most once whatever the number of concurrent callers."""
    statement = (
        update(_TABLE)
        .where(
            _TABLE.c.token_hash == token_hash,
            _TABLE.c.purpose == purpose,
            _TABLE.c.consumed_at.is_(None),
            _TABLE.c.expires_at > now,
        )
        .values(consumed_at=now)
    )
    return connection.execute(statement).rowcount == 1


def void_all(connection: Connection, account_id: str, now: datetime) -> None:
    """End every link of an account, whatever it is for (S-265)."""
    connection.execute(
        update(_TABLE)
        .where(_TABLE.c.account_id == account_id, _TABLE.c.consumed_at.is_(None))
        .values(consumed_at=now)
    )
