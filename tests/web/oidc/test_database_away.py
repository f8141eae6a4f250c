"""A database that is away answers 503 with Retry-After, in the form of each endpoint, and is back by itself (OPS-5)."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from idp.storage.engine import open_database
from tests.support.clock import SettableClock
from tests.support.provider import a_provider, answer_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.test import TestResponse

    from tests.support.provider import Provider


def is_away(answer: TestResponse, mimetype: str) -> bool:
    """Tell whether an answer says to come back, and nothing about the database."""
    assert answer.status_code == 503, (answer.status_code, answer.text)
    assert answer.headers["Retry-After"] == "5"
    assert answer.headers["Cache-Control"] == "no-store"
    for word in ("sqlite", "postgres", "psycopg", "127.0.0.1", "locked", "SELECT"):
        assert word not in answer.text
    return answer.mimetype == mimetype


@pytest.fixture
def unreachable() -> Provider:
    """A provider whose PostgreSQL server refuses every connection."""
    database = open_database("postgresql://postgres:secret@127.0.0.1:1/idp")
    return a_provider(database, SettableClock())


@pytest.mark.rule("OPS-5")
@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
def test_back_channel_without_a_database_says_to_come_back(unreachable: Provider, path: str) -> None:
    """In JSON: temporarily_unavailable."""
    answer = unreachable.post(path, client_id="a", grant_type="client_credentials", token="mpa_x")

    assert is_away(answer, "application/json")
    assert answer.json["error"] == "temporarily_unavailable"


@pytest.mark.rule("OPS-5")
def test_userinfo_without_a_database_says_to_come_back(
    lasting_provider: Provider, unreachable: Provider
) -> None:
    """A token may be good: nobody says that it is not."""
    token = lasting_provider.tokens(lasting_provider.signed_in(), lasting_provider.a_client())["access_token"]

    assert is_away(unreachable.userinfo(token), "application/json")


@pytest.mark.rule("OPS-5")
@pytest.mark.parametrize("path", ["/authorize?client_id=a", "/logout?client_id=a", "/account/services"])
def test_page_without_a_database_says_to_come_back(
    lasting_provider: Provider, unreachable: Provider, path: str
) -> None:
    """With a page, for somebody who has a session too."""
    cookie = lasting_provider.signed_in().get_cookie("__Host-mon_paris_session")
    assert cookie is not None

    answer = unreachable.back_channel.get(path, headers={"Cookie": f"{cookie.key}={cookie.value}"})

    assert is_away(answer, "text/html")


@pytest.mark.rule("OPS-5")
def test_documents_need_no_database(unreachable: Provider) -> None:
    """Discovery and keys are served on."""
    assert unreachable.back_channel.get("/jwks.json").status_code == 200
    assert unreachable.back_channel.get("/.well-known/openid-configuration").status_code == 200


@pytest.fixture
def impatient(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Provider, Any]]:
    """A provider on SQLite that hardly waits for its turn, and another connection to the same file."""
    monkeypatch.setattr("idp.storage.engine._BUSY_SECONDS", 0.05)
    database = open_database(sqlite_url)
    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"), isolation_level=None)) as other:
        yield a_provider(database, SettableClock()), other
    database.dispose()


@pytest.mark.rule("OPS-5")
def test_sqlite_that_another_program_keeps_locked_says_to_come_back(impatient: tuple[Provider, Any]) -> None:
    """What has to write says 503 and uses nothing up; what only reads goes on; after the lock all is well."""
    provider, other = impatient
    service, browser = provider.a_client(), provider.signed_in()
    tokens = provider.tokens(browser, service, scope="openid offline_access")
    code = provider.code(browser, service)
    other.execute("BEGIN IMMEDIATE")

    refused = [
        provider.redeem(service, code),
        provider.refresh(service, tokens["refresh_token"]),
        provider.post("/token", service, grant_type="client_credentials"),
        provider.post("/revoke", service, token=tokens["access_token"]),
    ]
    page = provider.authorize(browser, service)
    read = provider.userinfo(tokens["access_token"])
    other.execute("ROLLBACK")

    assert all(is_away(answer, "application/json") for answer in refused)
    assert is_away(page, "text/html")
    assert read.status_code == 200
    assert provider.redeem(service, code).status_code == 200
    assert "code" in answer_of(provider.authorize(browser, service))


@pytest.mark.rule("OPS-5")
def test_postgresql_that_drops_its_connections_is_back_by_itself(postgresql_url: str) -> None:
    """A restart costs the requests of that moment a 503; the next ones connect anew, with no restart of ours."""
    database = open_database(postgresql_url)
    provider = a_provider(database, SettableClock())
    service, browser = provider.a_client(), provider.signed_in()
    provider.tokens(browser, service)
    with psycopg.connect(postgresql_url, autocommit=True) as administrator:
        administrator.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    statuses = [provider.authorize(browser, service).status_code for _ in range(4)]
    database.dispose()

    assert set(statuses) <= {303, 503}
    assert statuses[-1] == 303


@pytest.mark.rule("OPS-5")
def test_postgresql_that_became_a_replica_says_to_come_back(postgresql_url: str) -> None:
    """After a failover the old primary only reads: no 500, and nothing is lost."""
    database = open_database(postgresql_url)
    provider = a_provider(database, SettableClock())
    service, browser = provider.a_client(), provider.signed_in()
    name = postgresql_url.rpartition("/")[2]
    with psycopg.connect(postgresql_url, autocommit=True) as administrator:
        administrator.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on'.encode())
    database.dispose()

    answer = provider.authorize(browser, service)
    database.dispose()

    assert is_away(answer, "text/html")
