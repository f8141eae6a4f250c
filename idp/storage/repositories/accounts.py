"""Queries about accounts and what is known of the person."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, insert, select, update

from idp.domain.account import Account, AccountState
from idp.storage.models import accounts, audit_events, outbox

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

_COLUMNS = (
    accounts.c.account_id,
    accounts.c.email,
    accounts.c.state,
    accounts.c.password_is_generated,
    accounts.c.language,
    accounts.c.terms_version,
    accounts.c.created_at,
    accounts.c.last_sign_in_at,
)
_BY_ID = select(*_COLUMNS).where(accounts.c.account_id == bindparam("id_"))
_BY_EMAIL = select(*_COLUMNS).where(accounts.c.email_canonical == bindparam("canonical"))
_CREDENTIAL = select(*_COLUMNS, accounts.c.password_hash).where(
    accounts.c.email_canonical == bindparam("canonical")
)


def by_id(connection: Connection, account_id: str) -> Account | None:
    """Find an account by its identifier."""
    row = connection.execute(_BY_ID, {"id_": account_id}).one_or_none()
    return None if row is None else account_from(row)


def by_email(connection: Connection, canonical: str) -> Account | None:
    """Find an account by the canonical form of its address."""
    row = connection.execute(_BY_EMAIL, {"canonical": canonical}).one_or_none()
    return None if row is None else account_from(row)


def credential(connection: Connection, canonical: str) -> tuple[Account, str] | None:
    """Find an account and its password hash by the canonical form of its address."""
    row = connection.execute(_CREDENTIAL, {"canonical": canonical}).one_or_none()
    return None if row is None else (account_from(row), row.password_hash)


def password_hash(connection: Connection, account_id: str) -> str | None:
    """Read the password hash of an account."""
    return connection.scalar(select(accounts.c.password_hash).where(accounts.c.account_id == account_id))


def create(
    connection: Connection,
    *,
    account: Account,
    email_canonical: str,
    password_hash: str,
) -> None:
    """Write a new account.

    Raises:
        sqlalchemy.exc.IntegrityError: The address has an account already; the unique constraint decides (ACC-5).
    """
    connection.execute(
        insert(accounts).values(
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
        )
    )


def set_password(
    connection: Connection, account_id: str, password_hash: str, now: datetime, *, is_generated: bool = False
) -> None:
    """Replace the password by another one."""
    connection.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id)
        .values(password_hash=password_hash, password_is_generated=is_generated, password_changed_at=now)
    )


def rehash_password(connection: Connection, account_id: str, old_hash: str, new_hash: str) -> None:
    """Keep the same password under stronger parameters; a change made meanwhile wins (PWD-5)."""
    connection.execute(
        update(accounts)
        .where(accounts.c.account_id == account_id, accounts.c.password_hash == old_hash)
        .values(password_hash=new_hash)
    )


def set_state(connection: Connection, account_id: str, state: AccountState, reason: str | None) -> bool:
    """Lock or unlock an account (LOG-6); False when there is no such account."""
    result = connection.execute(
        update(accounts).where(accounts.c.account_id == account_id).values(state=state, state_reason=reason)
    )
    return result.rowcount == 1


def set_language(connection: Connection, account_id: str, language: str) -> None:
    """Remember the language a person chose (UX-1)."""
    connection.execute(update(accounts).where(accounts.c.account_id == account_id).values(language=language))


def set_terms_version(connection: Connection, account_id: str, version: str) -> None:
    """Remember the version of the terms that was accepted last (CGU-2)."""
    connection.execute(
        update(accounts).where(accounts.c.account_id == account_id).values(terms_version=version)
    )


def record_sign_in(connection: Connection, account_id: str, now: datetime) -> None:
    """Remember that the account was used (LIF-1)."""
    connection.execute(
        update(accounts).where(accounts.c.account_id == account_id).values(last_sign_in_at=now)
    )


def remove(connection: Connection, account_id: str) -> bool:
    """Erase an account and every row that points at it; False when there is no such account (LIF-4)."""
    connection.execute(delete(outbox).where(outbox.c.account_id == account_id))
    connection.execute(
        update(audit_events).where(audit_events.c.account_id == account_id).values(account_id=None)
    )
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
    )
