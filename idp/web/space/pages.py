"""Pages that say how things are: contact, accessibility, who publishes them, personal data and cookies."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Final

from flask import Blueprint, Response

from idp.domain.service_request import KEPT_AFTER_CLOSING
from idp.web import cookies
from idp.web.http import absolute
from idp.web.site import context, site
from idp.web.space.site_map import audited_pages
from idp.web.templating import page, today

#: The day on which the statement says that it was made, as long as no audit has a day of its own.
_STATEMENT_WRITTEN_ON: Final = date(2026, 11, 22)

blueprint = Blueprint("pages", __name__)


@blueprint.get("/contact")
def contact() -> str:
    """Name the city's ways of contact."""
    return page("space/contact.html")


@blueprint.get("/accessibilite")
def accessibility() -> str:
    """Show the accessibility statement; honest until there is an audit (S-422, S-423, S-424)."""
    statement = site().city.accessibility
    return page(
        "space/accessibility.html",
        statement=statement,
        has_expired=statement.has_expired(today()),
        established_on=statement.audited_on or _STATEMENT_WRITTEN_ON,
        audited=audited_pages(),
    )


@blueprint.get("/legal-notice")
def legal_notice() -> str:
    """Say who publishes these pages, who answers for them and who hosts them (S-428; LCEN, article 6)."""
    city = site().city
    return page(
        "space/legal_notice.html",
        address=city.address,
        publication_director=city.publication_director,
        hosting=city.hosting,
    )


@blueprint.get("/privacy")
def privacy() -> str:
    """Say which data there are, why, by what right and for how long (RGPD articles 13 and 14; S-428, S-439)."""
    sessions = context().session_lifetimes
    return page(
        "space/privacy.html",
        address=site().city.address,
        support_email=site().city.support_email,
        kept_days=site().kept_days,
        request_days=KEPT_AFTER_CLOSING.days,
        session_hours=sessions.idle // timedelta(hours=1),
        session_days=sessions.absolute.days,
        inactivity_months=context().life_cycle.inactivity_months,
    )


@blueprint.get("/cookies")
def cookie_list() -> str:
    """Name every cookie, with its purpose and its life (S-428, S-451)."""
    return page("space/cookies.html", cookies=_cookies())


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
        {"name": cookies.cookie_name(cookie), "purpose": cookie, "seconds": cookies.lifetime(cookie)}
        for cookie in cookies.EVERY
    ]
