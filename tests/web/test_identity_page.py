"""The identity page: editable where declared, locked where certified, whatever is posted (PRO-3, FC-2)."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import update

from idp.domain.civil_identity import CivilIdentity, Gender, Level, Source, apply_certified
from idp.domain.client import ClaimUse
from idp.storage.engine import open_database
from idp.storage.models import account_attributes
from idp.storage.repositories import attributes
from tests.support.pages import edition_of, words_of
from tests.support.provider import a_provider, answer_of, form_of

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


ANGELA = CivilIdentity(
    given_names=("Angela",),
    birth_name="DUBOIS",
    birthdate="1962-08-24",
    gender=Gender.FEMALE,
    birthplace="75107",
    birthcountry="99100",
)


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


def certify(
    provider: Provider, account: Account, *, partial_birthdate: str | None = None, **changes: Any
) -> dict[str, str]:
    """Certify the account's identity, as FranceConnect does; gives what is stored."""
    civil = replace(ANGELA, **changes)
    now = provider.clock()
    with provider.context.database.write() as connection:
        before = attributes.read(connection, account.account_id)
        after, _ = apply_certified(
            before, civil, now, usage_name="Dubois", partial_birthdate=partial_birthdate
        )
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

    save(browser, **(WHOLE | {"preferred_username": "", "gender": "", "family_name": " "}))

    assert set(known(provider, account)) == {"given_name", "birthdate"}


