"""Pages that say how things are: contact, accessibility, personal data and cookies."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from idp.web import cookies
from idp.web.http import absolute
from idp.web.templating import page, sentence

blueprint = Blueprint("pages", __name__)


@blueprint.get("/contact")
def contact() -> str:
    """Name the city's ways of contact."""
    return page("space/contact.html")


@blueprint.get("/accessibilite")
def accessibility() -> str:
    """Show the accessibility statement; honest until there is an audit (S-422)."""
    return page("space/accessibility.html", accessibility_date=None)


@blueprint.get("/privacy")
def privacy() -> str:
    """Say which data and which cookies there are (S-428, S-451)."""
    return page("space/privacy.html", cookies=_cookies())


@blueprint.get("/robots.txt")
def robots() -> Response:
    """Let search engines read the home page and the terms only."""
    return Response("User-agent: *\nAllow: /$\nAllow: /terms\nDisallow: /\n", content_type="text/plain")


@blueprint.get("/.well-known/change-password")
def change_password() -> Response:
    """Lead password managers to the page (W3C, A Well-Known URL for Changing Passwords)."""
    return Response(status=303, headers={"Location": absolute("/account/password")})


def _cookies() -> list[dict[str, Any]]:
    return [
        {"name": cookies.cookie_name(name), "purpose": purpose, "lifetime": sentence(f"cookie_{lifetime}")}
        for name, purpose, lifetime in (
            (cookies.SESSION, "session", "session"),
            (cookies.BROWSER_STATE, "browser_state", "session"),
            (cookies.BROWSER, "csrf", "session"),
            (cookies.DEVICE, "device", "year"),
            (cookies.LANGUAGE, "language", "year"),
            (cookies.SIGNUP, "signup", "session"),
            (cookies.LINK, "link", "half_hour"),
            (cookies.CERTIFICATE, "certificate", "half_hour"),
        )
    ]
