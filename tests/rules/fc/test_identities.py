"""Every published test identity of FranceConnect, and the edge cases of our own, through the simulator and our pages.

What each one must leave behind here is written from franceconnect.md 7 and 7.1: whoever goes through has an account
whose certified values are exactly those; whoever is stopped comes back to a page that helps, and nothing is kept.
"""

from __future__ import annotations

import csv
import json
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pytest
from sqlalchemy import func, select

import idp.demo.franceconnect.identities as simulated
from idp.domain.civil_identity import Level
from idp.storage.engine import open_database
from idp.storage.models import accounts, franceconnect_links, sessions
from idp.storage.repositories import attributes
from tests.support.clock import SettableClock
from tests.support.franceconnect_pages import pages_on

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.databases import Databases
    from tests.support.franceconnect_pages import Pages

pytestmark = pytest.mark.rule("FC-1", "FC-2", "FC-7", "FC-8")

PIVOT = ("given_name", "family_name", "gender", "birthdate", "birthplace", "birthcountry")
FRANCE = "99100"
ABORTED = "Vous n’avez pas terminé avec FranceConnect"
AWAY = "FranceConnect ne répond pas"

#: What FranceConnect sends where it differs from what the identity provider holds (7.1).
RECEIVED: dict[str, dict[str, Any]] = {
    "étranger_présumé_né_jour": {"birthdate": "1992-11-01"},
    "étranger_présumé_né_jour_et_mois": {"birthdate": "1992-01-01"},
    "MaprocREU1": {"birthdate": "1934-02-01"},
    "naissance_etranger_birthplace_cog": {"birthplace": "90900", "birthcountry": FRANCE},
    "prénom_composé_avec_espace": {
        "given_name": "Jean Philippe Pierre Louis",
        "given_name_array": ["Jean Philippe", "Pierre", "Louis"],
        "family_name": "DUBOIS",
    },
}

#: The page at FranceConnect, its code, the error at our callback, our answer and its title (7.1, 2.1, 2.2).
STOPPED: dict[str, tuple[int, str, str, int, str]] = {
    **dict.fromkeys(
        (
            "mois_00",
            "sans_mail",
            "sans_genre",
            "sans_birthplace",
            "test_INVALID_COG",
            "sans_mail_sans_tel",
            "sans_prenom",
            "sans_nom_naissance",
            "test_CORSE_INVALID",
        ),
        (400, "Y600006", "server_error", 503, AWAY),
    ),
    **{
        f"E0100{number}": (403, f"Y0100{number}", "access_denied", 200, ABORTED)
        for number in ("04", "06", "07", "08", "09", "15")
    },
    **{
        f"E0100{number}": (504, f"Y0100{number}", "temporarily_unavailable", 503, AWAY)
        for number in ("11", "12")
    },
    **dict.fromkeys(("E010013", "E010099"), (400, "Y010013", "server_error", 503, AWAY)),
    **dict.fromkeys(("Désactivé", "E000001", "Y180001"), (403, "Y180001", "access_denied", 200, ABORTED)),
}

#: Edge cases of our own, by what must be kept; the published sets don't cover them (7.1, the last paragraph).
EDGES: dict[str, dict[str, Any]] = {
    "nom_une_lettre": {"family_name": "O", "given_name": "Li"},
    "nom_une_lettre_accentuée": {"family_name": "É"},
    "nom_256_caractères": {"family_name": "ABCDEFGHIJKLMNOPQRSTUVWXYZ-ÉÈÇŒÆ" * 8},
    "apostrophe_typographique": {"family_name": "D\N{RIGHT SINGLE QUOTATION MARK}ALEMBERT"},
    "apostrophe_droite": {"family_name": "D'ALEMBERT"},
    "tirets_variés": {"family_name": "LE GOFF--SAINT\N{NON-BREAKING HYPHEN}CYR"},
    "prénom_avec_point": {"given_name": "Jean J. Paul"},
    "né_29_février": {"birthdate": "2000-02-29"},
    "plus_de_100_ans": {"birthdate": "1919-01-02"},
    "birthplace_absent": {"birthplace": "", "birthcountry": "99134"},
    "nom_usage_vide": {"preferred_username": ""},
    "nom_usage_virgule": {"preferred_username": "Roi, de Lys"},
    "mail_casse_mixte": {},
    "mail_non_ascii": {},
    "même_mail_1": {"family_name": "COUPLE"},
    "même_mail_2": {"family_name": "COUPLE", "given_name": "Sacha"},
    "genre_absent_eidas": {"gender": "", "birthplace": "Lisboa", "birthcountry": "99139"},
    "sub_avant_changement": {"family_name": "CHANGE"},
    "nom_avant_changement": {"family_name": "LEROY", "given_name": "Alix Camille"},
}
#: The same people later: their own tests are below.
LATER = {
    "sub_après_changement",
    "nom_après_changement",
    "naissance_après_changement",
    "mail_après_changement",
}


