"""Walks through what no other journey passes: by keyboard alone, without JavaScript, with impatient clicks (UX-2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.demonstration import new_address, wait_until
from tests.support.plain_browser import PlainBrowser
from tests.support.screens import FIND_WHAT_JUMPS

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from tests.support.visitor import Visitor

pytestmark = pytest.mark.rule("UX-2")
#: A mouse is what everybody else walks with.
WITHOUT_A_MOUSE = pytest.mark.parametrize("any_visitor", ["keyboard", "no_javascript"], indirect=True)
SAVED = "Vos modifications sont enregistrées."
CONSENT = "Ce que ce service va recevoir"


def is_signed_in_elsewhere(visitor: Visitor, email: str) -> None:
    """Open the account in another browser."""
    other = PlainBrowser(visitor.demo.provider)
    other.send(other.open("/sign-in"), "/sign-in", email=email, password="Vingt2.Tramways")


def undo_link(visitor: Visitor, email: str) -> str:
    """Wait for the mail that tells of another address; gives its link."""

    def look() -> str | None:
        links = (link for mail in visitor.demo.mails(email) for link in mail["links"])
        return next((link for link in links if "/undo-email" in link), None)

    return wait_until(look, "the link that undoes it")


@pytest.mark.rule("PRO-1", "PRO-2", "PRO-3", "LOG-5", "LOG-6")
@WITHOUT_A_MOUSE
def test_profile_is_edited_then_given_another_address_and_secured(any_visitor: Visitor) -> None:
    """A fault is told and corrected on the way; the former address takes everything back."""
    visitor, old, new = any_visitor, any_visitor.demo.new_account(), new_address()
    is_signed_in_elsewhere(visitor, old)
    visitor.opens("/sign-in?next=/account/contact-details")
    visitor.signs_in(old)
    visitor.sees_title("Coordonnées")
    visitor.writes(phone_number="12")
    visitor.presses("Enregistrer")
    visitor.sees_error("phone_number", "Saisissez un numéro qui existe")
    expect(visitor.field("phone_number")).to_have_value("12")
    visitor.writes(phone_number="01 42 76 40 40")
    visitor.presses("Enregistrer")
    visitor.sees(SAVED)

    visitor.opens("/account/identity")
    visitor.writes(preferred_username="Lys")
    visitor.hands.choose(visitor.page.locator("input[name=gender][value=male]"))
    visitor.presses("Enregistrer")
    visitor.sees(SAVED)
    visitor.opens("/account/sessions")
    visitor.presses("Déconnecter tous les autres appareils")
    visitor.sees("Tous vos autres appareils sont déconnectés.")

    visitor.opens("/account/email")
    visitor.writes(email=new)
    visitor.presses("Recevoir mon code")
    visitor.sees_title("Saisissez le code reçu par e-mail")
    visitor.writes(code=str(visitor.demo.wait_for_mail(new)["code"]))
    visitor.presses("Changer mon adresse")
    visitor.sees_title("Votre adresse e-mail est changée")
    visitor.page.goto(undo_link(visitor, old))
    visitor.presses("Annuler le changement et sécuriser mon compte")
    visitor.sees_title("Votre adresse e-mail est rétablie")


@pytest.mark.rule("CGU-2", "PRO-7", "PRI-1", "LOG-6")
@WITHOUT_A_MOUSE
def test_terms_are_accepted_a_list_left_data_taken_away_and_the_account_secured(any_visitor: Visitor) -> None:
    """One button each; the list counts once the mail is answered."""
    visitor, email = any_visitor, any_visitor.demo.new_account(terms_version="2020-01-01")
    visitor.opens("/sign-in?next=/newsletters")
    visitor.signs_in(email)
    visitor.sees_title("Les conditions d’utilisation ont changé")
    visitor.ticks("terms")
    visitor.presses("Accepter et continuer")
    visitor.sees_title("Newsletters et alertes")
    visitor.hands.press(visitor.page.get_by_role("button", name="S’abonner").first)
    visitor.sees("Ouvrez le lien du message pour confirmer votre abonnement.")
    # The first mail told of a new device.
    visitor.demo.wait_for_mail(email, 2)
    links = (link for mail in visitor.demo.mails(email) for link in mail["links"])
    visitor.page.goto(next(link for link in links if "/newsletters/confirm" in link))
    visitor.presses("Je m’abonne")
    visitor.follows("Voir mes abonnements")
    visitor.hands.press(visitor.page.get_by_role("button", name="Se désabonner").first)
    visitor.sees("Le service ne lira plus votre adresse pour cette liste.")

    visitor.opens("/account/export")
    with visitor.page.expect_download() as download:
        visitor.page.get_by_role("button", name="Télécharger mes données").press("Enter")
    assert download.value.suggested_filename.endswith(".zip")
    visitor.opens("/account/secure")
    visitor.hands.press(visitor.page.locator("main form[action='/account/secure'] button"))
    visitor.sees_title("Votre compte est sécurisé")


@pytest.mark.rule("ACC-1", "PRO-2", "PRO-9")
def test_double_clicks_the_back_button_and_a_look_elsewhere_do_no_harm(visitor: Visitor) -> None:
    """From parking's button to parking's page, then to the end of the account: each main button pressed twice."""
    email = new_address()
    visitor.goes_to_parking()
    visitor.follows("Conditions d’utilisation")
    expect(visitor.page.locator("h1")).not_to_have_text("Se connecter")
    visitor.page.go_back()
    visitor.sees_title("Se connecter")
    visitor.follows("Créer un compte Mon Paris")
    visitor.writes(email=email)
    visitor.button("Recevoir mon code").dblclick()
    types_the_code_that_counts(visitor, email)
    visitor.page.go_back()
    visitor.sees_title("Votre mot de passe et votre identité")
    visitor.writes(password="Vingt2.Tramways", given_name="Zoé", family_name="Œuvrard")
    visitor.ticks("terms")
    visitor.button("Créer mon compte").dblclick()
    # When the browser has dropped the answer to the first click, the account is ready and nobody is signed in.
    expect(visitor.page.locator("h1")).to_have_text(re.compile(f"{CONSENT}|Se connecter"))
    if visitor.page.locator("#field-email").count():
        visitor.sees("Votre compte est prêt.")
        visitor.signs_in(email)
    visitor.sees_title(CONSENT)
    visitor.page.go_back()
    visitor.allows()
    visitor.is_in_parking()

    visitor.opens("/account/contact-details")
    visitor.writes(phone_number="01 42 76 40 40")
    visitor.button("Enregistrer").dblclick()
    visitor.sees(SAVED)
    visitor.opens("/account/delete")
    visitor.ticks("understood")
    visitor.button("Supprimer mon compte").dblclick()
    # The same: then the certificate is in the mail alone.
    expect(visitor.page.locator("h1")).to_have_text(
        re.compile("Votre compte est supprimé|Suppression du compte")
    )
    visitor.page.go_back()
    visitor.sees_title("Se connecter")


@pytest.mark.parametrize(
    "content,told",
    [
        ("<button>1</button><p><button>2</button>", []),
        ('<div style="display: flex; gap: 9px"><p><a href="#">1</a></p><p><a href="#">2</a></p></div>', []),
        (
            '<div style="display: flex; flex-direction: row-reverse"><button>1</button><button>2</button></div>',
            ["BUTTON 1 leads back to BUTTON 2"],
        ),
        (
            '<div style="display: flex; flex-direction: column-reverse"><button>1</button><button>2</button></div>',
            ["BUTTON 1 leads up to BUTTON 2"],
        ),
        ('<button tabindex="2">1</button>', ["BUTTON 1 has a place of its own"]),
    ],
    ids=["down", "columns", "back", "up", "tabindex"],
)
def test_measure_of_the_order_of_the_focus_finds_what_it_is_for(
    page: Page, content: str, told: list[str]
) -> None:
    """Every screen is measured by it (tests/e2e/test_every_screen.py)."""
    page.set_content(content)

    assert page.evaluate(FIND_WHAT_JUMPS) == told


def types_the_code_that_counts(visitor: Visitor, email: str) -> None:
    """Type the code of the mail, or that of the second one when both clicks were taken."""
    visitor.sees_title("Saisissez le code reçu par e-mail")
    visitor.writes(code=str(visitor.demo.wait_for_mail(email)["code"]))
    visitor.button("Continuer").dblclick()
    expect(visitor.page.locator("#field-password, #error-code")).to_be_visible()
    if visitor.page.locator("#error-code").count():
        visitor.types_code(email, 2)
    visitor.sees_title("Votre mot de passe et votre identité")
