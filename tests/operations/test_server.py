"""`idp run` for real: framing over raw sockets, slow clients, stop, reload, crashes, key rotation."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.app import utc_now
from idp.storage.engine import open_database
from idp.storage.repositories import disclosures
from tests.support.clock import SettableClock
from tests.support.demonstration import wait_until
from tests.support.provider import a_provider
from tests.support.running import (
    Answer,
    RunningProvider,
    ended_run,
    is_running,
    read_all,
    running_provider,
    wait_until_ready,
    write_config,
)
from tests.support.server import HOST, free_port

ENGINES = ("gunicorn", "granian")
#: Long before the server gives the slow ones up, and long enough for a machine that does much else.
SOON_SECONDS = 8


@pytest.fixture(scope="module", params=ENGINES)
def provider(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningProvider]:
    """A provider on SQLite, served by each server program, which these tests leave as it was."""
    folder = tmp_path_factory.mktemp(request.param)
    server = {
        "engine": request.param,
        "trusted_proxies": ["127.0.0.1"],
        "forwarded_header": "forwarded" if request.param == "granian" else "x-forwarded-for",
    }
    with running_provider(folder, f"sqlite:///{folder}/idp.db", server=server) as running:
        yield running


def request(*lines: str, body: bytes = b"") -> bytes:
    """Write a request by hand; each line gets its CRLF, the head its end."""
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


@pytest.mark.rule("OPS-3")
@pytest.mark.spec("RFC 9112", "6.1", "MUST")
@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(
            request(
                "POST /token HTTP/1.1",
                "Host: localhost",
                "Connection: close",
                "Content-Type: application/x-www-form-urlencoded",
                "Content-Length: 4",
                "Transfer-Encoding: chunked",
                body=b"0\r\n\r\n",
            ),
            id="a length and chunks",
        ),
        pytest.param(
            request(
                "POST /token HTTP/1.1",
                "Host: localhost",
                "Connection: close",
                "Content-Length: 4",
                "Content-Length: 5",
                body=b"a=bcd",
            ),
            id="two lengths",
        ),
        pytest.param(
            request("GET / HTTP/1.1", "Host : localhost", "Connection: close"), id="a space before the colon"
        ),
        pytest.param(request("GET / HTTP/1.1", "Host: localhost", "Connection: close", "X-A: " + "a" * 100_000),
                     id="a header of 100 kB"),
        pytest.param(request("GET /?" + "a" * 100_000 + " HTTP/1.1", "Host: localhost", "Connection: close"),
                     id="a target of 100 kB"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nX-A: a\x00b\r\n\r\n", id="a NUL"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64) + b"\r\n\r\n", id="TLS"),
    ],
)  # fmt: skip
def test_ambiguous_request_is_refused(provider: RunningProvider, sent: bytes) -> None:
    """What two servers could read in two ways is refused, whichever server program serves."""
    answer = Answer.of(provider.exchange(sent))

    assert answer.status in {0, 400, 414, 431}
    assert wait_for_healthy(provider)


@pytest.mark.rule("OPS-3")
@pytest.mark.spec("RFC 9112", "11.2", "SHOULD")
def test_request_smuggled_behind_another_is_not_answered(provider: RunningProvider) -> None:
    """A second request hidden behind a length and chunks never reaches the application."""
    hidden = request("GET /healthz HTTP/1.1", "Host: localhost")
    sent = request(
        "POST /token HTTP/1.1",
        "Host: localhost",
        f"Content-Length: {len(hidden) + 5}",
        "Transfer-Encoding: chunked",
        body=b"0\r\n\r\n" + hidden,
    )

    answer = provider.exchange(sent, within=3)

    assert answer.count(b"HTTP/1.1 200") == 0


@pytest.mark.rule("OPS-3")
def test_forwarded_header_of_a_client_behind_a_proxy_is_not_believed(provider: RunningProvider) -> None:
    """A client that spells the header with underscores doesn't choose its own address."""
    real = "Forwarded: for=203.0.113.7" if provider.engine == "granian" else "X-Forwarded-For: 203.0.113.7"

    answer = provider.get("/metrics", real, "X_Forwarded_For: 127.0.0.1")

    # /metrics is for 127.0.0.1 only: the address that the proxy named decides.
    assert answer.status == 404


@pytest.mark.rule("OPS-3")
def test_forwarded_header_of_a_proxy_is_believed(provider: RunningProvider) -> None:
    """What a named proxy says of the client holds."""
    answer = provider.get(
        "/metrics",
        "Forwarded: for=127.0.0.9" if provider.engine == "granian" else "X-Forwarded-For: 127.0.0.9",
    )

    assert answer.status == 200


