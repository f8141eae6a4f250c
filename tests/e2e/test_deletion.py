"""Leaving for good: the page, the certificate, services that hear of it, and the same address as a stranger (PRO-9)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect
from sqlalchemy import select

from idp.domain.email_address import canonical
from idp.storage.models import accounts
from tests.support.demonstration import DECLARED, wait_until
from tests.support.visitor import Identity

if TYPE_CHECKING:
    from tests.support.demonstration import Demonstration
    from tests.support.visitor import Visitor

pytestmark = pytest.mark.rule("PRO-9", "LIF-4")
ASK = "Demander la suppression de mon compte Mon Paris"
SUBJECT = "Votre compte Mon Paris est supprimé"


def account_id_of(demo: Demonstration, email: str) -> str | None:
    """Find the account of an address."""
    with demo.database.read() as connection:
        statement = select(accounts.c.account_id).where(accounts.c.email_canonical == canonical(email))
        return connection.scalar(statement)


def events_since(demo: Demonstration, before: set[str]) -> dict[str, str | None]:
    """Read who was told of erased accounts since a moment, and when it was acknowledged."""
    found = json.loads(demo.idp("events", "list", "--json"))
    return {
        one["client_id"]: one["acknowledged_at"]
        for one in found
        if one["event"].endswith("/account-purged") and one["message_id"] not in before
    }


def known_events(demo: Demonstration) -> set[str]:
    """Name the events that there are."""
    return {one["message_id"] for one in json.loads(demo.idp("events", "list", "--json"))}


def leaves(visitor: Visitor) -> None:
    """Go through the page, from the first page of the account."""
    visitor.opens("/account")
    visitor.follows(ASK)
    visitor.sees_title(ASK)
    expect(visitor.field("understood")).not_to_be_checked()
    visitor.ticks("understood")
    visitor.presses("Supprimer mon compte")


@pytest.mark.rule("OID-6", "CON-6", "UX-2")
def test_address_that_was_erased_signs_up_as_a_stranger_and_both_services_have_heard(
    any_visitor: Visitor,
) -> None:
    """From two services to none: each has acknowledged its event, the mail has the certificate, all begins anew."""
    visitor, demo = any_visitor, any_visitor.demo
    email = demo.new_account(identity=DECLARED)
    before, known = account_id_of(demo, email), known_events(demo)
    visitor.goes_to_parking()
    visitor.signs_in(email)
    visitor.allows()
    visitor.is_in_parking()
    visitor.goes_to_explorateurs()
    visitor.allows()
    visitor.is_at(demo.explorateurs, "/adhesion")

    leaves(visitor)

    visitor.sees_title("Votre compte est supprimé")
    visitor.sees("Prévenus de la suppression")
    assert account_id_of(demo, email) is None
    told = wait_until(
        lambda: found if len(found := events_since(demo, known)) == 2 and all(found.values()) else None,
        "both acknowledgements",
    )
    assert len(told) == 2
    wait_until(lambda: SUBJECT in [mail["subject"] for mail in demo.mails(email)] or None, SUBJECT)

    visitor.opens("/sign-in")
    visitor.begins_sign_up(email)
    visitor.types_code(email)
    visitor.completes_account()
    visitor.is_at(demo.provider, "/")
    assert account_id_of(demo, email) not in {None, before}
    visitor.goes_to_parking()
    visitor.sees_title("Ce que ce service va recevoir")


@pytest.mark.rule("LOG-7", "ACC-6")
def test_person_of_franceconnect_leaves_there_too_and_may_come_back(visitor: Visitor) -> None:
    """The way out passes by FranceConnect's logout and ends at the certificate; the identity is free again."""
    identity = Identity()
    visitor.opens("/sign-in")
    visitor.creates_account_with_franceconnect(identity)
    visitor.is_at(visitor.demo.provider, "/")

    leaves(visitor)

    visitor.sees_title("Votre compte est supprimé")
    with visitor.page.expect_download() as downloaded:
        visitor.link("Télécharger le certificat signé").click()
    document = downloaded.value.path().read_text(encoding="ascii")
    visitor.opens("/deletion-certificate")
    visitor.writes(document=document)
    visitor.presses("Vérifier le certificat")
    visitor.sees("Ce certificat est authentique")
    assert account_id_of(visitor.demo, identity.email) is None


def test_box_left_empty_says_so_beside_it(visitor: Visitor) -> None:
    """Nothing happens by one click alone."""
    email = visitor.demo.new_account()
    visitor.signs_in_here(email)
    visitor.opens("/account/delete")

    visitor.presses("Supprimer mon compte")

    visitor.sees_error("understood", "Cochez la case pour confirmer que vous avez compris.")
    assert account_id_of(visitor.demo, email) is not None
