"""Pages in the settings that people have: few colours, more contrast, paper, larger and wider text, a keyboard (UX-2).

The pictures are kept in tests/pictures/, as `<page>.<mode>.png`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import expect

from tests.support.demonstration import DECLARED
from tests.support.screens import FIND_WHAT_OVERFLOWS, PICTURES, as_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Locator, Page

    from tests.e2e.conftest import AVisitor
    from tests.support.visitor import Visitor


#: What `emulate_media` is given, and back.
USUAL: Final[dict[str, Any]] = {
    "media": "screen",
    "color_scheme": "light",
    "contrast": "no-preference",
    "forced_colors": "none",
    "reduced_motion": "no-preference",
}
COLOURS: Final[dict[str, dict[str, Any]]] = {
    "forced": {"forced_colors": "active"},
    "forced_dark": {"forced_colors": "active", "color_scheme": "dark"},
    "more": {"contrast": "more"},
    "more_dark": {"contrast": "more", "color_scheme": "dark"},
}
#: WCAG 2.2, 1.4.12; and text of twice its size (1.4.4) where that leaves the width of a phone.
SHEETS: Final = {
    "spacing": (
        320,
        "* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }",
    ),
    "twice": (640, "html { font-size: 200%; }"),
}
ADD_SHEET: Final = """(text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    document.adoptedStyleSheets = [sheet];
}"""
REMOVE_SHEETS: Final = "() => { document.adoptedStyleSheets = []; }"
# What hides a part of its own text: cut is lost.
FIND_WHAT_IS_CUT: Final = """() => [...document.querySelectorAll("body *:not(.visually-hidden, svg, svg *)")]
    .filter((one) => ["hidden", "clip"].includes(getComputedStyle(one).overflowY) && one.clientHeight
        && (one.scrollHeight > one.clientHeight + 1 || one.scrollWidth > one.clientWidth + 1))
    .map((one) => `${one.tagName}.${one.className}`)"""
FIND_WHAT_MOVES: Final = """() => [...document.querySelectorAll("*")]
    .filter((one) => parseFloat(getComputedStyle(one).transitionDuration) > 0
        || getComputedStyle(one).animationName !== "none")
    .map((one) => `${one.tagName}.${one.className}`)"""
# Longer than what the eye finds its way back in: letters that stand at one height make a line.
FIND_LONG_LINES: Final = """() => [...document.querySelectorAll("main p")].filter((one) => {
    const lines = new Map();
    const texts = document.createTreeWalker(one, NodeFilter.SHOW_TEXT);
    const letter = document.createRange();
    while (texts.nextNode()) for (let at = 0; at < texts.currentNode.length; at += 1) {
        letter.setStart(texts.currentNode, at);
        letter.setEnd(texts.currentNode, at + 1);
        const line = Math.round(letter.getBoundingClientRect().bottom / 8);
        lines.set(line, (lines.get(line) ?? 0) + 1);
    }
    return Math.max(0, ...lines.values()) > 75;
}).map((one) => one.textContent)"""
# Smaller than a finger: links within sentences aside (WCAG 2.2, 2.5.8).
FIND_SMALL_TARGETS: Final = """() =>
    [...document.querySelectorAll("button, select, input:not([type=hidden]), a.button")]
    .map((one) => [one, one.getBoundingClientRect(), /checkbox|radio/.test(one.type) ? 24 : 44])
    .filter(([one, box, least]) => box.width && Math.min(box.width, box.height) < least)
    .map(([one, box]) => `${one.tagName}.${one.className} ${box.width}x${box.height}`)"""
FOCUSED: Final = {
    "actions": (".button-main", ".button-plain", ".button-danger", "p a", ".franceconnect"),
    "choices": ("[type=checkbox]", "[type=radio]", "select"),
    "fields": ("[type=text]", "textarea"),
}


def screens(visitor: Visitor) -> Iterator[str]:
    """Go from one page to the next, each with something of its own to lose."""
    for part in ("actions", "errors", "choices", "data", "frame"):
        visitor.opens(f"/styleguide/{part}")
        yield f"styleguide_{part}"
    visitor.opens("/sign-in?next=/account/identity")
    visitor.writes(email="zoe@")
    visitor.hands.press(visitor.page.locator("main form .button-main"))
    expect(visitor.page.locator("#error-summary")).to_be_visible()
    yield "sign_in_error"
    visitor.opens("/sign-in?next=/account/identity")
    visitor.signs_in(visitor.demo.new_account(identity=DECLARED))
    visitor.sees_title("Informations d’identité")
    yield "identity"


def keep(page: Page, name: str) -> None:
    """Keep a picture of a page."""
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=True, animations="disabled")


@pytest.mark.rule("UX-2")
def test_pages_hold_in_every_mode(a_visitor: AVisitor) -> None:
    """Nothing overflows, is cut, moves or is too small to hit, whatever the person's settings; paper has no menus."""
    visitor = a_visitor()
    page = visitor.page
    faults: list[str] = []

    def note(name: str, look: str) -> None:
        faults.extend(f"{name}: {fault}" for fault in page.evaluate(look))

    for screen in screens(visitor):
        for mode, media in COLOURS.items():
            page.emulate_media(**(USUAL | media))
            note(f"{screen}.{mode}", FIND_WHAT_OVERFLOWS)
            keep(page, f"{screen}.{mode}")
        page.emulate_media(**(USUAL | {"reduced_motion": "reduce"}))
        note(f"{screen}.reduced", FIND_WHAT_MOVES)
        note(f"{screen}.reduced", FIND_SMALL_TARGETS)
        page.emulate_media(**USUAL)
        page.set_viewport_size({"width": 1600, "height": 900})
        note(f"{screen}.wide", FIND_LONG_LINES)
        for mode, (width, sheet) in SHEETS.items():
            page.set_viewport_size({"width": width, "height": 800})
            page.evaluate(ADD_SHEET, sheet)
            note(f"{screen}.{mode}", FIND_WHAT_OVERFLOWS)
            note(f"{screen}.{mode}", FIND_WHAT_IS_CUT)
            keep(page, f"{screen}.{mode}")
        page.evaluate(REMOVE_SHEETS)
        page.set_viewport_size({"width": 1280, "height": 800})
        page.emulate_media(**(USUAL | {"media": "print", "color_scheme": "dark"}))
        expect(
            page.locator(".side-menu, .site-footer, .site-header-tools, .reveal").locator("visible=true")
        ).to_have_count(0)
        expect(page.locator("h1")).to_have_css("color", "rgb(0, 0, 0)")
        keep(page, f"{screen}.print")
        page.emulate_media(**USUAL)

    assert not faults, as_lines(faults)


