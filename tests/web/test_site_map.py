"""The site map against the routes: whatever a person can go to is in it (S-414), and the audit's sample (S-426)."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

import pytest

from idp.web.space.site_map import AUDITED, PLACES
from tests.support.builders import some_terms
from tests.support.marks import ROOT
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Flask
    from werkzeug.routing import Rule

    from idp.storage.engine import Database
    from idp.web.space.site_map import Place
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("UX-2")
EVERY_PLACE = tuple(place for group in PLACES.values() for place in group)
SAMPLE: Final = ROOT / "docs" / "rgaa-sample.md"
#: Pages that nobody goes to from nowhere, each with what comes before it.
STEPS: Final = {
    "accept_terms.show": "after signing in, while newer terms wait",
    "consent.show": "of a login that a service asked for",
    "contact_email.show": "from the contact details",
    "contact_email.follow_link": "the link of a mail",
    "contact_email.ask_removal": "from the contact details",
    "deletion.done": "after the deletion",
    "deletion.download": "after the deletion: a file",
    "device.answer": "after the answer to a device",
    "email_address.changed": "after the change",
    "email_address.code": "after the new address",
    "email_address.follow_link": "the link of a mail",
    "email_address.look_at_undo": "the link of a mail",
    "favourites.rubrique": "in the map by the name of each rubrique that there is",
    "franceconnect.callback": "the way back from the portal",
    "franceconnect.compare": "after the portal",
    "franceconnect.first_time": "after the portal",
    "franceconnect.link_account": "after the portal",
    "franceconnect.login": "the way to the portal",
    "franceconnect.logout": "the way to the portal",
    "franceconnect.logout_callback": "the way back from the portal",
    "franceconnect.plus_callback": "the way back from the portal",
    "franceconnect.plus_logout_callback": "the way back from the portal",
    "franceconnect.sign_up": "after the portal",
    "franceconnect.turned_away": "after the portal",
    "login.select_account": "of a login that a service asked for",
    "newsletters.ask_confirmation": "the link of a mail",
    "newsletters.ask_unsubscription": "the link of a letter",
    "opening.show": "the way to a service",
    "parental_permission.show": "of a login that a service asked for",
    "pages.change_password": "leads password managers to the page",
    "password.forgotten_sent": "after the address",
    "password.new": "the link of a mail",
    "permission.show": "the link of a mail",
    "reactivation.show": "the link of a mail",
    "receipts.download": "one receipt, a file",
    "receipts.show": "one receipt, from their list",
    "secure.done": "after the account was secured",
    "sign_out.show": "after signing out",
    "signup.code": "after the address",
    "signup.details": "after the code",
    "signup.follow_link": "the link of a mail",
    "step_up.show": "of a login that a service asked for",
    "terms.show_changes": "from the terms",
    "terms.show_version": "from the terms",
}
#: What programs read, and no person.
FOR_PROGRAMS: Final = re.compile(
    r"(api|health|oidc|logos|styleguide)\.|static$|pages\.robots|receipt_checks\.(keys|schema)|.*metadata|.*jwks"
)


class _Links(HTMLParser):
    """The links of the content of a page, with their words, and of its footer."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.of_main: dict[str, str] = {}
        self.of_footer: list[str] = []
        self._inside = ""
        self._link: str | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"main", "footer"}:
            self._inside = tag
        elif tag == "a":
            self._link = dict(attrs)["href"] or ""
            if self._inside == "main":
                self.of_main[self._link] = ""
            elif self._inside == "footer":
                self.of_footer.append(self._link)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._link = None
        elif tag == self._inside:
            self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._link in self.of_main:
            self.of_main[self._link] += data.strip()


def pages_of(app: Flask) -> Iterator[Rule]:
    """List what answers a GET and is not read by programs alone."""
    return (
        rule
        for rule in app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not FOR_PROGRAMS.match(rule.endpoint)
    )


