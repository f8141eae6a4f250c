"""What to call a browser in the list of sessions, the same in every language: "Firefox (Windows)" (LOG-5).

A name and a system, no version: enough for its owner to know it again, too little to tell people apart (PRI-3).
"""

from __future__ import annotations

from flask import request

#: In this order: most browsers also claim to be those below them.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
_ANY_BROWSER = "Web"


def browser_name() -> str:
    """Name the browser of this request."""
    return name_of(request.user_agent.string)


def name_of(user_agent: str) -> str:
    """Name a browser by its User-Agent header, whatever stands in it."""
    browser = _first(_BROWSERS, user_agent) or _ANY_BROWSER
    system = _first(_SYSTEMS, user_agent)
    return browser if system is None else f"{browser} ({system})"


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str | None:
    return next((name for mark, name in names if mark in user_agent), None)
