"""Everything that is kept about one person, section by section (PRI-1, S-440).

Each table that names a person is a section here or stands among `LEFT_OUT`; each column of a section is given or
stands among those that it leaves out: with the reason, in both cases. A test reads the schema and compares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Boolean, Integer, select

from idp.storage.models import (
    account_attribute_changes,
    account_attributes,
    account_links,
    accounts,
    audit_events,
    client_subjects,
    clients,
    consents,
    contact_email_proofs,
    data_requests,
    devices,
    disclosures,
    email_changes,
    favourites,
    franceconnect_journeys,
    franceconnect_links,
    ledger_entries,
    lifecycle_warnings,
    newsletter_subscriptions,
    outbox,
    parental_permissions,
    purpose_choices,
    service_requests,
    sessions,
    shown_rubriques,
    shown_texts,
    token_families,
    unlink_requests,
)
from idp.storage.types import JSONText, TZDateTime

if TYPE_CHECKING:
    from sqlalchemy import Column, Connection, Table

#: Why a column is not given.
_SECRET: Final = "a secret, or the hash of one"
_INTERNAL: Final = "names the row, and says nothing of the person"
_CHAIN: Final = "binds the line into its chain; the receipt of the entry proves it"
_OURS: Final = "of our own deliveries; says nothing of the person"


@dataclass(frozen=True, slots=True)
class Member:
    """What a column holds.

    Attributes:
        kind: "string", "boolean", "integer", "moment", "names" or "json".
        is_optional: It may be null.
    """

    kind: str
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Section:
    """What is given of one table.

    Attributes:
        name: The member of the export.
        table: Where it is kept.
        order: The column by which rows stand.
        left_out: Columns that are not given, each with the reason.
        names: Columns of names that are parted by spaces, given as lists.
    """

    name: str
    table: Table
    order: str
    left_out: dict[str, str] = field(default_factory=dict)
    names: frozenset[str] = frozenset()

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are given, the person's own identifier aside."""
        hidden = {*self.left_out, *([] if self.name == ACCOUNT else ["account_id"])}
        return tuple(str(column.name) for column in self.table.c if column.name not in hidden)

    @property
    def members(self) -> dict[str, Member]:
        """What each of its rows has."""
        columns = {name: self.table.c[name] for name in self.columns}
        given = {
            name: Member("names" if name in self.names else _kind(column), bool(column.nullable))
            for name, column in columns.items()
        }
        return given | ({"words": Member("string", is_optional=True)} if self.table is ledger_entries else {})


def _kind(column: Column[Any]) -> str:
    for kind, type_ in (
        ("json", JSONText),
        ("moment", TZDateTime),
        ("boolean", Boolean),
        ("integer", Integer),
    ):
        if isinstance(column.type, type_):
            return kind
    return "string"


