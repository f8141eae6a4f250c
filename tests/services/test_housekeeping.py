"""What expired is purged, a few rows at a time, and nothing else (PRI-3)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.services.operations.housekeeping import Retention, purge
from idp.storage.models import (
    audit_events,
    devices,
    metadata,
    sessions,
    throttle_counters,
    token_families,
    tokens,
)
from tests.support.provider import a_provider
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

KEPT = Retention(session_idle=timedelta(hours=20))
pytestmark = pytest.mark.rule("PRI-3")


def counters(database: Database, clock: SettableClock, count: int) -> None:
    """Write counters that end in an hour."""
    with database.write() as connection:
        connection.execute(
            throttle_counters.insert(),
            [
                {
                    "key_hash": number.to_bytes(32),
                    "state": {},
                    "version": 1,
                    "expires_at": clock() + timedelta(hours=1),
                }
                for number in range(count)
            ],
        )


def count_of(database: Database, table: object) -> int:
    """Count the rows of a table."""
    with database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type] # a table


def test_expired_rows_go_in_small_transactions(database: Database, clock: SettableClock) -> None:
    """A thousand rows take several transactions, with a pause after each, so that others can write."""
    provider = a_provider(database, clock)
    counters(database, clock, 1000)
    pauses: list[float] = []
    clock.advance(hours=2)

    with recorded_queries(database.writer) as recording:
        gone = purge(provider.context, KEPT, pauses.append)

    assert gone == {"throttle_counters": 1000}
    assert count_of(database, throttle_counters) == 0
    assert len(pauses) >= 5
    assert recording.commits >= 5


def test_rows_that_have_not_expired_stay(database: Database, clock: SettableClock) -> None:
    """Nothing goes before its time."""
    provider = a_provider(database, clock)
    counters(database, clock, 3)
    provider.signed_in()

    purge(provider.context, KEPT, lambda _: None)

    assert count_of(database, throttle_counters) == 3
    assert count_of(database, sessions) == 1


def test_family_keeps_its_used_refresh_tokens_until_it_ends(database: Database, clock: SettableClock) -> None:
    """A stolen refresh token that comes back is recognised as long as its family lives; access tokens go early."""
    provider = a_provider(database, clock)
    service = provider.a_client()
    given = provider.tokens(provider.signed_in(), service, scope="openid offline_access")
    assert "refresh_token" in given
    clock.advance(hours=1)

    purge(provider.context, KEPT, lambda _: None)
    kept = count_of(database, tokens)
    clock.advance(days=91)
    purge(provider.context, KEPT, lambda _: None)

    assert kept == 1
    assert (count_of(database, tokens), count_of(database, token_families)) == (0, 0)


def test_sessions_devices_and_trail_go_at_their_own_ages(database: Database, clock: SettableClock) -> None:
    """Idle sessions after hours, devices and the trail after a year or so, as configured."""
    provider = a_provider(database, clock)
    provider.signed_in()
    clock.advance(hours=21)
    purge(provider.context, KEPT, lambda _: None)
    assert count_of(database, sessions) == 0

    clock.advance(days=400)
    purge(provider.context, KEPT, lambda _: None)
    assert count_of(database, devices) == 0
    with database.read() as connection:
        names = connection.scalars(select(audit_events.c.name).order_by(audit_events.c.sequence)).all()
    # What is left says that the rest is gone (S-430).
    assert names == ["audit.cut_off", "retention.purged"]


def test_stop_in_the_middle_leaves_the_rest_to_the_next_run(database: Database, clock: SettableClock) -> None:
    """A worker that is told to stop does not first purge everything."""
    provider = a_provider(database, clock)
    counters(database, clock, 600)
    clock.advance(hours=2)
    rounds: list[float] = []

    purge(provider.context, KEPT, rounds.append, go_on=lambda: not rounds)
    left = count_of(database, throttle_counters)
    purge(provider.context, KEPT, rounds.append)

    assert left == 400
    assert count_of(database, throttle_counters) == 0


def test_every_table_with_an_end_is_purged(database: Database) -> None:
    """A new table whose rows expire is purged as well, or says here why not."""
    purged = {
        "pending_authorizations", "signups", "account_links", "franceconnect_journeys", "throttle_counters",
        "client_assertions", "client_secrets", "sessions", "tokens", "token_families", "outbox",
        "pushed_requests", "device_authorizations", "initial_access_tokens", "parental_permissions",
        "email_changes", "contact_email_proofs",
        "newsletter_subscriptions",
        # Goes with its family, so that a replay is seen.
        "authorization_codes",
    }  # fmt: skip
    del database

    assert {name for name, table in metadata.tables.items() if "expires_at" in table.c} <= purged
