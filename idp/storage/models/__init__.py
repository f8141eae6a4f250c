"""Every table, imported for Alembic."""

from __future__ import annotations

from idp.storage.models.accounts import (
    account_attribute_changes,
    account_attributes,
    account_links,
    accounts,
    franceconnect_links,
    signups,
    terms_acceptances,
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
from idp.storage.models.operations import audit_events, outbox
from idp.storage.models.sessions import (
    devices,
    franceconnect_journeys,
    pending_authorizations,
    sessions,
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
    "client_assertions",
    "client_logos",
    "client_origins",
    "client_registrations",
    "client_secrets",
    "clients",
    "consents",
    "device_authorizations",
    "devices",
    "franceconnect_journeys",
    "franceconnect_links",
    "initial_access_tokens",
    "metadata",
    "outbox",
    "pending_authorizations",
    "pushed_requests",
    "sessions",
    "signups",
    "terms_acceptances",
    "terms_versions",
    "throttle_counters",
    "token_families",
    "tokens",
    "unlink_requests",
]
