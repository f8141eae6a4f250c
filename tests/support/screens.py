"""Looks at a screen as it stands: accessibility, width, weight, errors, and where its requests went (UX-2, UX-4)."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from urllib.parse import urlsplit

from playwright.sync_api import CDPSession, ConsoleMessage, Error, Page, Request

from tests.support.demonstration import wait_until
from tests.support.marks import ROOT

PICTURES = ROOT / "tests" / "pictures"
NARROW = {"width": 320, "height": 640}
WIDE = {"width": 1280, "height": 800}
MOST_BYTES = 50_000
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

# Frames hold pages of others, which have no axe to answer with. The one rule that wants every stylesheet fetched anew
# is experimental and does not run.
LOOK_WITH_AXE = """async (rules) => {
    const found = await axe.run(document, {
        runOnly: rules, resultTypes: ["violations"], iframes: false, preload: { assets: ["media"] },
    });
    return found.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).join(", ")}`);
}"""
# What stands out of the page to the right, if anything does.
# WCAG 2.4.3: Tab goes down the page and along its lines as people read them; never up, but to another column.
FIND_WHAT_JUMPS = """() => {
    const isSeen = (one) => !one.matches(".skip") && one.checkVisibility({ visibilityProperty: true });
    const stops = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
        .filter((one) => one.type !== "hidden" && !one.disabled && isSeen(one));
    const name = (one) => `${one.tagName} ${one.id || one.textContent.trim().slice(0, 30)}`;
    const faults = stops.filter((one) => one.tabIndex > 0).map((one) => `${name(one)} has a place of its own`);
    stops.slice(1).forEach((one, index) => {
        const before = stops[index].getClientRects()[0], here = one.getClientRects()[0];
        const isUp = here.bottom <= before.top + 1 && here.left < before.right - 1;
        const isBack = here.right <= before.left + 1 && here.top < before.bottom - 1 && here.bottom > before.top + 1;
        if (isUp || isBack) faults.push(`${name(stops[index])} leads ${isUp ? "up" : "back"} to ${name(one)}`);
    });
    return faults;
}"""
FIND_WHAT_OVERFLOWS = """() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    return [...document.querySelectorAll("body *")]
        .filter((element) => element.getBoundingClientRect().right > width + 1)
        .map((element) => `${element.tagName}.${element.className}`);
}"""
# The caret goes: it blinks, and would be on one picture and not on the next.
MEASURE = """() => {
    if (document.adoptedStyleSheets.length === 0) {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync("* { caret-color: transparent !important }");
        document.adoptedStyleSheets = [sheet];
    }
    const { scrollWidth: width, scrollHeight: height } = document.documentElement;
    return { x: 0, y: 0, width, height, scale: 1 };
}"""
LIST_RESOURCES = "() => performance.getEntriesByType('resource').map((one) => one.name)"


@cache
def axe() -> str:
    """Read the script that looks for faults of accessibility."""
    return files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")


@dataclass
class Inspector:
    """Follows a tab from page to page.

    Attributes:
        page: The tab.
        origins: The only places that requests may go to.
        label: Told apart in the names of the pictures: the language.
        faults: What was found, in words.
        seen: Names of the screens, in order.
    """

    page: Page
    origins: tuple[str, ...]
    label: str
    faults: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    _sizes: dict[str, int] = field(default_factory=dict)
    _devtools: CDPSession = field(init=False)

    def __post_init__(self) -> None:
        """Listen to what the tab does."""
        self._devtools = self.page.context.new_cdp_session(self.page)
        PICTURES.mkdir(exist_ok=True)
        # A colour that is still changing from one theme to the other has no contrast to speak of.
        self.page.emulate_media(reduced_motion="reduce")
        self.page.on("console", self._on_console)
        self.page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        """Note errors, except that a page of ours has the status that it should have."""
        is_status = message.text.startswith("Failed to load resource: the server responded with a status of")
        if message.type == "error" and not (is_status and message.location.get("url") == self.page.url):
            self.faults.append(f"after {self._last()}: {message.text}")

    def _on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" not in self.origins and parts.scheme != "data":
            self.faults.append(f"after {self._last()}: request to {request.url}")

    def _last(self) -> str:
        return self.seen[-1] if self.seen else "the start"

    def look(self, name: str) -> None:
        """Look at the screen in both themes and at both widths, and keep a picture of each.

        Args:
            name: Of the screen.
        """
        self.seen.append(name)
        wait_until(self._is_complete, f"the whole of {name}")
        self._weigh(name)
        self.page.evaluate(axe())
        for size, themes in ((NARROW, ("dark", "light")), (WIDE, ("light", "dark"))):
            self.page.set_viewport_size({"width": size["width"], "height": size["height"]})
            for theme in themes:
                self.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
                self._look_once(name, theme, size)
        self.page.emulate_media(color_scheme="light")

    def _is_complete(self) -> bool | None:
        """Tell whether the page and its stylesheet are there; a page that already goes on counts as well."""
        try:
            return self.page.evaluate("document.readyState") == "complete" or None
        except Error:
            # The page before it was just taken away.
            return None

    def _content(self) -> str | None:
        """Read the page; None while it is being replaced by the next one."""
        try:
            return self.page.content()
        except Error:
            return None

    def _look_once(self, name: str, theme: str, size: dict[str, int]) -> None:
        where = f"{name} ({self.label}, {theme}, {size['width']})"
        overflowing = self.page.evaluate(FIND_WHAT_OVERFLOWS)
        if overflowing:
            self.faults.append(f"{where}: wider than the window: {', '.join(overflowing[:5])}")
        # The theme changes colours, the width the layout: each is looked at once with the other.
        if (theme == "light") == (size is NARROW):
            self.faults += [f"{where}: {fault}" for fault in self.page.evaluate(FIND_WHAT_JUMPS)]
            self.faults += [f"{where}: {fault}" for fault in self.page.evaluate(LOOK_WITH_AXE, RULES)]
        (PICTURES / f"{name}.{self.label}.{theme}.{size['width']}.png").write_bytes(self._picture())

    def _picture(self) -> bytes:
        """Take a picture of the whole page; by Playwright it costs twice as much, most of it for animations."""
        taken = self._devtools.send(
            "Page.captureScreenshot",
            {"clip": self.page.evaluate(MEASURE), "captureBeyondViewport": True, "optimizeForSpeed": True},
        )
        return b64decode(taken["data"])

    def _weigh(self, name: str) -> None:
        """Add the page and what it loads, uncompressed."""
        loaded = {self.page.url: len(wait_until(self._content, f"the content of {name}").encode())}
        loaded |= {address: self._size_of(address) for address in self.page.evaluate(LIST_RESOURCES)}
        if sum(loaded.values()) > MOST_BYTES:
            self.faults.append(f"{name}: {sum(loaded.values())} bytes: {loaded}")

    def _size_of(self, address: str) -> int:
        if address not in self._sizes:
            self._sizes[address] = len(self.page.request.get(address).body())
        return self._sizes[address]


def as_lines(faults: list[str]) -> str:
    """Write faults one a line, each once."""
    return "\n".join(dict.fromkeys(faults))
