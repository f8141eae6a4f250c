"""Who and what the measured operations are about, and the crowd that they stand in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, text

from idp.crypto.opaque import SecretKind, digest, new_id, new_secret
from idp.domain.authentication import Authentication
from idp.domain.client import ClaimUse, Client, ClientAuthenticationMethod, ClientSecret, GrantType
from idp.domain.consent import Consent
from idp.services.sign_in.sessions import open_session
from idp.storage.models import account_attributes
from idp.storage.repositories import clients, consents
from tests.bench.visits import CONFIDENTIAL, PUBLIC, REDIRECT_URI, SCOPES, Visitor
from tests.support.builders import PASSWORD, an_account, some_terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from idp.services.context import Context

ATTRIBUTES = {
    "given_name": "Zoé Anne",
    "family_name": "Lefèvre",
    "preferred_username": "Martin",
    "gender": "female",
    "birthdate": "1990-04-12",
    "birthplace": "75112",
    "birthcountry": "99100",
}
CLAIMS = ("given_name", "family_name", "birthdate", "email")
_DAY_MICROSECONDS = 86_400_000_000
#: One row per person of the crowd, each in one statement that the database makes by itself.
_CROWD = """
INSERT INTO accounts (account_id, email, email_canonical, password_hash, password_is_generated,
                      password_changed_at, state, language, terms_version, created_at, last_sign_in_at)
SELECT {id}, {email}, {email}, :password_hash, {false}, :now, 'active', 'fr', :terms, :now, :now FROM {numbers};
INSERT INTO account_attributes (account_id, name, value, source, level, recorded_at)
SELECT {id}, attribute.name, attribute.value, 'declared', 100, :now FROM {numbers}
CROSS JOIN (SELECT 'given_name' AS name, 'Camille' AS value UNION ALL SELECT 'family_name', 'Durand'
            UNION ALL SELECT 'birthdate', '1980-01-01') AS attribute;
INSERT INTO consents (consent_id, account_id, client_id, subject, scopes, claims, refused_claims,
                      policy_version, language, granted_at)
SELECT {id}, {id}, :client, {id}, '["openid"]', '[]', '[]', '1', 'fr', :now FROM {numbers};
INSERT INTO sessions (session_id, cookie_hash, account_id, created_at, last_seen_at, expires_at,
                      authenticated_at, amr, acr, browser)
SELECT {id}, {hash}, {id}, :now, :now, :later, :now, '["pwd"]', 'eidas1', 'Firefox' FROM {numbers};
INSERT INTO token_families (family_id, client_id, account_id, session_id, subject, "grant", created_at, expires_at)
SELECT {id}, :client, {id}, {id}, {id}, '{{}}', :now, :later FROM {numbers};
INSERT INTO tokens (token_hash, family_id, kind, client_id, scope, counter, issued_at, expires_at)
SELECT {hash}, {id}, 'refresh', :client, 'openid', 0, :now, :later FROM {numbers};
"""
_SQLITE = {
    "numbers": (
        "(WITH RECURSIVE list(n) AS (SELECT :first UNION ALL SELECT n + 1 FROM list WHERE n < :last)"
        " SELECT n FROM list) AS numbers"
    ),
    "id": "printf('%026d', n)",
    "email": "printf('crowd-%d@example.org', n)",
    "hash": "randomblob(32)",
    "false": "0",
}
_POSTGRESQL = {
    "numbers": "generate_series(cast(:first AS bigint), cast(:last AS bigint)) AS numbers(n)",
    "id": "lpad(n::text, 26, '0')",
    "email": "'crowd-' || n || '@example.org'",
    "hash": "sha256(convert_to(n::text || clock_timestamp()::text, 'UTF8'))",
    "false": "FALSE",
}


def populate(context: Context, visitors: int) -> list[Visitor]:
    """Register the clients, and let some people sign up, sign in and consent.

    Args:
        context: Of a migrated, empty database.
        visitors: How many.
    """
    some_terms(context)
    secret = _register(context)
    return [_a_visitor(context, number, secret) for number in range(visitors)]


def crowd(context: Context, first: int, last: int) -> None:
    """Add accounts with what an account has, by statements that the database makes by itself.

    Args:
        context: Of the database.
        first: Number of the first account to add.
        last: Number of the last one.
    """
    database = context.database
    words = _SQLITE if database.is_sqlite else _POSTGRESQL
    now = int(context.clock().timestamp() * 1_000_000)
    values = {
        "first": first,
        "last": last,
        "now": now,
        "later": now + 7 * _DAY_MICROSECONDS,
        "client": CONFIDENTIAL,
        "terms": "2026-01-01",
        "password_hash": context.passwords.hash(PASSWORD),
    }
    with database.write() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        for statement in _CROWD.format(**words).split(";\n"):
            if statement.strip():
                used = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(text(statement), used)
    _settle(context)


def _settle(context: Context) -> None:
    # What autovacuum, the checkpointer and the worker's `PRAGMA optimize` do in time: without it a plan is made for
    # an empty table, and the work that a million new rows leave behind is counted as that of the operations.
    statements: tuple[str, ...] = ("ANALYZE",)
    if not context.database.is_sqlite:
        statements = ("SET statement_timeout = 0", "VACUUM ANALYZE", "CHECKPOINT")
    with context.database.read() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


def _register(context: Context) -> str:
    now, secret = context.clock(), new_secret(SecretKind.CLIENT_SECRET)
    reason = {"fr": "Pour la mesure.", "en": "For the measure."}
    confidential = Client(
        client_id=CONFIDENTIAL,
        name="Mesure",
        redirect_uris=(REDIRECT_URI,),
        scopes=frozenset(SCOPES.split()),
        claims=tuple(ClaimUse(name, reason) for name in CLAIMS),
        grant_types=frozenset(GrantType),
        secrets=(ClientSecret(digest(secret), now),),
        created_at=now,
    )
    public = replace(
        confidential,
        client_id=PUBLIC,
        authentication_method=ClientAuthenticationMethod.NONE,
        grant_types=frozenset({GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN}),
        secrets=(),
    )
    with context.database.write() as connection:
        for client in (confidential, public):
            clients.create(connection, client)
    return secret


def _a_visitor(context: Context, number: int, secret: str) -> Visitor:
    account = an_account(context, f"visitor-{number}@example.org")
    now = context.clock()
    with context.database.write() as connection:
        _describe(connection, account.account_id, context)
        for client_id in (CONFIDENTIAL, PUBLIC):
            consent = Consent(
                consent_id=new_id(now),
                scopes=frozenset(SCOPES.split()),
                claims=frozenset(CLAIMS),
                refused_claims=frozenset(),
                policy_version="1",
                granted_at=now,
            )
            consents.replace(
                connection, account.account_id, client_id, consent, subject=account.account_id, language="fr"
            )
        opened = open_session(
            context,
            connection,
            account.account_id,
            Authentication(now - timedelta(seconds=1), ("pwd",), "eidas1"),
            browser="Firefox",
        )
    return Visitor(account.email, PASSWORD, opened.cookie, secret)


def _describe(connection: Connection, account_id: str, context: Context) -> None:
    connection.execute(insert(account_attributes), list(_rows(account_id, context)))


def _rows(account_id: str, context: Context) -> Iterator[dict[str, object]]:
    for name, value in ATTRIBUTES.items():
        yield {
            "account_id": account_id,
            "name": name,
            "value": value,
            "source": "declared",
            "level": 100,
            "recorded_at": context.clock(),
        }
