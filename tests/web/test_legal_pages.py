"""Legal notice, personal data, cookies and accessibility statement: complete, and true (S-422 to S-428, S-439)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from idp.config import ConfigurationError, parse
from idp.crypto.opaque import SecretKind, new_secret
from idp.web import cookies
from tests.support.builders import PASSWORD, last_mail, some_terms
from tests.support.pages import send, words_of
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

AUDIT: dict[str, Any] = {
    "accessibility_state": "partiellement conforme",
    "accessibility_audited_on": "2026-03-02",
    "accessibility_auditor": "Atelier Clair",
    "accessibility_rate": 72,
    "accessibility_failures": ["Le contraste des liens du plan <b>."],
    "accessibility_exemptions": ["Les cartes anciennes."],
    "accessibility_plan_uri": "https://city.example/schema",
}
DETAILS = {"password": PASSWORD, "given_name": "Zoé", "family_name": "Lefebvre", "terms": "yes"}
COOKIE_ROW = re.compile(r"<code>([^<]+)</code>.*?Durée : ([^<]+)<", re.DOTALL)
MAX_AGE = re.compile(r"Max-Age=(\d+)")
#: By their seconds; those that are taken back live no more.
LIVES = {"": "jusqu’à la fermeture du navigateur", "1800": "une demi-heure", "31536000": "un an", "0": ""}
#: Of the model that the RGAA gives.
HEADINGS = (
    "État de conformité",
    "Résultats des tests",
    "Contenus non accessibles",
    "Non-conformités",
    "Dérogations pour charge disproportionnée",
    "Contenus non soumis à l’obligation d’accessibilité",
    "Établissement de cette déclaration d’accessibilité",
    "Technologies utilisées pour la réalisation de Mon Paris",
    "Environnement de test",
    "Outils pour évaluer l’accessibilité",
    "Pages du site ayant fait l’objet de la vérification de conformité",
    "Retour d’information et contact",
    "Voies de recours",
)


def shown(database: Database, clock: SettableClock, path: str, **city: Any) -> str:
    """Give the words of a page of a city."""
    return words_of(a_provider(database, clock, city=city).app.test_client().get(path))


@pytest.mark.rule("UX-2")
@pytest.mark.parametrize(
    "city, key",
    [
        ({"accessibility_state": "totalement conforme"}, "accessibility_audited_on"),
        (AUDIT | {"accessibility_audited_on": "2 mars 2026"}, "accessibility_audited_on"),
        (AUDIT | {"accessibility_rate": 40}, "accessibility_rate"),
        (AUDIT | {"accessibility_state": "totalement conforme"}, "accessibility_rate"),
    ],
    ids=["state without an audit", "no day", "less than half", "not all of it"],
)
def test_statement_that_its_audit_does_not_bear_out_is_refused(city: dict[str, Any], key: str) -> None:
    """A city can't state more than what was found (S-422, S-424)."""
    with pytest.raises(ConfigurationError, match=rf"city\.{key}"):
        parse({"city": city}, "config.toml")


@pytest.mark.rule("UX-2")
def test_statement_has_the_headings_of_the_model_in_their_order(lasting_provider: Provider) -> None:
    """Whoever compares declarations finds everything where they look for it (S-424)."""
    page = lasting_provider.client().get("/accessibilite").text

    assert tuple(re.findall(r"<h[23]>([^<]+)</h[23]>", page)) == HEADINGS
    for way in ("formulaire.defenseurdesdroits.fr", "Libre réponse 71120", "75342 Paris CEDEX 07"):
        assert way in page


@pytest.mark.rule("UX-2")
def test_statement_without_an_audit_is_non_conforme_on_every_page(lasting_provider: Provider) -> None:
    """The home page says it in the exact words, and leads to the reasons (S-422, S-423)."""
    visitor = lasting_provider.client()

    assert "Accessibilité : non conforme" in words_of(visitor.get("/"))
    assert "Mon Paris est <strong>non conforme</strong>" in words_of(visitor.get("/accessibilite"))


@pytest.mark.rule("UX-2")
def test_statement_says_what_the_audit_found(database: Database, clock: SettableClock) -> None:
    """Who looked, when, how much is right, what is not, and what the city does (S-424)."""
    page = shown(database, clock, "/accessibilite", **AUDIT)

    for words in (
        "Accessibilité : partiellement conforme",
        "réalisé par Atelier Clair le 2 mars 2026 révèle que 72 % des critères",
        "Le contraste des liens du plan &lt;b&gt;.",
        "Les cartes anciennes.",
        'href="https://city.example/schema"',
        "établie le 2 mars 2026",
    ):
        assert words in page


@pytest.mark.rule("UX-2")
def test_audit_of_more_than_three_years_counts_no_more(database: Database, clock: SettableClock) -> None:
    """The pages go back to "non conforme" by themselves, and say why (S-425)."""
    page = shown(database, clock, "/accessibilite", **AUDIT | {"accessibility_audited_on": "2021-03-02"})

    assert "Accessibilité : non conforme" in page
    assert "Cet audit a plus de trois ans" in page


