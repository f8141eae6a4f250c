"""Queries about consents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, func, insert, select, update

from idp.domain.consent import Consent
from idp.storage.models import accounts, consents, token_families, tokens

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

CONSENT_COLUMNS = (
    consents.c.consent_id,
    consents.c.scopes,
    consents.c.claims,
    consents.c.refused_claims,
    consents.c.policy_version,
    consents.c.granted_at,
)
_LIVE = select(*CONSENT_COLUMNS).where(
    consents.c.account_id == bindparam("account_"),
    consents.c.client_id == bindparam("client_"),
    consents.c.withdrawn_at.is_(None),
)
_HOLD = (
    select(consents.c.consent_id)
    .where(consents.c.consent_id == bindparam("id_"), consents.c.withdrawn_at.is_(None))
    .with_for_update(read=True)
)
# Two answers of one person wait for each other, so that the second one knows the first.
_ONE_AT_A_TIME = (
    select(accounts.c.account_id)
    .where(accounts.c.account_id == bindparam("account_"))
    .with_for_update(key_share=True)
)


@dataclass(frozen=True, slots=True)
class ListedConsent:
    """A consent as its owner sees it (CON-4): the client, since when, and its latest access."""

    client_id: str
    consent: Consent
    since: datetime
    last_access_at: datetime | None


@dataclass(frozen=True, slots=True)
class EndedConsent:
    """A service that a person allowed something once: since when, and until when."""

    client_id: str
    since: datetime
    ended_at: datetime


def live(connection: Connection, account_id: str, client_id: str) -> Consent | None:
    """Find what a person allows a client today."""
    row = connection.execute(_LIVE, {"account_": account_id, "client_": client_id}).one_or_none()
    return None if row is None else consent_from(row)


def live_alone(connection: Connection, account_id: str, client_id: str) -> Consent | None:
    """Find what a person allows a client, and keep other answers of theirs waiting until this transaction ends."""
    one_at_a_time(connection, account_id)
    return live(connection, account_id, client_id)


def one_at_a_time(connection: Connection, account_id: str) -> bool:
    """Keep other answers of a person waiting until this transaction ends; False when there is no such account."""
    return connection.scalar(_ONE_AT_A_TIME, {"account_": account_id}) is not None


def hold(connection: Connection, consent_id: str) -> bool:
    """Keep a consent from being withdrawn until this transaction ends; False when it was."""
    return connection.scalar(_HOLD, {"id_": consent_id}) is not None


def of_account(connection: Connection, account_id: str) -> list[ListedConsent]:
    """List what a person allows, by client."""
    latest = (
        select(func.max(tokens.c.issued_at))
        .join_from(tokens, token_families)
        .where(
            token_families.c.account_id == consents.c.account_id,
            token_families.c.client_id == consents.c.client_id,
        )
        .scalar_subquery()
    )
    rows = connection.execute(
        select(consents.c.client_id, *CONSENT_COLUMNS, latest.label("last_access_at"))
        .where(consents.c.account_id == account_id, consents.c.withdrawn_at.is_(None))
        .order_by(consents.c.granted_at.desc())
    )
    return [
        ListedConsent(row.client_id, consent_from(row), row.granted_at, row.last_access_at) for row in rows
    ]


def ended_of_account(connection: Connection, account_id: str) -> list[EndedConsent]:
    """List the services that a person allowed something and allows nothing now, the latest withdrawal first."""
    ended = func.max(consents.c.withdrawn_at)
    live_clients = select(consents.c.client_id).where(
        consents.c.account_id == account_id, consents.c.withdrawn_at.is_(None)
    )
    rows = connection.execute(
        select(consents.c.client_id, func.min(consents.c.granted_at).label("since"), ended.label("ended_at"))
        .where(consents.c.account_id == account_id, consents.c.client_id.not_in(live_clients))
        .group_by(consents.c.client_id)
        .order_by(ended.desc())
    )
    return [EndedConsent(row.client_id, row.since, row.ended_at) for row in rows]


def replace(
    connection: Connection, account_id: str, client_id: str, consent: Consent, *, subject: str, language: str
) -> None:
    """Write a new answer, after `live_alone`; the one before it is kept, withdrawn at the same moment."""
    withdraw(connection, account_id, client_id, consent.granted_at)
    connection.execute(
        insert(consents).values(
            consent_id=consent.consent_id,
            account_id=account_id,
            client_id=client_id,
            subject=subject,
            scopes=sorted(consent.scopes),
            claims=sorted(consent.claims),
            refused_claims=sorted(consent.refused_claims),
            policy_version=consent.policy_version,
            language=language,
            granted_at=consent.granted_at,
        )
    )


def withdraw(connection: Connection, account_id: str, client_id: str, now: datetime) -> bool:
    """End the live consent; False when there was none."""
    result = connection.execute(
        update(consents)
        .where(
            consents.c.account_id == account_id,
            consents.c.client_id == client_id,
            consents.c.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
    )
    return result.rowcount > 0


def consent_from(row: Row[*tuple[Any, ...]]) -> Consent:
    """Read a consent from a row that has `CONSENT_COLUMNS`."""
    return Consent(
        consent_id=row.consent_id,
        scopes=frozenset(row.scopes),
        claims=frozenset(row.claims),
        refused_claims=frozenset(row.refused_claims),
        policy_version=row.policy_version,
        granted_at=row.granted_at,
    )
