"""Every form that people fill in, with everything that does not belong into it (UX-2, S-415).

A fault stands beside its field and in the summary, what else was typed is still there, and nothing is written. A form
that the tables do not name is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import select

from idp.storage.models import metadata
from tests.support.builders import OTHER_PASSWORD, PASSWORD
from tests.support.markup import Element, read
from tests.support.provider import form_of
from tests.support.purposes import MOBILE
from tests.web.doors import come, every_page

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.storage.engine import Database
    from tests.support.databases import Databases
    from tests.support.franceconnect_pages import Pages

pytestmark = [pytest.mark.rule("UX-2"), pytest.mark.xdist_group("every_form")]

MISSING: Final = None
LONG: Final = "a" * 10_000
EMOJI: Final = "\N{FOX FACE}"
OVERRIDE: Final = "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe"
HTML: Final = "<b onload=alert(1)>"
#: What is wrong wherever a word is asked for.
ANY_TEXT: Final = ("", MISSING, LONG, EMOJI, OVERRIDE, HTML)
#: The same, where the field may be left empty.
IF_GIVEN: Final = (LONG, EMOJI, OVERRIDE, HTML)
#: No browser sends these: a page says so, with 400 (`idp.web.http.form`).
UNREADABLE: Final = {"null": "a\0b", "bell": "a\ab", "escape": "\x1b[2J", "too long": "a" * 30_000}
#: Written by refusals on purpose: brakes, and the trail of the refused.
OF_REFUSALS: Final = frozenset({"throttle_counters", "audit_events", "chain_heads"})


@dataclass(frozen=True)
class Form:
    """A form, and what it refuses.

    Attributes:
        door: The page that it stands on.
        action: Where it goes.
        typed: What would pass, as far as it is needed.
        refused: Values that come back with 422, by field.
        told_at: The field that a fault is told at, when it is another one.
        unreadable: Whether the page is refused as a whole when a field is unreadable.
    """

    door: str
    action: str
    typed: Mapping[str, str]
    refused: Mapping[str, tuple[str | None, ...]]
    told_at: Mapping[str, str] = field(default_factory=dict)
    unreadable: bool = True


WHO: Final = {
    "given_name": "Zoé Claire",
    "family_name": "Œuvré",
    "preferred_username": "d’Aubigné",
    "gender": "female",
    "birthdate": "1990-02-03",
}
WRONG_WHO: Final = {
    "given_name": IF_GIVEN,
    "family_name": IF_GIVEN,
    "preferred_username": IF_GIVEN,
    "gender": ("autre", *IF_GIVEN),
    "birthdate": ("1990-02-30", "hier", *IF_GIVEN),
}
FORMS: Final = [
    Form(
        "/sign-in",
        "/sign-in",
        {"email": "zoe@example.fr", "password": PASSWORD},
        {"email": ("", MISSING, HTML), "password": ("", MISSING)},
    ),
    Form("/sign-up", "/sign-up", {"email": "zoe@example.fr"}, {"email": ANY_TEXT}),
    Form("/sign-up/code", "/sign-up/code", {"code": "123456"}, {"code": ANY_TEXT}),
    Form(
        "/sign-up/details",
        "/sign-up/details",
        {**WHO, "password": PASSWORD, "terms": "yes"},
        {
            **WRONG_WHO,
            "password": ("", MISSING, EMOJI, "court", "e\N{COMBINING ACUTE ACCENT}'"),
            "terms": (MISSING, "no", LONG),
        },
    ),
    Form("/forgotten-password", "/forgotten-password", {"email": "zoe@example.fr"}, {"email": ANY_TEXT}),
    Form(
        "/new-password",
        "/new-password",
        {"password": OTHER_PASSWORD},
        {"password": ("", MISSING, LONG, "court")},
    ),
    Form(
        "/account/password",
        "/account/password",
        {"current_password": PASSWORD, "password": OTHER_PASSWORD},
        {"current_password": ("", MISSING, HTML), "password": ("", MISSING, LONG, "court")},
    ),
    Form("/account/email", "/account/email", {"email": "zoe@example.fr"}, {"email": ANY_TEXT}),
    Form("/account/email/code", "/account/email/code", {"code": "123456"}, {"code": ANY_TEXT}),
    Form(
        "/account/contact-email", "/account/contact-email", {"email": "zoe@example.fr"}, {"email": ANY_TEXT}
    ),
    Form(
        "/account/contact-details waiting",
        "/account/contact-details",
        {
            "phone_number": "01 42 76 40 40",
            "street": "4 bis, rue de Lobau",
            "complement": "Bâtiment C",
            "postal_code": "75004",
            "locality": "Paris",
            "country": "France",
        },
        {
            "phone_number": IF_GIVEN,
            "street": ("", MISSING, LONG, EMOJI),
            "complement": (LONG, EMOJI),
            "postal_code": ANY_TEXT,
            "locality": ("", MISSING, LONG, EMOJI),
            "country": ("", MISSING, LONG, EMOJI),
        },
    ),
    Form("/account/identity", "/account/identity", WHO, WRONG_WHO),
    Form(
        "/account/identity certified",
        "/account/identity",
        {"preferred_username": "Lys"},
        {"preferred_username": IF_GIVEN},
    ),
    Form("/account/identity for an age", "/account/identity", WHO, {"birthdate": ("", "hier", LONG)}),
    Form("/account/language", "/account/language", {}, {"language": (MISSING, "", "de", LONG, HTML)}),
    Form("/account/franceconnect/unlink", "/account/franceconnect/unlink", {}, {"message": (LONG,)}),
    Form("/account/delete", "/account/delete", {}, {"understood": (MISSING, "", "no", LONG, HTML)}),
    Form("/deletion-certificate", "/deletion-certificate", {}, {"document": ANY_TEXT}),
    Form("/receipts/check", "/receipts/check", {}, {"receipt": ANY_TEXT}, unreadable=False),
    Form("/device", "/device", {}, {"user_code": ANY_TEXT}),
    Form("/accept-terms", "/accept-terms", {}, {"terms": (MISSING, "", "no", LONG)}),
    Form("/parental-permission", "/parental-permission", {}, {"parent_email": ANY_TEXT}),
    Form(
        "/franceconnect/link-account",
        "/franceconnect/link-account",
        {"email": "zoe@example.fr", "password": PASSWORD},
        {"email": ("", MISSING, HTML), "password": ("", MISSING)},
    ),
    Form(
        "/sign-up/franceconnect",
        "/sign-up/franceconnect",
        {"email": "zoe@example.fr", "terms": "yes"},
        {"email": ANY_TEXT, "terms": (MISSING, "no", LONG)},
    ),
    Form(
        "/consent",
        "/consent",
        {"decision": "allow"},
        {f"purpose-{MOBILE.name}": (MISSING, "", "maybe", LONG, HTML)},
        unreadable=False,
    ),
]
#: Forms of buttons alone: nothing is typed, so there is no field to tell a fault at. What none of our pages sends is
#: refused, or leads back; nothing is written. By their action: the page, and the fields.
BUTTONS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "/account/email/link": ("/account/email/link", ("token",)),
    "/account/contact-email/link": ("/account/contact-email/link", ("token",)),
    "/account/favourites/add": ("/account/favourites", ("client_id",)),
    "/account/favourites/move": ("/account/favourites", ("client_id", "direction")),
    "/account/favourites/order": ("/account/favourites", ("order",)),
    "/account/favourites/remove": ("/account/favourites", ("client_id",)),
    "/account/franceconnect": ("/account/franceconnect", ("decision",)),
    "/account/rubriques": ("/account/rubriques", ("rubriques",)),
    "/account/services/purposes": ("/account/services", ("client_id",)),
    "/account/services/withdraw": ("/account/services", ("client_id",)),
    "/account/sessions/end": ("/account/sessions", ("session_id",)),
    "/franceconnect/first-time": ("/franceconnect/first-time", ("choice",)),
    "/logout/confirm": ("/logout", ("decision",)),
    "/newsletters/confirm": ("/newsletters/confirm", ("edition",)),
    "/newsletters/leave": ("/newsletters", ("client_id", "name")),
    "/newsletters/subscribe": ("/newsletters", ("client_id", "name")),
    "/permission": ("/permission", ("decision",)),
    "/permission/withdraw": ("/permission given", ("permission_id",)),
    "/requests/read": ("/requests", ("request_id",)),
    "/requests/unread": ("/requests", ("request_id",)),
    "/select-account": ("/select-account", ("choice",)),
    "/sign-up/link": ("/sign-up/link", ("token",)),
    "/step-up": ("/step-up", ("choice",)),
    "/terms/notice": ("/ with favourites", ("version",)),
    "/undo-email": ("/undo-email", ("token",)),
}
#: Forms that send nothing but our token, and what is no form of a page.
WITHOUT_FIELDS: Final = {
    "/account/contact-email/give-up": "one button",
    "/account/contact-email/remove": "one button",
    "/account/contact-email/resend": "one button",
    "/account/email/code/resend": "one button",
    "/account/export": "one button",
    "/account/franceconnect/unlink/withdraw": "one button",
    "/account/secure": "one button; its ticket names a page only",
    "/account/sessions/end-others": "one button",
    "/keep-account": "one button",
    "/newsletters/unsubscribe": "for the programs of mailboxes (RFC 8058): tests/web/test_newsletters_pages.py",
    "/newsletters/unsubscribe/confirm": "one button",
    "/parental-permission/again": "one button",
    "/parental-permission/return": "one button",
    "/receipts/check.json": "for programs",
    "/sign-out": "one button",
    "/sign-up/code/resend": "one button",
    "/styleguide": "the forms of the guide of the look: nothing is read",
}


@pytest.fixture(scope="module")
def pages(databases: Databases) -> Iterator[Pages]:
    """The application; what a form refuses reaches no database."""
    with every_page(databases, "sqlite") as built:
        yield built


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def pages_on_each(request: pytest.FixtureRequest, databases: Databases) -> Iterator[Pages]:
    """The application, on each kind of database: what one looks for in vain, the other may refuse by an exception."""
    with every_page(databases, request.param) as built:
        yield built


def snapshot(database: Database) -> dict[str, list[str]]:
    """Read every table but those that refusals write."""
    with database.read() as connection:
        return {
            name: sorted(map(repr, connection.execute(select(table))))
            for name, table in metadata.tables.items()
            if name not in OF_REFUSALS
        }


def test_every_form_is_here_or_has_a_reason(pages: Pages) -> None:
    """A new form can't be forgotten, and nothing stands here that there is not."""
    rules = {
        rule.rule
        for rule in pages.provider.app.url_map.iter_rules()
        if "POST" in (rule.methods or ()) and not rule.endpoint.startswith(("api.", "oidc."))
    }
    named = {form.action for form in FORMS} | BUTTONS.keys() | WITHOUT_FIELDS.keys()

    assert (rules - named, named - rules) == (set(), {"/logout/confirm"})


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.door)
def test_fault_is_told_at_its_field_and_nothing_is_lost(pages: Pages, form: Form) -> None:
    """By the field, in the summary and in the title; what else was typed stands there, and nothing is written."""
    browser, address = come(pages, form.door)
    hidden = form_of(browser.get(address))
    before = snapshot(pages.provider.context.database)
    faults = []
    for name, values in form.refused.items():
        for value in values:
            forget_tries(pages)
            answer = post(browser, form, hidden, name, value)
            label = f"{name}={value if value is None else value[:20]!r}"
            if answer.status_code != 422:
                faults.append(f"{label}: {answer.status_code} {answer.headers.get('Location')}")
                continue
            page = read(answer.text)
            faults += [f"{label}: {fault}" for fault in faults_of(page, form, form.told_at.get(name, name))]
            faults += [f"{label}: {fault}" for fault in lost(page, form, name)]

    assert not faults, "\n".join(faults)
    assert snapshot(pages.provider.context.database) == before


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.door)
def test_unreadable_field_is_refused_and_nothing_is_written(pages: Pages, form: Form) -> None:
    """What no browser sends: control characters, a field twice, far too much."""
    browser, address = come(pages, form.door)
    hidden = form_of(browser.get(address))
    before = snapshot(pages.provider.context.database)
    faults = []
    for name in form.refused:
        bodies = {label: {**hidden, **form.typed, name: value} for label, value in UNREADABLE.items()}
        bodies["twice"] = {**hidden, **form.typed, name: ["a", "b"]}
        for label, body in bodies.items():
            forget_tries(pages)
            answer = browser.post(form.action, data=body)
            is_told = answer.status_code == 400 if form.unreadable else answer.status_code in {400, 422}
            if not is_told or answer.mimetype != "text/html":
                faults.append(f"{name} {label}: {answer.status_code} {answer.headers.get('Location')}")

    assert not faults, "\n".join(faults)
    assert snapshot(pages.provider.context.database) == before


