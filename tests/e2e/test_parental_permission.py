"""A fourteen-year-old and the panel: the parent's yes by mail, then the withdrawal by the same mail (CON-7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.children import born
from tests.support.demonstration import DECLARED, Demonstration, new_address

if TYPE_CHECKING:
    from tests.e2e.conftest import AVisitor
    from tests.support.visitor import Visitor

CLOSED = re.compile("Mon Paris ne nous transmet plus vos données|Il faut la permission d’un parent")


def a_child(demo: Demonstration) -> str:
    """Write the account of somebody who has been fourteen for a month, whatever the day of the test."""
    now = datetime.now(UTC)  # noqa: TID251 - the programs of the demonstration read the machine's clock
    return demo.new_account(identity=DECLARED | {"birthdate": born(14, now, days=30)})


def asks(child: Visitor, email: str, parent: str) -> None:
    """Come to the panel, sign in, and give the address of a parent."""
    child.goes_to_explorateurs()
    child.signs_in(email)
    child.sees_title("Il faut la permission d’un parent")
    child.writes(parent_email=parent)
    child.presses("Demander la permission")
    child.sees_title("Nous attendons la réponse de votre parent")


@pytest.mark.rule("CON-7", "CON-6", "CON-9", "UX-2")
def test_panel_opens_by_a_parents_yes_and_closes_by_its_withdrawal(
    any_visitor: Visitor, a_visitor: AVisitor
) -> None:
    """The child waits and goes on; the panel is closed to the child as soon as the parent takes the yes back."""
    child, parent = any_visitor, a_visitor()
    email, parents_address = a_child(child.demo), new_address("parent")
    asks(child, email, parents_address)

    link = child.demo.wait_for_mail(parents_address)["links"][0]
    parent.goes_to(link)
    parent.sees_title("Un enfant vous demande une permission")
    parent.sees("Demande de Zoé")
    expect(parent.page).to_have_url(f"{child.demo.provider}/permission")
    parent.presses("Oui, je donne ma permission")
    parent.sees_title("Vous avez donné votre permission")

    child.follows("Voir si la réponse est arrivée")
    child.allows()
    child.is_at(child.demo.explorateurs, "/adhesion")

    parent.goes_to(link)
    parent.presses("Retirer ma permission Les Explorateurs de la Ville de Paris")
    parent.sees_title("Retirer votre permission pour Les Explorateurs de la Ville de Paris ?")
    parent.presses("Retirer ma permission")
    parent.sees_title("Vous avez retiré votre permission")

    child.goes_to(f"{child.demo.explorateurs}/panel")
    # The panel learns it by the notice of the end, or at its next question, whichever is quicker.
    expect(child.page.locator("h1")).to_have_text(CLOSED)
    child.goes_to_explorateurs()
    child.sees_title("Il faut la permission d’un parent")
    child.sees("Votre parent a retiré sa permission")


@pytest.mark.rule("CON-7", "CON-9")
def test_child_goes_back_to_the_panel_without_a_permission(visitor: Visitor) -> None:
    """The panel says kindly what it takes."""
    email = a_child(visitor.demo)
    visitor.goes_to_explorateurs()
    visitor.signs_in(email)
    visitor.writes(parent_email=email)
    visitor.presses("Demander la permission")
    visitor.sees_error("parent_email", "C’est votre propre adresse. Saisissez celle de votre parent.")

    visitor.presses("Retourner au service")

    visitor.is_at(visitor.demo.explorateurs, "/callback")
    visitor.sees_title("Vous n’êtes pas entré dans le panel")