@pytest.mark.rule("OPS-3")
def test_slow_headers_hold_nobody_up(provider: RunningProvider) -> None:
    """Forty clients that never end their head leave the others served."""
    with held_connections(provider, 40, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "):
        began = time.monotonic()
        answer = provider.get("/healthz")

    assert answer.status == 200
    assert time.monotonic() - began < SOON_SECONDS


@pytest.mark.rule("OPS-3")
def test_slow_bodies_hold_nobody_up_with_gunicorn(tmp_path: Path) -> None:
    """Forty clients that never end their form leave the others served; behind granian a proxy must buffer."""
    head = b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\ngrant_type="
    with (
        running_provider(tmp_path, f"sqlite:///{tmp_path}/idp.db") as provider,
        held_connections(provider, 40, head),
    ):
        began = time.monotonic()
        answer = provider.get("/healthz")

    assert answer.status == 200
    assert time.monotonic() - began < SOON_SECONDS


@pytest.mark.rule("OPS-3")
def test_stop_finishes_the_request_in_flight_and_leaves_nothing(tmp_path: Path) -> None:
    """A request that was being sent when TERM came is answered; then every process is gone."""
    with running_provider(tmp_path, f"sqlite:///{tmp_path}/idp.db") as provider:
        processes = provider.processes()
        with socket.create_connection((HOST, provider.port), timeout=60) as connection:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n")
            time.sleep(0.3)
            provider.process.send_signal(signal.SIGTERM)
            time.sleep(0.3)
            connection.sendall(b"Connection: close\r\n\r\n")
            answer = Answer.of(read_all(connection))
        code = provider.process.wait(60)

    assert answer.status == 200
    assert code == 0
    assert [pid for pid in processes if is_running(pid)] == []


@pytest.mark.rule("OPS-3")
def test_stop_turns_readiness_off_first(tmp_path: Path) -> None:
    """Between TERM and the closing of the socket, /readyz says no and pages are still served."""
    server = {"drain_seconds": 3}
    with running_provider(tmp_path, f"sqlite:///{tmp_path}/idp.db", server=server) as provider:
        provider.process.send_signal(signal.SIGTERM)
        ready = wait_until(
            lambda: answer if (answer := provider.get("/readyz")).status != 200 else None, "no"
        )
        alive = provider.get("/healthz")
        code = provider.process.wait(60)

    assert (ready.status, alive.status, code) == (503, 200, 0)
    assert json.loads(ready.body)["failures"] == {"server": "stopping"}


@pytest.mark.rule("OPS-3")
def test_reload_under_load_loses_no_request(tmp_path: Path) -> None:
    """HUP replaces every worker while requests come; each of them is answered."""
    with running_provider(tmp_path, f"sqlite:///{tmp_path}/idp.db") as provider:
        before = set(provider.processes())
        statuses: list[int] = []
        done = threading.Event()

        def ask() -> None:
            while not done.is_set():
                statuses.append(provider.get("/healthz").status)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: statuses or None, "an answer")
        provider.process.send_signal(signal.SIGHUP)
        wait_until(lambda: len(set(provider.processes()) - before) >= 2 or None, "new workers")
        # The old ones have a last request each.
        time.sleep(1)
        done.set()
        for thread in threads:
            thread.join()
        after = set(provider.processes())

    assert set(statuses) == {200}
    assert len(after - before) >= 2


@pytest.mark.rule("OPS-3")
def test_reload_with_a_broken_configuration_keeps_the_old_one(tmp_path: Path) -> None:
    """A mistake in the file at HUP is logged and stops nothing."""
    with running_provider(tmp_path, f"sqlite:///{tmp_path}/idp.db") as provider:
        provider.config.write_text("[server]\nworkers = 'many'\n")
        provider.process.send_signal(signal.SIGHUP)
        wait_until(lambda: provider.events("reload_refused") or None, "the refusal")

        assert provider.get("/healthz").status == 200
        assert [event["event"] for event in provider.events("reload_refused")] == ["reload_refused"]


