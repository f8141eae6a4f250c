"""Coming in through FranceConnect: known, new, to be linked, refused, away (FC-1, FC-2, FC-3, FC-4, FC-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from tests.support.builders import OTHER_PASSWORD
from tests.support.demonstration import DECLARED, new_address
from tests.support.visitor import Identity

if TYPE_CHECKING:
    from tests.e2e.conftest import AVisitor
    from tests.support.visitor import Visitor


@pytest.mark.rule("ACC-2", "FC-1", "FC-2", "PWD-7", "PWD-8", "UX-2")
def test_first_account_by_franceconnect_then_a_password_by_mail(any_visitor: Visitor) -> None:
    """The generated password is nobody's: « J’ai oublié mon mot de passe » sets the first one that somebody knows."""
    visitor, identity = any_visitor, Identity()
    visitor.goes_to_parking()
    visitor.creates_account_with_franceconnect(identity)
    visitor.allows()
    visitor.is_in_parking()
    visitor.sees(identity.family_name)
    visitor.opens("/")
    visitor.sees("Vous n’avez pas choisi de mot de passe.")
    visitor.signs_out_here()
    # By parking's frame and by FranceConnect: each has a page that goes on by itself.
    visitor.sees("Votre session FranceConnect est fermée aussi.")

    visitor.opens("/sign-in")
    visitor.follows("J’ai oublié mon mot de passe")
    visitor.writes(email=identity.email)
    visitor.presses("Recevoir le lien")
    visitor.sees_title("Consultez votre messagerie")
    visitor.goes_to(visitor.demo.wait_for_link(identity.email, "/new-password"))
    visitor.writes(password=OTHER_PASSWORD)
    visitor.presses("Enregistrer ce mot de passe")
    visitor.sees_title("Votre mot de passe est changé")
    visitor.follows("Se connecter")
    visitor.signs_in(identity.email, OTHER_PASSWORD)

    visitor.is_at(visitor.demo.provider, "/")
    visitor.opens("/account/identity")
    visitor.sees("Identité certifiée par FranceConnect")
    visitor.sees(identity.family_name)


@pytest.mark.rule("FC-1", "LOG-1")
def test_known_identity_comes_in_and_goes_on_to_parking(visitor: Visitor, a_visitor: AVisitor) -> None:
    """The second visit asks nothing of us, on any browser."""
    identity = Identity()
    visitor.opens("/sign-in")
    visitor.creates_account_with_franceconnect(identity)
    visitor.is_at(visitor.demo.provider, "/")
    elsewhere = a_visitor()

    elsewhere.goes_to_parking()
    elsewhere.goes_to_franceconnect()
    elsewhere.identifies(identity)
    elsewhere.allows()

    elsewhere.is_in_parking()


@pytest.mark.rule("FC-2", "FC-4", "UX-2")
def test_existing_account_is_linked_after_a_comparison_and_its_identity_is_locked(
    any_visitor: Visitor,
) -> None:
    """What will replace what is shown before it is confirmed; afterwards nothing here changes it."""
    visitor, identity = any_visitor, Identity(given_name="Zoé", birthdate=DECLARED["birthdate"])
    visitor.signs_in_here(visitor.demo.new_account())

    visitor.opens("/account/identity")
    expect(visitor.field("family_name")).to_be_editable()
    visitor.goes_to_franceconnect()
    visitor.identifies(identity)
    visitor.sees_title("Vérifiez avant d’associer FranceConnect")
    visitor.sees("Œuvrard")
    visitor.sees(identity.family_name)
    expect(visitor.page.locator(".compare .badge-new")).not_to_have_count(0)
    visitor.presses("Associer FranceConnect")

    visitor.is_at(visitor.demo.provider, "/account/identity")
    visitor.sees("Votre identité est maintenant certifiée.")
    visitor.sees("Pourquoi ne puis-je pas modifier ces données")
    visitor.sees("Paris 7e Arrondissement (75)")
    visitor.sees("France")
    visitor.sees("Contactez la Ville si vous constatez une erreur")
    expect(visitor.field("family_name")).to_have_count(0)
    expect(visitor.field("preferred_username")).to_be_editable()


