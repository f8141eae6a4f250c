"""/healthz, /readyz and /metrics say what is broken, to machines, and nothing else (OPS-3, S-379)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from idp.app import create_app
from idp.config import parse
from idp.crypto.keyring import KeyFolder
from idp.storage import revisions
from idp.storage.engine import open_database
from idp.storage.migrate import head_revision
from tests.support.provider import a_provider, the_keys

if TYPE_CHECKING:
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("OPS-3")


def test_ready_node_says_so(provider: Provider) -> None:
    """Everything in order: 200, and the answer is kept by no cache."""
    answer = provider.back_channel.get("/readyz")

    assert answer.status_code == 200
    assert answer.json == {"ready": True, "failures": {}}
    assert answer.headers["Cache-Control"] == "no-store"


def test_probe_of_the_database_leaves_nothing_behind(provider: Provider) -> None:
    """Readiness writes for real; afterwards the revision is what it was and there is one row."""
    for _ in range(3):
        provider.back_channel.get("/readyz")

    with provider.context.database.read() as connection:
        rows = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    assert [tuple(row) for row in rows] == [(revisions.expected(),)]


def test_database_at_another_revision_is_not_ready(provider: Provider) -> None:
    """A node of another release doesn't take requests until the database is upgraded."""
    with provider.context.database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))

    answer = provider.back_channel.get("/readyz")

    assert answer.status_code == 503
    assert answer.json == {"ready": False, "failures": {"database": "not at the newest migration"}}


def test_database_that_is_away_is_not_ready_and_not_named(clock: SettableClock) -> None:
    """No server behind the address: 503 with Retry-After, and neither address nor password in the body."""
    away = open_database("postgresql://someone:secret-word@127.0.0.1:9/nothing")
    provider = a_provider(away, clock)

    ready, alive = provider.back_channel.get("/readyz"), provider.back_channel.get("/healthz")

    assert (ready.status_code, alive.status_code) == (503, 200)
    assert ready.json == {"ready": False, "failures": {"database": "not writable"}}
    assert ready.headers["Retry-After"]
    away.dispose()


def test_database_that_can_only_be_read_is_not_ready(sqlite_url: str, clock: SettableClock) -> None:
    """A read-only database serves no login: the node says so."""
    path = sqlite_url.removeprefix("sqlite:///")
    database = open_database(f"sqlite:///file:{path}?mode=ro&uri=true")
    provider = a_provider(database, clock)

    assert provider.back_channel.get("/readyz").json == {
        "ready": False,
        "failures": {"database": "not writable"},
    }
    database.dispose()


def test_node_without_keys_is_not_ready(database: Database, clock: SettableClock, tmp_path: Path) -> None:
    """No key that signs: no token can be given, so no request is wanted."""
    provider = a_provider(database, clock)
    empty = KeyFolder(tmp_path, None, lambda: 0.0)
    context = replace(provider.context, keys=empty)
    app = create_app(parse({"keys": {"directory": str(the_keys())}}, "test"), clock=clock, context=context)

    answer = app.test_client().get("/readyz")

    assert answer.status_code == 503
    assert answer.json["failures"].keys() == {"keys"}


def test_stopping_node_is_not_ready_but_alive(provider: Provider) -> None:
    """Between the signal and the end, the load balancer is told to look elsewhere (S-375)."""
    settings = parse({"keys": {"directory": str(the_keys())}}, "test")
    app = create_app(settings, clock=provider.clock, context=provider.context, is_stopping=lambda: True)

    assert app.test_client().get("/readyz").status_code == 503
    assert app.test_client().get("/healthz").status_code == 200


@pytest.mark.parametrize(
    "address, status",
    [
        pytest.param("127.0.0.1", 200, id="this machine"),
        pytest.param("203.0.113.9", 404, id="the Internet"),
        pytest.param("10.0.0.1", 404, id="a network that is not named"),
    ],
)
def test_metrics_are_for_the_named_networks(provider: Provider, address: str, status: int) -> None:
    """To everybody else there is no such page."""
    answer = provider.back_channel.get("/metrics", environ_base={"REMOTE_ADDR": address})

    assert answer.status_code == status


@pytest.mark.rule("PRI-3")
def test_metrics_count_routes_and_carry_no_value(provider: Provider) -> None:
    """A label is a method, a route template or a status, never what somebody typed."""
    provider.back_channel.get("/sign-up/link?token=canari")
    provider.back_channel.get("/canari/of/ours")
    provider.back_channel.open("/healthz", method="CANARI")

    shown = provider.back_channel.get("/metrics").text

    assert "canari" not in shown.lower()
    assert 'idp_requests_total{method="GET",route="(none)",status="404"} 1.0' in shown
    assert "idp_outbox_waiting_messages 0.0" in shown
    assert "idp_database_up 1.0" in shown


def test_expected_revision_is_the_one_that_alembic_finds() -> None:
    """The light reading of the migrations agrees with Alembic's."""
    assert revisions.expected() == head_revision()
