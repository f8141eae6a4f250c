"""Reads the custom properties of stylesheets as a browser does, and measures contrasts (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What a media query may ask of somebody's settings, in each mode that colours are for.
MODES: Final[dict[str, frozenset[str]]] = {
    "light": frozenset(),
    "dark": frozenset({"(prefers-color-scheme: dark)"}),
    "light_more": frozenset({"(prefers-contrast: more)"}),
    "dark_more": frozenset({"(prefers-color-scheme: dark)", "(prefers-contrast: more)"}),
}
_COMMENT: Final = re.compile(r"/\*.*?\*/", re.DOTALL)
#: A block of properties of the whole page, and the query that it stands in, if any.
_ROOT: Final = re.compile(r"(?:@media\s+([^{}]+?)\s*\{\s*)?:root\s*\{([^{}]*)\}")
_PROPERTY: Final = re.compile(r"(--[a-z0-9-]+)\s*:\s*([^;]+);")
_REFERENCE: Final = re.compile(r"var\((--[a-z0-9-]+)\)")
#: Below it a channel is linear.
_NEARLY_BLACK: Final = 0.04045
_HEX: Final = re.compile(r"#(?:[0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)


def properties(stylesheets: Iterable[str], mode: str) -> dict[str, str]:
    """Give each custom property of the page as it is in a mode: what stands last counts.

    Args:
        stylesheets: Their texts, in the order in which a page loads them.
        mode: One of `MODES`.
    """
    found: dict[str, str] = {}
    for text in stylesheets:
        for query, block in _ROOT.findall(_COMMENT.sub("", text)):
            if _holds(query, MODES[mode]):
                found |= {name: value.strip() for name, value in _PROPERTY.findall(block)}
    return {name: _resolved(value, found) for name, value in found.items()}


def contrast(one: str, other: str) -> float | None:
    """Measure the contrast of two colours, from 1 to 21; None unless both are written as #rrggbb."""
    if _HEX.fullmatch(one) is None or _HEX.fullmatch(other) is None:
        return None
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _holds(query: str, asked: frozenset[str]) -> bool:
    conditions = set(re.split(r"\s+and\s+", query)) if query else set()
    return conditions - {"screen", "all"} <= asked


def _resolved(value: str, known: dict[str, str]) -> str:
    # Twice is as deep as our own go; a circle ends there too.
    for _ in range(2):
        value = _REFERENCE.sub(lambda found: known.get(found[1], found[0]), value)
    return value


def _luminance(colour: str) -> float:
    """Give the relative luminance (WCAG 2.2, its glossary)."""
    digits = colour[1:] if len(colour) > len("#rgb") else "".join(2 * digit for digit in colour[1:])
    red, green, blue = (_linear(int(digits[at : at + 2], 16) / 255) for at in (0, 2, 4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= _NEARLY_BLACK else ((channel + 0.055) / 1.055) ** 2.4
