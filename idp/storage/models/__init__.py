"""Every table, imported for Alembic."""

from __future__ import annotations

from idp.storage.models.accounts import (
    account_attribute_changes,
    account_attributes,
    account_links,
    accounts,
    franceconnect_links,
    signups,
    terms_versions,
    throttle_counters,
    unlink_requests,
)
from idp.storage.models.clients import (
    client_assertions,
    client_logos,
    client_origins,
    client_registrations,
    client_secrets,
    clients,
    consents,
    initial_access_tokens,
)
from idp.storage.models.metadata import metadata
from idp.storage.models.operations import outbox
from idp.storage.models.privacy import (
    data_requests,
    disclosures,
    event_deliveries,
    lifecycle_warnings,
    parental_permissions,
    purged_accounts,
    purpose_choices,
)
from idp.storage.models.proofs import audit_events, chain_heads, ledger_entries, receipt_keys, shown_texts
from idp.storage.models.sessions import (
    devices,
    franceconnect_journeys,
    pending_authorizations,
    sessions,
)
from idp.storage.models.space import (
    client_subjects,
    contact_email_proofs,
    email_changes,
    favourites,
    newsletter_subscriptions,
    service_requests,
    shown_rubriques,
)
from idp.storage.models.tokens import (
    authorization_codes,
    device_authorizations,
    pushed_requests,
    token_families,
    tokens,
)

__all__ = [
    "account_attribute_changes",
    "account_attributes",
    "account_links",
    "accounts",
    "audit_events",
    "authorization_codes",
    "chain_heads",
    "client_assertions",
    "client_logos",
    "client_origins",
    "client_registrations",
    "client_secrets",
    "client_subjects",
    "clients",
    "consents",
    "contact_email_proofs",
    "data_requests",
    "device_authorizations",
    "devices",
    "disclosures",
    "email_changes",
    "event_deliveries",
    "favourites",
    "franceconnect_journeys",
    "franceconnect_links",
    "initial_access_tokens",
    "ledger_entries",
    "lifecycle_warnings",
    "metadata",
    "newsletter_subscriptions",
    "outbox",
    "parental_permissions",
    "pending_authorizations",
    "purged_accounts",
    "purpose_choices",
    "pushed_requests",
    "receipt_keys",
    "service_requests",
    "sessions",
    "shown_rubriques",
    "shown_texts",
    "signups",
    "terms_versions",
    "throttle_counters",
    "token_families",
    "tokens",
    "unlink_requests",
]
