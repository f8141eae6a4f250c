"""Says whether this node can serve: database writable and migrated, keys loaded (OPS-3, S-379)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.crypto.keyring import KeyringError
from idp.storage import revisions
from idp.storage.engine import DATABASE_AWAY
from idp.storage.repositories import life_cycle, outbox

if TYPE_CHECKING:
    from idp.services.context import Context


def failures(context: Context) -> dict[str, str]:
    """Name each check that fails and why, without a host, a path or a secret.

    Returns:
        Nothing when requests may come.
    """
    found = {"database": _database_failure(context), "keys": _keys_failure(context)}
    return {check: failure for check, failure in found.items() if failure is not None}


def gauges(context: Context) -> dict[str, float]:
    """Measure what is only known by looking: how many messages wait, and whether the database answers."""
    try:
        with context.database.read() as connection:
            counts = outbox.counts(connection)
            overdue = life_cycle.count_idle(connection, context.life_cycle.abandoned_before(context.clock()))
    except DATABASE_AWAY:
        return {"idp_database_up": 0}
    return {
        "idp_database_up": 1,
        "idp_outbox_waiting_messages": counts["waiting"],
        "idp_outbox_dead_messages": counts["dead"],
        # Some wait for a mail to arrive; a number that grows by the day says that the job does not run (S-373).
        "idp_life_cycle_overdue_accounts": overdue,
    }


def _database_failure(context: Context) -> str | None:
    try:
        revision = revisions.probe(context.database)
    except revisions.DatabaseUnwritable:
        return "not writable"
    return None if revision == revisions.expected() else "not at the newest migration"


def _keys_failure(context: Context) -> str | None:
    try:
        algorithms = context.keys.keyring().algorithms()
    except (KeyringError, OSError, ValueError):
        return "unreadable"
    return None if algorithms else "none is active"
