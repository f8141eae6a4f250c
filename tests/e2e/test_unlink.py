"""Ending the link to FranceConnect: ask, have it decided, sign in by password, edit (FC-5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.support.builders import PASSWORD
from tests.support.demonstration import DECLARED
from tests.support.visitor import Identity

if TYPE_CHECKING:
    from tests.support.demonstration import Demonstration
    from tests.support.visitor import Visitor

SENTENCE = "Contactez la Ville si vous constatez une erreur, ou si vous souhaitez supprimer la liaison FranceConnect."


def waiting_request(demo: Demonstration, email: str) -> str:
    """Find the request of an address in the manager's queue."""
    queue = json.loads(demo.idp("unlink", "list", "--json"))
    return next(str(one["request_id"]) for one in queue if one["email"] == email)


def mail_about(demo: Demonstration, email: str, subject: str) -> str:
    """Wait for a mail by its subject, whatever else came before; gives its text."""
    for number in range(1, 10):
        mail = demo.wait_for_mail(email, number)
        if mail["subject"] == subject:
            return str(mail["text"])
    raise LookupError(subject)


@pytest.mark.rule("FC-5", "PWD-7", "PWD-9", "UX-2")
def test_account_of_franceconnect_gets_a_password_then_is_unlinked_and_edited(any_visitor: Visitor) -> None:
    """From a password that nobody knows to an identity that is the person's own word, and a manager between."""
    visitor, identity = any_visitor, Identity()
    visitor.opens("/sign-in")
    visitor.creates_account_with_franceconnect(identity)
    visitor.is_at(visitor.demo.provider, "/")

    visitor.opens("/account/identity")
    visitor.follows(SENTENCE)
    visitor.sees_title("Supprimer la liaison FranceConnect")
    visitor.follows("Choisir un mot de passe")
    visitor.writes(password=PASSWORD)
    visitor.presses("Enregistrer ce mot de passe")
    visitor.sees_title("Votre mot de passe est changé")
    visitor.follows("Continuer")
    visitor.writes(message="Je préfère un mot de passe.")
    visitor.presses("Envoyer ma demande")
    visitor.sees("Votre demande est envoyée.")
    visitor.opens("/account/identity")
    visitor.sees("La Ville étudie votre demande.")
    expect(visitor.field("family_name")).to_have_count(0)

    visitor.demo.idp("unlink", "approve", waiting_request(visitor.demo, identity.email), "--yes")
    visitor.opens("/account/identity")
    visitor.signs_in(identity.email)

    visitor.is_at(visitor.demo.provider, "/account/identity")
    expect(visitor.field("family_name")).to_have_value(identity.family_name)
    visitor.writes(family_name="Dubois-Martin")
    visitor.presses("Enregistrer")
    visitor.sees("Vos modifications sont enregistrées.")
    expect(visitor.field("family_name")).to_have_value("Dubois-Martin")
    told = mail_about(visitor.demo, identity.email, "Votre compte n’est plus associé à FranceConnect")
    assert "vous pouvez la modifier" in told


@pytest.mark.rule("FC-5")
def test_refused_request_says_why_and_the_link_stays(visitor: Visitor) -> None:
    """On the page and in the mail; the next request can be withdrawn."""
    email, identity = visitor.demo.new_account(), Identity(birthdate=DECLARED["birthdate"])
    visitor.signs_in_here(email)
    visitor.opens("/account/identity")
    visitor.goes_to_franceconnect()
    visitor.identifies(identity)
    visitor.presses("Associer FranceConnect")
    visitor.sees("Votre identité est maintenant certifiée.")

    visitor.follows(SENTENCE)
    visitor.presses("Envoyer ma demande")
    visitor.sees("Votre demande est envoyée.")
    reason = "Un dossier est en cours : revenez en janvier."
    visitor.demo.idp("unlink", "refuse", waiting_request(visitor.demo, email), "--reason", reason, "--yes")
    visitor.opens("/account/identity")
    visitor.sees(reason)
    expect(visitor.field("family_name")).to_have_count(0)

    visitor.follows(SENTENCE)
    visitor.presses("Envoyer ma demande")
    visitor.presses("Retirer ma demande")
    visitor.sees("Votre demande est retirée")
    subject = "La Ville a répondu à votre demande au sujet de FranceConnect"
    assert reason in mail_about(visitor.demo, email, subject)


@pytest.mark.rule("FC-5", "ACC-6")
def test_identity_of_an_ended_link_is_linked_again(visitor: Visitor) -> None:
    """The ended link frees the identity: the same person comes back to the same account."""
    email, identity = visitor.demo.new_account(), Identity(birthdate=DECLARED["birthdate"])
    visitor.signs_in_here(email)
    # FranceConnect's own session is still there the second time.
    for comes_back in (lambda: visitor.identifies(identity), visitor.lets_franceconnect_go_on):
        visitor.opens("/account/identity")
        visitor.goes_to_franceconnect()
        comes_back()
        visitor.presses("Associer FranceConnect")
        visitor.sees("Votre identité est maintenant certifiée.")
        visitor.follows(SENTENCE)
        visitor.presses("Envoyer ma demande")
        visitor.sees("Votre demande est envoyée.")
        visitor.demo.idp("unlink", "approve", waiting_request(visitor.demo, email), "--yes")
        # Linking had made this session one of FranceConnect's.
        visitor.opens("/account/identity")
        visitor.signs_in(email)
        expect(visitor.field("family_name")).to_be_editable()
