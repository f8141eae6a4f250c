"""Erases every row that speaks of a person, in the order in which everybody else locks them (LIF-4).

Children go before their parents, one statement for each table: what happens at the same time either ends before and
is erased too, or waits and finds nobody. Rows of a table that is not named here go with the account by its foreign
key; a test finds a table that has none.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import Text, delete, func, or_, select, type_coerce, union, update

from idp.domain.deletion import Category
from idp.storage.chains import CHAINS
from idp.storage.models import (
    account_attributes,
    accounts,
    authorization_codes,
    chain_heads,
    consents,
    data_requests,
    device_authorizations,
    email_changes,
    franceconnect_journeys,
    franceconnect_links,
    ledger_entries,
    metadata,
    outbox,
    parental_permissions,
    pending_authorizations,
    purged_accounts,
    pushed_requests,
    sessions,
    signups,
    throttle_counters,
    token_families,
    tokens,
)
from idp.storage.repositories import franceconnect

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import ColumnElement, Connection, Table

    from idp.storage.chains import Chain

_CATEGORIES: Final = {
    "accounts": Category.ACCOUNT,
    "account_links": Category.MESSAGES,
    "account_attributes": Category.IDENTITY,
    "account_attribute_changes": Category.IDENTITY,
    "franceconnect_links": Category.FRANCECONNECT,
    "franceconnect_journeys": Category.FRANCECONNECT,
    "unlink_requests": Category.FRANCECONNECT,
    "sessions": Category.DEVICES,
    "devices": Category.DEVICES,
    "throttle_counters": Category.DEVICES,
    "consents": Category.SERVICES,
    "token_families": Category.SERVICES,
    "authorization_codes": Category.SERVICES,
    "tokens": Category.SERVICES,
    "device_authorizations": Category.SERVICES,
    "purpose_choices": Category.SERVICES,
    "parental_permissions": Category.SERVICES,
    "pending_authorizations": Category.SERVICES,
    "pushed_requests": Category.SERVICES,
    "disclosures": Category.DISCLOSURES,
    "client_subjects": Category.SERVICES,
    "service_requests": Category.REQUESTS,
    "favourites": Category.PREFERENCES,
    "shown_rubriques": Category.PREFERENCES,
    "newsletter_subscriptions": Category.PREFERENCES,
    "email_changes": Category.MESSAGES,
    "contact_email_proofs": Category.MESSAGES,
    "outbox": Category.MESSAGES,
    "signups": Category.MESSAGES,
    "lifecycle_warnings": Category.MESSAGES,
}
#: What FranceConnect certified is locked by triggers (FC-2) as long as there is an account: it goes with that alone.
_LOCKED: Final = (account_attributes, franceconnect_links)


@dataclass(frozen=True, slots=True)
class Leaving:
    """Whose account it is, while it is being erased.

    Attributes:
        account_id: The account.
        email: Where the certificate goes.
        canonical: The form by which the address is found.
        language: Of the mail.
    """

    account_id: str
    email: str
    canonical: str
    language: str


def hold(connection: Connection, account_id: str) -> Leaving | None:
    """Have every other act of this person wait; None when the account is gone.

    Links before the row of the account, as whoever makes a link does. The row is held as an update of it would: who
    writes a row that points at it goes on, and is waited for where that row stands.
    """
    franceconnect.hold_links(connection, account_id)
    row = connection.execute(
        select(accounts.c.email, accounts.c.email_canonical, accounts.c.language)
        .where(accounts.c.account_id == account_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    return None if row is None else Leaving(account_id, row.email, row.email_canonical, row.language)


def known_to(connection: Connection, account_id: str) -> list[tuple[str, str]]:
    """List every service that ever knew a person: the client, and the subject that it knows them by."""
    by_ledger = (
        select(ledger_entries.c.client_id, ledger_entries.c.subject)
        .where(ledger_entries.c.account_id == account_id)
        .where(ledger_entries.c.client_id.is_not(None), ledger_entries.c.subject.is_not(None))
    )
    both = union(
        select(consents.c.client_id, consents.c.subject).where(consents.c.account_id == account_id),
        select(token_families.c.client_id, token_families.c.subject).where(
            token_families.c.account_id == account_id
        ),
        by_ledger,
    )
    return sorted((row.client_id, row.subject) for row in connection.execute(both))


def erase(
    connection: Connection,
    leaving: Leaving,
    *,
    browser_hash: bytes | None,
    counters: Collection[bytes],
) -> Counter[Category]:
    """Erase every row of a person but those of the chains; sessions are the caller's, who tells their services.

    Args:
        connection: The transaction; the account is held.
        leaving: Whose.
        browser_hash: The browser that asked for it, if one did: what waits in it goes too.
        counters: Keys of the counters of tries that are known to count this person.

    Returns:
        How many rows, by category.
    """
    account_id = leaving.account_id
    families = select(token_families.c.family_id).where(token_families.c.account_id == account_id)
    steps: list[tuple[Table, ColumnElement[bool]]] = [
        # An answer to a service holds session, permission and consent in this order, then writes the family; whoever
        # exchanges a code or a token holds that, then writes beside it: each is waited for where it stands.
        (sessions, sessions.c.account_id == account_id),
        (parental_permissions, parental_permissions.c.account_id == account_id),
        (consents, consents.c.account_id == account_id),
        (authorization_codes, authorization_codes.c.family_id.in_(families)),
        (tokens, tokens.c.family_id.in_(families)),
        (device_authorizations, device_authorizations.c.family_id.in_(families)),
        (token_families, token_families.c.account_id == account_id),
        (signups, signups.c.email_canonical == leaving.canonical),
        # Of others, who typed this address in vain.
        (
            email_changes,
            (email_changes.c.new_canonical == leaving.canonical) & email_changes.c.proven_at.is_(None),
        ),
        (outbox, outbox.c.account_id == account_id),
        (throttle_counters, throttle_counters.c.key_hash.in_(sorted(counters))),
        (pushed_requests, _names(pushed_requests, leaving)),
        (device_authorizations, _names(device_authorizations, leaving)),
        (pending_authorizations, _names(pending_authorizations, leaving)),
        *_in_browser(browser_hash),
        *_by_foreign_key(account_id),
        (accounts, accounts.c.account_id == account_id),
    ]
    # That a request was answered in time is the city's proof; who asked, and the words about it, are the person's.
    asked = data_requests.c.account_id == account_id
    connection.execute(update(data_requests).where(asked).values(account_id=None, note="", outcome=None))
    counts: Counter[Category] = Counter()
    for table in _LOCKED:
        category = _CATEGORIES[table.name]
        rows = select(func.count()).where(table.c.account_id == account_id)
        counts[category] += connection.scalar(rows) or 0
    for table, condition in steps:
        category = _CATEGORIES.get(table.name, Category.OTHER)
        counts[category] += connection.execute(delete(table).where(condition)).rowcount
    return counts


def hold_chains(connection: Connection) -> None:
    """Hold the ends of both chains until the transaction ends: nobody adds a line meanwhile.

    In the order in which lines are written, and after every other row: whoever holds an end waits for nothing else.
    """
    for chain in CHAINS:
        connection.execute(
            select(chain_heads.c.sequence).where(chain_heads.c.chain == chain.name).with_for_update()
        )


def late_messages(connection: Connection, since: datetime) -> int:
    """Drop messages of accounts that were erased since a moment; gives how many.

    Whoever had read such an account before may have queued one after: no key refuses it.
    """
    gone = select(purged_accounts.c.account_id).where(purged_accounts.c.purged_at >= since)
    statement = delete(outbox).where(
        outbox.c.account_id.in_(gone), outbox.c.account_id.not_in(select(accounts.c.account_id))
    )
    return connection.execute(statement).rowcount


def late_lines(connection: Connection, chain: Chain, since: datetime) -> list[str]:
    """Find the accounts, erased since a moment, that a line of a chain names: written by who had read them before."""
    table = chain.table
    statement = (
        select(table.c.account_id)
        .join_from(purged_accounts, table, table.c.account_id == purged_accounts.c.account_id)
        .where(purged_accounts.c.purged_at >= since, table.c.account_id.not_in(select(accounts.c.account_id)))
        .distinct()
    )
    return list(connection.scalars(statement))


def _by_foreign_key(account_id: str) -> list[tuple[Table, ColumnElement[bool]]]:
    """List the tables that point at accounts and go with them, those that others point at last."""
    return [
        (table, column == account_id)
        for table in reversed(metadata.sorted_tables)
        if table not in _LOCKED
        for column in table.c
        for key in column.foreign_keys
        if key.column is accounts.c.account_id and key.ondelete == "CASCADE"
    ]


def _names(table: Table, leaving: Leaving) -> ColumnElement[bool]:
    """Say that a request names the person by their address, as a hint."""
    text = func.lower(type_coerce(table.c.parameters, Text))
    addresses = {leaving.email.lower(), leaving.canonical}
    return or_(*(text.contains(f'"{address}"', autoescape=True) for address in sorted(addresses)))


def _in_browser(browser_hash: bytes | None) -> list[tuple[Table, ColumnElement[bool]]]:
    """List what waits in the browser that the person is leaving by."""
    tables = () if browser_hash is None else (franceconnect_journeys, pending_authorizations)
    return [(table, table.c.browser_hash == browser_hash) for table in tables]
