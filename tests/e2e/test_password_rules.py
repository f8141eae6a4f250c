"""Every refused character, live in the page and again on the server, from one definition (PWD-2, PWD-3)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.demonstration import new_address

if TYPE_CHECKING:
    from tests.e2e.conftest import AVisitor
    from tests.support.visitor import Visitor

#: The list of the terms of use, the typographic apostrophe, and an é in two code points.
REFUSED = (*"&é\"'èçà~\\ù<>µ£¤§", "\u2019", "e\u0301")
#: Keeps every other rule, whatever character is put inside.
AROUND = ("Vingt2.", "Tramways")


@pytest.mark.rule("PWD-1", "PWD-2", "PWD-3")
def test_each_refused_character_is_named_while_it_is_typed(visitor: Visitor) -> None:
    """The list beside the field says which character is refused and what to check, before anything is sent."""
    visitor.opens("/sign-in")
    visitor.proves_address(new_address())
    rule = visitor.page.locator("[data-rule=refused_characters]")

    for character in REFUSED:
        visitor.writes(password=character.join(AROUND))

        expect(rule).to_have_attribute("data-state", "wrong")
        shown = "é" if character == "e\u0301" else character
        expect(rule).to_contain_text(f"sans «\u00a0{shown}\u00a0»")
        expect(rule).to_contain_text("vérifiez la touche Majuscule")
    visitor.writes(password="".join(AROUND))
    expect(rule).to_have_attribute("data-state", "done")


@pytest.mark.rule("PWD-3", "PWD-6", "UX-2")
def test_rules_and_strength_are_read_aloud_after_a_pause(visitor: Visitor) -> None:
    """A screen reader hears what is left to do and how strong the password is, without being interrupted."""
    visitor.opens("/sign-in")
    visitor.proves_address(new_address())
    announcer = visitor.page.locator("[data-announce]")
    assert announcer.get_attribute("aria-live") == "polite"

    visitor.writes(password="vingt")
    expect(announcer).to_contain_text("une lettre majuscule")
    expect(announcer).to_contain_text("Solidité")

    visitor.writes(password="Vingt2.Tramways")
    expect(announcer).to_contain_text("Toutes les règles sont respectées.")


@pytest.mark.rule("PWD-2", "PWD-3")
def test_every_refused_character_is_named_by_the_server_too(a_visitor: AVisitor) -> None:
    """Without JavaScript the server says the same, and names each of them."""
    visitor = a_visitor(java_script_enabled=False)
    visitor.opens("/sign-in")
    visitor.proves_address(new_address())

    visitor.writes(password="".join(REFUSED).join(AROUND))
    visitor.ticks("terms")
    visitor.presses("Créer mon compte")

    error = visitor.page.locator("#error-password")
    for character in set(REFUSED) - {"e\u0301"}:
        expect(error).to_contain_text(re.compile(rf"«\s{re.escape(character)}\s»"))
    expect(visitor.field("password")).to_have_value("")


@pytest.mark.rule("PWD-2", "PWD-3")
@pytest.mark.parametrize("character", REFUSED, ids=lambda character: f"U+{ord(character[-1]):04X}")
def test_refused_character_posted_around_the_page_is_refused_by_the_server(
    new_password_form: Visitor, character: str
) -> None:
    """Whatever the page let through, no password with a refused character is set."""
    visitor = new_password_form

    visitor.writes(password=character.join(AROUND))
    visitor.presses("Enregistrer ce mot de passe")

    visitor.sees_title("Choisissez un nouveau mot de passe")
    shown = "é" if character == "e\u0301" else character
    expect(visitor.page.locator("#error-password")).to_contain_text(re.compile(rf"«\s{re.escape(shown)}\s»"))


@pytest.fixture(scope="module")
def _forgotten() -> list[str]:
    """The link of one mail, for all the characters: refused passwords do not use it up."""
    return []


@pytest.fixture
def new_password_form(a_visitor: AVisitor, _forgotten: list[str]) -> Visitor:
    """Somebody at the form for a new password, without JavaScript: only the server checks."""
    visitor = a_visitor(java_script_enabled=False)
    if not _forgotten:
        email = visitor.demo.new_account()
        visitor.opens("/forgotten-password")
        visitor.writes(email=email)
        visitor.presses("Recevoir le lien")
        _forgotten.append(visitor.demo.wait_for_mail(email)["links"][0])
    visitor.goes_to(_forgotten[0])
    return visitor


@pytest.mark.rule("PWD-1", "PWD-3", "PWD-6")
def test_every_broken_rule_is_told_at_once(new_password_form: Visitor) -> None:
    """Nobody corrects one thing to be told the next."""
    new_password_form.writes(password="é")
    new_password_form.presses("Enregistrer ce mot de passe")

    errors = new_password_form.page.locator("#error-password p")
    expect(errors).to_have_count(6)


@pytest.mark.rule("PWD-4")
def test_password_can_be_shown_and_is_hidden_again_before_it_is_sent(visitor: Visitor) -> None:
    """The button says its state to screen readers; a shown password is not kept by the browser as text."""
    visitor.opens("/sign-in")
    field, button = visitor.field("password"), visitor.page.locator(".reveal")
    visitor.writes(email="zoe@example.org", password="Vingt2.Tramways")

    visitor.hands.press(button)
    expect(field).to_have_attribute("type", "text")
    expect(button).to_have_attribute("aria-pressed", "true")

    kinds = visitor.page.evaluate(
        """() => new Promise((told) => {
            const form = document.querySelector("#field-password").form;
            form.addEventListener("submit", (event) => {
                event.preventDefault();
                told(document.querySelector("#field-password").type);
            });
            form.requestSubmit();
        })"""
    )
    assert kinds == "password"
