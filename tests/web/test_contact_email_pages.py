"""The pages of the contact address: given, proven by a link with a button, changed and removed (PRO-2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from idp.services.account import contact_email
from idp.storage.engine import open_database
from tests.support.builders import an_account, last_mail, mails
from tests.support.pages import csrf_of, mailed_path, send, without_tokens, words_of
from tests.support.provider import a_provider, form_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRO-2")
LOGIN = "zoe@example.fr"
CONTACT = "zoe.lettres@example.org"
OTHER = "zoe.ailleurs@example.org"
DETAILS = "/account/contact-details"
PAGE = "/account/contact-email"
LINK = f"{PAGE}/link"


@pytest.fixture
def provider(sqlite_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The application."""
    database = open_database(sqlite_url)
    yield a_provider(database, clock)
    database.dispose()


@pytest.fixture
def zoe(provider: Provider) -> Account:
    """Somebody with an account."""
    return an_account(provider.context, LOGIN)


@pytest.fixture
def browser(provider: Provider, zoe: Account) -> FlaskClient:
    """Her browser, signed in just now."""
    return provider.signed_in(zoe)


def begin(browser: FlaskClient, email: str = CONTACT) -> TestResponse:
    """Send the form."""
    return send(browser, PAGE, {"email": email})


def press(browser: FlaskClient, action: str) -> TestResponse:
    """Press a button of the page "Coordonnées"."""
    return browser.post(f"{PAGE}/{action}", data={"csrf_token": csrf_of(browser, DETAILS)})


def prove(provider: Provider, browser: FlaskClient, email: str = CONTACT) -> TestResponse:
    """Give an address, follow the link of the mail, and press its button."""
    begin(browser, email)
    shown = browser.get(mailed_path(provider.context, email), follow_redirects=True)
    return browser.post(LINK, data=form_of(shown))


def in_force(provider: Provider, account: Account) -> str | None:
    """Read the address that is used."""
    return contact_email.known(provider.context, account.account_id).proven


@pytest.mark.parametrize(
    "typed, told",
    [
        ("", "Saisissez votre adresse e-mail."),
        ("zoe@", "Saisissez une adresse e-mail complète"),
        ("zoe@example.fr\u2028b", "Saisissez une adresse e-mail complète"),
        ("z" * 300 + "@example.fr", "Cette adresse e-mail est trop longue."),
        (
            "Zoe@EXAMPLE.fr",
            "C’est votre adresse de connexion. Nous l’utilisons déjà : vous n’avez rien à faire.",
        ),
    ],
    ids=["empty", "not whole", "line break", "too long", "the login address"],
)
def test_address_that_can_t_be_taken_is_told_by_the_field(
    provider: Provider, browser: FlaskClient, typed: str, told: str
) -> None:
    """What was typed stays, and nothing is sent."""
    answer = begin(browser, typed)

    assert answer.status_code == 422
    assert told in words_of(answer)
    assert f'value="{typed}"' in answer.text
    assert 'href="#field-email"' in answer.text
    assert mails(provider.context) == []


@pytest.mark.parametrize("path", [DETAILS, PAGE, LINK, f"{PAGE}/remove"])
def test_stranger_signs_in_first(provider: Provider, path: str) -> None:
    """No page opens without a session, and the person comes back to it."""
    answer = provider.client().get(path)

    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in?next=")


@pytest.mark.parametrize("action", ["", "/resend", "/give-up", "/remove", "/link"])
def test_stranger_s_form_changes_nothing(provider: Provider, action: str) -> None:
    """A session that ended meanwhile leads to the login."""
    stranger = provider.client()

    answer = stranger.post(PAGE + action, data={"csrf_token": csrf_of(stranger), "email": CONTACT})

    assert (answer.status_code, answer.location.startswith("/sign-in")) == (303, True)
    assert mails(provider.context) == []


def test_old_sign_in_is_proven_again(
    provider: Provider, browser: FlaskClient, zoe: Account, clock: SettableClock
) -> None:
    """After a quarter of an hour an address is neither given nor removed without a proof (S-47)."""
    prove(provider, browser)
    sent = len(mails(provider.context))
    form = form_of(browser.get(PAGE))
    clock.advance(minutes=16)

    answers = [
        browser.get(PAGE),
        browser.post(PAGE, data={**form, "email": OTHER}),
        browser.get(f"{PAGE}/remove"),
        browser.post(f"{PAGE}/remove", data=form),
    ]

    assert all("confirm=1" in answer.location for answer in answers)
    assert len(mails(provider.context)) == sent
    assert in_force(provider, zoe) == CONTACT


