"""What every test may ask for: a clock, databases, mail, a browser; and what every test is held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support import databases as shared
from tests.support.clock import SettableClock
from tests.support.marks import ROOT, check_marks, write_proofs
from tests.support.sockets import stay_on_this_machine

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from playwright.sync_api import Browser, Page

    from idp.storage.engine import Database
    from tests.support.provider import Provider
    from tests.support.smtp import Mailbox

MARKS = (
    "rule(*ids): the rules of docs/rules.md that the test proves",
    "spec(document, section, level): the requirement of a specification that the test proves",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that writes the tables of proofs.

    Args:
        parser: Of the command line.
    """
    parser.addoption("--write-proofs", metavar="FOLDER", help="write proofs.md and conformance.md there")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marks, and make the folder that the processes of this run share.

    Args:
        config: Of this process.
    """
    for mark in MARKS:
        config.addinivalue_line("markers", mark)
    # The same examples in every run, and a slow machine is no fault of the one that it was slow at;
    # `--hypothesis-profile=default` looks for others.
    slow = [HealthCheck.too_slow]
    settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=slow)
    if config.getoption("hypothesis_profile", None) is None:
        settings.load_profile("steady")
    if is_first_process(config):
        shared.clean_up_after_the_dead()
        shared.make_shared_folder()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End what the run has started, after Ctrl-C too.

    Args:
        config: Of this process.
    """
    if is_first_process(config):
        shared.clean_up(shared.shared_folder())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse wrong marks before any test runs.

    Args:
        config: Of this process.
        items: The collected tests.
    """
    if is_first_process(config):
        check_marks(items)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Refuse wrong marks in the processes of pytest-xdist, where the first one collects nothing.

    Args:
        item: The test that is about to run.
    """
    if not is_first_process(item.config):
        check_marks([item])


def pytest_collection_finish(session: pytest.Session) -> None:
    """Write the tables of proofs when asked.

    Args:
        session: With the collected tests.
    """
    folder = session.config.getoption("write_proofs")
    if folder is not None:
        write_proofs(session.items, ROOT / folder)


def is_first_process(config: pytest.Config) -> bool:
    """Say whether this is the process that the user started, not one that pytest-xdist did.

    Args:
        config: Of this process.

    Returns:
        True for the first one.
    """
    return not hasattr(config, "workerinput")


@pytest.fixture(scope="session", autouse=True)
def _this_machine_only() -> Iterator[None]:
    """Refuse connections that would leave this machine."""
    with pytest.MonkeyPatch.context() as patch:
        stay_on_this_machine(patch)
        yield


@pytest.fixture(scope="session", autouse=True)
def _made_once() -> Iterator[None]:
    """Compile templates, routes and translations once for the applications of all tests."""
    from tests.support.made_once import make_once

    with pytest.MonkeyPatch.context() as patch:
        make_once(patch)
        yield


@pytest.fixture
def clock() -> SettableClock:
    """A clock that stands still until the test moves it."""
    return SettableClock()


@pytest.fixture(scope="session")
def databases() -> Iterator[shared.Databases]:
    """The maker of databases, for a test that needs several or one that lives longer than a test."""
    from idp.storage.engine import open_database
    from idp.storage.migrate import upgrade

    def upgrade_url(url: str) -> None:
        database = open_database(url)
        try:
            upgrade(database)
        finally:
            database.dispose()

    maker = shared.Databases(shared.shared_folder(), upgrade_url)
    yield maker
    maker.close()


@pytest.fixture
def sqlite_url(databases: shared.Databases) -> Iterator[str]:
    """The URL of a migrated, empty SQLite database."""
    with databases.new("sqlite") as url:
        yield url


@pytest.fixture
def postgresql_url(databases: shared.Databases) -> Iterator[str]:
    """The URL of a migrated, empty PostgreSQL database."""
    with databases.new("postgresql") as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, databases: shared.Databases) -> Iterator[str]:
    """The URL of a migrated, empty database; the test runs once on each kind."""
    with databases.new(request.param) as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database, open; the test runs once on each kind."""
    from idp.storage.engine import open_database
    from tests.support.provider import the_seal

    opened = open_database(database_url, seal=the_seal)
    yield opened
    opened.dispose()


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """The whole provider on an empty database; the test runs once on each kind."""
    from tests.support.provider import a_provider

    return a_provider(database, clock)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def lasting_provider(request: pytest.FixtureRequest, databases: shared.Databases) -> Iterator[Provider]:
    """One provider on each kind of database for all tests that leave nothing behind: its clock stands still."""
    from idp.storage.engine import open_database
    from tests.support.provider import a_provider, the_seal

    with databases.new(request.param) as url:
        opened = open_database(url, seal=the_seal)
        yield a_provider(opened, SettableClock())
        opened.dispose()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A real mail server, and what it was sent."""
    from tests.support.smtp import mail_server

    with mail_server() as box:
        yield box


@pytest.fixture
def serve() -> Iterator[Callable[[WSGIApplication], str]]:
    """A function that serves an application until the end of the test, and answers its origin."""
    from tests.support.server import served

    with ExitStack() as servers:
        yield lambda application: servers.enter_context(served(application))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    from tests.support.browser import open_browser

    with open_browser() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of that Chromium, with cookies of its own; no script of it may fail, nor the CSP refuse one."""
    from tests.support.browser import open_page

    with open_page(browser) as opened:
        yield opened
