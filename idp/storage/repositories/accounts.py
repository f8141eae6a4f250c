"""Queries about accounts and what is known of the person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.exc import IntegrityError

from idp.domain.account import Account, AccountState
from idp.storage.models import accounts, outbox
from idp.storage.upsert import insert_into

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from idp.domain.email_address import EmailAddress

ACCOUNT_COLUMNS = (
    accounts.c.account_id,
    accounts.c.email,
    accounts.c.state,
    accounts.c.password_is_generated,
    accounts.c.language,
    accounts.c.terms_version,
    accounts.c.created_at,
    accounts.c.last_sign_in_at,
    accounts.c.previous_sign_in_at,
    accounts.c.limited_at,
    accounts.c.terms_notice_seen,
)
_BY_ID = select(*ACCOUNT_COLUMNS).where(accounts.c.account_id == bindparam("id_"))
_HOLD = select(accounts.c.account_id).where(accounts.c.account_id == bindparam("id_")).with_for_update()
_BY_EMAIL = select(*ACCOUNT_COLUMNS).where(accounts.c.email_canonical == bindparam("canonical"))
_CREDENTIAL = select(*ACCOUNT_COLUMNS, accounts.c.password_hash, accounts.c.password_changed_at).where(
    accounts.c.email_canonical == bindparam("canonical")
)
_CONFIRM_PASSWORD = (
    update(accounts)
    .where(
        accounts.c.account_id == bindparam("id_"),
        accounts.c.password_changed_at == bindparam("changed_"),
        accounts.c.state == AccountState.ACTIVE,
    )
    .values(
        previous_sign_in_at=accounts.c.last_sign_in_at,
        last_sign_in_at=bindparam("now_"),
        last_active_at=bindparam("now_"),
    )
)


@dataclass(frozen=True, slots=True)
class Credential:
    """An account and what its password is checked with.

    Attributes:
        account: Whose it is.
        password_hash: As stored.
        changed_at: When this password was set: `confirm_password` refuses what was checked against an older one.
    """

    account: Account
    password_hash: str
    changed_at: datetime


def by_id(connection: Connection, account_id: str) -> Account | None:
    """Find an account by its identifier."""
    row = connection.execute(_BY_ID, {"id_": account_id}).one_or_none()
    return None if row is None else account_from(row)


def hold(connection: Connection, account_id: str) -> bool:
    """Let no other transaction that holds the account go on until this one has ended; False when it is gone."""
    return connection.scalar(_HOLD, {"id_": account_id}) is not None


def by_email(connection: Connection, canonical: str) -> Account | None:
    """Find an account by the canonical form of its address."""
    row = connection.execute(_BY_EMAIL, {"canonical": canonical}).one_or_none()
    return None if row is None else account_from(row)


def credential(connection: Connection, canonical: str) -> Credential | None:
    """Find an account and its password hash by the canonical form of its address."""
    row = connection.execute(_CREDENTIAL, {"canonical": canonical}).one_or_none()
    return None if row is None else Credential(account_from(row), row.password_hash, row.password_changed_at)


def canonical_email(connection: Connection, account_id: str) -> str | None:
    """Read the form by which the address of an account is found."""
    return connection.scalar(select(accounts.c.email_canonical).where(accounts.c.account_id == account_id))


def create(
    connection: Connection,
    *,
    account: Account,
    email_canonical: str,
    password_hash: str,
) -> bool:
    """Write a new account; False when the address has one already: the unique constraint decides (ACC-5)."""
    statement = (
        insert_into(connection, accounts)
        .values(
            account_id=account.account_id,
            email=account.email,
            email_canonical=email_canonical,
            password_hash=password_hash,
            password_is_generated=account.password_is_generated,
            password_changed_at=account.created_at,
            state=account.state,
            language=account.language,
            terms_version=account.terms_version,
            created_at=account.created_at,
            last_sign_in_at=account.last_sign_in_at,
            last_active_at=account.created_at,
        )
        .on_conflict_do_nothing(index_elements=[accounts.c.email_canonical])
        .returning(accounts.c.account_id)
    )
    return connection.scalar(statement) is not None


def set_password(
    connection: Connection,
    account_id: str,
    password_hash: str,
    now: datetime,
    *,
    is_generated: bool = False,
    replaces: datetime | None = None,
) -> bool:
    """Replace the password of an active account by another one.

    Args:
        connection: The transaction that ends what the old password opened.
        account_id: Whose it is.
        password_hash: The new one.
        now: When it was set.
        is_generated: Nobody knows it (PWD-7).
        replaces: When the old one was set, if that was checked: False when it was replaced meanwhile.
    """
    statement = update(accounts).where(
        accounts.c.account_id == account_id, accounts.c.state == AccountState.ACTIVE
    )
    if replaces is not None:
        statement = statement.where(accounts.c.password_changed_at == replaces)
    result = connection.execute(
        statement.values(
            password_hash=password_hash, password_is_generated=is_generated, password_changed_at=now
        )
    )
    return result.rowcount == 1


def set_email(connection: Connection, account_id: str, email: EmailAddress) -> bool:
    """Give an account another address; False when that has an account: the unique constraint decides (PRO-1)."""
    statement = (
        update(accounts)
        .where(accounts.c.account_id == account_id)
        .values(email=email.typed, email_canonical=email.canonical)
    )
    try:
        # A savepoint: PostgreSQL would abort the whole transaction.
        with connection.begin_nested():
            connection.execute(statement)
    except IntegrityError:
        return False
    return True


def set_language(connection: Connection, account_id: str, language: str) -> None:
    """Write the language of an account: of its pages where the browser has chosen none, and of its mails (UX-1)."""
    connection.execute(update(accounts).where(accounts.c.account_id == account_id).values(language=language))


def make_password_unusable(
    connection: Connection, account_id: str, password_hash: str, now: datetime
) -> None:
    """Replace a password by one that nobody knows, whatever the state of the account (LOG-6)."""
    connection.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id)
        .values(password_hash=password_hash, password_is_generated=True, password_changed_at=now)
    )


def email_if_unusable_since(connection: Connection, account_id: str, since: datetime) -> str | None:
    """Give the address of an account whose password became unusable since a moment; None for any other (LOG-6)."""
    statement = select(accounts.c.email).where(
        accounts.c.account_id == account_id,
        accounts.c.password_is_generated,
        accounts.c.password_changed_at >= since,
    )
    return connection.scalar(statement)


def confirm_password(
    connection: Connection, checked: Credential, now: datetime, *, rehashed: str | None = None
) -> bool:
    """Let the person whose password was checked in, if the account is still active and the password still the same.

    One statement decides: a lock or a new password that came since the check wins.

    Args:
        connection: The transaction of the login.
        checked: What the password was checked with.
        now: When the account was last used, from now on (LIF-1).
        rehashed: The same password under the parameters of today (PWD-5).
    """
    statement = _CONFIRM_PASSWORD
    if rehashed is not None:
        statement = statement.values(password_hash=rehashed)
    values = {"id_": checked.account.account_id, "changed_": checked.changed_at, "now_": now}
    return connection.execute(statement, values).rowcount == 1


def set_state(connection: Connection, account_id: str, state: AccountState, reason: str | None) -> bool:
    """Lock or unlock an account (LOG-6); False when there is no such account."""
    result = connection.execute(
        update(accounts).where(accounts.c.account_id == account_id).values(state=state, state_reason=reason)
    )
    return result.rowcount == 1


def limit(connection: Connection, account_id: str, reason: str, now: datetime) -> bool:
    """Limit the processing of an account (PRI-4); False when it is limited already, or gone."""
    result = connection.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id, accounts.c.limited_at.is_(None))
        .values(limited_at=now, limited_reason=reason)
    )
    return result.rowcount == 1


def unlimit(connection: Connection, account_id: str) -> bool:
    """End the limiting of an account; False when it is not limited."""
    result = connection.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id, accounts.c.limited_at.is_not(None))
        .values(limited_at=None, limited_reason=None)
    )
    return result.rowcount == 1


def set_terms_version(connection: Connection, account_id: str, version: str) -> bool:
    """Remember the version of the terms that was accepted last (CGU-2); False when it was that one already.

    One statement decides which of two tabs accepted.
    """
    result = connection.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id, accounts.c.terms_version != version)
        .values(terms_version=version)
    )
    return result.rowcount == 1


def put_terms_notice_away(connection: Connection, account_id: str, version: str) -> None:
    """Remember the minor version of the terms whose notice the person has read (CGU-2)."""
    connection.execute(
        update(accounts).where(accounts.c.account_id == account_id).values(terms_notice_seen=version)
    )


def record_sign_in(connection: Connection, account_id: str, now: datetime) -> None:
    """Remember that the account was used (LIF-1)."""
    connection.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id)
        .values(previous_sign_in_at=accounts.c.last_sign_in_at, last_sign_in_at=now, last_active_at=now)
    )


def remove(connection: Connection, account_id: str) -> bool:
    """Erase an account and every row that points at it; False when there is no such account (LIF-4).

    The lines of the trail and of the ledger are the caller's: what it erased of them is a line in turn.
    """
    connection.execute(delete(outbox).where(outbox.c.account_id == account_id))
    return connection.execute(delete(accounts).where(accounts.c.account_id == account_id)).rowcount == 1


def account_from(row: Row[*tuple[Any, ...]]) -> Account:
    """Read an account from a row that has the columns of `accounts`."""
    return Account(
        account_id=row.account_id,
        email=row.email,
        state=AccountState(row.state),
        password_is_generated=row.password_is_generated,
        language=row.language,
        terms_version=row.terms_version,
        created_at=row.created_at,
        last_sign_in_at=row.last_sign_in_at,
        previous_sign_in_at=row.previous_sign_in_at,
        limited_at=row.limited_at,
        terms_notice_seen=row.terms_notice_seen,
    )