def test_link_does_not_ask_for_a_recent_sign_in(
    provider: Provider, browser: FlaskClient, zoe: Account, clock: SettableClock
) -> None:
    """Mails are read the next day: being signed in as who asked, and the mailbox, are enough."""
    begin(browser)
    clock.advance(minutes=45)

    shown = browser.get(mailed_path(provider.context, CONTACT), follow_redirects=True)
    browser.post(LINK, data=form_of(shown))

    assert in_force(provider, zoe) == CONTACT


def test_page_says_where_it_stands(provider: Provider, browser: FlaskClient) -> None:
    """No address, one that waits, one that is proven, and one that waits to take its place."""
    assert f"Nous écrivons à votre adresse de connexion, <strong>{LOGIN}</strong>." in words_of(
        browser.get(DETAILS)
    )

    answer = begin(browser)
    assert answer.location == f"{DETAILS}?notice=contact_email_mailed"
    page = words_of(browser.get(answer.location))
    assert f"Nous avons écrit à {CONTACT}." in page
    assert "En attente de votre confirmation" in page
    assert f"Nous écrivons à votre adresse de connexion, <strong>{LOGIN}</strong>." in page

    page = words_of(browser.get(prove(provider, browser).location))
    assert f"Votre adresse de contact est confirmée : {CONTACT}." in page
    assert "Vérifié" in page
    assert "En attente" not in page

    begin(browser, OTHER)
    page = words_of(browser.get(DETAILS))
    assert f"<dd>{CONTACT}</dd>" in page
    assert f"<strong>{OTHER}</strong> avant le" in page


def test_account_page_shows_the_address_with_its_badge(provider: Provider, browser: FlaskClient) -> None:
    """Among the other contact details."""
    row = r"<dt>Adresse e-mail de contact</dt>\s*<dd>{}</dd>"
    assert re.search(row.format('<span class="empty">Non renseigné</span>\\s*'), browser.get("/account").text)

    prove(provider, browser)

    badge = r'<dd class="data-badge">\s*<span class="badge badge-verified">'
    shown = re.escape(CONTACT) + r"\s*"
    assert re.search(row.format(shown) + rf"\s*{badge}", browser.get("/account").text)


def test_field_is_filled_in_as_an_address_and_not_as_a_login(browser: FlaskClient) -> None:
    """A password manager that took it for the identifier would keep the wrong one (WCAG 1.3.5)."""
    page = browser.get(PAGE).text

    assert 'autocomplete="email"' in page
    assert 'autocomplete="username"' not in page


def test_link_leaves_the_address_and_changes_nothing_until_the_button(
    provider: Provider, browser: FlaskClient, zoe: Account
) -> None:
    """Programs that read mail follow links (S-271, S-272); the second of two clicks is told that it is done."""
    begin(browser)
    path = mailed_path(provider.context, CONTACT)

    first = browser.get(path)
    shown = browser.get(first.location)
    assert first.location == LINK
    assert CONTACT in shown.text
    assert in_force(provider, zoe) is None

    answers = [browser.post(LINK, data=form_of(shown)) for _ in range(2)]
    assert [answer.location for answer in answers] == [f"{DETAILS}?notice=contact_email_proven"] * 2
    assert in_force(provider, zoe) == CONTACT
    assert [mail.event for mail in mails(provider.context)] == [
        "contact_email_confirm",
        "contact_email_changed",
    ]


@pytest.mark.parametrize("token", ["", "x", "mpl_" + "a" * 49], ids=["empty", "malformed", "of nobody"])
def test_link_that_is_dead_says_what_to_do(browser: FlaskClient, token: str) -> None:
    """It is gone; the page leads on."""
    answer = browser.get(f"{LINK}?token={token}", follow_redirects=True)

    assert (answer.status_code, "Voir mes coordonnées" in words_of(answer)) == (410, True)


def test_link_of_another_account_is_dead_here(provider: Provider, browser: FlaskClient, zoe: Account) -> None:
    """Neither the page nor its form says whose it is, nor which address (S-272)."""
    begin(browser)
    shown = browser.get(mailed_path(provider.context, CONTACT), follow_redirects=True)
    reader = provider.signed_in(an_account(provider.context, "reader@example.org"))

    opened = reader.get(mailed_path(provider.context, CONTACT), follow_redirects=True)
    token = csrf_of(reader, DETAILS)
    sent = reader.post(LINK, data={**form_of(shown), "csrf_token": token})

    assert [opened.status_code, sent.status_code] == [410, 410]
    assert CONTACT not in opened.text + sent.text
    assert LOGIN not in opened.text + sent.text
    assert in_force(provider, zoe) is None


