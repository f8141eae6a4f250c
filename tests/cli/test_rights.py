"""`idp accounts limit|unlimit|rectify` on each kind of database (PRI-4, ACC-7, ADM-1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.storage.repositories import attributes
from tests.support.builders import mails
from tests.support.certified import a_certified_account
from tests.support.provider import a_provider
from tests.support.unlinking import events_of, history_of

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.cli.conftest import Run
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRI-4", "ADM-1")
SAID = ("--reason", "Dossier 12", "--operator", "Claire Martin")


@pytest.fixture
def provider(database: Database, clock: SettableClock) -> Provider:
    """The people who ask."""
    return a_provider(database, clock)


def values_of(provider: Provider, account: Account) -> dict[str, str]:
    """Read what is known of a person."""
    with provider.context.database.read() as connection:
        known = attributes.of_account(connection, account.account_id)
    return {name: attribute.value for name, attribute in known.items()}


@pytest.mark.parametrize("command", ["limit", "unlimit"])
def test_unknown_account_is_not_found(idp: Run, command: str) -> None:
    """Code 4."""
    assert idp("accounts", command, "nobody@example.org", *SAID).code == 4


@pytest.mark.parametrize("command", ["limit", "unlimit"])
@pytest.mark.parametrize("reason", ["", " ", "x" * 501, "a\x1b[2J"], ids=["none", "blank", "long", "escape"])
def test_limit_without_a_reason_is_wrong_usage(idp: Run, command: str, reason: str) -> None:
    """The trail says why: code 2."""
    assert idp("accounts", command, "nobody@example.org", "--reason", reason).code == 2


def test_account_is_limited_and_given_back(idp: Run, provider: Provider) -> None:
    """Each says so; the second time it is refused with words."""
    person = provider.an_account("zoe@example.org")

    assert "is limited" in idp("accounts", "limit", "zoe@example.org", *SAID).out
    assert "limited already" in idp("accounts", "limit", person.account_id, *SAID).err
    assert idp("accounts", "show", "zoe@example.org", "--json").json["limited_at"] is not None
    done = idp("accounts", "unlimit", "zoe@example.org", *SAID, "--json")
    assert done.json == {"account": "zoe@example.org", "done": "not limited"}
    assert idp("accounts", "unlimit", "zoe@example.org", *SAID).code == 1
    assert idp("accounts", "show", "zoe@example.org", "--json").json["limited_at"] is None


@pytest.mark.rule("ACC-7", "ADM-3")
def test_declared_values_are_rectified(idp: Run, provider: Provider) -> None:
    """At a guardian's request too: the person is mailed, the history and the trail say who, and no value."""
    person = provider.an_account(given_name="Zoe", family_name="Martin")

    done = idp("accounts", "rectify", person.email, "given_name=Zoé", "phone_number=01 42 76 40 40", *SAID)

    assert "Rectified: given_name, phone_number" in done.out
    assert values_of(provider, person) == {
        "given_name": "Zoé",
        "family_name": "Martin",
        "phone_number": "+33142764040",
    }
    assert {change.changed_by for change in history_of(provider, person)} == {"administrator"}
    (event,) = events_of(provider, "attributes.rectified")
    assert event.details == {
        "by": "Claire Martin",
        "reason": "Dossier 12",
        "attributes": ["given_name", "phone_number"],
    }
    assert [mail.event for mail in mails(provider.context)] == ["identity_rectified"]


@pytest.mark.rule("ACC-7")
def test_part_of_an_address_is_rectified(idp: Run, provider: Provider) -> None:
    """What is not named stays; what is blank goes."""
    person = provider.an_account()
    whole = (
        "street=4 rue Lobau",
        "complement=Esc. B",
        "postal_code=75004",
        "locality=Paris",
        "country=France",
    )
    assert idp("accounts", "rectify", person.email, *whole, *SAID).code == 0

    assert idp("accounts", "rectify", person.email, "complement=", "postal_code=75001", *SAID).code == 0

    assert values_of(provider, person)["address"] == (
        '{"street_address":"4 rue Lobau","postal_code":"75001","locality":"Paris","country":"France"}'
    )


@pytest.mark.rule("FC-2")
def test_certified_values_are_not_rectified(idp: Run, provider: Provider) -> None:
    """Nobody here knows better than the State; nothing else of the same command is written either."""
    person = a_certified_account(provider)
    before = values_of(provider, person)

    done = idp("accounts", "rectify", person.email, "phone_number=0142764040", "family_name=DURAND", *SAID)

    assert done.code == 1
    assert "family_name is certified" in done.err
    assert values_of(provider, person) == before
    assert mails(provider.context) == []


@pytest.mark.parametrize(
    "values, code, said",
    [
        (("phone_number=12",), 1, "phone_malformed"),
        (("birthdate=2999-01-01",), 1, "birthdate_future"),
        (("given_name=Zoé2",), 1, "name_malformed"),
        (("street=4 rue Lobau",), 1, "locality_missing"),
        (("email=max@example.org",), 2, "email"),
        (("given_name",), 2, "NAME=VALUE"),
        (("given_name=Zoé", "given_name=Max"), 2, "once"),
        ((), 2, "NAME=VALUE"),
    ],
    ids=[
        "phone",
        "future",
        "no name of a person",
        "half an address",
        "login",
        "no value",
        "twice",
        "nothing",
    ],
)
def test_malformed_values_change_nothing(
    idp: Run, provider: Provider, values: tuple[str, ...], code: int, said: str
) -> None:
    """Said by name; the login address is nothing to rectify, its owner changes it."""
    person = provider.an_account(given_name="Zoe", family_name="Martin")

    done = idp("accounts", "rectify", person.email, *values, *SAID)

    assert (done.code, said in done.err) == (code, True)
    assert values_of(provider, person) == {"given_name": "Zoe", "family_name": "Martin"}


def test_same_values_mail_nobody(idp: Run, provider: Provider) -> None:
    """Nothing changed, and nothing is told."""
    person = provider.an_account(given_name="Zoe", family_name="Martin")

    assert "so already" in idp("accounts", "rectify", person.email, "given_name=Zoe", *SAID).out
    assert mails(provider.context) == []
    assert idp("accounts", "rectify", "nobody@example.org", "given_name=Zoe", *SAID).code == 4