@pytest.mark.rule("FC-4")
def test_comparison_that_is_cancelled_changes_nothing(visitor: Visitor) -> None:
    """The way back is a button like the other."""
    visitor.signs_in_here(visitor.demo.new_account())
    visitor.opens("/account/identity")
    visitor.goes_to_franceconnect()
    visitor.identifies(Identity())

    visitor.presses("Annuler")

    visitor.sees("Rien n’a changé")
    expect(visitor.field("family_name")).to_have_value(DECLARED["family_name"])


@pytest.mark.rule("FC-4", "ACC-6")
def test_person_with_an_account_links_it_at_the_first_visit_by_franceconnect(visitor: Visitor) -> None:
    """Both sides are proven: FranceConnect, and the password of the account; then parking goes on."""
    email, identity = visitor.demo.new_account(), Identity()
    visitor.goes_to_parking()
    visitor.goes_to_franceconnect()
    visitor.identifies(identity)
    visitor.presses("Oui, associer mon compte existant")
    visitor.sees_title("Associer votre compte à FranceConnect")

    visitor.writes(email=email, password="Vingt2.Tramways")
    visitor.presses("Associer mon compte")
    visitor.allows()

    visitor.is_in_parking()
    visitor.sees(email)
    visitor.sees(identity.family_name)


@pytest.mark.rule("FC-3", "ACC-6")
def test_identity_that_another_account_has_is_not_linked_twice(visitor: Visitor, a_visitor: AVisitor) -> None:
    """A page explains, and nothing is merged."""
    identity = Identity()
    visitor.opens("/sign-in")
    visitor.creates_account_with_franceconnect(identity)
    visitor.is_at(visitor.demo.provider, "/")
    other = a_visitor()
    other.signs_in_here(other.demo.new_account())

    other.opens("/account/identity")
    other.goes_to_franceconnect()
    other.identifies(identity)

    other.sees_title("Cette identité a déjà un compte")
    other.follows("Revenir à mon compte")
    other.sees("Vous avez déclaré cette identité vous-même.")


@pytest.mark.rule("FC-7", "UX-2")
def test_person_who_gives_up_at_franceconnect_can_use_a_password(any_visitor: Visitor) -> None:
    """A clear page, and the request of the service is still there."""
    email = any_visitor.demo.new_account()
    any_visitor.goes_to_parking()
    any_visitor.goes_to_franceconnect()
    any_visitor.follows("Revenir sur Mon Paris")

    any_visitor.sees_title("Vous n’avez pas terminé avec FranceConnect")
    any_visitor.follows("Se connecter avec un mot de passe")
    any_visitor.signs_in(email)
    any_visitor.allows()

    any_visitor.is_in_parking()


@pytest.mark.rule("FC-7")
def test_identity_that_the_register_refuses_leads_back_to_a_clear_page(visitor: Visitor) -> None:
    """FranceConnect's own error page, then ours."""
    visitor.opens("/sign-in")
    visitor.goes_to_franceconnect()
    visitor.hands.write(visitor.page.locator("#login"), "E010008")
    visitor.presses("Se connecter")
    visitor.sees_title("Une erreur est survenue")

    visitor.follows("Revenir sur Mon Paris")

    expect(visitor.page.locator("h1")).to_contain_text("FranceConnect")
    expect(visitor.link("Se connecter avec un mot de passe")).to_be_visible()


@pytest.mark.rule("FC-7")
def test_person_who_presses_the_back_button_at_franceconnect_goes_on_with_a_password(
    visitor: Visitor,
) -> None:
    """Leaving FranceConnect by the browser's own button breaks nothing."""
    email = visitor.demo.new_account()
    visitor.goes_to_parking()
    visitor.goes_to_franceconnect()
    visitor.sees_title("Choisir une identité")

    visitor.page.go_back()
    visitor.signs_in(email)
    visitor.allows()

    visitor.is_in_parking()