@pytest.mark.parametrize("action", BUTTONS)
def test_button_that_sends_something_else_changes_nothing(pages_on_each: Pages, action: str) -> None:
    """Refused by a page of ours, shown anew, or led back; never a failure."""
    pages = pages_on_each
    door, names = BUTTONS[action]
    browser, address = come(pages, door)
    # Of any form of the page: with one session there is none to end, and no button either.
    token = browser.get(address).text.partition('name="csrf_token" value="')[2].partition('"')[0]
    hidden = {"csrf_token": token, **pending_in(address)}
    before = snapshot(pages.provider.context.database)
    faults = []
    for name in names:
        for label, value in {
            **UNREADABLE,
            "other": "nothing",
            "html": HTML,
            "emoji": EMOJI,
            "twice": ["a", "b"],
        }.items():
            forget_tries(pages)
            answer = browser.post(action, data={**hidden, name: value})
            if answer.status_code not in {200, 303, 400, 404, 410, 422}:
                faults.append(f"{name} {label}: {answer.status_code}")

    assert not faults, "\n".join(faults)
    assert snapshot(pages.provider.context.database) == before


def post(
    browser: FlaskClient, form: Form, hidden: dict[str, str], name: str, value: str | None
) -> TestResponse:
    """Send a form in which one field is wrong."""
    fields = {**hidden, **form.typed, name: value}
    return browser.post(form.action, data={one: said for one, said in fields.items() if said is not None})