@pytest.mark.rule("PRO-3")
@pytest.mark.parametrize(
    "field,value,words",
    [
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


@pytest.mark.rule("FC-2", "FC-6")
def test_each_locked_value_says_who_certified_it_and_when(provider: Provider, clock: SettableClock) -> None:
    """Six values, six reasons; an empty one is certified too."""
    account = provider.an_account()
    certify(provider, account, birthplace="", birthcountry="99352")
    clock.advance(days=3)

    text = unescape(provider.signed_in(account).get(PAGE).text)

    assert text.count("Certifié par FranceConnect le 2 mars 2026.") == 6
    assert "Transmis par FranceConnect le 2 mars 2026." in text
    assert "Algérie" in text


@pytest.mark.rule("FC-2", "UX-1")
@pytest.mark.parametrize(
    "language,words",
    [
        (
            "fr",
            [
                "adressez-vous à la mairie",
                "demandez la correction à l’Insee",
                "Ces données sont verrouillées",
            ],
        ),
        (
            "en",
            [
                "ask the town hall",
                "ask Insee to correct them",
                "These data are locked",
                "Paris 7e Arrondissement (75)",
            ],
        ),
    ],
)
def test_page_says_how_civil_status_is_changed(provider: Provider, language: str, words: list[str]) -> None:
    """Not here: by the town hall, by Insee, then by a login through FranceConnect."""
    account = provider.an_account()
    certify(provider, account)

    text = unescape(provider.signed_in(account).get(f"{PAGE}?lang={language}").text)

    assert [one for one in words if one not in text] == []
    assert "https://www.service-public.fr/particuliers/vosdroits/F1177" in text
    assert "https://www.service-public.fr/particuliers/vosdroits/R49454" in text


@pytest.mark.rule("FC-6")
def test_declared_value_says_since_when(provider: Provider, clock: SettableClock) -> None:
    """Level and date stand beside each field; nothing is said of what is not known."""
    account = provider.an_account(given_name="Zoé", family_name="Lys")
    clock.advance(days=3)

    text = unescape(provider.signed_in(account).get(PAGE).text)

    assert text.count("Déclaré le 2 mars 2026.") == 2
    assert "Exemple\u00a0: Zoé Claire. Déclaré le" in text


@pytest.mark.rule("FC-6")
def test_page_lists_who_changed_what_without_the_values(provider: Provider, clock: SettableClock) -> None:
    """The last act comes first; a former name or gender is on no page."""
    account = provider.an_account()
    browser = provider.signed_in(account)
    save(browser, **(WHOLE | {"family_name": "Ancien-Nom"}))
    clock.advance(minutes=5)
    certify(provider, account)

    text = unescape(browser.get(PAGE).text)

    assert "Ancien-Nom" not in text
    assert text.index("2 mars 2026 à 10\u00a0h\u00a005") < text.index("2 mars 2026 à 10\u00a0h\u00a000")
    assert text.index("par FranceConnect</dd>") < text.index("par vous</dd>")
    assert "given_name_array" not in text


@pytest.mark.rule("FC-6")
def test_page_without_a_change_has_no_list(provider: Provider) -> None:
    """A heading over nothing helps nobody."""
    account = provider.an_account()

    assert "Modifications" not in provider.signed_in(account).get(PAGE).text


@pytest.mark.rule("FC-5", "PRO-3")
def test_partial_birth_date_that_became_declared_survives_the_form(provider: Provider) -> None:
    """A field of dates would come back empty, and take away what it can't show."""
    account = provider.an_account(given_name="Zoé", family_name="Lys", birthdate="1992-11-00")
    browser = provider.signed_in(account)
    text = browser.get(PAGE).text

    answer = save(browser, birthdate="1992-11-00", preferred_username="D’Arc")

    assert 'type="text" value="1992-11-00"' in text
    assert answer.status_code == 303
    assert known(provider, account)["birthdate"] == "1992-11-00"


@pytest.mark.rule("FC-2", "FC-5")
def test_list_of_given_names_goes_when_other_names_are_typed(provider: Provider) -> None:
    """Once unlinked, the person's own names count, and nothing contradicts them."""
    account = provider.an_account()
    certify(provider, account)
    with provider.context.database.write() as connection:
        connection.execute(update(account_attributes).values(source=Source.DECLARED, level=Level.DECLARED))
    assert "given_name_array" in known(provider, account)

    save(provider.signed_in(account), **WHOLE)

    assert known(provider, account)["given_name"] == WHOLE["given_name"]
    assert "given_name_array" not in known(provider, account)


@pytest.mark.rule("PRO-3")
def test_usage_name_as_the_identity_provider_wrote_it_is_no_fault(provider: Provider) -> None:
    """Sent back unchanged, it is no change, whatever a form takes otherwise."""
    account = provider.an_account()
    with provider.context.database.write() as connection:
        after, _ = apply_certified({}, ANGELA, provider.clock(), usage_name="King,  Countess\N{HYPHEN}X")
        attributes.write(
            connection, account.account_id, {}, after, changed_by="franceconnect", now=provider.clock()
        )

    answer = save(provider.signed_in(account), preferred_username="King,  Countess\N{HYPHEN}X")

    assert answer.location == f"{PAGE}?notice=saved"
    assert known(provider, account)["preferred_username"] == "King,  Countess\N{HYPHEN}X"


@pytest.mark.rule("PRO-3")
def test_identity_saved_in_another_tab_is_not_written_over_unseen(provider: Provider) -> None:
    """The page shows both, keeps what was typed, and saves it once the person has compared."""
    account = provider.an_account(**WHOLE)
    browser = provider.signed_in(account)
    old_tab = form_of(browser.get(PAGE)) | WHOLE
    save(browser, **(WHOLE | {"family_name": "Lys"}))

    answer = browser.post(PAGE, data=old_tab | {"preferred_username": "Mistral"})

    assert answer.status_code == 422
    assert "dans un autre onglet" in answer.text
    assert "<dd>Lys</dd>" in answer.text
    assert 'value="Mistral"' in answer.text
    assert known(provider, account) == WHOLE | {"family_name": "Lys"}
    again = browser.post(PAGE, data=old_tab | edition_of(answer) | {"preferred_username": "Mistral"})
    assert again.status_code == 303
    assert known(provider, account) == WHOLE | {"preferred_username": "Mistral"}


@pytest.mark.rule("PRO-3")
def test_fault_in_an_old_tab_does_not_hide_what_another_saved(provider: Provider) -> None:
    """Corrected and sent again, the form is still that of the old tab: its person is told then."""
    account = provider.an_account(**WHOLE)
    browser = provider.signed_in(account)
    old_tab = form_of(browser.get(PAGE)) | WHOLE
    save(browser, **(WHOLE | {"family_name": "Lys"}))
    faulty = browser.post(PAGE, data=old_tab | {"birthdate": "1990-02-30"})

    answer = browser.post(PAGE, data=old_tab | edition_of(faulty) | {"birthdate": "1990-02-13"})

    assert "date qui existe" in faulty.text
    assert "dans un autre onglet" in answer.text
    assert known(provider, account)["family_name"] == "Lys"


@pytest.mark.rule("PRO-3", "FC-2")
def test_usage_name_saved_in_another_tab_is_told_to_who_is_certified(provider: Provider) -> None:
    """The one field that is left has the same care; nothing that is certified becomes a field."""
    account = provider.an_account()
    certify(provider, account)
    browser = provider.signed_in(account)
    old_tab = form_of(browser.get(PAGE))
    save(browser, preferred_username="Lovelace")

    answer = browser.post(PAGE, data=old_tab | {"preferred_username": "Byron"})

    assert answer.status_code == 422
    assert "<dd>Lovelace</dd>" in answer.text
    assert 'value="Byron"' in answer.text
    assert 'name="family_name"' not in answer.text


def test_two_tabs_that_save_one_identity_are_both_told_that_it_is_saved(provider: Provider) -> None:
    """A double click is no conflict."""
    browser = provider.signed_in()
    fields = form_of(browser.get(PAGE)) | WHOLE

    assert browser.post(PAGE, data=fields).status_code == 303
    assert browser.post(PAGE, data=fields).status_code == 303


@pytest.mark.rule("CON-1", "PRO-3")
@pytest.mark.parametrize(
    "claim, typed, blank",
    [
        ("family_name", {"given_name": "Zoé"}, "family_name"),
        ("name", {"birthdate": "1990-02-03"}, "given_name"),
        ("gender", {"given_name": "Zoé"}, "gender"),
    ],
)
def test_service_says_what_it_needs_and_the_page_asks_for_it(
    provider: Provider, claim: str, typed: dict[str, str], blank: str
) -> None:
    """Who gave no identity is told which datum is missing; leaving it blank is an error by the field, and no loop."""
    service = provider.a_client(
        name="Encombrants", claims=(ClaimUse(claim, {"fr": "Pour vous."}, required=True),)
    )
    browser = provider.signed_in(provider.an_account())

    page = provider.authorize(browser, service, scope="openid profile").location
    shown = browser.get(page)
    refused = browser.post(PAGE, data={**form_of(shown), **dict.fromkeys(WHOLE, ""), **typed})
    saved = browser.post(PAGE, data={**form_of(browser.get(page)), **WHOLE})

    assert "Encombrants a besoin de ces données" in words_of(shown)
    assert refused.status_code == 422
    assert f'href="#field-{blank}"' in refused.text
    assert "code" in answer_of(saved)