def published() -> dict[str, dict[str, str]]:
    """Read the published sets, as identity providers hold them."""
    file = Path(simulated.__file__).with_name("identities.csv")
    with file.open(encoding="utf-8", newline="") as lines:
        return {row["login"]: row for row in csv.DictReader(lines)}


PUBLISHED = published()


def expected(login: str) -> dict[str, Any]:
    """Say what must be kept of an identity: what was published, as FranceConnect makes it."""
    if login in EDGES:
        return EDGES[login]
    row = PUBLISHED[login]
    values: dict[str, Any] = {name: row[name] for name in (*PIVOT, "preferred_username")}
    if row["birthcountry"] != FRANCE:
        # Empty for whoever was born abroad, whatever the identity provider holds (4.3).
        values["birthplace"] = ""
    values["given_name_array"] = row["given_name"].split()
    return values | RECEIVED.get(login, {})


@pytest.fixture(scope="module")
def town(databases: Databases) -> Iterator[Pages]:
    """Both sides, once for everybody: they all live in one town."""
    with databases.new("sqlite") as url:
        database = open_database(url)
        with pages_on(database, SettableClock()) as both:
            yield both
        database.dispose()


@pytest.fixture
def pages(town: Pages) -> Pages:
    """The town an hour later: brakes on many sign-ups from one address are another test's."""
    town.provider.clock.advance(hours=1, minutes=1)
    return town


def rows(pages: Pages) -> tuple[int, ...]:
    """Count what could have been kept."""
    with pages.provider.context.database.read() as connection:
        return tuple(
            connection.scalar(select(func.count()).select_from(table)) or 0
            for table in (accounts, franceconnect_links, sessions)
        )


def account_of(pages: Pages, email: str) -> str:
    """Find an account by its address."""
    with pages.provider.context.database.read() as connection:
        return str(connection.scalar(select(accounts.c.account_id).where(accounts.c.email == email)))


def kept(pages: Pages, email: str) -> dict[str, Any]:
    """Read what is kept of somebody: value and level of each attribute."""
    with pages.provider.context.database.read() as connection:
        found = attributes.read(connection, account_of(pages, email))
    return {name: (attribute.value, attribute.level) for name, attribute in found.items()}


def lives_at(login: str) -> str:
    """Give somebody an address of their own."""
    return f"p{sum(ord(letter) * (at + 1) for at, letter in enumerate(login))}@example.fr"


def test_every_identity_is_in_a_table() -> None:
    """Nobody of the published sets, nor of the local ones, is forgotten."""
    tables = set(EDGES) | LATER | set(STOPPED) | (set(PUBLISHED) - set(STOPPED))

    assert tables == set(simulated.all_identities())
    assert len(PUBLISHED) == 78
    assert len({lives_at(login) for login in tables}) == len(tables)


@pytest.mark.parametrize("login", [*(login for login in PUBLISHED if login not in STOPPED), *EDGES])
def test_identity_signs_up_and_is_kept_as_franceconnect_sends_it(pages: Pages, login: str) -> None:
    """From the button to an account: every certified value is the expected one, at the level of the State."""
    browser = pages.browser()
    values = expected(login)

    opened = pages.sign_up(browser, lives_at(login), login)

    assert opened.status_code == 303, opened.text
    known = kept(pages, lives_at(login))
    for name in set(PIVOT) & values.keys():
        assert known.get(name, ("",))[0] == values[name], name
        if values[name]:
            assert known[name][1] == Level.FRANCECONNECT, name
    if "given_name_array" in values:
        assert json.loads(known["given_name_array"][0]) == values["given_name_array"]
    if "preferred_username" in values:
        assert known.get("preferred_username", ("",))[0] == values["preferred_username"]
    page = browser.get("/account/identity")
    assert page.status_code == 200
    assert escape(known["family_name"][0]).replace("&#x27;", "&#39;") in page.text


@pytest.mark.parametrize(
    "login", ["test", "étranger_présumé_né_jour_et_mois", "même_mail_2", "nom_usage_vide"]
)
def test_identity_comes_back_and_nothing_changes(pages: Pages, login: str) -> None:
    """The second visit opens the same account without a question; the same values change nothing."""
    email = f"again-{lives_at(login)}"
    if not has_account(pages, login):
        pages.sign_up(pages.browser(), email, login)
    before = rows(pages)[:2]

    back = pages.go(pages.browser(), "/franceconnect/login?next=/account/identity", login)

    assert back.location == "/account/identity"
    assert rows(pages)[:2] == before


def has_account(pages: Pages, login: str) -> bool:
    """Tell whether an identity is known, by where it lands."""
    return urlsplit(pages.go(pages.browser(), login=login).location).path != "/franceconnect/first-time"