def faults_of(page: Element, form: Form, name: str) -> Iterator[str]:
    """Say what is wrong with how a page tells a fault."""
    if not page.all("title")[0].text.startswith("Erreur : "):
        yield "the title does not say it"
    error = page.by_id(f"error-{name}")
    if error is None or not error.text:
        yield f"nothing is said at {name}"
        return
    summary = page.by_id("error-summary")
    links = [] if summary is None else [one for one in summary.all("a") if one["href"] == f"#field-{name}"]
    if [one.text for one in links] != [one.text.removeprefix("Erreur : ") for one in error.all("p")]:
        yield f"the summary says {[one.text for one in links]}, the field {error.text!r}"
    control = page.by_id(f"field-{name}")
    if control is None or control["name"] != name:
        yield f"the link of the summary leads to {control}"
        return
    wrong = control.above("fieldset") if control["type"] == "radio" else control
    if (
        wrong is None
        or wrong["aria-invalid"] != "true"
        or f"error-{name}" not in wrong["aria-describedby"].split()
    ):
        yield f"{wrong} is not marked"
    inside = control.above("form")
    if inside is None or inside["action"] != form.action:
        yield "the field stands in another form"


def lost(page: Element, form: Form, wrong: str) -> Iterator[str]:
    """Say what of the typed is not there any more, and what should not be."""
    for name, value in form.typed.items():
        controls = [one for one in page.controls if one["name"] == name]
        if "password" in name:
            yield from (f"{name} is shown again" for one in controls if one["value"])
        elif name in {wrong, "decision"}:
            continue
        elif controls and controls[0]["type"] in {"radio", "checkbox"}:
            chosen = [one["value"] for one in controls if "checked" in one.attributes]
            # Whoever accepts terms does so each time (ACC-3, CGU-2).
            yield from () if chosen == [value] or name == "terms" else [f"{name}: {chosen}"]
        elif [one["value"] for one in controls] != [value]:
            yield f"{name}: {[one['value'] for one in controls]}"


def forget_tries(pages: Pages) -> None:
    """Slow nobody down."""
    with pages.provider.context.database.write() as connection:
        connection.exec_driver_sql("DELETE FROM throttle_counters")


def pending_in(address: str) -> dict[str, str]:
    """Read which request a page belongs to."""
    _, found, pending = address.partition("pending=")
    return {"pending": pending.partition("&")[0]} if found else {}
