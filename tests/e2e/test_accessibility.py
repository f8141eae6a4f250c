"""What no reader of HTML can tell: how large, how near, how visible, on which screen; and that a paste is taken (UX-2).

docs/accessibility-checks.md names the test of each row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.builders import PASSWORD
from tests.support.demonstration import new_address
from tests.support.reachability import ENLARGED, faults_of_focus, faults_of_layout

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from tests.support.visitor import Visitor

#: Pages of an account with every kind of part: lists, forms, boxes, menus.
OF_AN_ACCOUNT = (
    "/",
    "/account",
    "/account/contact-details",
    "/account/favourites",
    "/requests",
    "/newsletters",
)


def pastes(visitor: Visitor, text: str, source: Locator, target: Locator) -> None:
    """Copy a text from one field, and paste it into another by the keys that everybody knows."""
    keys = visitor.page.keyboard
    source.fill(text)
    source.press("Control+A")
    keys.press("Control+X")
    target.focus()
    keys.press("Control+V")
    expect(target).to_have_value(text)


def test_measures_find_what_they_are_for(page: Page) -> None:
    """A measure that finds nothing anywhere proves nothing: one page has every fault."""
    page.set_content(
        """<style>:focus-visible { outline: 1px solid #ddd } #pale:focus-visible { outline: 3px solid #ccc }
        #bar { position: fixed; inset: 0 0 auto; height: 100px; background: #fff }
        i { display: block; height: 120px; width: 45rem } button { padding: 0; border: 0; font: 9px serif }</style>
        <main><h1>Titre</h1><i></i><button>a</button><button id="pale">b</button>
        <label for="far">Loin</label><i></i><input id="far" name="far">
        <div id="bar"></div></main>"""
    )

    layout, focus = "\n".join(faults_of_layout(page)), "\n".join(faults_of_focus(page))

    for told in ("px wide", "BUTTON a: ", "far: 1", "with texts of twice the size"):
        assert told in layout
    for told in ("BUTTON a: outline solid 1px", "BUTTON pale: contrast 1."):
        assert told in focus
    page.evaluate("document.querySelector('#bar').style.height = '100%'")
    assert "INPUT far: hidden" in faults_of_focus(page)


@pytest.mark.rule("UX-2", "PWD-4")
def test_pages_fit_every_screen_and_show_where_the_focus_is(visitor: Visitor) -> None:
    """S-389, S-390, S-393, S-394, S-396, S-410, S-412: from the sign-in to the account, by keys and by fingers."""
    faults: dict[str, list[str]] = {}
    visitor.opens("/sign-in")
    visitor.sees_title("Se connecter")
    pastes(visitor, "Coller.Ici2", visitor.field("email"), visitor.field("password"))
    faults["sign-in"] = faults_of_layout(visitor.page)

    email = new_address()
    visitor.begins_sign_up(email)
    pastes(visitor, "123456", visitor.field("code"), visitor.field("code"))
    faults["code"] = faults_of_layout(visitor.page)
    visitor.types_code(email)
    visitor.sees_title("Votre mot de passe et votre identité")
    faults["details"] = faults_of_layout(visitor.page)
    pastes(visitor, PASSWORD, visitor.field("given_name"), visitor.field("password"))
    visitor.page.set_viewport_size(ENLARGED)
    faults["details by keys"] = faults_of_focus(visitor.page)
    visitor.page.set_viewport_size({"width": 1280, "height": 800})
    visitor.completes_account()
    visitor.sees("Services en ligne")

    for path in OF_AN_ACCOUNT:
        visitor.opens(path)
        expect(visitor.page.locator("footer")).to_be_visible()
        faults[path] = faults_of_layout(visitor.page)
    visitor.opens("/account")
    visitor.page.set_viewport_size(ENLARGED)
    faults["/account by keys"] = faults_of_focus(visitor.page)

    assert {name: found for name, found in faults.items() if found} == {}
