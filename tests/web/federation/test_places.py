"""Places of birth by their names, wherever people compare, choose or consent (FC-2, FC-4, CON-2)."""

from __future__ import annotations

import json
from html import unescape
from typing import TYPE_CHECKING

import pytest

from idp.domain.client import ClaimUse
from tests.support.builders import an_account

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.franceconnect_pages import Pages

LINK = "/franceconnect/login?intent=link"
REASON = {"fr": "Pour la carte.", "en": "For the card."}


@pytest.mark.rule("FC-2", "FC-4")
@pytest.mark.parametrize(
    "login, words",
    [
        ("test", ["Paris 7e Arrondissement (75)", "France"]),
        ("test_CORSE_2A", ["Ajaccio (2A)", "France"]),
        ("insee_ancien", ["Boulogne-Billancourt (75)"]),
        ("naissance_wallis_futuna", ["Alo (986)", "France"]),
        ("naissance_Algérie", ["Algérie"]),
        ("plusieurs_prénoms_2", ["69674 (code Insee)"]),
        ("étranger_présumé_né_jour_et_mois", ["Japon"]),
    ],
)
def test_comparison_names_places(pages: Pages, login: str, words: list[str]) -> None:
    """What will replace what is said in words; a code that no table has is shown."""
    browser = a_browser(pages)

    text = unescape(browser.get(pages.go(browser, LINK, login).location).text)

    assert [one for one in words if one not in text] == []


@pytest.mark.rule("UX-1")
def test_comparison_names_countries_in_english(pages: Pages) -> None:
    """Communes have one name, countries one in each language."""
    browser = a_browser(pages)

    text = unescape(browser.get(pages.go(browser, LINK, "naissance_Algérie").location + "?lang=en").text)

    assert "Algeria" in text
    assert "Algérie" not in text


@pytest.mark.rule("ACC-2", "FC-2")
def test_first_page_names_places_and_tells_a_presumed_birth(pages: Pages) -> None:
    """Before anything is chosen, the person sees who FranceConnect says they are."""
    browser = pages.browser()

    text = unescape(browser.get(pages.go(browser, login="étranger_présumé_né_jour").location).text)

    assert "Japon" in text
    assert "1er novembre 1992" in text
    assert "le jour n’est pas connu" in text


@pytest.mark.rule("CON-2", "FC-2")
def test_consent_names_places_and_lists_given_names(pages: Pages) -> None:
    """Values on the screen of consent are in words; what is given to the service stays a code."""
    names = ("given_name_array", "birthplace", "birthcountry")
    service = pages.provider.a_client(
        consent_required=True, claims=tuple(ClaimUse(name, REASON, required=True) for name in names)
    )
    browser = pages.browser()
    pages.sign_up(browser, login="prénom_composé_avec_espace")
    asked = json.dumps({"userinfo": dict.fromkeys(names)})

    screen = pages.provider.authorize(browser, service, claims=asked).location
    text = unescape(browser.get(screen).text)

    assert "Paris 7e Arrondissement (75)" in text
    assert "France" in text
    assert "Jean Philippe, Pierre, Louis" in text
    assert "Prénoms, un par un" in text


def a_browser(pages: Pages) -> FlaskClient:
    """Open a browser in which somebody is signed in by password."""
    return pages.provider.signed_in(an_account(pages.provider.context), browser=pages.browser())
