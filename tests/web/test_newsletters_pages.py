"""Newsletters et alertes: the page, the link of the mail, the link of each letter (PRO-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from idp.services import receipts
from idp.services.account import newsletters
from tests.services.test_newsletters import NEWS, acts, asked, read, subscribed
from tests.support.builders import last_mail
from tests.support.pages import mailed_path, words_of
from tests.support.provider import form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from idp.domain.client import Client
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRO-7")

PAGE = "/newsletters"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def person(provider: Provider) -> Account:
    """Somebody."""
    return provider.an_account()


@pytest.fixture
def browser(provider: Provider, person: Account) -> FlaskClient:
    """Where they are signed in."""
    return provider.signed_in(person)


@pytest.fixture
def owner(provider: Provider) -> Client:
    """A service with a list."""
    return provider.a_client(newsletters=(NEWS,)).client


def post(browser: FlaskClient, action: str, client: Client, name: str = "news") -> TestResponse:
    """Press a button of the page."""
    token = form_of(browser.get(PAGE))["csrf_token"]
    fields = {"csrf_token": token, "client_id": client.client_id, "name": name}
    return browser.post(f"{PAGE}/{action}", data=fields)


def test_page_asks_who_is_there(provider: Provider) -> None:
    """Subscriptions are their person's own."""
    answer = provider.app.test_client().get(PAGE)

    assert (answer.status_code, "/sign-in" in answer.location) == (303, True)


def test_page_without_a_list_says_so(browser: FlaskClient) -> None:
    """Nothing to choose is no error."""
    assert "Aucun service ne propose de liste" in words_of(browser.get(PAGE))


def test_button_asks_and_the_page_waits(
    provider: Provider, browser: FlaskClient, owner: Client, person: Account
) -> None:
    """A mail leaves to the address of the account; the page says so, and lets go."""
    answer = post(browser, "subscribe", owner)

    assert answer.location == f"{PAGE}?notice=mailed"
    assert (last_mail(provider.context).event, last_mail(provider.context).to) == (
        "newsletter_confirm",
        person.email,
    )
    assert "En attente de votre confirmation" in words_of(browser.get(answer.location))
    assert post(browser, "leave", owner).location == f"{PAGE}?notice=left"
    assert "En attente" not in words_of(browser.get(PAGE))


def test_list_that_there_is_not_is_said_to_be_gone(browser: FlaskClient, owner: Client) -> None:
    """Nothing is half-made."""
    assert post(browser, "subscribe", owner, "nothing").location == f"{PAGE}?notice=unknown"


def test_link_leaves_the_address_and_changes_nothing_until_the_button(
    provider: Provider, visitor: FlaskClient, owner: Client, person: Account
) -> None:
    """Programs that read mail follow links (S-271, S-272); no login is needed."""
    asked(provider.context, person, owner)
    first = visitor.get(mailed_path(provider.context))
    shown = visitor.get(first.location)

    assert first.location == f"{PAGE}/confirm"
    assert "Ce qui change." in words_of(shown)
    assert read(provider.context, owner).subscribers == ()

    done = visitor.post(f"{PAGE}/confirm", data=form_of(shown), follow_redirects=True)
    again = visitor.post(f"{PAGE}/confirm", data=form_of(shown), follow_redirects=True)

    assert [one.status_code for one in (done, again)] == [200, 200]
    assert "Votre abonnement est confirmé" in words_of(again)
    (act,) = acts(provider.context)
    assert act.channel == "mail"
    assert len(read(provider.context, owner).subscribers) == 1


def test_words_that_changed_meanwhile_are_shown_before_they_are_agreed_to(
    provider: Provider, visitor: FlaskClient, owner: Client, person: Account
) -> None:
    """The ledger has what was read, and nothing else (CON-5)."""
    asked(provider.context, person, owner)
    shown = visitor.get(mailed_path(provider.context), follow_redirects=True)

    stale = visitor.post(f"{PAGE}/confirm", data=form_of(shown) | {"edition": "other"})

    assert "Je m’abonne" in words_of(stale)
    assert acts(provider.context) == []


@pytest.mark.parametrize("token", ["", "x", "mpl_" + "a" * 49])
def test_link_that_is_dead_says_what_to_do(visitor: FlaskClient, token: str) -> None:
    """It is gone; the page leads on."""
    answer = visitor.get(f"{PAGE}/confirm?token={token}", follow_redirects=True)

    assert (answer.status_code, "Voir mes abonnements" in words_of(answer)) == (410, True)