@pytest.mark.rule("OPS-5")
def test_worker_that_dies_while_the_configuration_is_broken_is_replaced(tmp_path: Path) -> None:
    """An edit half done must not turn the loss of one worker into the loss of all."""
    with running_provider(tmp_path, f"sqlite:///{tmp_path}/idp.db") as provider:
        provider.config.write_text("[server]\nworkers = 'many'\n")
        _, server, *_rest = provider.processes()
        workers = Path(f"/proc/{server}/task/{server}/children").read_text().split()
        for pid in workers:
            os.kill(int(pid), signal.SIGKILL)
        until = time.monotonic() + 20
        while not provider.events("configuration_refused"):
            assert time.monotonic() < until
            time.sleep(0.05)

        assert provider.get("/healthz").status == 200
        assert provider.process.poll() is None


@pytest.mark.rule("OPS-5")
@pytest.mark.parametrize("engine", ENGINES)
def test_killed_workers_are_replaced(engine: str, tmp_path: Path) -> None:
    """A worker that dies, and the delivery worker, are started again; the server goes on."""
    with running_provider(tmp_path, f"sqlite:///{tmp_path}/idp.db", server={"engine": engine}) as provider:
        supervisor, *others = provider.processes()
        server, *workers = others
        children = [
            int(pid) for pid in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
        ]
        delivery = next(pid for pid in children if pid != server)
        killed = [next(pid for pid in workers if pid not in children), delivery]
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        until = time.monotonic() + 20
        while time.monotonic() < until and len(set(provider.processes()) - set(killed)) < len(others) + 1:
            time.sleep(0.1)

        assert not any(is_running(pid) for pid in killed)
        assert len(set(provider.processes()) - set(killed)) == len(others) + 1
        assert wait_for_healthy(provider)


@pytest.mark.rule("PRI-2")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT], ids=["TERM", "INT"])
def test_stop_writes_what_services_were_told(engine: str, how: signal.Signals, tmp_path: Path) -> None:
    """A disclosure of the last second is kept when the server is stopped (docs/decisions/0023)."""
    url = f"sqlite:///{tmp_path}/idp.db"
    with running_provider(tmp_path, url, server={"engine": engine}) as running:
        database = open_database(url)
        ours = a_provider(database, SettableClock(utc_now()), keys=tmp_path / "keys")
        person, service = ours.an_account(), ours.a_client(id_token_signed_response_alg="ES256")
        token = ours.tokens(ours.signed_in(person), service, scope="openid email")["access_token"]
        answers = [running.get("/userinfo", f"Authorization: Bearer {token}") for _ in range(20)]
        code = running.stop(how)

    with database.read() as connection:
        told = disclosures.of_account(connection, person.account_id)
    database.dispose()
    assert code == 0
    assert {answer.status for answer in answers} == {200}
    assert [(one.claims, one.times) for one in told] == [(("email", "email_verified"), 20)]


@pytest.mark.rule("OPS-3")
def test_killed_supervisor_leaves_no_process(tmp_path: Path) -> None:
    """Even by KILL the supervisor takes its processes with it."""
    with running_provider(tmp_path, f"sqlite:///{tmp_path}/idp.db") as provider:
        processes = provider.processes()
        provider.process.kill()
        provider.process.wait()
        until = time.monotonic() + 20
        while time.monotonic() < until and any(is_running(pid) for pid in processes):
            time.sleep(0.1)

    assert [pid for pid in processes if is_running(pid)] == []


@pytest.mark.rule("OPS-4")
def test_key_rotation_while_running_never_leaves_a_signature_unverifiable(tmp_path: Path) -> None:
    """A client that cached the JWK Set knows each key before it signs, and the workers follow without a restart."""
    with running_provider(tmp_path, f"sqlite:///{tmp_path}/idp.db") as provider:
        first = kids(provider)
        published = provider.idp("keys", "rotate", "--json")
        early = provider.idp("keys", "rotate", "--json")
        cached = wait_until(lambda: known if (known := kids(provider)) > first else None, "the next keys")
        moved = provider.idp("keys", "rotate", "--force", "--yes", "--json")
        time.sleep(1.5)
        after = kids(provider)

    states = {key["kid"]: key["state"] for key in json.loads(moved.stdout)}
    signing = {key["kid"] for key in json.loads(moved.stdout) if key["use"] == "sig"}
    active = {kid for kid, state in states.items() if state == "active"} & signing
    assert published.returncode == 0
    assert early.returncode == 1
    assert "too lately" in early.stderr
    assert first < cached < after
    assert active
    assert active <= cached
    assert first <= after