def test_legal_notice_names_publisher_director_and_host(database: Database, clock: SettableClock) -> None:
    """Whoever is published about knows whom to turn to (S-428)."""
    page = shown(
        database,
        clock,
        "/legal-notice",
        name="Ville d’Exemple",
        address="1 place de la Mairie, 99000 Exemple",
        phone="0199000000",
        publication_director="Zoé Lefebvre, maire",
        hosting="Hébergeur <b>, 2 rue du Port, 99000 Exemple, 01 99 00 00 01",
    )

    for words in (
        "Ville d’Exemple édite",
        "1 place de la Mairie",
        "0199000000",
        "Zoé Lefebvre, maire",
        "Hébergeur &lt;b&gt;, 2 rue du Port",
    ):
        assert words in page


def test_legal_notice_of_a_city_that_said_nothing_invents_nothing(lasting_provider: Provider) -> None:
    """The director is whom the law names; a host that nobody named is not there."""
    page = words_of(lasting_provider.client().get("/legal-notice"))

    assert "Le représentant légal de la Ville de Paris." in page
    assert "L’hébergeur n’est pas encore indiqué ici." in page


@pytest.mark.rule("PRI-3")
def test_privacy_page_says_what_the_rgpd_asks_for(database: Database, clock: SettableClock) -> None:
    """Article 13: controller, officer, purposes with their bases, recipients, periods, rights, authority (S-439)."""
    page = shown(
        database,
        clock,
        "/privacy",
        name="Ville d’Exemple",
        address="1 place de la Mairie",
        support_email="dpo@city.example",
    )

    for words in (
        "La Ville d’Exemple, 1 place de la Mairie, tient votre compte",
        'href="mailto:dpo@city.example"',
        "mission de service public",
        "obligation légale",
        "votre accord",
        "Tout le reste est facultatif ici.",
        "De FranceConnect",
        "Qui les reçoit",
        "hors de l’Union européenne",
        "n’est prise par une machine seule",
        "retirer un accord",
        "3 place de Fontenoy",
        'href="/cookies"',
    ):
        assert words in page


@pytest.mark.rule("LIF-1", "PRI-3")
@pytest.mark.parametrize(
    "sections, words",
    [
        ({}, ("37 mois", "le journal, 13 mois", "le journal, 12 mois", "3 mois après", "20 heures")),
        (
            {
                "life_cycle": {"inactivity_months": 24},
                "retention": {"audit_days": 183, "disclosure_days": 100},
                "sessions": {"idle_seconds": 36_000},
            },
            ("24 mois", "le journal, 100 jours", "le journal, 6 mois", "10 heures"),
        ),
    ],
    ids=["by default", "of an operator"],
)
def test_privacy_page_tells_the_periods_that_are_in_force(
    database: Database, clock: SettableClock, sections: dict[str, Any], words: tuple[str, ...]
) -> None:
    """What is purged is what was told, whatever the operator chose."""
    page = words_of(a_provider(database, clock, **sections).app.test_client().get("/privacy"))

    for period in words:
        assert period in page


def test_privacy_page_without_an_officer_leads_to_the_form(lasting_provider: Provider) -> None:
    """Nobody is left without a way to write."""
    page = lasting_provider.client().get("/privacy").text

    assert "mailto:" not in page
    assert "https://www.paris.fr/contact" in page


@pytest.mark.rule("UX-4")
def test_cookie_page_names_each_cookie_that_is_set_and_no_other(provider: Provider) -> None:
    """Somebody goes everywhere that leaves a cookie behind: each is in the list, and lives as it says (S-451)."""
    listed = dict(COOKIE_ROW.findall(words_of(provider.client().get("/cookies"))))
    left = cookies_left_by(provider)

    somebody = provider.client()
    some_terms(provider.context)
    somebody.get("/?lang=en")
    send(somebody, "/sign-up", {"email": "zoe@example.fr"})
    send(somebody, "/sign-up/code", {"code": last_mail(provider.context).variables["code"]})
    send(somebody, "/sign-up/details", DETAILS)
    somebody.get(f"/new-password?token={new_secret(SecretKind.LINK)}")
    send(somebody, "/account/delete", {"understood": "yes"})

    assert left == listed
    assert left.keys() == {f"__Host-mon_paris_{cookie}" for cookie in cookies.EVERY}


def cookies_left_by(provider: Provider) -> dict[str, str]:
    """Write down, from now on, each cookie that an answer sets, and how long the browser keeps it, in words."""
    left: dict[str, str] = {}
    application = provider.app.wsgi_app

    def listening(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            for cookie in (value for name, value in headers if name == "Set-Cookie"):
                life = LIVES[MAX_AGE.findall(cookie)[0] if "Max-Age" in cookie else ""]
                if life:
                    left[cookie.partition("=")[0]] = life
            return start_response(status, headers, *more)

        return application(environ, start)

    provider.app.wsgi_app = listening
    return left