@pytest.mark.parametrize("encoding", ["application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.spec("RFC 8058", "3.1", "MUST")
def test_one_click_unsubscribes_without_cookie_login_or_page(
    provider: Provider, owner: Client, person: Account, encoding: str
) -> None:
    """The program of the mailbox posts; either way to write a form is taken, and no redirect answers."""
    subscribed(provider.context, person, owner)
    address = one_click_path(provider, owner)
    fresh = provider.app.test_client(use_cookies=False)

    answers = [
        fresh.post(address, data=ONE_CLICK, content_type=encoding, headers={"Sec-Fetch-Site": "cross-site"})
        for _ in range(2)
    ]

    assert [(one.status_code, one.headers.getlist("Set-Cookie")) for one in answers] == [(200, [])] * 2
    assert read(provider.context, owner).subscribers == ()
    assert sorted(act.act for act in acts(provider.context)) == ["given", "withdrawn"]


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "no"}, {"other": "One-Click"}])
@pytest.mark.spec("RFC 8058", "3.1", "MUST")
def test_post_that_is_no_one_click_request_ends_nothing(
    provider: Provider, owner: Client, person: Account, body: dict[str, str]
) -> None:
    """A form without the key and value of the standard is refused."""
    subscribed(provider.context, person, owner)

    answer = provider.app.test_client().post(one_click_path(provider, owner), data=body)

    assert answer.status_code == 400
    assert len(read(provider.context, owner).subscribers) == 1


@pytest.mark.parametrize("token", ["", "x", "mpl_" + "a" * 49])
def test_one_click_with_a_broken_token_is_refused(provider: Provider, token: str) -> None:
    """Nothing can be meant by it."""
    answer = provider.app.test_client().post(f"{PAGE}/unsubscribe?token={token}", data=ONE_CLICK)

    assert answer.status_code == 400


@pytest.mark.spec("RFC 8058", "3.2", "SHOULD")
def test_link_of_a_letter_opened_by_hand_shows_one_button(
    provider: Provider, visitor: FlaskClient, owner: Client, person: Account
) -> None:
    """A scanner that follows it unsubscribes nobody; the button does, and twice is harmless."""
    subscribed(provider.context, person, owner)

    shown = visitor.get(one_click_path(provider, owner), follow_redirects=True)
    assert len(read(provider.context, owner).subscribers) == 1
    done = [
        visitor.post(f"{PAGE}/unsubscribe/confirm", data=form_of(shown), follow_redirects=True)
        for _ in range(2)
    ]

    assert all("Votre désabonnement est enregistré" in words_of(one) for one in done)
    assert read(provider.context, owner).subscribers == ()


def test_page_of_a_letter_needs_our_own_form(provider: Provider, owner: Client, person: Account) -> None:
    """Without the standard's body, a form of another site is refused (S-484)."""
    subscribed(provider.context, person, owner)
    browser = provider.app.test_client()
    browser.get(one_click_path(provider, owner))

    assert browser.post(f"{PAGE}/unsubscribe/confirm").status_code == 400
    assert len(read(provider.context, owner).subscribers) == 1


def test_subscriber_leaves_on_the_page(
    provider: Provider, browser: FlaskClient, owner: Client, person: Account
) -> None:
    """At once, without a question; the date stood there."""
    subscribed(provider.context, person, owner)
    assert "Abonnement confirmé le" in words_of(browser.get(PAGE))

    post(browser, "leave", owner)

    assert read(provider.context, owner).subscribers == ()
    (row,) = newsletters.of_account(provider.context, person.account_id)
    assert row.subscription is None


@pytest.mark.rule("CON-5")
def test_receipt_names_the_list_and_what_its_service_reads(
    provider: Provider, owner: Client, person: Account
) -> None:
    """Each end of a subscription is a proof that its person can take along."""
    subscribed(provider.context, person, owner)
    (act,) = acts(provider.context)

    made = receipts.receipt(provider.context, person.account_id, act.entry_id)

    assert made is not None
    (purpose,) = made.members["pii_processing"]["purposes"]
    assert (purpose["purpose"], purpose["lawful_basis"]) == ("Actualités", "consent")
    assert [one["pii_type"] for one in purpose["pii_information"]] == ["email", "language"]


def one_click_path(provider: Provider, owner: Client) -> str:
    """Give path and query of the address in the letters."""
    address = urlsplit(read(provider.context, owner).subscribers[0].unsubscribe_url)
    return f"{address.path}?{address.query}"