def test_link_is_followed_before_the_login(provider: Provider, browser: FlaskClient, zoe: Account) -> None:
    """Another browser signs in first, and finds the button."""
    begin(browser)
    elsewhere = provider.client()

    answer = elsewhere.get(mailed_path(provider.context, CONTACT), follow_redirects=True)

    assert answer.request.path == "/sign-in"
    provider.signed_in(zoe, browser=elsewhere)
    assert "Utiliser cette adresse" in elsewhere.get(LINK).text


@pytest.mark.rule("ACC-5")
def test_answer_is_the_same_for_an_address_that_has_an_account(
    provider: Provider, browser: FlaskClient
) -> None:
    """Status, address and page differ by nothing but the address that was typed."""
    an_account(provider.context, "else@example.org")
    taken = begin(browser, "else@example.org")
    page_of_taken = browser.get(DETAILS)
    free = begin(browser, "free@example.org")

    assert (taken.status_code, taken.location) == (free.status_code, free.location)
    told = without_tokens(page_of_taken).replace("else@example.org", "free@example.org")
    assert told == without_tokens(browser.get(DETAILS))


def test_mail_is_sent_again_and_the_wish_given_up(provider: Provider, browser: FlaskClient) -> None:
    """Buttons of the page; the second of two clicks is harmless."""
    begin(browser)
    first = mailed_path(provider.context, CONTACT)

    assert press(browser, "resend").location == f"{DETAILS}?notice=contact_email_mailed"
    assert browser.get(first, follow_redirects=True).status_code == 410
    gone = [press(browser, "give-up") for _ in range(2)]
    assert {answer.location for answer in gone} == {f"{DETAILS}?notice=contact_email_given_up"}
    page = words_of(browser.get(gone[0].location))
    assert "La demande est annulée." in page
    assert "En attente" not in page
    assert press(browser, "resend").location == DETAILS
    assert len(mails(provider.context)) == 2


def test_too_many_mails_are_told(provider: Provider, browser: FlaskClient) -> None:
    """By the field, or above the page; the latest mail still serves."""
    begin(browser)
    for _ in range(4):
        press(browser, "resend")

    again = press(browser, "resend")
    assert again.location == f"{DETAILS}?notice=contact_email_wait"
    assert "Attendez quelques minutes" in words_of(browser.get(again.location))
    answer = begin(browser, OTHER)
    assert answer.status_code == 422
    assert "Attendez quelques minutes" in words_of(answer)
    shown = browser.get(mailed_path(provider.context, CONTACT), follow_redirects=True)
    assert "Utiliser cette adresse" in shown.text


def test_address_is_removed_after_a_question(provider: Provider, browser: FlaskClient, zoe: Account) -> None:
    """Its mailbox is told; the page says where letters go now; a second click is harmless."""
    assert browser.get(f"{PAGE}/remove").location == DETAILS
    prove(provider, browser)

    asked = browser.get(f"{PAGE}/remove")
    assert f"arriveront à {LOGIN}" in words_of(asked)
    assert in_force(provider, zoe) == CONTACT
    done = [browser.post(f"{PAGE}/remove", data=form_of(asked)) for _ in range(2)]

    assert {answer.location for answer in done} == {f"{DETAILS}?notice=contact_email_removed"}
    assert "Votre adresse de contact est retirée." in words_of(browser.get(done[0].location))
    assert in_force(provider, zoe) is None
    assert last_mail(provider.context).to == CONTACT


def test_proven_address_and_login_address_typed_again_are_told(
    provider: Provider, browser: FlaskClient
) -> None:
    """Each by its own words: there is nothing to do, or something else."""
    prove(provider, browser)

    assert "C’est déjà votre adresse de contact." in words_of(begin(browser, CONTACT.upper()))
    assert "retirez votre adresse de contact" in words_of(begin(browser, LOGIN))


def test_page_of_lists_says_where_they_come(provider: Provider, browser: FlaskClient) -> None:
    """The mail that confirms a subscription goes to the contact address too."""
    prove(provider, browser)

    assert CONTACT in words_of(browser.get("/newsletters?notice=mailed"))