@pytest.mark.rule("FC-7")
@pytest.mark.parametrize(
    "fault",
    [
        {"fault": "bad_json", "on": "token"},
        {"fault": "wrong_key", "on": "userinfo"},
        {"fault": "wrong_nonce", "on": "id_token"},
    ],
    ids=lambda fault: str(fault["fault"]),
)
def test_franceconnect_that_fails_shows_a_clear_page_and_passwords_still_work(
    visitor: Visitor, fault: dict[str, str]
) -> None:
    """Whatever comes back, or does not: a page of ours with a way on, nothing half-made."""
    email = visitor.demo.new_account()
    visitor.goes_to_parking()
    visitor.goes_to_franceconnect()
    with visitor.demo.faults() as break_it:
        break_it(**fault)
        visitor.identifies(Identity())
        visitor.is_at(visitor.demo.provider, "/franceconnect/callback")

    expect(visitor.page.locator("h1")).to_contain_text("FranceConnect")
    visitor.follows("Se connecter avec un mot de passe")
    visitor.signs_in(email)
    visitor.allows()
    visitor.is_in_parking()


@pytest.mark.rule("FC-7")
def test_franceconnect_that_is_down_leaves_the_password_way_open(visitor: Visitor) -> None:
    """Whether we know it beforehand or not: the person comes back, and goes on to parking."""
    email = visitor.demo.new_account()
    visitor.goes_to_parking()
    sign_in = visitor.page.url

    with visitor.demo.faults() as break_it:
        break_it(fault="down")
        visitor.goes_to_franceconnect()
        visitor.page.wait_for_url(lambda url: url != sign_in)
        visitor.goes_to(sign_in)
        visitor.signs_in(email)
        visitor.allows()

    visitor.is_in_parking()


# What a civil status that changes, a service that demands, and a logout look like

BEFORE, AFTER = "nom_avant_changement", "nom_après_changement"
FRAME = "/deconnexion/cadre"


def _identifies_as(visitor: Visitor, login: str) -> None:
    """Take one of the simulator's identities; its session there may still be another's."""
    switch = visitor.page.locator("form[action$='/switch'] button")
    identities = visitor.page.locator("#login")
    expect(switch.or_(identities).first).to_be_visible()
    if switch.count():
        visitor.hands.press(switch)
    visitor.sees_title("Choisir une identité")
    visitor.hands.write(identities, login)
    visitor.presses("Se connecter")
    visitor.lets_franceconnect_go_on()


def _mail_about(visitor: Visitor, email: str, subject: str) -> dict[str, Any]:
    """Wait for a mail by its subject, whatever came before."""
    for number in range(1, 10):
        mail = visitor.demo.wait_for_mail(email, number)
        if mail["subject"] == subject:
            return mail
    raise LookupError(subject)


@pytest.mark.rule("FC-2", "FC-3", "FC-6")
def test_name_that_changed_comes_in_with_the_next_login_and_its_owner_is_told(
    visitor: Visitor, a_visitor: AVisitor
) -> None:
    """Here, by mail, and in parking, whose tokens are older than the change."""
    email = new_address("alix")
    visitor.goes_to_parking()
    visitor.goes_to_franceconnect()
    _identifies_as(visitor, BEFORE)
    visitor.presses("Non, créer mon compte")
    visitor.writes(email=email)
    visitor.ticks("terms")
    visitor.presses("Recevoir mon code")
    visitor.types_code(email)
    visitor.allows()
    visitor.is_in_parking()
    visitor.sees("LEROY")

    elsewhere = a_visitor()
    elsewhere.opens("/sign-in")
    elsewhere.goes_to_franceconnect()
    _identifies_as(elsewhere, AFTER)
    elsewhere.is_at(elsewhere.demo.provider, "/")

    elsewhere.opens("/account/identity")
    elsewhere.sees("LEROY-GARNIER")
    elsewhere.sees("Alix Dominique Camille")
    expect(elsewhere.field("family_name")).to_have_count(0)
    told = _mail_about(visitor, email, "Votre identité certifiée a changé")
    assert "LEROY" not in told["text"]
    visitor.page.reload()
    visitor.sees("LEROY-GARNIER")