def test_every_page_is_in_the_map_or_a_step_of_something(lasting_provider: Provider) -> None:
    """Who adds a page says how people come to it: by PLACES, or by STEPS with its reason."""
    found = {rule.endpoint for rule in pages_of(lasting_provider.app)}
    placed = {place.endpoint for place in EVERY_PLACE}

    assert sorted(found - placed - STEPS.keys()) == []
    assert sorted((placed | STEPS.keys()) - found) == []
    assert sorted(placed & STEPS.keys()) == []


def test_map_links_to_every_place_by_a_name(provider: Provider) -> None:
    """Each has words of its own, in both languages."""
    provider.a_client(service_uri="https://parking.example.org/", rubrique="deplacements")
    paths = set(_paths(provider.app).values())

    for language in ("fr", "en"):
        links = _Links(provider.client().get(f"/site-map?lang={language}").text).of_main

        assert paths <= links.keys()
        assert "" not in links.values()
        assert len(set(links.values())) == len(links)
        assert "/rubriques/deplacements" in links


def _paths(app: Flask) -> dict[str, str]:
    with app.test_request_context():
        return {place.endpoint: app.url_for(place.endpoint) for place in EVERY_PLACE}


@pytest.mark.parametrize("place", EVERY_PLACE, ids=lambda place: place.endpoint)
def test_place_asks_for_a_login_when_the_map_says_so(provider: Provider, place: Place) -> None:
    """A stranger is led to the sign-in page by those that are somebody's own, and by no other."""
    some_terms(provider.context)
    path = next(path for one, path in _paths(provider.app).items() if one == place.endpoint)

    answer = provider.client().get(path)

    assert (answer.status_code, "/sign-in?next=" in answer.headers.get("Location", "")) == (
        (303, True) if place.needs_sign_in else (200, False)
    )


def test_map_marks_pages_that_need_a_login_for_strangers_only(provider: Provider) -> None:
    """Whoever is signed in needs no such warning."""
    page = provider.client().get("/site-map").text
    own = provider.signed_in().get("/site-map").text

    assert page.count("(connexion nécessaire)") >= sum(place.needs_sign_in for place in EVERY_PLACE)
    assert "(connexion nécessaire)" not in own


@pytest.mark.parametrize("path", ["/", "/sign-in", "/terms", "/privacy", "/nowhere", "/account/secure"])
def test_every_page_ends_with_the_same_links_in_the_same_order(provider: Provider, path: str) -> None:
    """Help stands last among them, on every page (S-413); a second way through the site beside the menus (S-414)."""
    some_terms(provider.context)

    assert _Links(provider.client().get(path).text).of_footer == [
        "/site-map",
        "/legal-notice",
        "/privacy",
        "/cookies",
        "/terms",
        "/accessibilite",
        "/contact",
    ]


def test_sample_of_the_audit_names_what_the_statement_names(provider: Provider) -> None:
    """docs/rgaa-sample.md and the statement have the same pages, and each address answers (S-426)."""
    app = provider.app
    paths = _paths(app)
    listed = re.findall(r"^\| `(/[^`]*)` \|", SAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    shown = _Links(provider.client().get("/accessibilite").text).of_main
    adapter = app.url_map.bind("compte.example.org")

    assert [paths[endpoint] for endpoint in AUDITED] == listed[: len(AUDITED)]
    assert {paths[endpoint] for endpoint in AUDITED} <= shown.keys()
    for path in listed:
        assert adapter.match(path.partition("?")[0], method="GET")


def test_sample_of_the_audit_has_a_tenth_of_all_pages_beside_the_fixed_ones(
    provider: Provider,
) -> None:
    """The method of the RGAA asks for one page in ten, drawn at random, beside those that it names."""
    sample = SAMPLE.read_text(encoding="utf-8")
    drawn = re.findall(r"^\| `/[^`]*` \| drawn", sample, re.MULTILINE)

    assert len(drawn) * 10 >= len({rule.endpoint for rule in pages_of(provider.app)})


def test_map_of_a_provider_without_rubriques_has_none(database: Database, clock: SettableClock) -> None:
    """Only those that there are."""
    assert "/rubriques/" not in a_provider(database, clock).app.test_client().get("/site-map").text
