"""The page by which a person erases their account, and the certificate of it (PRO-9, LIF-4)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from idp.services.account import deletion
from idp.services.signed_documents import CERTIFICATE, verify_document
from idp.storage.engine import open_database
from idp.storage.repositories import accounts
from tests.support.builders import last_mail, some_terms
from tests.support.certified import a_certified_account
from tests.support.provider import SESSION_COOKIE, a_provider, form_of
from tests.support.unlinking import by_franceconnect, without_password

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRO-9", "LIF-4")
PAGE = "/account/delete"
DONE = "/account-deleted"
DOWNLOAD = f"{DONE}/certificate"
READ = "/deletion-certificate"
COOKIE = "__Host-mon_paris_certificate"
EVENTS = "https://parking.example.org/events"


@pytest.fixture
def provider(sqlite_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The application."""
    database = open_database(sqlite_url)
    yield a_provider(database, clock)
    database.dispose()


@pytest.fixture
def account(provider: Provider) -> Account:
    """Somebody."""
    return provider.an_account("zoe@example.org", given_name="Zoé", family_name="Lefebvre")


@pytest.fixture
def browser(provider: Provider, account: Account) -> FlaskClient:
    """Their browser, signed in just now."""
    return provider.signed_in(account)


def exists(provider: Provider, account: Account) -> bool:
    """Tell whether the account is there."""
    with provider.context.database.read() as connection:
        return accounts.by_id(connection, account.account_id) is not None


def delete(browser: FlaskClient, **fields: str) -> TestResponse:
    """Send the form, with the box ticked."""
    return browser.post(PAGE, data={**form_of(browser.get(PAGE)), "understood": "yes", **fields})


def certificate_in(browser: FlaskClient) -> str:
    """Give the certificate that a browser carries."""
    cookie = browser.get_cookie(COOKIE)
    assert cookie is not None
    return cookie.value


def test_page_needs_a_session(provider: Provider) -> None:
    """Nothing is erased for somebody who is not there."""
    browser = provider.client()

    assert browser.get(PAGE).location == "/sign-in?next=/account/delete"


def test_old_login_has_to_be_proven_again(provider: Provider, browser: FlaskClient, account: Account) -> None:
    """Who sits down at an open session erases nothing (S-47)."""
    fields = form_of(browser.get(PAGE))
    provider.clock.advance(timedelta(minutes=20))

    page = browser.get(PAGE)
    answer = browser.post(PAGE, data={**fields, "understood": "yes"})

    assert page.location == "/sign-in?next=/account/delete&confirm=1"
    assert answer.location == "/sign-in?next=/account/delete&confirm=1"
    assert exists(provider, account)


def test_account_without_a_known_password_proves_itself_by_franceconnect(
    sqlite_url: str, clock: SettableClock
) -> None:
    """Nobody knows the password that was drawn: the button of the State is the way."""
    database = open_database(sqlite_url)
    provider = a_provider(database, clock)
    person = a_certified_account(provider)
    without_password(provider, person)
    browser = by_franceconnect(provider, person)

    assert browser.get(PAGE).status_code == 200
    database.dispose()


def test_form_without_its_box_deletes_nothing(
    provider: Provider, browser: FlaskClient, account: Account
) -> None:
    """The box is never ticked by us, and nothing happens without it."""
    page = browser.get(PAGE)

    answer = delete(browser, understood="")

    assert " checked" not in page.text
    assert answer.status_code == 422
    assert "Cochez la case pour confirmer que vous avez compris." in answer.text
    assert " checked" not in answer.text
    assert exists(provider, account)


