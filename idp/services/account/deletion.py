"""Deletes every row that speaks of the person (LIF-4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.domain.events import AccountDeleted
from idp.services import ledger
from idp.services.audit import record
from idp.services.sign_in.endings import tell
from idp.storage.repositories import accounts, chains, purges, sessions, signups

if TYPE_CHECKING:
    from idp.services.tools import Tools
    from idp.storage.engine import Connection


def delete(tools: Tools, account_id: str, *, actor: str = "administrator") -> bool:
    """Erase an account and all that speaks of it, in one transaction; the address is free again.

    What stays is a line of the trail that names nobody.

    Args:
        tools: The parts.
        account_id: Which one.
        actor: Who deletes, for the trail.

    Returns:
        False when there is no such account.
    """
    with tools.database.write() as connection:
        return delete_within(tools, connection, account_id, actor=actor)


def delete_within(tools: Tools, connection: Connection, account_id: str, *, actor: str) -> bool:
    """Erase an account in a transaction that does more."""
    now = tools.clock()
    canonical = accounts.canonical_email(connection, account_id)
    if canonical is None:
        return False
    signups.remove_of_address(connection, canonical)
    # Before the account: the services of a session are known by what it was given, which goes with it.
    tell(connection, sessions.end_all(connection, account_id), sealer=tools.sealer, now=now)
    ledger.erase(connection, account_id, now)
    erased = chains.erase(connection, chains.AUDIT, account_id)
    accounts.remove(connection, account_id)
    purges.add(connection, account_id, way=actor, now=now)
    record(connection, AccountDeleted(tuple(erased)), now, actor=actor)
    return True
