"""A new password, from the account or by mail; what was open elsewhere closes (PWD-8, PWD-9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.builders import OTHER_PASSWORD, PASSWORD
from tests.support.demonstration import new_address
from tests.support.visitor import Identity

if TYPE_CHECKING:
    from tests.e2e.conftest import AVisitor
    from tests.support.visitor import Visitor


@pytest.mark.rule("PWD-9", "UX-2")
def test_password_changed_in_the_account_ends_the_session_of_another_browser(
    any_visitor: Visitor, a_visitor: AVisitor
) -> None:
    """It asks for the current one, mails the owner, and leaves this browser alone signed in."""
    visitor = any_visitor
    email = visitor.demo.new_account()
    elsewhere = a_visitor()
    elsewhere.signs_in_here(email)
    visitor.signs_in_here(email)
    before = len(visitor.demo.mails(email))

    visitor.opens("/account/password")
    visitor.writes(current_password="Faux.Mot2Passe", password=OTHER_PASSWORD)
    visitor.presses("Enregistrer ce mot de passe")
    visitor.sees_error("current_password", "Ce n’est pas votre mot de passe actuel.")
    visitor.writes(current_password=PASSWORD, password=OTHER_PASSWORD)
    visitor.presses("Enregistrer ce mot de passe")

    visitor.sees_title("Votre mot de passe est changé")
    visitor.follows("Revenir à mon compte")
    visitor.sees(email)
    elsewhere.opens("/account")
    elsewhere.signs_in(email, PASSWORD)
    elsewhere.sees("n’est pas le bon")
    assert visitor.demo.wait_for_mail(email, before + 1)


@pytest.mark.rule("PWD-8", "UX-2")
def test_forgotten_password_is_replaced_by_the_mails_link_and_everything_open_closes(
    any_visitor: Visitor, a_visitor: AVisitor
) -> None:
    """In the middle of parking's request; the link works once."""
    visitor = any_visitor
    email = visitor.demo.new_account()
    elsewhere = a_visitor()
    elsewhere.signs_in_here(email)

    visitor.goes_to_parking()
    visitor.follows("J’ai oublié mon mot de passe")
    visitor.writes(email=email)
    visitor.presses("Recevoir le lien")
    visitor.sees_title("Consultez votre messagerie")
    link = visitor.demo.wait_for_link(email, "/new-password")
    visitor.goes_to(link)
    visitor.sees_title("Choisissez un nouveau mot de passe")
    assert "token" not in visitor.page.url
    visitor.writes(password=OTHER_PASSWORD)
    visitor.presses("Enregistrer ce mot de passe")
    visitor.sees_title("Votre mot de passe est changé")
    visitor.follows("Se connecter")
    visitor.signs_in(email, OTHER_PASSWORD)
    visitor.allows()

    visitor.is_in_parking()
    elsewhere.opens("/account")
    elsewhere.sees_title("Se connecter")
    elsewhere.goes_to(link)
    elsewhere.sees_title("Ce lien ne fonctionne plus")


@pytest.mark.rule("PWD-8")
def test_forgotten_password_of_an_unknown_address_shows_the_same_page(
    visitor: Visitor, a_visitor: AVisitor
) -> None:
    """Nobody learns who has an account."""
    shown = []
    for person, email in ((visitor, visitor.demo.new_account()), (a_visitor(), new_address())):
        person.opens("/forgotten-password")
        person.writes(email=email)
        person.presses("Recevoir le lien")
        person.sees_title("Consultez votre messagerie")
        shown.append((person.path, person.page.locator("main").inner_text().replace(email, "")))

    assert shown[0] == shown[1]


@pytest.mark.rule("PWD-7", "PWD-9")
def test_first_password_after_franceconnect_is_set_in_the_account(visitor: Visitor) -> None:
    """Fresh from FranceConnect there is no current password to ask for."""
    identity = Identity()
    visitor.opens("/sign-in")
    visitor.creates_account_with_franceconnect(identity)
    visitor.is_at(visitor.demo.provider, "/")

    visitor.opens("/account/password")
    visitor.sees_title("Choisir un mot de passe")
    if visitor.page.locator("a.franceconnect").is_visible():
        visitor.goes_to_franceconnect()
        visitor.lets_franceconnect_go_on()
    visitor.writes(password=OTHER_PASSWORD)
    visitor.presses("Enregistrer ce mot de passe")
    visitor.sees_title("Votre mot de passe est changé")
    visitor.opens("/")
    visitor.signs_out_here()
    visitor.sees("Votre session FranceConnect est fermée aussi.")

    visitor.signs_in_here(identity.email, OTHER_PASSWORD)
