"""The identity page: editable where declared, locked where certified, whatever is posted (PRO-3, FC-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.domain.civil_identity import CivilIdentity, Gender, apply_certified
from idp.storage.engine import open_database
from idp.storage.repositories import attributes
from tests.support.provider import a_provider, form_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

PAGE = "/account/identity"
WHOLE = {
    "given_name": "Zoé Claire",
    "family_name": "Œuvré",
    "preferred_username": "d’Aubigné",
    "gender": "female",
    "birthdate": "1990-02-03",
}


@pytest.fixture
def provider(sqlite_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The application."""
    database = open_database(sqlite_url)
    yield a_provider(database, clock)
    database.dispose()


def known(provider: Provider, account: Account) -> dict[str, str]:
    """Read what is stored."""
    with provider.context.database.read() as connection:
        return {name: one.value for name, one in attributes.read(connection, account.account_id).items()}


def save(browser: FlaskClient, **fields: str) -> TestResponse:
    """Post the form."""
    return browser.post(PAGE, data={**form_of(browser.get(PAGE)), **fields})


def certify(provider: Provider, account: Account) -> dict[str, str]:
    """Certify the account's identity, as FranceConnect does; gives what is stored."""
    civil = CivilIdentity(
        given_names=("Angela",),
        birth_name="DUBOIS",
        birthdate="1962-08-24",
        gender=Gender.FEMALE,
        birthplace="75107",
        birthcountry="99100",
    )
    now = provider.clock()
    with provider.context.database.write() as connection:
        before = attributes.read(connection, account.account_id)
        after, _ = apply_certified(before, civil, now)
        attributes.write(connection, account.account_id, before, after, changed_by="franceconnect", now=now)
    return known(provider, account)


def test_page_needs_a_session(provider: Provider) -> None:
    """Who is not signed in is sent to sign in, and back."""
    answer = provider.client().get(PAGE)

    assert answer.location.startswith("/sign-in?")


@pytest.mark.rule("PRO-3", "PRO-2")
def test_declared_identity_is_saved(provider: Provider) -> None:
    """Every letter of Unicode is a letter; both apostrophes are apostrophes."""
    account = provider.an_account()
    browser = provider.signed_in(account)

    answer = save(browser, **WHOLE)

    assert answer.location == f"{PAGE}?notice=saved"
    assert known(provider, account) == WHOLE
    assert "d’Aubigné" in browser.get(PAGE).text


@pytest.mark.rule("PRO-3")
def test_blank_field_takes_the_value_away(provider: Provider) -> None:
    """What a person gave, that person takes back."""
    account = provider.an_account(**WHOLE)
    browser = provider.signed_in(account)

    save(browser, **(WHOLE | {"preferred_username": "", "gender": ""}))

    assert set(known(provider, account)) == {"given_name", "family_name", "birthdate"}


@pytest.mark.rule("PRO-3")
@pytest.mark.parametrize(
    "field,value,words",
    [
        ("given_name", "", "au moins un prénom"),
        ("family_name", "", "nom de naissance"),
        ("family_name", "Dupont<script>", "ni une lettre"),
        ("given_name", "a" * 257, "trop long"),
        ("birthdate", "1990-02-30", "date qui existe"),
        ("birthdate", "2990-01-01", "futur"),
        ("birthdate", "1700-01-01", "année"),
        ("gender", "autre", "réponses proposées"),
    ],
)
def test_malformed_value_comes_back_with_a_sentence(
    provider: Provider, field: str, value: str, words: str
) -> None:
    """All of the form or nothing; what was typed stays in it."""
    account = provider.an_account(**WHOLE)
    browser = provider.signed_in(account)

    answer = save(browser, **(WHOLE | {"preferred_username": "Autre", field: value}))

    assert answer.status_code == 422
    assert words in answer.text
    assert known(provider, account) == WHOLE
    assert "<script>" not in answer.text


@pytest.mark.rule("FC-2")
def test_certified_identity_is_shown_without_fields(provider: Provider) -> None:
    """The page says why it is locked, and where to have it changed."""
    account = provider.an_account()
    certify(provider, account)

    text = provider.signed_in(account).get(PAGE).text

    assert 'name="family_name"' not in text
    assert 'name="preferred_username"' in text
    assert "Insee" in text
    assert "DUBOIS" in text
    assert "Contactez la Ville si vous constatez une erreur" in text


@pytest.mark.rule("FC-2")
@pytest.mark.parametrize("field", ["given_name", "family_name", "gender", "birthdate"])
@pytest.mark.parametrize("value", ["", "Autre", "male", "1990-02-03"])
def test_posted_locked_value_is_refused(provider: Provider, field: str, value: str) -> None:
    """The lock is not a disabled input: a forged form changes nothing, the usage name of the same form neither."""
    account = provider.an_account()
    certified = certify(provider, account)
    browser = provider.signed_in(account)

    answer = save(browser, **{field: value, "preferred_username": "Lovelace"})

    assert answer.status_code == 422
    assert known(provider, account) == certified


@pytest.mark.rule("FC-2")
@pytest.mark.parametrize("field", ["birthplace", "birthcountry", "email", "idp_birthdate", "level", "source"])
def test_field_that_the_form_does_not_have_is_not_looked_at(provider: Provider, field: str) -> None:
    """A posted name of another attribute writes nothing."""
    account = provider.an_account()
    certified = certify(provider, account)

    answer = save(provider.signed_in(account), **{field: "99999"})

    assert answer.status_code == 303
    assert known(provider, account) == certified


@pytest.mark.rule("FC-2")
def test_locked_value_sent_back_unchanged_is_no_change(provider: Provider) -> None:
    """A browser that fills hidden fields in does no harm."""
    account = provider.an_account()
    certified = certify(provider, account)

    answer = save(
        provider.signed_in(account), family_name=certified["family_name"], preferred_username="Lovelace"
    )

    assert answer.location == f"{PAGE}?notice=saved"
    assert known(provider, account) == certified | {"preferred_username": "Lovelace"}


@pytest.mark.rule("FC-2")
def test_usage_name_stays_editable(provider: Provider) -> None:
    """It is not the register's: the person's own."""
    account = provider.an_account()
    certify(provider, account)
    browser = provider.signed_in(account)

    save(browser, preferred_username="King, Countess")
    accepted = save(browser, preferred_username="Lovelace")

    assert accepted.location == f"{PAGE}?notice=saved"
    assert known(provider, account)["preferred_username"] == "Lovelace"


def test_form_of_another_site_is_refused(provider: Provider) -> None:
    """Without our token nothing is written."""
    account = provider.an_account()

    answer = provider.signed_in(account).post(PAGE, data=WHOLE)

    assert answer.status_code == 400
    assert known(provider, account) == {}
