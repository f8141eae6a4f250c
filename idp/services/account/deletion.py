"""Deletes every row that speaks of the person (LIF-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.domain.events import AccountDeleted
from idp.services.audit import record
from idp.services.sign_in.endings import tell
from idp.storage.repositories import accounts, sessions, signups

if TYPE_CHECKING:
    from idp.services.context import Context


def delete(context: Context, account_id: str, *, actor: str = "administrator") -> bool:
    """Erase an account and all that speaks of it, in one transaction; the address is free again.

    What stays is a line of the trail that names nobody.

    Args:
        context: The parts.
        account_id: Which one.
        actor: Who deletes, for the trail.

    Returns:
        False when there is no such account.
    """
    now = context.clock()
    with context.database.write() as connection:
        canonical = accounts.canonical_email(connection, account_id)
        if canonical is None:
            return False
        signups.remove_of_address(connection, canonical)
        # Before the account: the services of a session are known by what it was given, which goes with it.
        tell(connection, sessions.end_all(connection, account_id), sealer=context.sealer, now=now)
        accounts.remove(connection, account_id)
        record(connection, AccountDeleted(), now, actor=actor)
    return True
