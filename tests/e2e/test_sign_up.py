"""From parking's button to parking's page with a new account, in the same tab (ACC-1, ACC-4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.demonstration import new_address
from tests.support.visitor import BIRTHDATE

if TYPE_CHECKING:
    from tests.e2e.conftest import AVisitor
    from tests.support.visitor import Visitor


@pytest.mark.rule("ACC-1", "ACC-3", "ACC-4", "CON-2", "UX-2")
def test_resident_who_types_the_code_lands_on_parkings_page_in_the_same_tab(any_visitor: Visitor) -> None:
    """A resident signs up in the middle of parking's request; it continues where it was."""
    email = new_address()

    any_visitor.goes_to_parking()
    any_visitor.proves_address(email)
    any_visitor.completes_account()
    any_visitor.allows()

    any_visitor.is_in_parking()
    any_visitor.sees(email)
    assert len(any_visitor.page.context.pages) == 1


@pytest.mark.rule("ACC-1", "ACC-4")
def test_resident_who_opens_the_mails_link_in_the_same_browser_goes_on_to_parking(visitor: Visitor) -> None:
    """The link of the mail does what the code does, and the request of the service is not lost."""
    email = new_address()
    visitor.goes_to_parking()
    visitor.begins_sign_up(email)

    visitor.goes_to(visitor.demo.wait_for_mail(email)["links"][0])
    visitor.sees_title("Confirmez votre adresse e-mail")
    assert "token" not in visitor.page.url
    visitor.presses("C’est bien moi, continuer")
    visitor.sees_title("Votre mot de passe et votre identité")
    visitor.completes_account()
    visitor.allows()

    visitor.is_in_parking()


@pytest.mark.rule("ACC-4", "ACC-5")
def test_link_opened_in_another_browser_gives_the_first_one_nothing(
    visitor: Visitor, a_visitor: AVisitor
) -> None:
    """Whoever asked for the mail gains nothing from its owner's click: the account is the clicking browser's."""
    email = new_address()
    visitor.opens("/sign-in")
    visitor.begins_sign_up(email)
    owner = a_visitor()

    owner.goes_to(visitor.demo.wait_for_mail(email)["links"][0])
    owner.presses("C’est bien moi, continuer")
    owner.completes_account()
    owner.is_at(owner.demo.provider, "/")

    visitor.opens("/sign-up/details")
    assert visitor.path == "/sign-up"
    visitor.opens("/account")
    assert visitor.path == "/sign-in"
    # The code of the same mail is worth nothing any more either.
    owner.opens("/account")
    owner.sees(email)


@pytest.mark.rule("ACC-5")
def test_address_that_has_an_account_shows_the_same_page_and_its_owner_is_told(visitor: Visitor) -> None:
    """The visitor can't tell; the mail says that there is an account already, and holds no code."""
    email = visitor.demo.new_account()
    visitor.opens("/sign-in")

    visitor.begins_sign_up(email)

    mail = visitor.demo.wait_for_mail(email)
    assert mail["code"] is None
    assert "déjà" in mail["text"]


@pytest.mark.rule("ACC-3")
def test_form_without_the_box_ticked_comes_back_with_what_was_typed(any_visitor: Visitor) -> None:
    """Nothing is created, nothing is lost but the password, and the page says what to do."""
    any_visitor.opens("/sign-in")
    any_visitor.proves_address(new_address())
    expect(any_visitor.field("terms")).not_to_be_checked()

    any_visitor.writes(
        password="Vingt2.Tramways", given_name="Zoé Claire", family_name="Œuvrard", birthdate=BIRTHDATE
    )
    any_visitor.presses("Créer mon compte")

    any_visitor.sees_error("terms", "Cochez la case pour accepter les conditions d’utilisation.")
    expect(any_visitor.field("given_name")).to_have_value("Zoé Claire")
    expect(any_visitor.field("family_name")).to_have_value("Œuvrard")
    expect(any_visitor.field("birthdate")).to_have_value(BIRTHDATE)
    expect(any_visitor.field("password")).to_have_value("")
    expect(any_visitor.field("terms")).not_to_be_checked()
    any_visitor.writes(password="Vingt2.Tramways")
    any_visitor.ticks("terms")
    any_visitor.presses("Créer mon compte")
    any_visitor.is_at(any_visitor.demo.provider, "/")


@pytest.mark.rule("ACC-4")
def test_wrong_code_says_how_many_tries_are_left(visitor: Visitor) -> None:
    """Five tries, counted in front of the person."""
    email = new_address()
    visitor.opens("/sign-in")
    visitor.begins_sign_up(email)
    code = str(visitor.demo.wait_for_mail(email)["code"])
    wrong = code[:-1] + ("1" if code[-1] == "0" else "0")

    visitor.writes(code=wrong)
    visitor.presses("Continuer")

    visitor.sees_error("code", "Ce code n’est pas le bon. Il vous reste 4 essais.")
    visitor.writes(code=f" {code[:3]} {code[3:]} ")
    visitor.presses("Continuer")
    expect(visitor.page).to_have_url(re.compile("/sign-up/details"))


@pytest.mark.rule("ACC-1")
def test_form_of_another_time_says_that_it_has_expired(visitor: Visitor) -> None:
    """A form that we did not give this browser is refused in words that say what to do."""
    visitor.opens("/sign-up")
    visitor.page.evaluate("document.querySelector('main [name=csrf_token]').value += 'x'")
    visitor.writes(email=new_address())

    visitor.presses("Recevoir mon code")

    visitor.sees_title("Ce formulaire a expiré")
    visitor.sees("rechargez la page, puis recommencez")


@pytest.mark.rule("ACC-1")
def test_person_who_leaves_in_the_middle_and_comes_back_goes_on(visitor: Visitor) -> None:
    """A tab that was closed costs nothing: the service's button leads back to where the person was."""
    email = new_address()
    visitor.goes_to_parking()
    visitor.begins_sign_up(email)
    context = visitor.page.context
    visitor.page.close()
    visitor.page = context.new_page()

    visitor.goes_to_parking()
    visitor.follows("Créer un compte Mon Paris")
    visitor.opens("/sign-up/code")
    visitor.sees(email)
    visitor.types_code(email)
    visitor.completes_account()
    visitor.goes_to_parking()
    visitor.allows()

    visitor.is_in_parking()
