"""Locks and unlocks an account: a lock ends everything at once (LOG-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.domain.account import AccountState
from idp.domain.events import AccountLocked, AccountUnlocked
from idp.services.audit import record
from idp.services.sign_in.sessions import end_others_within
from idp.storage.repositories import account_links, accounts, email_changes, tokens

if TYPE_CHECKING:
    from datetime import datetime

    from idp.services.context import Context
    from idp.storage.engine import Connection


def lock(context: Context, account_id: str, reason: str, *, actor: str = "administrator") -> bool:
    """Lock an account: its sessions, tokens and links end in the same transaction.

    Args:
        context: The parts.
        account_id: Which one.
        reason: Why, in the administrator's words; kept with the account and erased with it, not in the trail.
        actor: Who locks, for the trail.

    Returns:
        False when there is no such account.
    """
    now = context.clock()
    with context.database.write() as connection:
        if not accounts.set_state(connection, account_id, AccountState.LOCKED, reason):
            return False
        end_everything(context, connection, account_id, now, reason="locked")
        record(connection, AccountLocked(actor), now, actor=actor, account_id=account_id)
    return True


def unlock(context: Context, account_id: str, *, actor: str = "administrator") -> bool:
    """Open an account again; its owner signs in anew. False when there is no such account."""
    now = context.clock()
    with context.database.write() as connection:
        if not accounts.set_state(connection, account_id, AccountState.ACTIVE, None):
            return False
        record(connection, AccountUnlocked(), now, actor=actor, account_id=account_id)
    return True


def end_everything(
    context: Context,
    connection: Connection,
    account_id: str,
    now: datetime,
    *,
    reason: str,
    but: str | None = None,
) -> int:
    """End sessions, tokens and mailed links of an account, in a transaction that does more.

    Args:
        context: The parts.
        connection: That transaction.
        account_id: Whose they are.
        now: When.
        reason: For the trail and the tokens: "password_changed", "locked".
        but: The one session that stays, with the tokens born in it.

    Returns:
        How many sessions ended.
    """
    ended = end_others_within(context, connection, account_id, now, but=but, reason=reason)
    tokens.revoke_families_of_account(connection, account_id, now, reason, but_session=but)
    account_links.void_all(connection, account_id, now)
    # What a stranger had begun does not outlive their stay (ACC-5); what undoes a change stays.
    email_changes.remove_open_of_account(connection, account_id)
    return len(ended)
