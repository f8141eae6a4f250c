"""What a service receives: asked, remembered, refused in part or whole, withdrawn at once (CON-2, CON-4)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.demonstration import DECLARED, new_number

if TYPE_CHECKING:
    from tests.support.visitor import Visitor

USAGE_NAME = "Durand-Lys"
REFUSED_OR_ASKED_AGAIN = re.compile(
    "Mon Paris ne nous transmet plus vos données|Ce que ce service va recevoir"
)


def _somebody_with_a_usage_name(visitor: Visitor) -> str:
    return visitor.demo.new_account(identity=DECLARED | {"preferred_username": USAGE_NAME})


@pytest.mark.rule("CON-2")
def test_optional_claim_is_not_ticked_beforehand_and_stays_here_unless_it_is(visitor: Visitor) -> None:
    """A person who just agrees gives what is needed and nothing more."""
    visitor.goes_to_parking()
    visitor.signs_in(_somebody_with_a_usage_name(visitor))
    visitor.sees_title("Ce que ce service va recevoir")
    expect(visitor.field("claim-preferred_username")).not_to_be_checked()

    visitor.allows()

    visitor.is_in_parking()
    expect(visitor.page.locator("main")).not_to_contain_text(USAGE_NAME)


@pytest.mark.rule("CON-2", "UX-2")
def test_optional_claim_that_is_ticked_reaches_the_service(any_visitor: Visitor) -> None:
    """The page says who receives what and why; what is ticked arrives."""
    any_visitor.goes_to_parking()
    any_visitor.signs_in(_somebody_with_a_usage_name(any_visitor))
    any_visitor.sees("Pour vous écrire au sujet de vos demandes.")
    any_visitor.sees("Un an après la fin du dernier droit.")

    any_visitor.allows("preferred_username")

    any_visitor.is_in_parking()
    any_visitor.sees(USAGE_NAME)


@pytest.mark.rule("CON-1", "CON-2", "CON-9")
def test_policy_of_the_service_can_be_read_before_answering(visitor: Visitor) -> None:
    """The link of the consent page leads to a page of the service, in another tab: the question stays."""
    visitor.goes_to_parking()
    visitor.signs_in(visitor.demo.new_account())
    visitor.sees_title("Ce que ce service va recevoir")

    with visitor.page.expect_popup() as opened:
        visitor.hands.press(visitor.page.get_by_role("link", name="politique de confidentialité du service"))

    expect(opened.value.locator("h1")).to_have_text("Données personnelles")
    visitor.allows()
    visitor.is_in_parking()


@pytest.mark.rule("CON-2")
def test_service_that_asks_for_more_asks_about_the_addition_alone(any_visitor: Visitor) -> None:
    """The address was allowed before: the names are asked, marked as new, and the address is not put again."""
    any_visitor.signs_in_here(_somebody_with_a_usage_name(any_visitor))
    any_visitor.goes_to_parking_for("openid email")
    any_visitor.allows()
    expect(any_visitor.page).to_have_url(re.compile(re.escape(any_visitor.demo.parking)))

    any_visitor.goes_to_parking()

    any_visitor.sees_title("De nouvelles données sont demandées")
    any_visitor.sees("Déjà autorisé, rien ne change\u00a0: Adresse e-mail.")
    expect(any_visitor.page.locator(".claims .badge-new")).to_have_count(3)
    # That parking may read again while they are away is new too.
    expect(any_visitor.page.locator(".facts .badge-new")).to_have_count(1)
    expect(any_visitor.page.locator(".claim-head", has_text="Adresse e-mail")).to_have_count(0)
    expect(any_visitor.page.locator("fieldset.purpose")).to_have_count(0)
    any_visitor.ticks("claim-preferred_username")
    any_visitor.presses("Autoriser")
    any_visitor.is_in_parking()
    any_visitor.sees(USAGE_NAME)


@pytest.mark.rule("CON-2")
def test_consent_is_remembered_at_the_next_visit(visitor: Visitor) -> None:
    """Signing in again leads straight to parking."""
    email = visitor.demo.new_account()
    visitor.goes_to_parking()
    visitor.signs_in(email)
    visitor.allows()
    visitor.is_in_parking()
    visitor.presses("Se déconnecter")
    visitor.sees_title("Vous êtes déconnecté")

    visitor.goes_to_parking()
    visitor.signs_in(email)

    visitor.is_in_parking()


@pytest.mark.rule("CON-2", "UX-2")
def test_refusal_brings_back_to_parking_which_says_so(any_visitor: Visitor) -> None:
    """Nothing is passed on; the way back stays open."""
    any_visitor.goes_to_parking()
    any_visitor.signs_in(any_visitor.demo.new_account())
    any_visitor.sees_title("Ce que ce service va recevoir")

    any_visitor.presses("Refuser")

    any_visitor.is_at(any_visitor.demo.parking, "/callback")
    any_visitor.sees_title("Vous n’avez pas donné votre accord")
    any_visitor.opens("/account/services")
    any_visitor.sees("Aucun service ne reçoit vos données")
    any_visitor.goes_to_parking()
    any_visitor.allows()
    any_visitor.is_in_parking()


@pytest.mark.rule("CON-4", "UX-2")
def test_consent_withdrawn_in_my_services_ends_parkings_access_at_once(any_visitor: Visitor) -> None:
    """Parking's page was open a moment ago: its very next look at the account shows nothing of it."""
    any_visitor.goes_to_parking()
    any_visitor.signs_in(any_visitor.demo.new_account())
    any_visitor.allows()
    any_visitor.is_in_parking()

    any_visitor.opens("/account/services")
    any_visitor.hands.press(
        any_visitor.page.get_by_role("button", name="Retirer mon accord Stationnement résidentiel")
    )
    any_visitor.sees_title("Retirer votre accord à Stationnement résidentiel\u00a0?")
    any_visitor.presses("Retirer mon accord")
    any_visitor.sees("Votre accord est retiré.")

    any_visitor.goes_to(f"{any_visitor.demo.parking}/espace")
    # Parking finds its tokens dead, or was told by then that its session is over, and asks for a login.
    expect(any_visitor.page.locator("h1")).to_have_text(REFUSED_OR_ASKED_AGAIN)
    any_visitor.goes_to_parking()
    any_visitor.sees_title("Ce que ce service va recevoir")


