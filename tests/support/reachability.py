"""Measures what fingers, keys and enlarged texts meet on a page: sizes, distances, focus, overflow (UX-2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page, ViewportSize

#: WCAG 1.4.11: what must be told from its surroundings.
LEAST_CONTRAST: Final = 3.0
#: WCAG 2.4.13: how thick the sign of the focus is, in CSS pixels.
_THINNEST: Final = 2
#: More stops than any page has.
_MOST_STOPS: Final = 200
#: RGAA 10.4: texts of twice the size.
_TWICE: Final = "200%"
_PHONE_ON_ITS_SIDE: Final[ViewportSize] = {"width": 640, "height": 360}
#: WCAG 1.4.10: what a screen of 1280 by 1024 is at 400 %.
ENLARGED: Final[ViewportSize] = {"width": 320, "height": 256}
_WINDOWS: Final[tuple[tuple[str, ViewportSize], ...]] = (
    ("enlarged four times", ENLARGED),
    ("on a phone", {"width": 360, "height": 640}),
    ("on a phone on its side", _PHONE_ON_ITS_SIDE),
    ("on a screen", {"width": 1280, "height": 800}),
)

# S-393, S-394: nothing stands out to the right, and the title is there to be read.
_LOOK_AT_LAYOUT = """() => {
    const root = document.documentElement, faults = [];
    if (root.scrollWidth > root.clientWidth) faults.push(`${root.scrollWidth} px wide`);
    const title = document.querySelector("h1").getBoundingClientRect();
    if (title.width < 40 || title.right > root.clientWidth) faults.push("the title is cut");
    return faults;
}"""
# S-412: 24 by 24, or in a sentence, or with nothing else within a circle of 24 (WCAG 2.5.8).
_FIND_SMALL_TARGETS = """() => {
    const least = 24;
    const boxes = [...document.querySelectorAll("a[href], button, input, select, textarea, summary")]
        .filter((one) => one.type !== "hidden" && one.checkVisibility({ visibilityProperty: true }))
        .map((one) => {
            const label = ["checkbox", "radio"].includes(one.type) ? one.labels[0] : null;
            return { one, box: one.getBoundingClientRect(), label: label && label.getBoundingClientRect() };
        })
        .filter(({ box }) => box.bottom > 0 && box.right > 0);
    const isInSentence = (one) => getComputedStyle(one).display === "inline"
        && one.parentElement.textContent.trim().length > one.textContent.trim().length;
    const isCrowded = ({ one, box }) => boxes.some((other) => {
        if (other.one === one || other.one.contains(one) || one.contains(other.one)) return false;
        const x = box.left + box.width / 2, y = box.top + box.height / 2, it = other.box;
        const dx = Math.max(it.left - x, 0, x - it.right), dy = Math.max(it.top - y, 0, y - it.bottom);
        return Math.hypot(dx, dy) < least / 2;
    });
    return boxes
        .filter(({ box, label }) => Math.min(box.width, box.height) < least && !(label && label.height >= least))
        .filter((found) => !isInSentence(found.one) && isCrowded(found))
        .map(({ one, box }) => `${one.tagName} ${one.textContent.trim() || one.id}: ${box.width} x ${box.height}`);
}"""
# S-396: the label, with the hint and the error that follow it, ends where the field begins.
_FIND_DISTANT_LABELS = """() => {
    const most = 16, faults = [];
    for (const field of document.querySelectorAll("main input, main select, main textarea")) {
        if (field.type === "hidden" || !field.checkVisibility() || !field.labels.length) continue;
        const told = (field.getAttribute("aria-describedby") || "").split(" ").map((id) => document.getElementById(id));
        const boxes = [field.labels[0], ...told].filter(Boolean).map((one) => one.getBoundingClientRect());
        const it = field.getBoundingClientRect();
        const far = (box) => Math.hypot(
            Math.max(box.left - it.right, 0, it.left - box.right),
            Math.max(box.top - it.bottom, 0, it.top - box.bottom));
        const nearest = Math.min(...boxes.map(far));
        if (nearest > most) faults.push(`${field.name}: ${nearest} px from its label`);
    }
    return faults;
}"""
# S-389, S-390: the sign of the focus, what stands around it, and whether anything covers the element.
_LOOK_AT_FOCUS = """() => {
    const one = document.activeElement;
    if (!one || one === document.body) return null;
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    const isBare = (element) => /, 0\\)$/.test(getComputedStyle(element).backgroundColor);
    let around = one.parentElement;
    while (around && isBare(around)) around = around.parentElement;
    const own = [one, ...(one.labels || [])];
    const isOwn = (x, y) => own.some((mine) => mine.contains(document.elementFromPoint(x, y)));
    const parts = [0.1, 0.5, 0.9];
    const points = parts.flatMap((x) => parts.map((y) => [box.left + box.width * x, box.top + box.height * y]));
    return {
        name: `${one.tagName} ${one.id || one.textContent.trim().slice(0, 40)}`,
        place: [...document.querySelectorAll("*")].indexOf(one),
        outline: [style.outlineStyle, style.outlineWidth, style.outlineColor],
        around: around ? getComputedStyle(around).backgroundColor : "rgb(255, 255, 255)",
        isSeen: points.some(([x, y]) => isOwn(x, y)),
    };
}"""


def faults_of_layout(page: Page) -> list[str]:
    """Say what does not fit: enlarged, on a phone in both directions, on a screen, with texts of twice the size."""
    faults = []
    for name, size in _WINDOWS:
        page.set_viewport_size(size)
        found = page.evaluate(_LOOK_AT_LAYOUT) + page.evaluate(_FIND_SMALL_TARGETS)
        faults += [f"{name}: {fault}" for fault in [*found, *page.evaluate(_FIND_DISTANT_LABELS)]]
    page.evaluate(f"document.documentElement.style.fontSize = '{_TWICE}'")
    faults += [f"with texts of twice the size: {fault}" for fault in page.evaluate(_LOOK_AT_LAYOUT)]
    page.evaluate("document.documentElement.style.fontSize = ''")
    return faults


def faults_of_focus(page: Page) -> list[str]:
    """Go through the page by Tab, and say where the focus is not seen."""
    faults = []
    for stop in _stops(page):
        style, width, colour = stop["outline"]
        if style == "none" or float(width.removesuffix("px")) < _THINNEST:
            faults.append(f"{stop['name']}: outline {style} {width}")
        elif (found := contrast(colour, stop["around"])) < LEAST_CONTRAST:
            faults.append(f"{stop['name']}: contrast {found:.1f} of {colour} on {stop['around']}")
        if not stop["isSeen"]:
            faults.append(f"{stop['name']}: hidden")
    return faults


def _stops(page: Page) -> Iterator[dict[str, Any]]:
    """Press Tab until the focus leaves the page, or begins anew."""
    seen: set[int] = set()
    page.evaluate("document.activeElement.blur()")
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Tab")
        stop = page.evaluate(_LOOK_AT_FOCUS)
        if stop is None or stop["place"] in seen:
            break
        seen.add(stop["place"])
        yield stop
    assert seen, "Tab reaches nothing"


def contrast(one: str, other: str) -> float:
    """Compare two colours as CSS computes them, `rgb(0, 0, 0)` (WCAG 2.2, contrast ratio)."""
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (int(part) / 255 for part in re.findall(r"[0-9]+", colour)[:3])
    return 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)
