"""A television that signs its person in: it polls, somebody answers in a browser (RFC 8628; OID-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.support.started_devices import a_television

if TYPE_CHECKING:
    from tests.support.visitor import Visitor


@pytest.mark.rule("OID-7", "UX-2")
@pytest.mark.spec("RFC 8628", "3.3", "MUST")
def test_person_connects_a_device_with_the_code_that_it_shows(any_visitor: Visitor) -> None:
    """Typed in small letters, without a hyphen; by mouse, by keyboard, without JavaScript."""
    visitor, email = any_visitor, any_visitor.demo.new_account()
    television = a_television(visitor.demo)
    assert television.polls()["error"] == "authorization_pending"

    visitor.goes_to(television.codes["verification_uri"])
    visitor.sees_title("Connecter un appareil")
    visitor.writes(user_code=television.codes["user_code"].replace("-", "").lower())
    visitor.presses("Continuer")
    expect(visitor.page.locator(".service-band")).to_contain_text("Télévision de quartier")
    visitor.signs_in(email)
    visitor.sees("recevra vos données sur l’appareil")
    visitor.allows()
    visitor.sees_title("Vous pouvez retourner à votre appareil")

    tokens = television.polls()
    assert television.reads(tokens["access_token"])["email"] == email
    assert television.polls()["error"] == "invalid_grant"


@pytest.mark.rule("OID-7", "UX-2")
@pytest.mark.spec("RFC 8628", "3.3.1", "SHOULD")
def test_person_compares_the_code_that_a_telephone_read_and_refuses(any_visitor: Visitor) -> None:
    """The picture brings the code; the person says that it is the same, and then no."""
    visitor = any_visitor
    television = a_television(visitor.demo)
    visitor.signs_in_here(visitor.demo.new_account())

    visitor.goes_to(television.codes["verification_uri_complete"])
    expect(visitor.page.locator(".user-code > [aria-hidden]")).to_have_text(television.codes["user_code"])
    expect(visitor.page.locator("input[name=user_code]:not([type=hidden])")).to_have_count(0)
    visitor.presses("Oui, c’est le même code")
    visitor.sees_title("Ce que ce service va recevoir")
    visitor.presses("Refuser")
    visitor.sees_title("Vous avez refusé")

    assert visitor.path == urlsplit("/device/answer").path
    assert television.polls()["error"] == "access_denied"


@pytest.mark.rule("OID-7", "UX-2")
def test_wrong_code_is_explained_at_its_field(any_visitor: Visitor) -> None:
    """As any mistake in a form is."""
    any_visitor.opens("/device")
    any_visitor.writes(user_code="BCDF-GHJK")
    any_visitor.presses("Continuer")

    any_visitor.sees_error(
        "user_code",
        "Aucun appareil n’attend avec ce code. Vérifiez-le, ou demandez un nouveau code à l’appareil.",
    )
