"""What accessibility asks of single pages, beyond what tests/web/test_every_page.py reads on all of them (UX-2).

docs/accessibility-checks.md names the test of each row.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from idp.app import templates_directory
from idp.domain.password_policy import REFUSED_CHARACTERS
from tests.support.marks import ROOT
from tests.support.markup import Element, description_of, read
from tests.support.pages import send
from tests.support.provider import form_of
from tests.web.doors import come, every_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.databases import Databases
    from tests.support.franceconnect_pages import Pages

pytestmark = [pytest.mark.rule("UX-2"), pytest.mark.xdist_group("accessible_details")]

#: Pages that have, together, every kind of part that our pages are made of.
SAMPLE: Final = (
    "/", "/ with favourites", "/account", "/account/favourites", "/account/identity", "/account/services", "/consent",
    "/contact", "/newsletters", "/parental-permission", "/privacy", "/requests", "/sign-in", "/sign-up/code",
    "/sign-up/details", "/terms/<version>/changes",
)  # fmt: skip
#: HTML, 3.2.5.2.5: what may stand in a paragraph, and in what is a paragraph by another name.
BLOCKS: Final = frozenset(
    {"address", "article", "aside", "blockquote", "div", "dl", "fieldset", "footer", "form", "h1", "h2", "h3", "header",
     "hr", "main", "nav", "ol", "p", "pre", "section", "table", "ul"}
)  # fmt: skip
ONLY_PHRASES: Final = ("p", "h1", "h2", "h3", "span", "strong", "label", "button", "legend", "dt", "summary")
INTERACTIVE: Final = frozenset({"a", "button", "input", "select", "textarea", "summary"})
CHILDREN: Final = {
    "ul": {"li"}, "ol": {"li"}, "dl": {"dt", "dd", "div"}, "select": {"option", "optgroup"},
    "tr": {"td", "th"}, "tbody": {"tr"}, "thead": {"tr"},
}  # fmt: skip
#: A password that keeps no rule.
BAD: Final = "é"


@pytest.fixture(scope="module")
def pages(databases: Databases) -> Iterator[Pages]:
    """The application; no page depends on the kind of database."""
    with every_page(databases, "sqlite") as built:
        yield built


@pytest.fixture(scope="module")
def sample(pages: Pages) -> dict[str, Element]:
    """The pages of the sample, in French."""
    return {name: look(pages, name) for name in SAMPLE}


def look(pages: Pages, name: str, language: str = "fr") -> Element:
    """Come to a page and read it."""
    browser, address = come(pages, name)
    answer = browser.get(f"{address}{'&' if '?' in address else '?'}lang={language}")
    assert answer.status_code == 200, name
    return read(answer.text)


def classes(one: Element) -> list[str]:
    """List the classes of an element."""
    return one["class"].split()


def test_html_is_nested_as_html_allows(sample: dict[str, Element]) -> None:
    """S-384: no block in a phrase, nothing to press in what is pressed, nothing in a list but its items."""
    faults = []
    for name, page in sample.items():
        for one in page.walk():
            inside = [child.tag for child in one.walk()]
            children = {child.tag for child in one.children if isinstance(child, Element)}
            if one.tag in ONLY_PHRASES:
                faults += [f"{name}: {tag} in {one.tag}" for tag in inside if tag in BLOCKS]
            if one.tag in {"a", "button"}:
                faults += [f"{name}: {tag} in {one.tag}" for tag in inside if tag in INTERACTIVE]
            faults += [f"{name}: form in form"] if one.tag == "form" and "form" in inside else []
            allowed = CHILDREN.get(one.tag)
            faults += [f"{name}: {children - allowed} in {one.tag}"] if allowed and children - allowed else []

    assert not faults, "\n".join(faults)


def test_page_begins_with_its_type_and_names_point_at_elements(
    pages: Pages, sample: dict[str, Element]
) -> None:
    """S-384: what a label, a description or a control names is there."""
    assert pages.browser().get("/").text.lower().startswith("<!doctype html>")
    faults = []
    for name, page in sample.items():
        for one in page.walk():
            for attribute in ("for", "aria-labelledby", "aria-describedby", "aria-controls", "popovertarget"):
                gone = [named for named in one[attribute].split() if page.by_id(named) is None]
                faults += [f"{name}: {one.tag} {attribute} {gone}"] if gone else []

    assert not faults, "\n".join(faults)


def test_words_of_another_language_are_marked(pages: Pages) -> None:
    """S-382: what a service writes is French on an English page too, and the way to the other language is in it."""
    page = look(pages, "/requests", "en")

    titles = page.all("h3")
    assert titles
    assert {one["lang"] for title in titles for one in title.all("span") if "badge" not in classes(one)} == {
        "fr"
    }
    assert {one["lang"] for one in page.all("a") if one["hreflang"]} == {"fr"}
    assert [one for title in look(pages, "/requests").all("h3") for one in title.walk() if one["lang"]] == []


def test_rules_of_a_password_and_data_that_are_asked_for_are_lists(
    pages: Pages, sample: dict[str, Element]
) -> None:
    """S-386, S-397: a screen reader says how many there are; what may be refused is a group with a question."""
    provider = pages.provider
    browser = provider.signed_in(provider.an_account())
    asked = provider.authorize(
        browser, provider.a_client(consent_required=True), scope="openid profile email"
    )
    page = read(browser.get(asked.location).text)
    rules = [one for one in sample["/sign-up/details"].all("li") if one["data-rule"]]
    lists = [one for one in page.all("ul") if "claims" in classes(one)]

    assert len(rules) > 5
    assert {one.parent.tag for one in rules if one.parent} == {"ul"}
    assert [len(one.all("li")) for one in lists] == [1, 2]
    assert [one.above("fieldset") is not None for one in lists] == [False, True]


def test_errors_and_strength_are_words_and_signs_beside_colours(
    pages: Pages, sample: dict[str, Element]
) -> None:
    """S-391, S-404: an error has a sign and says that it is one; the meter says how strong; messages are announced."""
    page = wrong_details(pages)
    errors = [one for one in page.walk() if "field-error" in classes(one)]
    strength = next(one for one in sample["/sign-up/details"].walk() if "strength" in classes(one))

    assert len(errors) >= 2
    for error in errors:
        assert error.text.startswith("Erreur :"), error.text
        assert error.all("svg")
    assert "Solidité" in strength.all("p")[0].text
    assert {one["role"] for one in page.walk() if "error-summary" in classes(one)} == {"alert"}
    live = [one for one in sample["/sign-up/details"].walk() if one["aria-live"]]
    assert [one["aria-live"] for one in live] == ["polite"]


def test_what_was_done_is_announced(pages: Pages) -> None:
    """S-404: a page that comes back with good news says so as a status."""
    browser, _ = come(pages, "/requests")
    token = form_of(browser.get("/requests"))["csrf_token"]

    page = read(browser.post("/requests/read", data={"csrf_token": token}, follow_redirects=True).text)

    assert [one["role"] for one in page.walk() if "notice-success" in classes(one)] == ["status"]


def wrong_details(pages: Pages) -> Element:
    """Send the last page of a sign-up with a bad password and without the box."""
    browser, path = come(pages, "/sign-up/details")
    answer = send(browser, path, {"password": BAD})
    assert answer.status_code == 422
    return read(answer.text)


@pytest.mark.rule("PWD-2", "PWD-3")
def test_every_rule_of_a_password_is_there_before_it_is_typed(sample: dict[str, Element]) -> None:
    """S-399, S-417: the rules are what is read after the label, refused characters too; what is optional says so."""
    page = sample["/sign-up/details"]
    (password,) = page.all("input", type="password")
    told = description_of(page, password)

    assert all(character in told for character in REFUSED_CHARACTERS)
    for rule in ("caractères au moins", "une lettre majuscule", "un chiffre", "un caractère spécial"):
        assert rule in told
    assert "sauf ceux marqués" in page.text or all(
        "required" in one.attributes for one in page.controls if one["type"] in {"text", "email", "password"}
    )


def test_wrong_field_is_named_marked_and_described(pages: Pages) -> None:
    """S-399, S-400, S-415: the summary stands first and is where one arrives; the same words stand at the field."""
    page = wrong_details(pages)
    (main,) = page.all("main")
    order = [one for one in main.walk() if one.tag == "h1" or "error-summary" in classes(one)]
    summary = order[0]

    assert [one.tag for one in order][1:] == ["h1"]
    assert "autofocus" in summary.attributes
    assert summary["tabindex"] == "-1"
    assert summary.all("h2")[0].text.endswith("à corriger")
    assert page.all("title")[0].text.startswith("Erreur :")
    for link in summary.all("a"):
        target = page.by_id(link["href"].removeprefix("#"))
        assert target is not None
        assert target["aria-invalid"] == "true"
        assert link.text in description_of(page, target)
    assert "vérifiez la touche Majuscule" in page.text


def test_password_fields_are_what_managers_and_fingers_expect(sample: dict[str, Element]) -> None:
    """S-410, S-416: hidden at first, never spelt elsewhere, of any length; a button of its own shows what is typed."""
    for name in ("/sign-in", "/sign-up/details"):
        page = sample[name]
        (password,) = page.all("input", type="password")
        (reveal,) = (one for one in page.all("button") if "reveal" in classes(one))

        assert password["value"] == ""
        assert (password["spellcheck"], password["autocapitalize"]) == ("false", "off")
        assert {"maxlength", "minlength", "onpaste", "readonly"} & password.attributes.keys() == set()
        assert (reveal["type"], reveal["aria-pressed"], reveal["aria-controls"]) == (
            "button",
            "false",
            password["id"],
        )
        assert reveal.text.endswith("le mot de passe")


def test_code_is_one_field_that_takes_what_is_pasted(sample: dict[str, Element]) -> None:
    """S-410: six fields of one digit take no paste; a length would cut a code that has blanks in it."""
    (code,) = (one for one in sample["/sign-up/code"].controls if one["type"] != "search")

    assert (code["name"], code["inputmode"], code["autocomplete"]) == ("code", "numeric", "one-time-code")
    assert "maxlength" not in code.attributes


def test_nothing_is_asked_twice_in_one_process(sample: dict[str, Element]) -> None:
    """S-411: the address of the first step is shown, and known to password managers, at the next ones."""
    assert re.search(r"\S+@\S+", sample["/sign-up/code"].text)
    details = sample["/sign-up/details"]

    assert [
        one["name"] for one in details.controls if one["type"] == "email" and "readonly" not in one.attributes
    ] == []
    assert re.search(r"\S+@\S+", details.text + " ".join(one["value"] for one in details.controls))


def test_pictures_have_a_text_or_say_nothing(sample: dict[str, Element]) -> None:
    """S-407: drawings are hidden, pictures have an alternative, and FranceConnect's button has words."""
    for name, page in sample.items():
        assert all("alt" in one.attributes for one in page.all("img")), name
        assert all(one["aria-hidden"] == "true" for one in page.all("svg")), name
    buttons = [one for one in sample["/sign-in"].walk() if "franceconnect" in classes(one)]
    assert buttons
    assert all("FranceConnect" in one.text for one in buttons)