#: The one section that is a row, and not a list of rows.
ACCOUNT: Final = "account"
SECTIONS: Final = (
    Section(
        ACCOUNT,
        accounts,
        "account_id",
        {"email_canonical": "the address once more, as it is compared", "password_hash": _SECRET},
    ),
    Section("attributes", account_attributes, "name"),
    Section("attribute_changes", account_attribute_changes, "changed_at", {"change_id": _INTERNAL}),
    Section(
        "franceconnect_links",
        franceconnect_links,
        "linked_at",
        {"link_id": _INTERNAL, "pivot_hash": "a keyed hash of the identity, which is given in the clear"},
    ),
    Section(
        "unlink_requests",
        unlink_requests,
        "created_at",
        {"decided_by": "names an agent of the city, who is somebody else"},
    ),
    Section("contact_email", contact_email_proofs, "asked_at", {"link_hash": _SECRET}),
    Section(
        "email_changes",
        email_changes,
        "created_at",
        {
            "change_id": _INTERNAL,
            "new_canonical": "the new address once more, as it is compared",
            "code_hash": _SECRET,
            "link_hash": _SECRET,
            "undo_hash": _SECRET,
            "tries": "a brake against guesses",
            "mails_sent": "a brake against floods",
        },
    ),
    Section("consents", consents, "granted_at"),
    Section("purposes", purpose_choices, "changed_at"),
    Section("parental_permissions", parental_permissions, "asked_at", {"token_hash": _SECRET}),
    Section("disclosures", disclosures, "first_at", names=frozenset({"claims"})),
    Section(
        "accesses",
        token_families,
        "created_at",
        {
            "family_id": _INTERNAL,
            "session_id": _INTERNAL,
            "grant": "what the tokens carry: consents and disclosures tell it",
        },
    ),
    Section("service_subjects", client_subjects, "client_id"),
    Section("service_requests", service_requests, "created_at"),
    Section("favourites", favourites, "position"),
    Section("rubriques", shown_rubriques, "rubrique"),
    Section(
        "newsletters",
        newsletter_subscriptions,
        "asked_at",
        {"confirmation_hash": _SECRET, "unsubscribe_hash": _SECRET},
    ),
    Section(
        "sessions",
        sessions,
        "created_at",
        {
            "session_id": _INTERNAL,
            "cookie_hash": _SECRET,
            "upstream_id_token": "FranceConnect’s token, sealed: its data are among the attributes",
        },
    ),
    Section("devices", devices, "created_at", {"device_hash": _SECRET}),
    Section("mailed_links", account_links, "created_at", {"token_hash": _SECRET, "pending_id": _INTERNAL}),
    Section(
        "franceconnect_journeys",
        franceconnect_journeys,
        "created_at",
        {
            "state_hash": _SECRET,
            "browser_hash": _SECRET,
            "nonce_hash": _SECRET,
            "pending_id": _INTERNAL,
            "continue_to": "the page that the browser goes on to",
            "identity": "sealed for minutes; among the attributes once it is taken",
        },
    ),
    Section(
        "messages",
        outbox,
        "created_at",
        {
            "message_id": _INTERNAL,
            "payload": "sealed until it is sent, for it may open an account; emptied then",
            "next_attempt_at": _OURS,
            "attempts": _OURS,
            "last_error": _OURS,
        },
    ),
    Section("deletion_warnings", lifecycle_warnings, "queued_at", {"message_id": _INTERNAL}),
    Section(
        "data_requests",
        data_requests,
        "received_at",
        {
            "closed_by": "names an agent of the city, who is somebody else",
            "note": "the agents’ own; nothing personal may stand there",
            "reminded_at": "a reminder to the agents",
        },
    ),
    Section(
        "ledger",
        ledger_entries,
        "sequence",
        {
            "text_hash": "the words themselves are given",
            "erased": "of erasures alone, which name nobody",
            "sequence": _CHAIN,
            "salt": _CHAIN,
            "personal_hash": _CHAIN,
            "link": _CHAIN,
        },
    ),
    Section(
        "audit",
        audit_events,
        "at",
        {
            "event_id": _INTERNAL,
            "sequence": _CHAIN,
            "salt": _CHAIN,
            "personal_hash": _CHAIN,
            "link": _CHAIN,
        },
    ),
)
#: Tables that have to do with people and are no section, each with the reason.
LEFT_OUT: Final = {
    "signups": "before there is an account; gone within a day",
    "purged_accounts": "identifiers of accounts that are gone, which name nobody",
    "tokens": "hashes of secrets; `accesses` tells of each family of them",
    "authorization_codes": "hashes of secrets; `accesses` tells of each family of them",
    "device_authorizations": "hashes of codes, for minutes; `accesses` tells what came of them",
}


def rows(connection: Connection, section: Section, account_id: str, *, most: int) -> list[dict[str, Any]]:
    """Read what one section has of a person, the oldest first.

    Args:
        connection: To read from.
        section: Which.
        account_id: Of whom.
        most: How many at most.
    """
    table = section.table
    statement = select(*(table.c[name] for name in section.columns))
    if table is ledger_entries:
        statement = statement.add_columns(shown_texts.c.content.label("words")).outerjoin_from(
            table, shown_texts, shown_texts.c.text_hash == table.c.text_hash
        )
    # Every column of the key too: two exports of the same rows are the same.
    ordered = statement.where(table.c.account_id == account_id).order_by(
        table.c[section.order], *table.primary_key.columns
    )
    found = [dict(row) for row in connection.execute(ordered.limit(most)).mappings()]
    for row in found:
        row.update({name: row[name].split() for name in section.names})
    return found


def service_names(connection: Connection, client_ids: set[str]) -> dict[str, str]:
    """Name services that are registered still."""
    statement = select(clients.c.client_id, clients.c.name).where(clients.c.client_id.in_(sorted(client_ids)))
    return {row.client_id: row.name for row in connection.execute(statement)}


def proven_clients(connection: Connection, account_id: str) -> set[str]:
    """Name the services towards which the ledger has acts of a person."""
    statement = select(ledger_entries.c.client_id).where(
        ledger_entries.c.account_id == account_id, ledger_entries.c.client_id.is_not(None)
    )
    return set(connection.scalars(statement.distinct()))
