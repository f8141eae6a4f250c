"""Every page that people see, read as a tree: structure, names, labels, autocomplete, titles (UX-1, UX-2).

What needs a browser, such as contrast and focus, is looked at by tests/e2e/test_every_screen.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest

from idp.web.language import LANGUAGES
from tests.support.markup import Element, description_of, name_of, read
from tests.web.doors import DOORS, come, every_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases
    from tests.support.franceconnect_pages import Pages

pytestmark = [pytest.mark.rule("UX-2"), pytest.mark.xdist_group("every_page")]

#: Addresses that are no page: answers for programs, files, and those that only lead on.
NO_PAGES: Final = {
    "/.well-known/change-password": "leads to the page of the password",
    "/account-deleted/certificate": "a file",
    "/account/receipts/<entry_id>/download": "a file",
    "/check-session": "a frame of a service's page",
    "/franceconnect/callback": "leads on",
    "/franceconnect/login": "leads on",
    "/franceconnect/logout": "leads on",
    "/franceconnect/logout/callback": "leads on",
    "/franceconnect-plus/callback": "leads on",
    "/franceconnect-plus/logout/callback": "leads on",
    "/healthz": "for programs",
    "/metrics": "for programs",
    "/readyz": "for programs",
    "/receipts/keys": "for programs",
    "/receipts/schema": "for programs",
    "/robots.txt": "for programs",
    "/services/<client_id>/logo": "a picture",
    "/services/<client_id>/open": "leads on",
    "/static/<path:filename>": "files",
    "/styleguide": "for who themes: test_styleguide.py",
    "/styleguide/<part>": "for who themes: test_styleguide.py",
    "/styleguide/frame/<state>": "for who themes: test_styleguide.py",
}
#: S-402: what a browser may fill a field with; others have no name in HTML.
AUTOCOMPLETE: Final[dict[str, frozenset[str]]] = {
    "email": frozenset({"username", "email"}),
    "contact_email": frozenset({"email"}),
    "parent_email": frozenset({"section-parent email"}),
    "password": frozenset({"current-password", "new-password"}),
    "current_password": frozenset({"current-password"}),
    "code": frozenset({"one-time-code"}),
    "user_code": frozenset({"one-time-code"}),
    "given_name": frozenset({"given-name"}),
    "family_name": frozenset({"family-name"}),
    "birthdate": frozenset({"bday"}),
    "phone_number": frozenset({"tel"}),
    "street": frozenset({"address-line1"}),
    "complement": frozenset({"address-line2"}),
    "postal_code": frozenset({"postal-code"}),
    "locality": frozenset({"address-level2"}),
    "country": frozenset({"country-name"}),
}
#: Texts that mean nothing away from their sentence.
MEANINGLESS: Final = frozenset(
    {"ici", "cliquez ici", "lire la suite", "en savoir plus", "here", "click here", "more"}
)
#: Names of fields that no browser knows how to fill.
_UNKNOWN: Final = frozenset({""})
#: Two buttons of the page that asks whether to sign out: both do.
_SAME_ACTS: Final = {"/sign-out": "/logout/confirm decision sign_out"}
_LANDMARKS: Final = ("header", "main", "footer")


@pytest.fixture(scope="module")
def pages(databases: Databases) -> Iterator[Pages]:
    """The application; no page depends on the kind of database."""
    with every_page(databases, "sqlite") as built:
        yield built


@pytest.fixture(scope="module")
def seen(pages: Pages) -> dict[tuple[str, str], Element]:
    """Every page, in French and in English, by its name."""
    return {(name, language): page for name in DOORS for language, page in _look(pages, name)}


def test_every_address_is_a_page_here_or_has_a_reason(pages: Pages) -> None:
    """A new page can't be forgotten, and nothing stands here that there is not."""
    rules = {
        rule.rule
        for rule in pages.provider.app.url_map.iter_rules()
        if "GET" in (rule.methods or ()) and not rule.endpoint.startswith(("api.", "oidc."))
    }
    named = {name.partition(" ")[0] for name in DOORS} | NO_PAGES.keys()

    assert rules - named == set()
    # One page of the protocol is a person's: that which asks whether to sign out.
    assert named - rules == {"/logout", "/check-session"}


def test_page_has_one_heading_of_the_first_level_and_ids_of_its_own(
    seen: dict[tuple[str, str], Element],
) -> None:
    """Whoever jumps from heading to heading, or follows a label, arrives at one place."""
    faults = []
    for (name, language), page in seen.items():
        ids = [one["id"] for one in page.walk() if one["id"]]
        headings = [one.text for one in page.all("h1")]
        faults += [f"{name} {language}: id {one} twice" for one in set(ids) if ids.count(one) > 1]
        faults += [f"{name} {language}: h1 {headings}"] if len(headings) != 1 or not headings[0] else []

    assert not faults, "\n".join(faults)


def test_page_names_its_language_and_itself(seen: dict[tuple[str, str], Element]) -> None:
    """The title says what the page is, before whose it is."""
    faults = []
    for (name, language), page in seen.items():
        title = page.all("title")[0].text
        is_named = title.endswith(" – Mon Paris") and len(title) > len(" – Mon Paris")
        faults += [] if is_named else [f"{name} {language}: title {title!r}"]
        said = page.all("html")[0]["lang"]
        faults += [] if said == language else [f"{name}: lang {said!r} for {language}"]

    assert not faults, "\n".join(faults)


