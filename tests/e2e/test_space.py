"""The space of a person: requests, favourites in an order of one's own, its menu (PRO-4, PRO-6, UX-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.demonstration import DECLARED

if TYPE_CHECKING:
    from tests.e2e.conftest import AVisitor
    from tests.support.visitor import Visitor

FAVOURITES = ".favourites h2"


def adds_both_services(visitor: Visitor) -> list[str]:
    """Sign somebody new in, who puts both services at hand."""
    visitor.opens("/sign-in?next=/account/favourites")
    visitor.signs_in(visitor.demo.new_account())
    visitor.sees_title("Services numériques favoris")
    for _ in range(2):
        visitor.hands.press(visitor.page.get_by_role("button", name="Ajouter").first)
        visitor.sees("Le service est dans vos favoris.")
        visitor.opens("/account/favourites")
    return visitor.page.locator(FAVOURITES).all_inner_texts()


@pytest.mark.rule("PRO-6", "CON-9")
def test_request_that_parking_tells_of_is_read_and_put_away(any_visitor: Visitor) -> None:
    """What parking says stands on "Mes demandes" and on the home page; it is put away, and leads back to parking."""
    visitor = any_visitor
    visitor.goes_to_parking()
    visitor.signs_in(visitor.demo.new_account(identity=DECLARED))
    visitor.allows()
    visitor.is_in_parking()

    visitor.opens("/")
    visitor.sees("1 demande attend quelque chose de vous.")
    visitor.opens("/requests")
    visitor.hands.write(visitor.page.locator("#search"), "gh-264")
    visitor.presses("Filtrer")
    visitor.page.wait_for_url("**search=gh-264**")
    visitor.sees("Droit de stationnement pour GH-264-LT")
    visitor.hands.press(visitor.page.get_by_role("button", name="Marquer comme lue").first)
    visitor.sees("La demande est marquée comme lue.")
    visitor.hands.press(visitor.page.get_by_role("link", name="Payer").first)
    visitor.page.wait_for_url(f"{visitor.demo.parking}/droits/*")
    visitor.opens("/account/receipts")
    visitor.hands.press(visitor.page.get_by_role("link", name="Voir le reçu").first)
    visitor.sees_title("Reçu")


@pytest.mark.rule("PRO-4")
def test_favourites_are_put_in_order_by_buttons(any_visitor: Visitor) -> None:
    """By keyboard and without JavaScript too; the order shows in the menu of every page."""
    visitor = any_visitor
    first, second = adds_both_services(visitor)

    visitor.hands.press(visitor.page.get_by_role("button", name="Monter"))
    visitor.sees("Le nouvel ordre est enregistré.")

    assert visitor.page.locator(FAVOURITES).all_inner_texts() == [second, first]
    visitor.opens("/account/sessions")
    assert visitor.page.locator(".favourite-links a").all_inner_texts() == [second, first]
    visitor.opens("/account/favourites")
    visitor.hands.press(visitor.page.get_by_role("button", name="Retirer").first)
    visitor.sees("Le service n’est plus dans vos favoris.")
    expect(visitor.page.locator(FAVOURITES)).to_have_text([first])


@pytest.mark.rule("PRO-5")
@pytest.mark.parametrize("any_visitor", ["keyboard", "no_javascript"], indirect=True)
def test_rubrique_and_language_are_chosen(any_visitor: Visitor) -> None:
    """A box, a saved choice, the rubrique in the menu; the language of the account beside it."""
    visitor = any_visitor
    visitor.opens("/sign-in?next=/account/rubriques")
    visitor.signs_in(visitor.demo.new_account())
    visitor.sees_title("Rubriques")
    visitor.hands.tick(visitor.page.locator("#rubrique-1"))
    visitor.presses("Enregistrer")
    visitor.sees("Votre choix est enregistré.")
    expect(visitor.page.locator("a[href^='/rubriques/']").first).to_be_attached()

    visitor.opens("/account/language")
    visitor.hands.choose(visitor.page.locator("input[name=language][value=en]"))
    visitor.presses("Enregistrer")
    expect(visitor.page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.rule("PRO-4")
def test_favourites_are_dragged_into_order(visitor: Visitor) -> None:
    """Dropped above another one, a service stays there."""
    first, second = adds_both_services(visitor)
    entries = visitor.page.locator(".favourites > li")

    entries.nth(1).drag_to(entries.nth(0), target_position={"x": 40, "y": 4})

    visitor.sees("Le nouvel ordre est enregistré.")
    expect(visitor.page.locator(FAVOURITES)).to_have_text([second, first])


@pytest.mark.rule("UX-2")
def test_menu_of_a_phone_opens_over_the_page_and_closes(a_visitor: AVisitor) -> None:
    """Without JavaScript: a button opens it, Escape closes it and gives the focus back, a link of it leads on."""
    visitor = a_visitor(java_script_enabled=False, viewport={"width": 320, "height": 640})
    visitor.signs_in_here(visitor.demo.new_account())
    menu = visitor.page.locator("#menu")
    expect(menu).to_be_hidden()

    visitor.presses("Menu")
    expect(menu).to_be_visible()
    visitor.page.keyboard.press("Escape")

    expect(menu).to_be_hidden()
    expect(visitor.button("Menu")).to_be_focused()
    visitor.page.keyboard.press("Enter")
    visitor.follows("Mes demandes")
    visitor.sees_title("Mes demandes")
