"""The demonstration, as one command starts it, and people who visit it with real browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.browser import PATIENCE_MILLISECONDS, open_page
from tests.support.demonstration import Demonstration, run_demonstration
from tests.support.visitor import Keyboard, Mouse, Visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Somebody new: `a_visitor()`, or `a_visitor(java_script_enabled=False)`.
AVisitor = Callable[..., Visitor]

#: What a page may ask of the person: everything works with less.
WAYS = {
    "mouse": (Mouse, {}),
    "keyboard": (Keyboard, {}),
    "no_javascript": (Mouse, {"java_script_enabled": False}),
}


@pytest.fixture(scope="session")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """The whole demonstration, started once for the tests of this process."""
    expect.set_options(timeout=PATIENCE_MILLISECONDS)
    folder = tmp_path_factory.mktemp("demonstration")
    with run_demonstration(folder) as running:
        yield running


@pytest.fixture
def demo(demonstration: Demonstration) -> Demonstration:
    """The running demonstration; nothing of what earlier tests tried slows this one down."""
    demonstration.forget_tries()
    return demonstration


@pytest.fixture
def a_visitor(browser: Browser, demo: Demonstration) -> Iterator[AVisitor]:
    """A function that opens a browser of its own for somebody; options are those of Playwright's contexts."""
    with ExitStack() as open_pages:

        def arrive(**options: object) -> Visitor:
            return Visitor(open_pages.enter_context(open_page(browser, **options)), demo)

        yield arrive


@pytest.fixture
def visitor(a_visitor: AVisitor) -> Visitor:
    """Somebody with a mouse, who reads French."""
    return a_visitor()


@pytest.fixture(params=WAYS)
def any_visitor(request: pytest.FixtureRequest, a_visitor: AVisitor) -> Visitor:
    """Somebody with a mouse, with a keyboard alone, and without JavaScript: the test runs once for each (UX-2)."""
    hands, options = WAYS[request.param]
    somebody = a_visitor(**options)
    somebody.hands = hands()
    return somebody


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Show the end of the demonstration's log beside a failure."""
    report = yield
    demonstration = getattr(item, "funcargs", {}).get("demonstration")
    if call.when == "call" and report.failed and demonstration is not None:
        report.sections.append(("log of the demonstration", demonstration.last_lines()))
    return report