@pytest.mark.rule("OPS-3")
@pytest.mark.rule("PRI-3")
def test_each_request_is_one_event_without_its_path(provider: RunningProvider) -> None:
    """The log has method, route, status, duration and id, and nothing that a client put into the path or headers."""
    canary = "canari7f3a"
    provider.get(
        f"/sign-up/link?token={canary}", f"Cookie: mon_paris_session={canary}", f"User-Agent: {canary}"
    )
    provider.get(f"/{canary}/x", f"Authorization: Bearer {canary}", f"X-Request-ID: {canary * 20}")
    provider.exchange(request(f"GET /{canary} HTTP/1.1", "Host : x", f"X: {canary}", "Connection: close"))
    time.sleep(0.3)

    requests = provider.events("request")
    assert canary not in provider.log.read_text()
    assert {
        "at",
        "level",
        "logger",
        "event",
        "request_id",
        "method",
        "route",
        "status",
        "milliseconds",
    } == set(requests[-1])
    assert requests[-1]["at"].endswith("Z")


@pytest.mark.rule("OPS-3")
def test_request_id_of_a_named_proxy_is_kept(provider: RunningProvider) -> None:
    """A proxy's X-Request-ID ties its log to ours."""
    provider.get("/healthz", "X-Request-ID: 1a2b3c4d5e6f")

    wait_until(
        lambda: "1a2b3c4d5e6f" in {event["request_id"] for event in provider.events("request")} or None,
        "its line",
    )


@pytest.mark.rule("OPS-3")
def test_metrics_of_several_workers_are_one(provider: RunningProvider) -> None:
    """Whichever worker answers /metrics counts the requests of all."""
    before = counted(provider, "/healthz")
    for _ in range(20):
        provider.get("/healthz")

    assert counted(provider, "/healthz") == before + 20


@pytest.mark.parametrize(
    "change, code, said",
    [
        pytest.param("", 5, "idp database upgrade", id="database not migrated"),
        pytest.param("unknown = 1", 3, "unknown", id="unknown key"),
        pytest.param(None, 3, "No such file", id="no file"),
    ],
)
@pytest.mark.rule("OPS-3")
def test_start_that_can_not_serve_is_refused_in_words(
    change: str | None, code: int, said: str, tmp_path: Path
) -> None:
    """What is missing is one sentence and an exit code, never a trace."""
    config = tmp_path / "config.toml"
    if change is not None:
        write_config(config, free_port(), f"sqlite:///{tmp_path}/idp.db", tmp_path)
        config.write_text(config.read_text() + change)

    done = ended_run(config)

    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.rule("OPS-3")
def test_start_on_a_taken_port_is_refused_in_words(tmp_path: Path) -> None:
    """The port is taken before any process is started."""
    config = tmp_path / "config.toml"
    with socket.create_server((HOST, 0)) as taken:
        write_config(config, taken.getsockname()[1], f"sqlite:///{tmp_path}/idp.db", tmp_path)
        done = ended_run(config, "--upgrade")

    assert done.returncode == 1
    assert "Address already in use" in done.stderr


@pytest.mark.rule("OPS-5")
def test_provider_on_postgresql_starts_from_nothing(
    databases: object, postgresql_url: str, tmp_path: Path
) -> None:
    """The same command serves over PostgreSQL."""
    del databases
    with running_provider(tmp_path, postgresql_url) as provider:
        wait_until_ready(provider)

        assert provider.get("/.well-known/openid-configuration").status == 200


class held_connections:  # noqa: N801 - used as a word: `with held_connections(...)`
    """Connections that have sent a beginning and send no end."""

    def __init__(self, provider: RunningProvider, count: int, beginning: bytes) -> None:
        self._open = [socket.create_connection((HOST, provider.port), timeout=60) for _ in range(count)]
        for connection in self._open:
            connection.sendall(beginning)
        time.sleep(0.3)

    def __enter__(self) -> None:
        """Keep them open."""

    def __exit__(self, *_: object) -> None:
        """Close them."""
        for connection in self._open:
            connection.close()


def kids(provider: RunningProvider) -> set[str]:
    """Read the published keys that sign, from whichever worker answers."""
    keys = json.loads(provider.get("/jwks.json").body)["keys"]
    return {key["kid"] for key in keys if key["use"] == "sig"}


def counted(provider: RunningProvider, route: str) -> int:
    """Read how many requests of a route were counted."""
    header = "Forwarded: for=127.0.0.1" if provider.engine == "granian" else "X-Forwarded-For: 127.0.0.1"
    lines = provider.get("/metrics", header).body.decode().splitlines()
    wanted = f'idp_requests_total{{method="GET",route="{route}",status="200"}}'
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(wanted)))


def wait_for_healthy(provider: RunningProvider) -> bool:
    """Tell whether the server still answers."""
    return provider.get("/healthz").status == 200
