"""What an administrator does with an account: look, lock, unlock, delete (ADM-1, ACC-7, LOG-6, LIF-4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from idp.domain.account import AccountState
from idp.domain.email_address import canonical
from idp.domain.events import AccountLocked, AccountUnlocked, AccountViewed
from idp.services.account import deletion
from idp.services.audit import record
from idp.services.sign_in.endings import tell
from idp.storage.repositories import accounts, audit, sessions, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.domain.account import Account
    from idp.services.tools import Tools
    from idp.storage.engine import Connection

_ACTOR: Final = "administrator"


@dataclass(frozen=True, slots=True)
class AccountCard:
    """What an administrator sees of an account: no identity, no password.

    Attributes:
        account: The account.
        sessions: How many browsers are signed in.
        events: The latest lines of the trail.
    """

    account: Account
    sessions: int
    events: Sequence[dict[str, Any]]


def show(tools: Tools, wanted: str, *, by: str, reason: str | None) -> AccountCard | None:
    """Find an account and show it; that it was looked at is recorded, and its owner's export says so (S-456).

    Args:
        tools: The parts.
        wanted: Identifier or address.
        by: Who looks.
        reason: Why, in their words.

    Returns:
        None when there is no such account.
    """
    with tools.database.write() as connection:
        account = find(connection, wanted)
        if account is None:
            return None
        card = AccountCard(
            account,
            len(sessions.of_account(connection, account.account_id)),
            [dict(event) for event in audit.of_account(connection, account.account_id, limit=10)],
        )
        event = AccountViewed(by, reason)
        record(connection, event, tools.clock(), actor=_ACTOR, account_id=account.account_id)
    return card


def exists(tools: Tools, wanted: str) -> bool:
    """Tell whether there is such an account, and nothing of it."""
    with tools.database.read() as connection:
        return find(connection, wanted) is not None


def lock(tools: Tools, wanted: str, reason: str) -> Account | None:
    """Lock an account: its sessions end, its services are told and its tokens die in the same transaction.

    Args:
        tools: The parts.
        wanted: Identifier or address.
        reason: A word for the trail, of the administrator.
    """
    now = tools.clock()
    with tools.database.write() as connection:
        account = find(connection, wanted)
        if account is None:
            return None
        accounts.set_state(connection, account.account_id, AccountState.LOCKED, reason)
        ended = sessions.end_all(connection, account.account_id)
        tell(connection, ended, sealer=tools.sealer, now=now)
        tokens.revoke_families_of_account(connection, account.account_id, now, "locked")
        record(connection, AccountLocked(reason), now, actor=_ACTOR, account_id=account.account_id)
    return account


def unlock(tools: Tools, wanted: str) -> Account | None:
    """Let the owner of an account sign in again."""
    now = tools.clock()
    with tools.database.write() as connection:
        account = find(connection, wanted)
        if account is None:
            return None
        accounts.set_state(connection, account.account_id, AccountState.ACTIVE, None)
        record(connection, AccountUnlocked(), now, actor=_ACTOR, account_id=account.account_id)
    return account


def delete(tools: Tools, wanted: str) -> Account | None:
    """Erase every row that speaks of the person, in one transaction; the line that stays names nobody."""
    with tools.database.write() as connection:
        account = find(connection, wanted)
        if account is not None:
            deletion.delete_within(tools, connection, account.account_id, actor=_ACTOR)
    return account


def find(connection: Connection, wanted: str) -> Account | None:
    """Find an account by its identifier or its address."""
    if "@" in wanted:
        return accounts.by_email(connection, canonical(wanted))
    return accounts.by_id(connection, wanted)
