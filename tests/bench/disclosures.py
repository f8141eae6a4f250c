"""`python -m tests.bench.disclosures`: what the log of disclosures costs each answer of UserInfo (PRI-2).

The measure is processor time in one process: of a whole answer, of the note in it, and of the batch that writes it
later, for people who are all different (a row each, the dearest case) and for the same few. PostgreSQL's own work
is not in it; wall time, which is, stands beside.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from idp.app import utc_now
from idp.domain.disclosure import Way
from idp.services.disclosures import DisclosureLog
from idp.storage.engine import Database, open_database
from idp.storage.migrate import upgrade
from tests.support import databases as shared
from tests.support.clock import SettableClock
from tests.support.provider import Provider, a_provider

_PEOPLE: Final = 2000
_ANSWERS: Final = 2000
_ROUNDS: Final = 5
_HEAD: Final = (
    "| database | UserInfo | note | batch, all different | batch, few | in all, dearest | wall, dearest |\n"
    "|---|--:|--:|--:|--:|--:|--:|\n"
)
_TOLD: Final = {"sub": "x", "email": "x", "email_verified": True, "given_name": "x", "family_name": "x"}


def main() -> None:
    """Measure both databases and print a table."""
    shared.make_shared_folder()
    maker = shared.Databases(shared.shared_folder(), _upgrade)
    try:
        _table(maker, sys.argv[1:] or ["sqlite", "postgresql"])
    finally:
        maker.close()
        shared.clean_up(shared.shared_folder())


def _table(maker: shared.Databases, kinds: list[str]) -> None:
    sys.stdout.write(_HEAD)
    for kind in kinds:
        with _provider(maker, kind) as provider:
            _print(kind, provider)


def _print(kind: str, provider: Provider) -> None:
    database = provider.context.database
    people = [provider.an_account().account_id for _ in range(_PEOPLE)]
    answer = min(_answer_cost(provider) for _ in range(_ROUNDS))
    note = min(_note_cost(database, people) for _ in range(_ROUNDS))
    different = min((_batch_cost(database, people) for _ in range(_ROUNDS)), key=lambda cost: cost[0])
    few = min((_batch_cost(database, people[:10]) for _ in range(_ROUNDS)), key=lambda cost: cost[0])
    share = (note + different[0]) / answer * 100
    wall = (note + different[1]) / answer * 100
    sys.stdout.write(
        f"| {kind} | {answer:.0f} µs | {note:.1f} µs | {different[0]:.1f} µs | {few[0]:.1f} µs "
        f"| {share:.1f} % | {wall:.1f} % |\n"
    )


def _answer_cost(provider: Provider) -> float:
    """Measure an answer of UserInfo within the process, without a server: less than what it costs in truth."""
    service = provider.a_client()
    browser = provider.signed_in(provider.an_account(given_name="Zoé", family_name="Durand"))
    token = provider.tokens(browser, service, scope="openid email profile")["access_token"]
    environ = {"Authorization": f"Bearer {token}"}
    client = provider.back_channel
    builder = client.application.test_request_context("/userinfo", headers=environ).request.environ

    def ask() -> None:
        b"".join(client.application.wsgi_app(dict(builder), _begin))

    ask()
    return _each(ask)[0]


def _begin(_status: str, _headers: list[tuple[str, str]], *_: object) -> Callable[[bytes], object]:
    return len


def _note_cost(database: Database, people: list[str]) -> float:
    log, at = DisclosureLog(10 * _ANSWERS), utc_now()
    whom = iter([(person, "parking") for person in people] * (_ANSWERS // len(people) + 1))
    return _each(lambda: log.note(database, Way.USERINFO, next(whom), _TOLD, at))[0]


def _batch_cost(database: Database, people: list[str]) -> tuple[float, float]:
    log, at = DisclosureLog(10 * _ANSWERS), utc_now()
    for number in range(_ANSWERS):
        log.note(database, Way.USERINFO, (people[number % len(people)], "parking"), _TOLD, at)
    cpu, wall = _measured(lambda: log.flush(database))
    return cpu / _ANSWERS, wall / _ANSWERS


def _each(ask: Callable[[], object]) -> tuple[float, float]:
    def every() -> None:
        for _ in range(_ANSWERS):
            ask()

    cpu, wall = _measured(every)
    return cpu / _ANSWERS, wall / _ANSWERS


def _measured(run: Callable[[], object]) -> tuple[float, float]:
    """Give processor time and wall time, in microseconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    run()
    return (time.process_time() - cpu) * 1e6, (time.perf_counter() - wall) * 1e6


@contextmanager
def _provider(maker: shared.Databases, kind: str) -> Iterator[Provider]:
    with maker.new(kind) as url:
        database = open_database(url)
        yield a_provider(database, SettableClock(utc_now()))
        database.dispose()


def _upgrade(url: str) -> None:
    database = open_database(url)
    try:
        upgrade(database)
    finally:
        database.dispose()


if __name__ == "__main__":
    main()
