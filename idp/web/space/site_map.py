"""GET /site-map: every page that a person can go to, and those that an audit looks at (S-414, S-426)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint

from idp.services.account import space
from idp.web.http import url
from idp.web.site import context
from idp.web.templating import page

blueprint = Blueprint("site_map", __name__)


@dataclass(frozen=True, slots=True)
class Place:
    """A page that somebody can go to, from nowhere in particular.

    Attributes:
        endpoint: Its view; templates/space/places.html has its name.
        needs_sign_in: It is somebody's own.
    """

    endpoint: str
    needs_sign_in: bool = False


#: Every page that is no step of something else, by group; tests/web/test_site_map.py compares it with the routes.
PLACES: Final[dict[str, tuple[Place, ...]]] = {
    "signing_in": (
        Place("home.show"),
        Place("login.show"),
        Place("signup.show"),
        Place("password.forgotten"),
        Place("device.show"),
    ),
    "space": (
        Place("requests.show", needs_sign_in=True),
        Place("favourites.show", needs_sign_in=True),
        Place("favourites.rubriques", needs_sign_in=True),
        Place("newsletters.show", needs_sign_in=True),
    ),
    "profile": (
        Place("account.show", needs_sign_in=True),
        Place("email_address.show", needs_sign_in=True),
        Place("password.show", needs_sign_in=True),
        Place("identity.show", needs_sign_in=True),
        Place("unlink.show", needs_sign_in=True),
        Place("contact_details.show", needs_sign_in=True),
        Place("preferred_language.show", needs_sign_in=True),
        Place("devices.show", needs_sign_in=True),
        Place("secure.show"),
        Place("deletion.show", needs_sign_in=True),
    ),
    "data": (
        Place("services.show", needs_sign_in=True),
        Place("services.journal", needs_sign_in=True),
        Place("receipts.index", needs_sign_in=True),
        Place("export.show", needs_sign_in=True),
        Place("rights.show", needs_sign_in=True),
        Place("receipt_checks.ask"),
        Place("deletion.ask"),
    ),
    "about": (
        Place("pages.contact"),
        Place("terms.show"),
        Place("pages.privacy"),
        Place("pages.cookie_list"),
        Place("pages.accessibility"),
        Place("pages.legal_notice"),
        Place("site_map.show"),
    ),
}
#: What an audit looks at, as the method of the RGAA asks: these, each step of the journeys of docs/rgaa-sample.md,
#: and a tenth of the other pages.
AUDITED: Final = (
    "home.show",
    "login.show",
    "pages.contact",
    "pages.legal_notice",
    "pages.accessibility",
    "site_map.show",
    "account.show",
    "requests.show",
    "services.show",
    "favourites.show",
)


@blueprint.get("/site-map")
def show() -> str:
    """List the pages, and say which are somebody's own."""
    groups = {group: [_linked(place) for place in places] for group, places in PLACES.items()}
    return page("space/site_map.html", groups=groups, rubriques=_rubriques())


def audited_pages() -> list[dict[str, Any]]:
    """Link to the pages of the audit's sample."""
    places = {place.endpoint: place for group in PLACES.values() for place in group}
    return [_linked(places[endpoint]) for endpoint in AUDITED]


def _linked(place: Place) -> dict[str, Any]:
    return {
        "endpoint": place.endpoint,
        "path": url(place.endpoint),
        "needs_sign_in": place.needs_sign_in,
    }


def _rubriques() -> list[dict[str, str]]:
    return [
        {"name": name, "path": url("favourites.rubrique", name=name)} for name in space.rubriques(context())
    ]