def test_form_of_another_site_deletes_nothing(
    provider: Provider, browser: FlaskClient, account: Account
) -> None:
    """A page elsewhere can't erase an account in somebody's name."""
    fields = {**form_of(browser.get(PAGE)), "understood": "yes"}

    answer = browser.post(PAGE, data=fields, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 400
    assert exists(provider, account)


def test_page_says_who_will_be_told_and_offers_a_copy(provider: Provider, account: Account) -> None:
    """Before deciding, the person reads what goes, who is told, who can't be, and how to keep a copy."""
    browser = provider.signed_in(account)
    told = provider.a_client(name="Stationnement", events_uri=EVENTS)
    deaf = provider.a_client(name="Bibliothèques")
    for service in (told, deaf):
        provider.tokens(browser, service)

    text = browser.get(PAGE).text

    assert text.index("Nous les préviendrons") < text.index("Stationnement")
    assert text.index("Ceux-ci n’ont pas indiqué d’adresse") < text.index("Bibliothèques")
    assert 'href="/account/export"' in text
    assert "La suppression est immédiate et définitive" in text


def test_deletion_ends_the_session_and_shows_the_certificate(
    provider: Provider, browser: FlaskClient, account: Account
) -> None:
    """It is done at once; the browser keeps neither session nor device, and holds the certificate."""
    answer = delete(browser)

    assert answer.location == DONE
    assert not exists(provider, account)
    assert browser.get_cookie(SESSION_COOKIE) is None
    assert browser.get_cookie("__Host-mon_paris_device") is None
    page = browser.get(DONE)
    verified = verify_document(provider.context, certificate_in(browser), typ=CERTIFICATE)
    assert verified is not None
    assert "Votre compte est supprimé" in page.text
    assert verified.payload["jti"] in page.text
    assert 'href="https://compte.example.org/receipts/keys"' in page.text
    assert browser.get("/account").location.startswith("/sign-in")


def test_certificate_holds_nothing_of_the_person(
    provider: Provider, browser: FlaskClient, account: Account
) -> None:
    """Whoever finds a certificate learns that somebody left, when, and whom the city told; not who it was."""
    service = provider.a_client(name="Stationnement", events_uri=EVENTS)
    tokens = provider.tokens(browser, service)
    subject = (provider.userinfo(tokens["access_token"]).json or {})["sub"]

    delete(browser)

    verified = verify_document(provider.context, certificate_in(browser))
    assert verified is not None
    said = json.dumps(verified.payload, ensure_ascii=False).lower()
    for secret in (account.account_id, account.email, subject, "lefebvre", "zoé"):
        assert secret.lower() not in said
    assert verified.payload["services"] == [{"name": "Stationnement", "told_by": "event"}]
    assert verified.payload["erased"]["identity"] == 2


@pytest.mark.parametrize(
    "form, media_type, ending",
    [("", "application/jose", "jws"), ("json", "application/json", "json")],
    ids=["signed", "json"],
)
def test_certificate_is_downloaded(
    provider: Provider, browser: FlaskClient, form: str, media_type: str, ending: str
) -> None:
    """The file can be kept, and verified by whoever it is shown to."""
    delete(browser)

    answer = browser.get(DOWNLOAD, query_string={"form": form} if form else {})

    assert answer.mimetype == media_type
    assert answer.headers["Content-Disposition"].endswith(f'.{ending}"')
    document = answer.json["jws"] if answer.is_json and answer.json else answer.text
    assert verify_document(provider.context, document, typ=CERTIFICATE) is not None


def test_altered_cookie_is_no_certificate(browser: FlaskClient) -> None:
    """What a browser sends is shown only if we signed it."""
    delete(browser)
    head, body, _ = certificate_in(browser).split(".")
    browser.set_cookie(COOKIE, f"{head}.{body}.AAAA")

    assert "Votre compte est supprimé" not in browser.get(DONE).text
    assert browser.get(DOWNLOAD).status_code == 404


def test_second_click_is_told_that_it_is_done(
    provider: Provider, browser: FlaskClient, account: Account
) -> None:
    """The second of two clicks meets no error page and no second deletion."""
    fields = {**form_of(browser.get(PAGE)), "understood": "yes"}
    browser.post(PAGE, data=fields)

    again = browser.post(PAGE, data=fields, follow_redirects=True)

    assert again.status_code == 200
    assert "Votre compte est supprimé" in again.text
    assert not exists(provider, account)


def test_browser_without_a_certificate_is_told_how_it_stands(provider: Provider, account: Account) -> None:
    """Who comes to the last page by another way is not told that something was deleted."""
    nobody, somebody = provider.client(), provider.signed_in(account)

    assert "Sinon, rien n’a été supprimé" in nobody.get(DONE).text
    assert "Votre compte existe toujours" in somebody.get(DONE).text


def test_mail_carries_the_certificate(provider: Provider, browser: FlaskClient, account: Account) -> None:
    """The same certificate goes to the address of the account, in its language."""
    delete(browser)

    mail = last_mail(provider.context)

    assert (mail.to, mail.event, mail.language) == (account.email, "account_deleted", "fr")
    assert mail.variables["document"] == certificate_in(browser)


def test_person_who_has_not_accepted_new_terms_can_leave(
    provider: Provider, browser: FlaskClient, account: Account
) -> None:
    """New terms hold nobody back (CGU-2)."""
    some_terms(provider.context, "2026-11-02")

    assert delete(browser).location == DONE
    assert not exists(provider, account)


def test_certificate_is_read_by_anybody(provider: Provider, browser: FlaskClient) -> None:
    """Whoever is shown a certificate checks it, however a mail program has folded it."""
    delete(browser)
    document = certificate_in(browser)
    folded = "\r\n ".join(document[start : start + 70] for start in range(0, len(document), 70))
    anybody = provider.client()

    page = anybody.post(READ, data={**form_of(anybody.get(READ)), "document": folded})

    assert page.status_code == 200
    assert "Ce certificat est authentique" in page.text


@pytest.mark.parametrize("document", ["", "bonjour", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_anything_else_is_no_certificate(provider: Provider, document: str) -> None:
    """What we did not sign is refused with a sentence, and kept nowhere."""
    anybody = provider.client()

    page = anybody.post(READ, data={**form_of(anybody.get(READ)), "document": document})

    assert page.status_code == 422
    assert "field-error" in page.text


def test_receipt_is_no_certificate(provider: Provider, browser: FlaskClient) -> None:
    """A document of another kind, or a token, does not pass for a certificate (RFC 8725 section 3.11)."""
    tokens = provider.tokens(browser, provider.a_client())
    anybody = provider.client()

    page = anybody.post(READ, data={**form_of(anybody.get(READ)), "document": tokens["id_token"]})

    assert page.status_code == 422


def test_certificate_too_long_for_a_cookie_goes_by_mail_alone(provider: Provider, account: Account) -> None:
    """Browsers drop a cookie of more than 4096 bytes: the page then says where the certificate is."""
    browser = provider.signed_in(account)
    for number in range(60):
        provider.tokens(browser, provider.a_client(name=f"Service de la Ville de Paris, numéro {number}"))

    answer = delete(browser)

    assert answer.location == DONE
    assert browser.get_cookie(COOKIE) is None
    assert "le certificat part vers votre adresse e-mail" in browser.get(DONE).text
    assert last_mail(provider.context).event == "account_deleted"


def test_administrators_deletion_mails_the_same_certificate(provider: Provider, account: Account) -> None:
    """Whoever deletes, the person gets the proof (LIF-4)."""
    done = deletion.delete(provider.context, account.account_id)

    assert done is not None
    assert last_mail(provider.context).variables["document"] == done.document
    assert done.payload["requested_by"] == "administrator"