def _asks_to_be_confirmed(visitor: Visitor) -> str:
    """Sign in to parking by password, and press its button; gives the address of the account."""
    email = visitor.demo.new_account()
    visitor.goes_to_parking()
    visitor.signs_in(email)
    visitor.allows()
    visitor.is_in_parking()
    visitor.sees("Mon Paris ne nous a pas transmis d’identité certifiée.")
    visitor.follows("Confirmer mon identité")
    visitor.sees_title("Confirmer votre identité avec FranceConnect")
    return email


@pytest.mark.rule("FC-4", "FC-6", "LOG-4", "UX-2")
def test_service_that_demands_eidas1_gets_a_certified_identity(any_visitor: Visitor) -> None:
    """A password is not enough: the account is linked on the way, compared first, and parking says so."""
    visitor, identity = any_visitor, Identity()
    _asks_to_be_confirmed(visitor)

    visitor.goes_to_franceconnect()
    visitor.identifies(identity)
    visitor.sees_title("Vérifiez avant d’associer FranceConnect")
    visitor.presses("Associer FranceConnect")

    visitor.is_in_parking()
    visitor.sees("Votre identité est certifiée par FranceConnect")
    visitor.sees(identity.family_name)
    expect(visitor.page.locator(".tag.ok", has_text="Certifié")).to_have_count(2)


@pytest.mark.rule("FC-6", "LOG-4")
def test_person_who_refuses_to_be_confirmed_stays_in_parking(visitor: Visitor) -> None:
    """A demand can be refused: the service is told no, and goes on with what it has."""
    _asks_to_be_confirmed(visitor)

    visitor.presses("Refuser et revenir au service")

    visitor.is_in_parking()
    visitor.sees("Rien n’a changé")


@pytest.mark.rule("FC-6", "FC-7")
def test_outage_on_the_way_of_a_demand_leads_back_to_the_service(visitor: Visitor) -> None:
    """FranceConnect falls silent in the middle: the request is still there, and so is parking."""
    _asks_to_be_confirmed(visitor)
    visitor.goes_to_franceconnect()
    with visitor.demo.faults() as break_it:
        break_it(fault="down", on="token")
        visitor.identifies(Identity())
        visitor.sees_title("FranceConnect ne répond pas")
        visitor.follows("Revenir à la demande du service")
        visitor.sees_title("Confirmer votre identité avec FranceConnect")
        visitor.presses("Refuser et revenir au service")

    visitor.is_in_parking()


@pytest.mark.rule("LOG-7", "OID-6")
def test_logout_of_parking_goes_through_ours_the_frames_and_franceconnect(any_visitor: Visitor) -> None:
    """In that order, and back to parking; nobody is signed in anywhere afterwards."""
    visitor = any_visitor
    visitor.goes_to_parking()
    visitor.creates_account_with_franceconnect(Identity())
    visitor.allows()
    visitor.is_in_parking()
    seen: list[str] = []
    visitor.page.on("request", lambda request: seen.append(request.url.partition("?")[0]))

    visitor.presses("Se déconnecter")
    visitor.is_at(visitor.demo.parking, "/deconnecte")

    demo = visitor.demo
    way = [
        f"{demo.provider}/logout",
        f"{demo.parking}{FRAME}",
        f"{demo.provider}/franceconnect/logout",
        f"{demo.franceconnect}/api/v2/session/end",
        f"{demo.provider}/franceconnect/logout/callback",
        f"{demo.parking}/deconnecte",
    ]
    assert [one for one in seen if one in way] == way
    visitor.opens("/account")
    visitor.sees_title("Se connecter")
    visitor.goes_to_parking()
    visitor.goes_to_franceconnect()
    visitor.sees_title("Choisir une identité")
