"""A question of its own: whether parking passes data to mobile providers; it is changed anywhere (CON-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from idp.storage.models import purpose_choices

if TYPE_CHECKING:
    from playwright.sync_api import Locator

    from tests.support.visitor import Visitor

pytestmark = pytest.mark.rule("CON-3", "CON-9")

YES = "J’autorise la transmission de mes données à PayByPhone, Flowbird, EasyPark et Indigo Neo"
NO = "Je n’autorise pas la transmission"


def answer(visitor: Visitor, words: str) -> Locator:
    """Find an answer by the beginning of its words, on our pages and on parking's."""
    return visitor.page.get_by_role("radio", name=words)


def day_of_the_last_change(visitor: Visitor) -> str:
    """Write the day in Paris on which an answer was changed last, as parking does."""
    with visitor.demo.database.read() as connection:
        latest = connection.scalar(select(func.max(purpose_choices.c.changed_at)))
    assert latest is not None
    return latest.astimezone(ZoneInfo("Europe/Paris")).strftime("%d/%m/%Y")


def comes_to_parking(visitor: Visitor, purposes: str) -> None:
    """Sign somebody new in at parking, with an answer."""
    visitor.goes_to_parking()
    visitor.signs_in(visitor.demo.new_account())
    visitor.allows(purposes=purposes)
    visitor.is_in_parking()


def test_purpose_switched_on_our_page_shows_at_parkings_next_look(any_visitor: Visitor) -> None:
    """With the date, without another login; and what is changed at parking shows on our page."""
    visitor = any_visitor
    comes_to_parking(visitor, "no")
    expect(answer(visitor, NO)).to_be_checked()

    visitor.opens("/account/services")
    expect(answer(visitor, NO)).to_be_checked()
    visitor.hands.choose(answer(visitor, YES))
    visitor.hands.press(visitor.page.get_by_role("button", name="Enregistrer mes choix"))
    visitor.sees("Vos choix sont enregistrés.")

    visitor.goes_to(f"{visitor.demo.parking}/espace")
    expect(answer(visitor, YES)).to_be_checked()
    visitor.sees(f"Dernière mise à jour le {day_of_the_last_change(visitor)}.")
    visitor.hands.choose(answer(visitor, NO))
    visitor.presses("Valider mon choix")
    visitor.sees("Votre choix est enregistré.")
    expect(answer(visitor, NO)).to_be_checked()

    visitor.opens("/account/services")
    expect(answer(visitor, NO)).to_be_checked()


def test_question_left_open_keeps_the_consent_page(visitor: Visitor) -> None:
    """Neither answer is ticked beforehand, and none is taken for granted; the answer given there shows at parking."""
    visitor.goes_to_parking()
    visitor.signs_in(visitor.demo.new_account())
    visitor.sees_title("Ce que ce service va recevoir")

    visitor.presses("Autoriser")

    expect(answer(visitor, YES)).not_to_be_checked()
    expect(answer(visitor, NO)).not_to_be_checked()
    visitor.allows(purposes="yes")
    visitor.is_in_parking()
    expect(answer(visitor, YES)).to_be_checked()
