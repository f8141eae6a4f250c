"""Purges what expired, a few rows at a time; expiry is checked at each use, so being late harms nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from idp.domain.events import RowsPurged, TrailCut
from idp.services.account.deletion import forget_late
from idp.services.audit import record
from idp.storage.repositories import chains, expired

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from idp.services.tools import Tools
    from idp.storage.engine import Connection

#: Rows of one transaction: some milliseconds, during which SQLite has no other writer.
_BATCH: Final = 200
#: Then the others have their turn.
_PAUSE_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is of no more use is kept (PRI-3).

    Attributes:
        session_idle: A session unused for so long has ended.
        links: Expired links and ended secrets.
        messages: Messages that were delivered or given up.
        devices: Browsers that did not come back.
        audit: Lines of the audit trail.
        disclosures: What the log says of which service received what.
    """

    session_idle: timedelta
    links: timedelta = timedelta(days=7)
    messages: timedelta = timedelta(days=30)
    devices: timedelta = timedelta(days=396)
    audit: timedelta = timedelta(days=365)
    disclosures: timedelta = timedelta(days=396)


def purge(
    tools: Tools,
    retention: Retention,
    pause: Callable[[float], object],
    go_on: Callable[[], bool] = lambda: True,
) -> dict[str, int]:
    """Delete everything that expired before now.

    Args:
        tools: The parts.
        retention: What is kept how long.
        pause: Waits some seconds between transactions.
        go_on: False ends it early; the next run does the rest.

    Returns:
        How many rows of each kind went; kinds without any are left out.
    """
    now = tools.clock()
    ages = expired.Ages(
        now=now,
        session_unused_since=now - retention.session_idle,
        links_since=now - retention.links,
        messages_since=now - retention.messages,
        devices_since=now - retention.devices,
        disclosures_since=now - retention.disclosures,
    )
    steps: dict[str, Callable[[Connection], int]] = {
        kind: partial(expired.purge, table=table, may_go=may_go, limit=_BATCH)
        for kind, (table, may_go) in expired.kinds(ages).items()
    }
    steps["audit_events"] = partial(_cut_trail, before=now - retention.audit, now=now)
    gone: dict[str, int] = {}
    for kind, step in steps.items():
        count = _BATCH
        while count == _BATCH and go_on():
            with tools.database.write() as connection:
                count = step(connection)
            if count:
                gone[kind] = gone.get(kind, 0) + count
                pause(_PAUSE_SECONDS)
    late = forget_late(tools)
    if late:
        gone["of_erased_accounts"] = late
    with tools.database.write() as connection:
        expired.forget_dead_messages(connection, now, limit=_BATCH)
        if gone:
            # The proof that retention is kept (S-430).
            record(connection, RowsPurged(gone), now, actor="system")
    return gone


def _cut_trail(connection: Connection, *, before: datetime, now: datetime) -> int:
    """Cut the chain of the trail at its beginning, and say so at its end: what is left stays verifiable (ADM-3)."""
    gone = chains.cut_off(connection, before=before, limit=_BATCH)
    if gone is None:
        return 0
    record(connection, TrailCut(gone.through, gone.link.hex(), gone.count), now, actor="system")
    return gone.count