@pytest.mark.rule("CON-2", "OID-1")
def test_double_click_on_allow_ends_on_parkings_page(visitor: Visitor) -> None:
    """The second click finds the request answered; the person arrives all the same."""
    visitor.goes_to_parking()
    visitor.signs_in(visitor.demo.new_account())
    visitor.sees_title("Ce que ce service va recevoir")
    visitor.answers_purposes()

    visitor.button("Autoriser").dblclick()

    visitor.is_in_parking()


@pytest.mark.rule("CON-6", "CON-9", "PRO-6")
def test_panel_receives_what_was_agreed_and_its_members_choose_a_pseudonym(any_visitor: Visitor) -> None:
    """Les Explorateurs ask for a pseudonym that is not the name; answers stand under it alone, and surveys wait."""
    any_visitor.goes_to_explorateurs()
    any_visitor.signs_in(any_visitor.demo.new_account())
    any_visitor.allows("gender")
    any_visitor.is_at(any_visitor.demo.explorateurs, "/adhesion")
    pseudonym = f"Martin-pêcheur {new_number()}"

    any_visitor.hands.write(any_visitor.page.locator("#pseudonym"), "Zoé de Paris")
    any_visitor.hands.tick(any_visitor.page.locator("#rules"))
    any_visitor.presses("Rejoindre le panel")
    any_visitor.sees("laisse deviner votre nom ou votre prénom")
    any_visitor.hands.write(any_visitor.page.locator("#pseudonym"), pseudonym)
    any_visitor.presses("Rejoindre le panel")

    any_visitor.is_at(any_visitor.demo.explorateurs, "/panel")
    any_visitor.sees_title(f"Bonjour {pseudonym}")
    any_visitor.opens("/requests")
    for text in ("Inscription confirmée", "Trouver de la fraîcheur en été", "(dans 14 jours)"):
        any_visitor.sees(text)