def test_nobody_proves_to_be_no_machine(sample: dict[str, Element]) -> None:
    """S-408: no test of eyes, ears or wits, and nothing of anybody else's."""
    for name, page in sample.items():
        assert page.all("iframe", "embed", "object", "audio", "video") == [], name
        assert all(one["src"].startswith("/static/") for one in page.all("script")), name


def test_nothing_happens_while_somebody_types_or_chooses(sample: dict[str, Element]) -> None:
    """S-403, S-406: no page has handlers; no script opens a window, or comes between a paste and its field."""
    handlers = {
        (name, attribute)
        for name, page in sample.items()
        for one in page.walk()
        for attribute in one.attributes
        if attribute.startswith("on")
    }
    scripts = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "idp/web/static").glob("*.js")}

    assert handlers == set()
    assert [name for name, text in scripts.items() if "window.open" in text] == []
    assert [name for name, text in scripts.items() if re.search(r"""['"]paste['"]""", text)] == []


def test_page_that_goes_on_by_itself_goes_at_once_and_has_a_way() -> None:
    """S-405: a page that leaves after some seconds takes it away from who reads slowly."""
    leaving = [
        (file, text)
        for file in templates_directory().rglob("*.html")
        if 'http-equiv="refresh"' in (text := file.read_text(encoding="utf-8"))
    ]

    assert leaving
    for file, text in leaving:
        assert re.findall(r'http-equiv="refresh" content="(\d+)', text) == ["0"], file
        assert "link_button" in text or "<a " in text, file


@pytest.mark.rule("PRO-9", "PRO-1")
def test_what_can_not_be_taken_back_is_asked_once_more(pages: Pages) -> None:
    """S-401: nothing is erased without a box ticked for it; a new address counts once it is proven."""
    browser, path = come(pages, "/account/delete")
    box = read(browser.get(path).text).all("input", type="checkbox")
    refused = send(browser, path, {})

    assert ["checked" in one.attributes for one in box] == [False]
    assert refused.status_code == 422
    assert browser.get("/account").status_code == 200
