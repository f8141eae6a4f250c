"""The pages of another login address: one answer for everybody, links with a button, an undo without a login."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.storage.repositories import accounts
from tests.support.builders import OTHER_PASSWORD, PASSWORD, an_account, last_mail, mails
from tests.support.pages import mailed_path, send, without_tokens, words_of
from tests.support.provider import form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRO-1")
OLD = "zoe@example.fr"
NEW = "zoe.dupont@example.org"
PAGE = "/account/email"
CODE = f"{PAGE}/code"
LINK = f"{PAGE}/link"
UNDO = "/undo-email"


@pytest.fixture
def zoe(provider: Provider) -> Account:
    """Somebody with an account."""
    return an_account(provider.context, OLD)


@pytest.fixture
def browser(provider: Provider, zoe: Account) -> FlaskClient:
    """Her browser, signed in just now."""
    return provider.signed_in(zoe)


def begin(browser: FlaskClient, email: str = NEW) -> TestResponse:
    """Send the form."""
    return send(browser, PAGE, {"email": email})


def change(provider: Provider, browser: FlaskClient) -> str:
    """Change the address by the code; gives back the path of the link that undoes it."""
    begin(browser)
    assert type_code(browser, last_mail(provider.context, NEW).variables["code"]).status_code == 303
    return mailed_path(provider.context, OLD)


def type_code(browser: FlaskClient, code: str) -> TestResponse:
    """Send a code."""
    return send(browser, CODE, {"code": code})


def address_of(provider: Provider, account: Account) -> str:
    """Read the address of an account."""
    with provider.context.database.read() as connection:
        found = accounts.by_id(connection, account.account_id)
    assert found is not None
    return found.email


@pytest.mark.parametrize(
    "typed, told",
    [
        ("", "Saisissez votre adresse e-mail."),
        ("zoe@", "Saisissez une adresse e-mail complète"),
        ("z" * 300 + "@example.fr", "Cette adresse e-mail est trop longue."),
        ("Zoe@EXAMPLE.fr", "C’est déjà l’adresse de votre compte."),
    ],
    ids=["empty", "not whole", "too long", "the present one"],
)
def test_address_that_can_t_be_taken_is_told_by_the_field(
    provider: Provider, browser: FlaskClient, typed: str, told: str
) -> None:
    """What was typed stays, and nothing is sent."""
    answer = begin(browser, typed)

    assert answer.status_code == 422
    assert told in words_of(answer)
    assert f'value="{typed}"' in answer.text
    assert mails(provider.context) == []


@pytest.mark.rule("ACC-5")
def test_answer_is_the_same_for_an_address_that_has_an_account(
    provider: Provider, browser: FlaskClient
) -> None:
    """Status, address and page differ by nothing but the address that was typed."""
    an_account(provider.context, "else@example.org")
    taken = begin(browser, "else@example.org")
    page_of_taken = browser.get(CODE)
    free = begin(browser, "free@example.org")

    assert (taken.status_code, taken.location) == (free.status_code, free.location)
    told = without_tokens(page_of_taken).replace("else@example.org", "free@example.org")
    assert told == without_tokens(browser.get(CODE))


@pytest.mark.parametrize("path", [PAGE, CODE, LINK, f"{PAGE}/changed"])
def test_stranger_signs_in_first(provider: Provider, path: str) -> None:
    """No page of the change opens without a session."""
    answer = provider.client().get(path)

    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in")


def test_old_sign_in_is_proven_again(provider: Provider, browser: FlaskClient, clock: SettableClock) -> None:
    """After a quarter of an hour neither the page nor its form serves without a proof (S-47)."""
    form = form_of(browser.get(PAGE))
    clock.advance(minutes=16)

    shown = browser.get(PAGE)
    sent = browser.post(PAGE, data={**form, "email": NEW})

    assert "confirm=1" in shown.location
    assert "confirm=1" in sent.location
    assert mails(provider.context) == []


def test_wrong_code_is_told_and_the_right_one_changes_the_address(
    provider: Provider, browser: FlaskClient, zoe: Account
) -> None:
    """The tries that are left are named; a malformed code is no try; the page after says the new address."""
    begin(browser)
    code = last_mail(provider.context, NEW).variables["code"]
    wrong = "000000" if code != "000000" else "000001"

    assert "Le code comporte 6 chiffres." in words_of(type_code(browser, "12"))
    assert "Il vous reste 4 essais." in words_of(type_code(browser, wrong))
    assert type_code(browser, f"{code[:3]} {code[3:]}").location == f"{PAGE}/changed"
    assert NEW in browser.get(f"{PAGE}/changed").text
    assert address_of(provider, zoe) == NEW
    again = browser.get(CODE)
    assert again.location == f"{PAGE}/changed"


def test_code_is_sent_again(provider: Provider, browser: FlaskClient) -> None:
    """The page says so, and the older code is void."""
    begin(browser)
    first = last_mail(provider.context, NEW).variables["code"]

    answer = send(browser, CODE, {}, action=f"{CODE}/resend")

    assert "Nous vous avons envoyé un nouveau code." in words_of(browser.get(answer.location))
    second = last_mail(provider.context, NEW).variables["code"]
    assert first == second or type_code(browser, first).status_code == 422
    assert type_code(browser, second).status_code == 303


def test_code_without_a_change_leads_to_the_form(browser: FlaskClient) -> None:
    """Nothing waits: the person begins."""
    assert browser.get(CODE).location == PAGE


@pytest.mark.rule("ACC-4")
def test_link_changes_nothing_until_its_button_is_pressed(
    provider: Provider, browser: FlaskClient, zoe: Account
) -> None:
    """Programs that read mail follow links; the token leaves the address at once (S-271, S-272)."""
    begin(browser)

    first = browser.get(mailed_path(provider.context, NEW))
    shown = browser.get(first.location)

    assert first.location == LINK
    assert shown.status_code == 200
    assert address_of(provider, zoe) == OLD
    assert send(browser, LINK, {}).location == f"{PAGE}/changed"
    assert address_of(provider, zoe) == NEW


def test_link_in_another_browser_asks_to_sign_in_first(
    provider: Provider, browser: FlaskClient, zoe: Account
) -> None:
    """Signed in to the same account there, it serves."""
    begin(browser)
    other = provider.client()

    to_sign_in = other.get(mailed_path(provider.context, NEW), follow_redirects=True)
    back = send(other, to_sign_in.request.full_path, {"email": OLD, "password": PASSWORD}, action="/sign-in")

    assert back.location == LINK
    assert send(other, LINK, {}).location == f"{PAGE}/changed"
    assert address_of(provider, zoe) == NEW


@pytest.mark.rule("ACC-5")
def test_link_in_another_account_is_dead(provider: Provider, browser: FlaskClient) -> None:
    """Whoever owns the mailbox and has an account of their own is told so, and changes nothing."""
    begin(browser)
    other = provider.signed_in()

    answer = other.get(mailed_path(provider.context, NEW), follow_redirects=True)

    assert answer.status_code == 410
    assert "demandé par un autre compte" in words_of(answer)


def test_address_taken_meanwhile_is_told(provider: Provider, browser: FlaskClient, zoe: Account) -> None:
    """The page says what happened and offers another address."""
    begin(browser)
    code = last_mail(provider.context, NEW).variables["code"]
    an_account(provider.context, NEW)

    answer = type_code(browser, code)

    assert answer.status_code == 409
    assert "Un compte vient d’être créé avec cette adresse." in words_of(answer)
    assert address_of(provider, zoe) == OLD


def test_services_see_the_new_address_at_their_next_look(provider: Provider, browser: FlaskClient) -> None:
    """Tokens stay; UserInfo says the new address."""
    service = provider.a_client()
    tokens = provider.tokens(browser, service, scope="openid email")
    before = provider.userinfo(tokens["access_token"]).get_json()

    change(provider, browser)

    after = provider.userinfo(tokens["access_token"]).get_json()
    assert (before["email"], after["email"]) == (OLD, NEW)
    assert before["sub"] == after["sub"]


@pytest.mark.rule("LOG-6")
def test_undo_needs_no_login_and_a_button(provider: Provider, browser: FlaskClient, zoe: Account) -> None:
    """A GET undoes nothing; the button does, once; the browser that was signed in is out."""
    path = change(provider, browser)
    stranger = provider.client()

    shown = stranger.get(path, follow_redirects=True)
    assert shown.status_code == 200
    assert shown.request.full_path.rstrip("?") == UNDO
    assert address_of(provider, zoe) == NEW
    done = send(stranger, UNDO, {})

    assert "Votre adresse e-mail est rétablie" in words_of(done)
    assert address_of(provider, zoe) == OLD
    assert browser.get("/account").location.startswith("/sign-in")
    used = stranger.get(path, follow_redirects=True)
    assert used.status_code == 410
    assert "Ce lien a déjà servi" in words_of(used)
    reset = provider.client()
    reset.get(mailed_path(provider.context, OLD))
    assert send(reset, "/new-password", {"password": OTHER_PASSWORD}).status_code == 200


@pytest.mark.rule("LOG-6")
def test_undo_of_a_taken_address_names_the_city_s_number(provider: Provider, browser: FlaskClient) -> None:
    """The account is locked, and the page says whom to call."""
    path = change(provider, browser)
    an_account(provider.context, OLD)
    stranger = provider.client()
    stranger.get(path)

    answer = words_of(send(stranger, UNDO, {}))

    assert "Votre compte est bloqué par sécurité" in answer
    assert "Appelez le 3975" in answer


@pytest.mark.parametrize(
    "token", ["", "?token=nothing", "?token=mpl_" + "A" * 49], ids=["none", "cut", "altered"]
)
def test_undo_by_a_link_that_is_none_is_told(provider: Provider, token: str) -> None:
    """The page says so, and whom to call."""
    answer = provider.client().get(f"{UNDO}{token}", follow_redirects=True)

    assert answer.status_code == 410
    assert "Ce lien ne fonctionne plus" in words_of(answer)
    assert "3975" in answer.text


def test_account_page_leads_to_the_change(browser: FlaskClient) -> None:
    """Beside the address stands the way to change it."""
    assert f'href="{PAGE}"' in browser.get("/account").text
