"""A headless Chromium: the system's, else the one that Playwright brings."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, ConsoleMessage, Error, Locator, Page, sync_playwright

SYSTEM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = (
    # Chromium's own sandbox does not start as root, which is what containers run as.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    # A page of ours that asks for anything elsewhere does not get it (UX-4).
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1",
)
# What is there at once on a machine that does nothing else; nothing waits so long for what must not come.
PATIENCE_MILLISECONDS = 30_000
#: Whether a link or a button leads to another page in the same tab; a script that takes it over is not seen.
LEADS_ELSEWHERE = """(element) => {
    const link = element.closest("a[href]");
    if (link) return !link.target && !link.getAttribute("href").startsWith("#");
    const button = element.closest("button, input");
    return button?.type === "submit" && Boolean(button.form) && !button.hasAttribute("popovertarget");
}"""


def find_chromium() -> str | None:
    """Find a Chromium of the system.

    Returns:
        Its path; None when only Playwright's own can serve.
    """
    return next(filter(None, map(shutil.which, SYSTEM_NAMES)), None)


def has_playwright_chromium() -> bool:
    """Say whether Playwright has downloaded its own Chromium."""
    with sync_playwright() as playwright:
        return Path(playwright.chromium.executable_path).exists()


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Run a browser while the block runs.

    Yields:
        The browser, without any page.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(browser: Browser, **options: object) -> Iterator[Page]:
    """Open a page with cookies of its own, as a resident in France sees it.

    Args:
        browser: From `open_browser`.
        options: Of Playwright's `new_context`, such as `java_script_enabled=False`.

    Yields:
        The page.

    Raises:
        AssertionError: At the end, when a script failed or the Content-Security-Policy refused something.
    """
    defaults = {"locale": "fr-FR", "timezone_id": "Europe/Paris"}
    context = browser.new_context(**(defaults | options))  # type: ignore[arg-type] # names are checked there
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    faults: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            faults.append(message.text)

    def on_error(error: Error) -> None:
        faults.append(str(error))

    context.on("console", on_console)
    context.on("weberror", lambda fault: on_error(fault.error))
    try:
        yield context.new_page()
    finally:
        context.close()
    if faults:
        raise AssertionError("\n".join(faults))


@contextmanager
def next_page(target: Locator) -> Iterator[None]:
    """Wait for the page that a link or a button leads to, if it leads to one.

    A click returns before that page is there: what is read or typed next would still be the old page's. The target
    is looked for first, so that a page that is still on its way here is not taken for the next one.

    Args:
        target: What the block presses.
    """
    if not target.evaluate(LEADS_ELSEWHERE):
        yield
        return
    with target.page.expect_navigation(wait_until="domcontentloaded"):
        yield
