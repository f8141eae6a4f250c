"""Deletes what expired, a few rows at a time: no statement goes over a whole table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import delete, func, select, tuple_, update

from idp.domain.minimum_age import ASK_AGAIN_AFTER, PermissionState
from idp.domain.pending_authorization import PENDING_LIFETIME
from idp.domain.service_request import KEPT_AFTER_CLOSING
from idp.domain.tokens import TokenKind
from idp.storage.models import (
    account_links,
    client_assertions,
    client_secrets,
    contact_email_proofs,
    device_authorizations,
    devices,
    disclosures,
    email_changes,
    franceconnect_journeys,
    initial_access_tokens,
    newsletter_subscriptions,
    outbox,
    parental_permissions,
    pending_authorizations,
    pushed_requests,
    service_requests,
    sessions,
    signups,
    throttle_counters,
    token_families,
    tokens,
)

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Table

#: Permissions that nobody can use any more.
_OVER: Final = (PermissionState.REFUSED, PermissionState.WITHDRAWN, PermissionState.CANCELED)


@dataclass(frozen=True, slots=True)
class Ages:
    """Before which moments rows are of no use any more.

    Attributes:
        now: What expired before it can't be used.
        session_unused_since: Sessions not seen since have ended.
        links_since: Links that expired before are not explained any more: the page says "unknown".
        messages_since: Messages delivered or given up before.
        devices_since: Browsers not seen since.
        disclosures_since: What services were told before.
    """

    now: datetime
    session_unused_since: datetime
    links_since: datetime
    messages_since: datetime
    devices_since: datetime
    disclosures_since: datetime


def kinds(ages: Ages) -> dict[str, tuple[Table, ColumnElement[bool]]]:
    """Say, for each kind of row, which table it stands in and which rows may go."""
    return {
        "pending_authorizations": (pending_authorizations, pending_authorizations.c.expires_at < ages.now),
        "signups": (signups, signups.c.expires_at < ages.now),
        "account_links": (account_links, account_links.c.expires_at < ages.links_since),
        "contact_email_proofs": (contact_email_proofs, contact_email_proofs.c.expires_at < ages.now),
        "email_changes": (email_changes, email_changes.c.expires_at < ages.now),
        "franceconnect_journeys": (franceconnect_journeys, franceconnect_journeys.c.expires_at < ages.now),
        "throttle_counters": (throttle_counters, throttle_counters.c.expires_at < ages.now),
        "client_assertions": (client_assertions, client_assertions.c.expires_at < ages.now),
        # The person may still be answering what the browser opened in time: until then it is used up once.
        "pushed_requests": (
            pushed_requests,
            pushed_requests.c.expires_at < ages.now - PENDING_LIFETIME,
        ),
        "device_authorizations": (device_authorizations, device_authorizations.c.expires_at < ages.now),
        "initial_access_tokens": (
            initial_access_tokens,
            initial_access_tokens.c.expires_at < ages.links_since,
        ),
        "client_secrets": (client_secrets, client_secrets.c.expires_at < ages.links_since),
        "sessions": (
            sessions,
            (sessions.c.expires_at < ages.now) | (sessions.c.last_seen_at < ages.session_unused_since),
        ),
        # A refresh token or a code that was used must be known as long as its family lives: its return
        # tells of a theft (RFC 9700 section 4.14). They go with the family.
        "access_tokens": (
            tokens,
            (tokens.c.kind == TokenKind.ACCESS) & (tokens.c.expires_at < ages.now),
        ),
        "token_families": (token_families, token_families.c.expires_at < ages.now),
        "delivered_messages": (outbox, outbox.c.delivered_at < ages.messages_since),
        "dead_messages": (outbox, outbox.c.dead_at < ages.messages_since),
        # A parent's address is kept for what is asked or given; the ledger has the proof of the rest.
        "parental_permissions": (
            parental_permissions,
            (
                (parental_permissions.c.state == PermissionState.ASKED)
                & (parental_permissions.c.expires_at < ages.links_since)
            )
            | (
                parental_permissions.c.state.in_(_OVER)
                # A no is remembered until the parent may be asked again, whatever the setting.
                & (parental_permissions.c.answered_at < min(ages.links_since, ages.now - ASK_AGAIN_AFTER))
            ),
        ),
        "disclosures": (disclosures, disclosures.c.last_at < ages.disclosures_since),
        "service_requests": (
            service_requests,
            service_requests.c.closed_at < ages.now - KEPT_AFTER_CLOSING,
        ),
        # Those that nobody confirmed; confirmed ones have no end of their own.
        "newsletter_subscriptions": (
            newsletter_subscriptions,
            newsletter_subscriptions.c.expires_at < ages.now,
        ),
        "devices": (devices, devices.c.last_seen_at < ages.devices_since),
    }


def purge(connection: Connection, table: Table, may_go: ColumnElement[bool], *, limit: int) -> int:
    """Delete some rows; gives back how many there were.

    PostgreSQL passes over rows that another worker deletes at the same moment.
    """
    keys = list(table.primary_key)
    some = select(*keys).where(may_go).limit(limit).with_for_update(skip_locked=True)
    return connection.execute(delete(table).where(_key(keys).in_(some))).rowcount


def forget_dead_messages(connection: Connection, now: datetime, *, limit: int) -> int:
    """Empty messages that were given up and can't be sent again: they may hold an address."""
    some = (
        select(outbox.c.message_id)
        .where(outbox.c.dead_at.is_not(None), outbox.c.expires_at < now, func.length(outbox.c.payload) > 0)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    statement = update(outbox).where(outbox.c.message_id.in_(some)).values(payload="")
    return connection.execute(statement).rowcount


def _key(columns: list[Any]) -> Any:  # noqa: ANN401 - one column, or several as a row
    return columns[0] if len(columns) == 1 else tuple_(*columns)
