"""Leaving: from parking, from our pages, from FranceConnect; nothing is left on a shared computer (LOG-3, LOG-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.visitor import Identity

if TYPE_CHECKING:
    from tests.e2e.conftest import AVisitor
    from tests.support.visitor import Visitor


@pytest.mark.rule("LOG-7", "OID-6", "UX-2")
def test_logout_from_parking_ends_the_session_here_too(any_visitor: Visitor) -> None:
    """RP-initiated: parking's button ends both sessions and comes back to parking."""
    any_visitor.goes_to_parking()
    any_visitor.signs_in(any_visitor.demo.new_account())
    any_visitor.allows()
    any_visitor.is_in_parking()

    any_visitor.presses("Se déconnecter")

    any_visitor.is_at(any_visitor.demo.parking, "/deconnecte")
    any_visitor.sees_title("Vous êtes déconnecté")
    any_visitor.opens("/account")
    any_visitor.sees_title("Se connecter")


@pytest.mark.rule("LOG-3", "UX-2")
def test_one_click_signs_out_on_our_pages(any_visitor: Visitor) -> None:
    """The button is in the header of every page; no question is asked."""
    any_visitor.signs_in_here(any_visitor.demo.new_account())
    for path in ("/", "/account", "/account/identity", "/account/services", "/contact", "/terms"):
        any_visitor.opens(path)
        expect(
            any_visitor.page.locator("header").get_by_role("button", name="Se déconnecter")
        ).to_be_visible()

    any_visitor.signs_out_here()

    any_visitor.opens("/account")
    any_visitor.sees_title("Se connecter")


@pytest.mark.rule("LOG-7")
def test_sign_out_ends_the_session_at_franceconnect_too(any_visitor: Visitor) -> None:
    """Who came in through FranceConnect leaves it as well: the next visit has to choose an identity again."""
    visitor = any_visitor
    visitor.opens("/sign-in")
    visitor.creates_account_with_franceconnect(Identity())
    visitor.is_at(visitor.demo.provider, "/")

    visitor.signs_out_here()

    visitor.sees("Votre session FranceConnect est fermée aussi.")
    visitor.opens("/sign-in")
    visitor.goes_to_franceconnect()
    visitor.sees_title("Choisir une identité")


@pytest.mark.rule("LOG-7")
def test_logout_from_parking_ends_the_session_at_franceconnect_too(visitor: Visitor) -> None:
    """From the service through us to FranceConnect, and back to the service."""
    visitor.goes_to_parking()
    visitor.creates_account_with_franceconnect(Identity())
    visitor.allows()
    visitor.is_in_parking()

    visitor.presses("Se déconnecter")

    visitor.is_at(visitor.demo.parking, "/deconnecte")
    visitor.opens("/sign-in")
    visitor.goes_to_franceconnect()
    visitor.sees_title("Choisir une identité")


@pytest.mark.rule("LOG-3")
def test_back_button_after_signing_out_shows_nothing_of_the_person(visitor: Visitor) -> None:
    """On a shared computer the next one sees no name and no address."""
    email = visitor.demo.new_account()
    visitor.signs_in_here(email)
    visitor.opens("/account")
    visitor.sees(email)
    visitor.opens("/account/identity")
    visitor.signs_out_here()

    for _ in range(3):
        visitor.page.go_back()

        expect(visitor.page.locator("body")).not_to_contain_text(email)
        expect(visitor.page.locator("body")).not_to_contain_text("Œuvrard")


@pytest.mark.rule("LOG-5")
def test_session_ended_from_another_device_is_over_at_once(visitor: Visitor, a_visitor: AVisitor) -> None:
    """The list shows both; the one that is ended asks to sign in."""
    email = visitor.demo.new_account()
    elsewhere = a_visitor()
    visitor.signs_in_here(email)
    elsewhere.signs_in_here(email)

    visitor.opens("/account/sessions")
    expect(visitor.page.locator(".items > li")).to_have_count(2)
    visitor.hands.press(visitor.page.locator("form[action='/account/sessions/end'] button"))
    visitor.sees("L’appareil est déconnecté.")
    expect(visitor.page.locator(".items > li")).to_have_count(1)

    elsewhere.opens("/account")
    elsewhere.sees_title("Se connecter")
    visitor.opens("/account")
    visitor.sees(email)