def test_no_two_pages_have_one_title(seen: dict[tuple[str, str], Element]) -> None:
    """Tabs and history tell pages apart; states of one page may share its title."""
    titles: dict[tuple[str, str], set[str]] = {}
    for (name, language), page in seen.items():
        titles.setdefault((language, page.all("title")[0].text), set()).add(name.partition(" ")[0])

    assert {title: names for title, names in titles.items() if len(names) > 1} == {}


def test_skip_link_comes_first_and_landmarks_stand_once(seen: dict[tuple[str, str], Element]) -> None:
    """Header, content, footer; several menus have names that tell them apart."""
    faults = []
    for (name, language), page in seen.items():
        body = page.all("body")[0]
        first = next(one for one in body.walk() if one.tag in {"a", "button", "input"})
        target = page.by_id(first["href"].removeprefix("#"))
        faults += (
            [] if target is not None and target.tag == "main" else [f"{name}: first is {first.attributes}"]
        )
        counts = {tag: sum(one.parent is body for one in body.all(tag)) for tag in _LANDMARKS}
        faults += [f"{name} {language}: {counts}"] if set(counts.values()) != {1} else []
        menus = [name_of(page, one) for one in body.all("nav")]
        faults += [f"{name} {language}: {menus}"] if "" in menus or len(set(menus)) < len(menus) else []

    assert not faults, "\n".join(faults)


def test_every_field_has_a_label_and_descriptions_that_are_there(
    seen: dict[tuple[str, str], Element],
) -> None:
    """A group of answers has a question of its own."""
    faults = []
    for (name, language), page in seen.items():
        for control in page.controls:
            description_of(page, control)
            labelled = name_of(page, control)
            faults += [] if labelled else [f"{name} {language}: {control['name']} has no label"]
        for group in page.all("fieldset"):
            description_of(page, group)
            faults += [] if group.all("legend") else [f"{name} {language}: a fieldset without a question"]

    assert not faults, "\n".join(faults)


@pytest.mark.rule("PWD-4")
def test_fields_say_what_a_browser_may_fill_in(seen: dict[tuple[str, str], Element]) -> None:
    """S-402: by the field's name; never `off`, which keeps password managers out."""
    faults = []
    for (name, _), page in seen.items():
        faults += [f"{name}: off" for one in page.walk() if one["autocomplete"] == "off"]
        for control in page.controls:
            if control.tag != "input" or control["type"] in {"checkbox", "radio", "file", "search"}:
                continue
            said, allowed = control["autocomplete"], AUTOCOMPLETE.get(control["name"], _UNKNOWN)
            faults += [] if said in allowed else [f"{name}: {control['name']} says {said!r}"]

    assert not faults, "\n".join(faults)


def test_links_and_buttons_make_sense_alone(seen: dict[tuple[str, str], Element]) -> None:
    """Read from a list of links or buttons: each has a name, and one name leads to one place."""
    faults = []
    for (name, language), page in seen.items():
        led: dict[tuple[str, str], set[str]] = {}
        for one in page.all("a", "button"):
            said = name_of(page, one)
            if not said or said.casefold() in MEANINGLESS:
                faults.append(f"{name} {language}: {one.tag} {one.attributes} is called {said!r}")
            led.setdefault((one.tag, said), set()).add(_leads_to(one))
        faults += [f"{name} {language}: {said} leads to {to}" for said, to in led.items() if len(to) > 1]

    assert not faults, "\n".join(faults)


def test_link_to_a_new_window_says_so(seen: dict[tuple[str, str], Element]) -> None:
    """RGAA 13.2: in its name, for who does not see the sign."""
    faults = []
    for (name, language), page in seen.items():
        words = {"fr": "nouvelle fenêtre", "en": "new window"}[language]
        for link in page.all("a", target="_blank"):
            is_told = words in name_of(page, link) and "noopener" in link["rel"]
            faults += [] if is_told else [f"{name} {language}: {link.text}"]

    assert not faults, "\n".join(faults)


def test_forms_post_to_us_with_our_token(seen: dict[tuple[str, str], Element]) -> None:
    """Our words instead of the browser's: `novalidate` wherever there is something to fill in."""
    faults = []
    for (name, _), page in seen.items():
        for form in page.all("form"):
            if form["method"].lower() != "post":
                continue
            fields = {one["name"] for one in form.all("input")}
            if "csrf_token" not in fields or not form["action"].startswith("/"):
                faults.append(f"{name}: form to {form['action']} without our token")
            if form.controls and "novalidate" not in form.attributes:
                faults.append(f"{name}: form to {form['action']} lets the browser speak")

    assert not faults, "\n".join(faults)


def _look(pages: Pages, name: str) -> Iterator[tuple[str, Element]]:
    """Come to a page, and read it in each language."""
    browser, address = come(pages, name)
    wanted = name.partition(" ")[0]
    assert "<" in wanted or urlsplit(address).path == wanted, (name, address)
    for language in LANGUAGES:
        answer = browser.get(f"{address}{'&' if '?' in address else '?'}lang={language}")
        # Who is turned away is told by a status of its own.
        assert answer.status_code in {200, 409}, (name, answer.status_code, answer.headers.get("Location"))
        yield language, read(answer.text)


def _leads_to(one: Element) -> str:
    """Say where a link leads, or what the form of a button sends."""
    if one.tag == "a":
        return one["href"]
    form = one.above("form")
    if form is None:
        return one["id"] or one["aria-controls"] or one["class"]
    hidden = [
        f"{field['name']}={field['value']}"
        for field in form.all("input", type="hidden")
        if field["name"] != "csrf_token"
    ]
    act = " ".join(filter(None, [form["action"], *hidden, one["name"], one["value"]]))
    return _SAME_ACTS.get(act, act)
