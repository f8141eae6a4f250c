"""What a used code or refresh token gives is the grant that it was born of, and no other person's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from idp.domain.client import Client
from idp.domain.tokens import GrantedClaims, TokenFamily, TokenKind
from idp.storage.repositories import clients, tokens
from idp.storage.repositories.tokens import NewToken, StoredCode

if TYPE_CHECKING:
    from idp.storage.engine import Connection, Database
    from tests.support.clock import SettableClock

NAMES = ("first", "second", "third")


def a_family(connection: Connection, name: str, clock: SettableClock) -> None:
    """Write a grant, its code and its refresh token, all of one name."""
    now = clock()
    later = now + timedelta(minutes=1)
    family = TokenFamily(
        family_id=name,
        client_id="service",
        account_id=None,
        consent_id=None,
        session_id=None,
        subject=f"subject of {name}",
        scopes=frozenset({"openid"}),
        claims=GrantedClaims(),
        nonce=None,
        auth_time=0,
        acr=None,
        amr=(),
        created_at=now,
        expires_at=later,
    )
    tokens.create_family(connection, family)
    code = StoredCode(name, "https://service.example.org/callback", None, later, "service")
    tokens.create_code(connection, code, code_hash=hash_of("code", name))
    stored = NewToken(hash_of("refresh", name), TokenKind.REFRESH, "service", "openid", 0, now, later)
    tokens.add_tokens(connection, name, [stored])


def hash_of(kind: str, name: str) -> bytes:
    """Make up a hash."""
    return f"{kind} {name}".encode().ljust(32)


@pytest.fixture
def three_families(database: Database, clock: SettableClock) -> Database:
    """Three grants of one client."""
    with database.write() as connection:
        clients.create(connection, Client("service", "Service", created_at=clock()))
        for name in NAMES:
            a_family(connection, name, clock)
    return database


@pytest.mark.rule("OID-1")
@pytest.mark.parametrize("name", NAMES)
def test_code_among_several_gives_the_grant_it_was_born_of(
    three_families: Database, clock: SettableClock, name: str
) -> None:
    """A code speaks of the person who was signed in when it was issued."""
    with three_families.write() as connection:
        consumed = tokens.consume_code(connection, hash_of("code", name), "service", clock())

    assert consumed is not None
    stored, family = consumed
    assert (stored.family_id, family.family_id, family.subject) == (name, name, f"subject of {name}")


@pytest.mark.rule("OID-2")
@pytest.mark.parametrize("name", NAMES)
def test_refresh_token_among_several_gives_the_grant_it_was_born_of(
    three_families: Database, clock: SettableClock, name: str
) -> None:
    """A refresh token that rotates goes on speaking of the same person."""
    with three_families.write() as connection:
        consumed = tokens.consume_refresh(connection, hash_of("refresh", name), "service", clock())

    assert consumed is not None
    assert (consumed.family.family_id, consumed.family.subject) == (name, f"subject of {name}")


@pytest.mark.rule("OID-1")
def test_revoked_family_among_several_is_told_with_its_own_code(
    three_families: Database, clock: SettableClock
) -> None:
    """A code of a living grant is not refused because another grant was revoked."""
    with three_families.write() as connection:
        tokens.revoke_family(connection, "first", clock(), "withdrawn")
        dead = tokens.consume_code(connection, hash_of("code", "first"), "service", clock())
        alive = tokens.consume_code(connection, hash_of("code", "second"), "service", clock())

    assert dead is not None
    assert dead[1].revoked_at == clock()
    assert alive is not None
    assert alive[1].revoked_at is None