@pytest.mark.parametrize("login", list(STOPPED))
def test_identity_that_is_stopped_comes_back_to_a_page_and_leaves_nothing(pages: Pages, login: str) -> None:
    """FranceConnect says its code on a page of its own; ours offers both ways, and keeps nothing (2.1, 7.1)."""
    status, code, error, ours, words = STOPPED[login]
    browser = pages.browser()
    before = rows(pages)
    left = browser.get("/franceconnect/login")

    there, page, back = pages.simulator.person_is_stopped(left.location, login)
    answer = browser.get("/franceconnect/callback?" + urlencode(back))

    assert (there, code in page) == (status, True)
    assert back["error"] == error
    assert "code" not in back
    assert answer.status_code == ours
    assert words in answer.text
    assert 'href="/sign-in"' in answer.text
    assert 'href="/franceconnect/login"' in answer.text
    assert code not in answer.text
    assert rows(pages) == before
    assert is_nobody(browser)


def is_nobody(browser: FlaskClient) -> bool:
    """Tell whether a browser has no session."""
    return urlsplit(browser.get("/account/identity").location).path == "/sign-in"


@pytest.fixture
def person(pages: Pages) -> str:
    """Somebody known, before anything changes; gives the address."""
    email = "alix@example.fr"
    if not has_account(pages, "nom_avant_changement"):
        pages.sign_up(pages.browser(), email, "nom_avant_changement")
        return email
    return email if account_of(pages, email) != "None" else lives_at("nom_avant_changement")


@pytest.mark.rule("FC-3")
def test_changed_name_under_the_same_subject_is_taken_over(pages: Pages, person: str) -> None:
    """The register has another name: so have we, from that login on, and back again."""
    changed = pages.go(pages.browser(), "/franceconnect/login?next=/account/identity", "nom_après_changement")
    after = kept(pages, person)
    pages.go(pages.browser(), login="nom_avant_changement")

    assert changed.location == "/account/identity"
    assert after["family_name"] == ("LEROY-GARNIER", Level.FRANCECONNECT)
    assert json.loads(after["given_name_array"][0]) == ["Alix", "Dominique", "Camille"]
    assert kept(pages, person)["family_name"] == ("LEROY", Level.FRANCECONNECT)


@pytest.mark.rule("FC-3")
def test_changed_birth_under_the_same_subject_is_blocked(pages: Pages, person: str) -> None:
    """It can't happen to one person: nothing is changed, nobody comes in, and the page says what to do."""
    before, accounts_and_links = kept(pages, person), rows(pages)[:2]
    browser = pages.browser()

    came = pages.go(browser, login="naissance_après_changement")
    answer = browser.get(pages.through_logout(browser, came))

    assert answer.status_code == 409
    assert "données de naissance" in answer.text
    assert kept(pages, person) == before
    assert rows(pages)[:2] == accounts_and_links
    assert is_nobody(browser)


@pytest.mark.rule("FC-3", "ACC-5")
def test_changed_address_under_the_same_subject_changes_no_login(pages: Pages, person: str) -> None:
    """The address of FranceConnect is nobody's login; the usage name is filled in, uncertified."""
    opened = pages.go(pages.browser(), "/franceconnect/login?next=/account/identity", "mail_après_changement")

    assert opened.location == "/account/identity"
    assert account_of(pages, "alix.leroy@example.org") == "None"
    value, level = kept(pages, person)["preferred_username"]
    assert value == "GARNIER"
    assert level < Level.FRANCECONNECT


@pytest.mark.rule("FC-3", "FC-4")
def test_other_subject_of_the_same_person_is_not_merged(pages: Pages) -> None:
    """A subject that changed: the page explains how to link again; no second account, no guess (4.1)."""
    if not has_account(pages, "sub_avant_changement"):
        pages.sign_up(pages.browser(), "change@example.fr", "sub_avant_changement")
    before = rows(pages)[:2]
    browser = pages.browser()

    came = pages.go(browser, login="sub_après_changement")
    answer = browser.get(pages.through_logout(browser, came))

    assert answer.status_code == 409
    assert "Connectez-vous avec l’adresse e-mail et le mot de passe de ce compte" in answer.text
    assert rows(pages)[:2] == before
    assert is_nobody(browser)


def test_custom_identity_is_kept(pages: Pages) -> None:
    """Typed by hand: born abroad in 1815, with a comma in the usage name (7.1)."""
    browser = pages.browser()
    left = browser.get("/franceconnect/login")
    back = pages.simulator.person_types(left.location, **simulated.CUSTOM_DEFAULTS)
    first = browser.get("/franceconnect/callback?" + urlencode(back))

    opened = pages.finish_sign_up(browser, first, "ada@example.fr")

    known = kept(pages, "ada@example.fr")
    assert opened.status_code == 303
    assert known["preferred_username"][0] == "King, Countess of Lovelace"
    assert known["birthdate"] == ("1815-12-10", Level.FRANCECONNECT)
    assert known["birthcountry"] == ("99132", Level.FRANCECONNECT)
    assert known.get("birthplace", ("",))[0] == ""
