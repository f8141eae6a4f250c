"""Measures one database: the floor, every operation, and the same among more and more accounts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time, sleep

from idp.app import build_context, create_app, key_folder, utc_now
from idp.config import Settings, load
from idp.services.context import Context
from idp.storage.engine import open_database
from idp.storage.migrate import upgrade
from tests.bench import floor, servers
from tests.bench.places import Place
from tests.bench.population import crowd, populate
from tests.bench.processes import cpu_seconds
from tests.bench.report import LOGIN, Floor, Measure, Result
from tests.bench.servers import Driver, Running, Setting
from tests.bench.statements import count_statements
from tests.bench.visits import Visitor
from tests.support.builders import PASSWORD
from tests.support.server import free_port

_WARM_UP_SECONDS = 0.4
_CHECKS = 10
#: What does not look at accounts can't grow with them.
_WITHOUT_ACCOUNTS = frozenset({"discovery", "JWKS"})
#: How long an idle server is left alone before its memory is read.
_IDLE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for.

    Args:
        engines: Server programs.
        operations: Names of `visits.OPERATIONS`.
        accounts: Sizes of the crowd, growing.
        seconds: Of load for each operation.
        clients: At once.
        workers: Processes of the server.
        threads: Of each.
    """

    engines: tuple[str, ...]
    operations: tuple[str, ...]
    accounts: tuple[int, ...]
    seconds: float
    clients: int
    workers: int
    threads: int


@dataclass(frozen=True, slots=True)
class Bench:
    """One database, ready to be measured.

    Args:
        options: What to measure.
        place: The database.
        folder: Of its configuration, keys and log.
        visitors: One for each client.
    """

    options: Options
    place: Place
    folder: Path
    visitors: list[Visitor]

    def results(self, prepared: Prepared, say: Callable[[str], None]) -> Iterator[Result]:
        """Measure under each server program; the crowd grows under the first one.

        Args:
            prepared: What does not depend on the server program.
            say: Takes a line of progress.
        """
        for engine in self.options.engines:
            setting = self.setting(engine)
            floors = Floor(self.empty_answer(setting), prepared.signature, prepared.commit)
            result = Result(
                self.place.name, engine, floors, prepared.hash_cpu, statements=prepared.statements
            )
            self.measure(setting, result)
            for accounts in self.options.accounts if engine == self.options.engines[0] else ():
                say(self.grow(setting, result, accounts))
            yield result

    def setting(self, engine: str) -> Setting:
        """Say how the server runs.

        Args:
            engine: Server program.
        """
        options = self.options
        return Setting(self.folder, self.place.url, engine, options.workers, options.threads, free_port())

    def empty_answer(self, setting: Setting) -> float:
        """Measure an empty answer of Flask, in milliseconds of processor time.

        Args:
            setting: How it is served.
        """
        with servers.floor(setting) as running, closing(Driver(running.port, self.visitors)) as driver:
            return self.under_load(driver, running, "floor", self.options.seconds).cpu

    def measure(self, setting: Setting, result: Result) -> None:
        """Measure start, memory and every operation.

        Args:
            setting: How it is served.
            result: To be completed.
        """
        with servers.provider(setting) as running:
            sleep(_IDLE_SECONDS)
            result.start_seconds = running.seconds_to_first_answer
            result.worker_bytes, result.all_bytes = running.worker_bytes(), running.all_bytes()
            result.measures = self.measures(running, self.options.operations, self.options.seconds)

    def grow(self, setting: Setting, result: Result, accounts: int) -> str:
        """Fill accounts up to a number, and measure among them.

        Args:
            setting: How it is served.
            result: To be completed.
            accounts: How many there are then.

        Returns:
            How long it took to fill them.
        """
        began = perf_counter()
        with opened(setting) as (_, context):
            crowd(context, max(result.crowds, default=0) + 1, accounts)
        filled = perf_counter() - began
        operations = tuple(name for name in self.options.operations if name not in _WITHOUT_ACCOUNTS)
        with servers.provider(setting) as running:
            result.crowds[accounts] = self.measures(running, operations, self.options.seconds / 2)
        return f"{self.place.name}: {accounts:,} accounts, filled in {filled:.0f} s"

    def measures(self, running: Running, operations: tuple[str, ...], seconds: float) -> list[Measure]:
        """Measure operations one after the other.

        Args:
            running: The server.
            operations: Their names.
            seconds: Of load for each.
        """
        with closing(Driver(running.port, self.visitors)) as driver:
            driver.run("prepare", most=len(self.visitors))
            return [self.under_load(driver, running, name, seconds) for name in operations]

    def under_load(self, driver: Driver, running: Running, operation: str, seconds: float) -> Measure:
        """Measure one operation.

        Args:
            driver: The clients.
            running: The server.
            operation: Its name.
            seconds: Of load.
        """
        # A login takes so long that a short warm-up would be over before each client had one.
        driver.run(operation, seconds=_WARM_UP_SECONDS * (2 if operation == LOGIN else 1))
        began = cpu_seconds(running.pid, *self.place.servers)
        measured = driver.run(operation, seconds=seconds)
        return Measure.of(operation, measured, cpu_seconds(running.pid, *self.place.servers) - began)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What is measured in this process, once for a database.

    Args:
        signature: Milliseconds of one.
        commit: Milliseconds of one.
        hash_cpu: Milliseconds of one password check.
        statements: Of each operation.
    """

    signature: float
    commit: float
    hash_cpu: float
    statements: dict[str, object]


def prepare(options: Options, place: Place, folder: Path) -> tuple[Bench, Prepared]:
    """Make the database, and measure in process what needs no server.

    Args:
        options: What to measure.
        place: An empty database.
        folder: Empty.
    """
    setting = Setting(folder, place.url, options.engines[0], options.workers, options.threads, free_port())
    key_folder(load(setting.write())).initialise(Settings().keys.every_algorithm, utc_now())
    with closing_database(place.url):
        pass
    with opened(setting) as (settings, context):
        visitors = populate(context, options.clients + 1)
        app = create_app(settings, context=context)
        statements = count_statements(app, context.database, visitors.pop(), options.operations)
        prepared = Prepared(
            floor.signature_milliseconds(context.keys.keyring().signing_key("ES256")),
            _commit_floor(place, folder),
            _hash_milliseconds(context),
            dict(statements),
        )
    return Bench(options, place, folder, visitors), prepared


@contextmanager
def opened(setting: Setting) -> Iterator[tuple[Settings, Context]]:
    """Give the parts of the use cases, on the database that the server uses.

    Args:
        setting: Of the server.

    Yields:
        The settings, and the parts made from them.
    """
    settings = load(setting.write())
    context = build_context(settings)
    try:
        yield settings, context
    finally:
        context.database.dispose()


@contextmanager
def closing_database(url: str) -> Iterator[None]:
    """Bring a database to the newest migration.

    Args:
        url: Of the database.

    Yields:
        Nothing.
    """
    database = open_database(url)
    try:
        upgrade(database)
        yield
    finally:
        database.dispose()


def _commit_floor(place: Place, folder: Path) -> float:
    if place.server is None:
        return floor.sqlite_commit_milliseconds(folder / "floor.db")
    return floor.postgresql_commit_milliseconds(place.url, place.server)


def _hash_milliseconds(context: Context) -> float:
    hashed = context.passwords.hash(PASSWORD)
    began = process_time()
    for _ in range(_CHECKS):
        context.passwords.verify(PASSWORD, hashed)
    return (process_time() - began) / _CHECKS * 1000
