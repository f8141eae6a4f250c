"""Coming in with a password: right, wrong, too often (LOG-1, LOG-2, LOG-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from tests.e2e.conftest import AVisitor
    from tests.support.demonstration import Demonstration
    from tests.support.visitor import Visitor

WRONG = "L’adresse e-mail ou le mot de passe n’est pas le bon."


@pytest.mark.rule("LOG-1", "CON-2", "UX-2")
def test_resident_signs_in_from_parkings_button(any_visitor: Visitor) -> None:
    """From parking's button to parking's page with an account that exists."""
    email = any_visitor.demo.new_account()

    any_visitor.goes_to_parking()
    expect(any_visitor.page.locator(".service-band")).to_contain_text("Stationnement résidentiel")
    any_visitor.signs_in(email)
    any_visitor.allows()

    any_visitor.is_in_parking()
    any_visitor.sees("Œuvrard")
    assert "code=" not in any_visitor.page.url


@pytest.mark.rule("LOG-2")
def test_wrong_password_and_unknown_address_are_told_the_same(any_visitor: Visitor) -> None:
    """The page does not say which of the two is wrong, and keeps the address, never the password."""
    known = any_visitor.demo.new_account()

    for email in (known, "inconnue@example.org"):
        any_visitor.opens("/sign-in")
        any_visitor.signs_in(email, "Faux.Mot2Passe")

        any_visitor.sees_error("email", WRONG)
        expect(any_visitor.field("email")).to_have_value(email)
        expect(any_visitor.field("password")).to_have_value("")


@pytest.mark.rule("LOG-1")
def test_empty_form_says_what_is_missing(visitor: Visitor) -> None:
    """Each field has its own sentence."""
    visitor.opens("/sign-in")
    visitor.signs_in("", "")

    visitor.sees_error("email", "Saisissez votre adresse e-mail.")
    visitor.sees_error("password", "Saisissez votre mot de passe.")


@pytest.mark.rule("LOG-2")
def test_too_many_wrong_passwords_show_when_to_try_again_and_spare_the_owner(
    demo: Demonstration, a_visitor: AVisitor
) -> None:
    """A stranger is slowed down; the owner, on a device that is known, comes in meanwhile."""
    email = demo.new_account()
    owner, stranger = a_visitor(), a_visitor()
    owner.signs_in_here(email)
    owner.signs_out_here()

    stranger.opens("/sign-in")
    for _ in range(5):
        stranger.signs_in(email, "Faux.Mot2Passe")
        stranger.sees_error("email", WRONG)
    stranger.signs_in(email, "Faux.Mot2Passe")

    stranger.sees("Trop d’essais")
    stranger.sees("Vous pourrez réessayer à partir du")
    expect(stranger.page.locator("a.franceconnect")).to_be_visible()
    owner.signs_in_here(email)


@pytest.mark.rule("LOG-3")
def test_one_login_opens_both_services(visitor: Visitor) -> None:
    """Single sign-on: the second service asks for an agreement, never for a password."""
    email = visitor.demo.new_account()
    visitor.goes_to_parking()
    visitor.signs_in(email)
    visitor.allows()
    visitor.is_in_parking()

    visitor.goes_to_explorateurs()
    visitor.allows()

    visitor.is_at(visitor.demo.explorateurs, "/adhesion")


@pytest.mark.rule("LOG-5")
def test_sign_in_from_a_new_device_is_told_by_mail(demo: Demonstration, a_visitor: AVisitor) -> None:
    """The owner learns of a browser that was never seen."""
    email = demo.new_account()
    a_visitor().signs_in_here(email)

    mail = demo.wait_for_mail(email)

    assert "3975" in mail["text"]


@pytest.mark.rule("ACC-1")
def test_two_tabs_signing_in_for_two_services_do_not_collide(visitor: Visitor) -> None:
    """Each tab ends at the service that it began with."""
    email = visitor.demo.new_account()
    other = type(visitor)(visitor.page.context.new_page(), visitor.demo)

    visitor.goes_to_parking()
    other.goes_to_explorateurs()
    visitor.sees_title("Se connecter")
    other.signs_in(email)
    other.sees_title("Ce que ce service va recevoir")
    expect(other.page.locator(".service-band")).to_contain_text("Les Explorateurs")
    visitor.signs_in(email)
    expect(visitor.page.locator(".service-band")).to_contain_text("Stationnement résidentiel")
    other.allows()
    visitor.allows()

    other.is_at(other.demo.explorateurs, "/adhesion")
    visitor.is_in_parking()


@pytest.mark.rule("ACC-1")
def test_request_of_another_browser_shows_that_it_has_expired(visitor: Visitor, a_visitor: AVisitor) -> None:
    """An address that was copied elsewhere leads to a page that says so, never to an error."""
    visitor.goes_to_parking()
    visitor.sees_title("Se connecter")
    somebody = a_visitor()

    somebody.goes_to(visitor.page.url)

    somebody.sees_title("Cette demande a expiré")
    somebody.follows("Aller à l’accueil de Mon Paris")
    somebody.is_at(somebody.demo.provider, "/")


@pytest.mark.rule("ACC-1", "OID-1")
def test_page_of_a_request_that_was_answered_leads_on_to_the_service(visitor: Visitor) -> None:
    """Going back to a page of the way after its end is no dead end, and gives no second login."""
    email = visitor.demo.new_account()
    visitor.goes_to_parking()
    sign_in = visitor.page.url
    visitor.signs_in(email)
    visitor.allows()
    visitor.is_in_parking()

    visitor.goes_to(sign_in)

    visitor.is_in_parking()


@pytest.mark.rule("ACC-1", "UX-1")
def test_switching_the_language_keeps_the_request(any_visitor: Visitor) -> None:
    """Half-way to parking somebody reads on in English, and still lands on parking's page."""
    email = any_visitor.demo.new_account()
    any_visitor.goes_to_parking()

    any_visitor.follows("English")
    any_visitor.sees_title("Sign in")
    expect(any_visitor.page.locator("html")).to_have_attribute("lang", "en")
    any_visitor.follows("Français")
    any_visitor.sees_title("Se connecter")
    any_visitor.follows("English")
    any_visitor.writes(email=email, password="Vingt2.Tramways")
    any_visitor.hands.press(
        any_visitor.page.locator("main").get_by_role("button", name="Sign in", exact=True)
    )
    expect(any_visitor.page.locator("html")).to_have_attribute("lang", "en")
    any_visitor.sees("Paying for my parking with a mobile app")
    any_visitor.answers_purposes()
    any_visitor.hands.press(any_visitor.page.locator("button[name=decision][value=allow]"))

    any_visitor.is_in_parking()