@pytest.mark.rule("UX-2")
def test_focus_shows_on_every_kind_of_control_in_every_mode(a_visitor: AVisitor) -> None:
    """With the focus a control is another picture than without it (WCAG 2.2, 2.4.7)."""
    visitor = a_visitor()
    unseen: list[str] = []

    for part, selectors in FOCUSED.items():
        visitor.opens(f"/styleguide/{part}")
        # The browser shows the focus of who uses the keyboard.
        visitor.page.keyboard.press("Tab")
        for mode, media in {"usual": {}, **COLOURS}.items():
            visitor.page.emulate_media(**(USUAL | {"reduced_motion": "reduce"} | media))
            unseen += [
                f"{selector} ({mode})"
                for selector in selectors
                if not _shows_focus(visitor.page.locator(f"main {selector}").first)
            ]

    assert unseen == []


def _shows_focus(control: Locator) -> bool:
    """Tell whether the control looks otherwise with the focus."""
    control.blur()
    control.scroll_into_view_if_needed()
    box = control.bounding_box()
    assert box is not None
    around = {
        "x": box["x"] - 8,
        "y": box["y"] - 8,
        "width": box["width"] + 16,
        "height": box["height"] + 16,
    }
    before = control.page.screenshot(clip=around, caret="hide")  # type: ignore[arg-type] # a FloatRect
    control.focus()
    return control.page.screenshot(clip=around, caret="hide") != before  # type: ignore[arg-type] # a FloatRect
