"""Values as they are: from FranceConnect's claims to the database, the page and a service, on both databases (FC-2).

What the State's register and the identity providers really send (franceconnect.md 4.3 and 7): nothing is made
plainer, shorter or more whole than it came, and a page says in words what codes and zeros mean.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from idp.domain.client import ClaimUse
from idp.services.account import signup
from idp.storage.repositories import attributes
from tests.support.builders import last_mail
from tests.support.franceconnect import IDENTITY
from tests.support.journeys import Journeys, journeys_on
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("FC-2", "FC-6", "PRO-2", "PRO-3")

PAGE = "/account/identity"
OTHER_SUBJECT = "e" * 64 + "v1"
LONG = "Œ" * 256
ASKED = (
    "given_name",
    "given_name_array",
    "family_name",
    "preferred_username",
    "gender",
    "birthdate",
    "birthplace",
    "birthcountry",
)


@dataclass(frozen=True, slots=True)
class Case:
    """What is sent, and what must be seen.

    Attributes:
        label: In words.
        sent: Claims of userinfo that differ; None leaves one out.
        read: Claims that a service reads; None for one that it does not get. Without: the same as sent.
        seen: Texts of the page.
        unseen: Texts that are not on it.
    """

    label: str
    sent: Mapping[str, Any]
    read: Mapping[str, Any] | None = None
    seen: tuple[str, ...] = ()
    unseen: tuple[str, ...] = field(default=())

    @property
    def expected(self) -> dict[str, Any]:
        """Give what a service reads of each claim that differs."""
        return dict(self.sent if self.read is None else self.read)


def named(name: str) -> Case:
    """Make the case of a name, at birth and in use."""
    sent = {
        "family_name": name,
        "given_name": name,
        "given_name_array": [name],
        "preferred_username": name,
    }
    return Case(name[:24], sent, seen=(name,))


def born(label: str, birthplace: str | None, birthcountry: str, *seen: str) -> Case:
    """Make the case of a place of birth."""
    sent = {"birthplace": birthplace, "birthcountry": birthcountry}
    return Case(label, sent, {**sent, "birthplace": birthplace or None}, seen)


CASES = (
    named(LONG),
    named("O"),
    named("É"),
    named("DURANTéàèùòœæŒÆ"),
    named("L'O'N'S A-A"),
    named("D’Arc"),
    named("L'HERBETTE--ANONYME"),
    named("Anne\N{HYPHEN}Laure"),
    named("Anne\N{NON-BREAKING HYPHEN}Laure"),
    named("J.-B."),
    named("Nguyễn"),
    named("Ÿ"),
    Case(
        "accents apart",
        {"family_name": "E\u0301TE\u0301", "given_name_array": ["Zoe\u0308"]},
        {"family_name": "ÉTÉ", "given_name": "Zoë", "given_name_array": ["Zoë"]},
        ("ÉTÉ", "Zoë"),
    ),
    Case(
        "a given name with a space",
        {
            "given_name": "Jean Philippe Pierre Louis",
            "given_name_array": ["Jean Philippe", "Pierre", "Louis"],
        },
        seen=("Jean Philippe Pierre Louis",),
    ),
    Case(
        "given names without the list",
        {"given_name": "Anne-Laure Angélique", "given_name_array": None},
        {"given_name": "Anne-Laure Angélique", "given_name_array": ["Anne-Laure", "Angélique"]},
    ),
    Case("a usage name with a comma", {"preferred_username": "King, Countess of Lovelace"}),
    Case("no usage name", {"preferred_username": None}),
    Case("an empty usage name", {"preferred_username": ""}, {"preferred_username": None}),
    Case("a gender of their own", {"gender": "unspecified"}, seen=("Non précisé",), unseen=("unspecified",)),
    Case("no gender", {"gender": None}, seen=("Non renseigné",)),
    born("an arrondissement of Paris", "75119", "99100", "Paris 19e Arrondissement (75)", "France"),
    born("Corsica", "2A004", "99100", "Ajaccio (2A)"),
    born("Polynesia", "98729", "99100", "Moorea-Maiao (987)"),
    born("a commune of the former Seine", "75012", "99100", "Boulogne-Billancourt (75)"),
    born("Corsica before it was two", "20041", "99100", "Bonifacio (20)"),
    born("a code that nobody knows", "90900", "99100", "90900 (code Insee)"),
    born("abroad, empty", "", "99352", "Non renseigné", "Algérie"),
    born("abroad, absent", None, "99139", "Non renseigné", "Portugal"),
    born("abroad, as text", "Alger", "99352", "Alger", "Algérie"),
    born("a country that is no more", "", "99123", "Russie"),
    born("a country that nobody knows", "", "99300", "99300 (code Insee)"),
    Case(
        "a day that nobody knows",
        {"birthdate": "1992-11-01", "idp_birthdate": "1992-11-00"},
        {"birthdate": "1992-11-01"},
        ("1er novembre 1992", "le jour n’est pas connu"),
    ),
    Case(
        "a day and a month that nobody knows",
        {"birthdate": "1992-01-01", "idp_birthdate": "1992-00-00"},
        {"birthdate": "1992-01-01"},
        ("1er janvier 1992", "le jour et le mois ne sont pas connus"),
    ),
    Case(
        "another date of the identity provider",
        {"birthdate": "1992-11-17", "idp_birthdate": "1992-00-00"},
        {"birthdate": "1992-11-17"},
        ("17 novembre 1992",),
        ("connu)",),
    ),
    Case(
        "zeros of FranceConnect+",
        {"birthdate": "1992-11-00"},
        seen=("novembre 1992", "le jour n’est pas connu"),
    ),
    Case(
        "only a year",
        {"birthdate": "1992-00-00"},
        seen=("1992", "le mois ne sont pas connus"),
        unseen=("janvier 1992",),
    ),
    Case("a leap day", {"birthdate": "2000-02-29"}, seen=("29 février 2000",)),
    Case("a very old person", {"birthdate": "1900-01-10"}, seen=("10 janvier 1900",)),
)


@pytest.fixture
def journeys(database: Database, clock: SettableClock) -> Journeys:
    """The use cases on a database of each kind."""
    return journeys_on(database, clock)


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """The pages and the endpoints over the same database."""
    return a_provider(database, clock)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.label)
def test_value_is_kept_shown_and_given_as_it_came(journeys: Journeys, provider: Provider, case: Case) -> None:
    """Claims, domain, database, page, claims again."""
    account = journeys.person(**case.sent)

    text = unescape(provider.signed_in(account).get(PAGE).text)
    claims = read(provider, account)

    assert {name: claims.get(name) for name in case.expected} == case.expected
    assert [words for words in case.seen if words not in text] == []
    assert [words for words in case.unseen if words in text] == []


def test_second_login_brings_no_change_to_unusual_values(journeys: Journeys) -> None:
    """What came the same is the same: no line of history, whatever the apostrophe or the accents."""
    sent = {
        "family_name": "D’E\u0301TE\u0301",
        "birthplace": "",
        "birthcountry": "99352",
        "gender": "unspecified",
    }
    account = journeys.person(**sent)

    before = history(journeys, account)
    journeys.go()

    assert history(journeys, account) == before


def test_two_people_of_one_address_stay_two(journeys: Journeys) -> None:
    """The address that the identity provider gives makes nobody somebody else: a couple may share one."""
    first = journeys.person("angela@example.fr")
    second = journeys.person("leo@example.fr", sub=OTHER_SUBJECT, family_name="AUTRE")

    assert first.account_id != second.account_id
    assert known(journeys, first)["family_name"] == IDENTITY["family_name"]
    assert known(journeys, second)["family_name"] == "AUTRE"
    assert IDENTITY["email"] not in {*known(journeys, first).values(), *known(journeys, second).values()}


def test_shared_address_identifies_one_account_only(journeys: Journeys) -> None:
    """As an identifier it is one person's: the other is answered as anybody, and nothing of either is merged."""
    first = journeys.person(IDENTITY["email"])
    before = known(journeys, first)
    journeys.answers(sub=OTHER_SUBJECT, family_name="AUTRE")
    journeys.go()

    begun = journeys.begin_signup(IDENTITY["email"])

    assert isinstance(begun, signup.Begun)
    assert last_mail(journeys.context).event == "email_existing_franceconnect"
    assert known(journeys, first) == before


def read(provider: Provider, account: Account) -> dict[str, Any]:
    """Read the claims of a person as a service does."""
    reason = {"fr": "Pour le test.", "en": "For the test."}
    service = provider.a_client(claims=tuple(ClaimUse(name, reason) for name in ASKED))
    asked = json.dumps({"userinfo": dict.fromkeys(ASKED)})
    tokens = provider.tokens(provider.signed_in(account), service, claims=asked)
    body: dict[str, Any] = provider.userinfo(tokens["access_token"]).json or {}
    return body


def known(journeys: Journeys, account: Account) -> dict[str, str]:
    """Read what is stored of a person."""
    with journeys.context.database.read() as connection:
        return {name: one.value for name, one in attributes.read(connection, account.account_id).items()}


def history(journeys: Journeys, account: Account) -> list[attributes.StoredChange]:
    """Read who changed what."""
    with journeys.context.database.read() as connection:
        return attributes.latest_changes(connection, account.account_id, 100)
