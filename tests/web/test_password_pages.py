"""The pages of forgotten and new passwords: same answer for everybody, links that serve once, sessions that end."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.builders import OTHER_PASSWORD, PASSWORD, an_account, last_mail, mails
from tests.support.pages import csrf_of, mailed_path, send, twin_of, without_tokens, words_of
from tests.support.provider import answer_of, form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

FORM = "application/x-www-form-urlencoded"
RIGHT = {"email": "zoe@example.fr", "password": PASSWORD}


def ask(browser: FlaskClient, email: str = "zoe@example.fr") -> TestResponse:
    """Ask for a link."""
    return send(browser, "/forgotten-password", {"email": email})


def open_link(provider: Provider, browser: FlaskClient) -> TestResponse:
    """Follow the link of the latest mail to its form."""
    return browser.get(mailed_path(provider.context), follow_redirects=True)


def signed_in(provider: Provider) -> FlaskClient:
    """Open a browser in which Zoé signs in."""
    browser = provider.client()
    assert send(browser, "/sign-in", RIGHT).status_code == 303
    return browser


@pytest.mark.rule("PWD-8")
@pytest.mark.parametrize(
    "typed, told",
    [
        ("", "Saisissez votre adresse e-mail."),
        ("zoe", "Saisissez une adresse e-mail complète"),
        ("zoe@example.fr,mallory@example.org", "Saisissez une adresse e-mail complète"),
        ("z" * 300 + "@example.fr", "Cette adresse e-mail est trop longue."),
    ],
    ids=["empty", "no at", "two", "too long"],
)
def test_address_that_is_none_is_told(
    provider: Provider, visitor: FlaskClient, typed: str, told: str
) -> None:
    """The form of the text is told, never whether it has an account."""
    an_account(provider.context)

    answer = ask(visitor, typed)

    assert answer.status_code == 422
    assert told in words_of(answer)
    assert mails(provider.context) == []


@pytest.mark.parametrize(
    "body",
    [b"password=a&password=b", b"email=a%40b.fr&email=c%40d.fr", b"password=zo%ff", b"password=zo%00"],
    ids=["a password twice", "an address twice", "not UTF-8", "a null character"],
)
@pytest.mark.parametrize("path", ["/forgotten-password", "/new-password", "/account/password"])
def test_unreadable_form_is_refused(provider: Provider, visitor: FlaskClient, path: str, body: bytes) -> None:
    """A page that says so, with 400; the password stays."""
    an_account(provider.context)
    browser = signed_in(provider)
    token = csrf_of(browser, "/account/password").encode()

    answer = browser.post(path, data=body + b"&csrf_token=" + token, content_type=FORM)

    assert answer.status_code == 400
    assert answer.mimetype == "text/html"
    assert send(visitor, "/sign-in", RIGHT).status_code == 303


@pytest.mark.rule("UX-4")
@pytest.mark.parametrize("path", ["/forgotten-password", "/new-password", "/account/password"])
def test_form_without_its_token_is_refused(provider: Provider, visitor: FlaskClient, path: str) -> None:
    """No password is set, nor asked for, by another site."""
    an_account(provider.context)
    browser = signed_in(provider)

    assert browser.post(path, data={"email": "zoe@example.fr"}).status_code == 400
    assert visitor.post(path, data={"email": "zoe@example.fr"}).status_code == 400


@pytest.mark.parametrize(
    "path", ["/forgotten-password", "/forgotten-password/sent", "/new-password", "/account/password"]
)
def test_other_methods_are_refused(visitor: FlaskClient, path: str) -> None:
    """Each page says how it is used."""
    answer = visitor.delete(path, data={"csrf_token": csrf_of(visitor)})

    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


@pytest.mark.rule("PWD-8")
def test_page_tells_nobody_who_has_an_account(provider: Provider) -> None:
    """Known, unknown, locked, generated: the same redirect and the same page."""
    an_account(provider.context, "connue@example.fr")
    an_account(provider.context, "bloque@example.fr", is_locked=True)
    an_account(provider.context, "genere@example.fr", OTHER_PASSWORD, is_generated=True)

    seen = {
        look(provider.client(), f"{name}@example.fr") for name in ("inconu", "connue", "bloque", "genere")
    }

    assert len(seen) == 1
    assert [mail.to for mail in mails(provider.context)] == ["connue@example.fr", "genere@example.fr"]


def look(browser: FlaskClient, email: str) -> tuple[object, ...]:
    """Gather what a visitor can see."""
    answer = ask(browser, email)
    shown = browser.get(answer.location)
    return (
        answer.status_code,
        answer.location,
        tuple(name for name, _ in answer.headers.items()),
        shown.status_code,
        without_tokens(shown),
    )


@pytest.mark.rule("PWD-8")
def test_link_leaves_the_address_and_get_uses_nothing_up(provider: Provider, visitor: FlaskClient) -> None:
    """The token goes to a short cookie that no script reads; following the link again works."""
    an_account(provider.context)
    ask(visitor)
    path = mailed_path(provider.context)

    for _ in range(3):
        cleaned = visitor.get(path)
        visitor.head(path)
    shown = visitor.get(cleaned.location)

    line = next(value for value in cleaned.headers.getlist("Set-Cookie") if "_link=" in value)
    assert (cleaned.status_code, cleaned.location) == (303, "/new-password")
    assert {"Max-Age=1800", "HttpOnly", "Secure", "Path=/"} <= {part.strip() for part in line.split(";")}
    assert "zoe@example.fr" in shown.text
    assert "mpl_" not in shown.text
    assert send(visitor, "/new-password", {"password": OTHER_PASSWORD}).status_code == 200


@pytest.mark.rule("PWD-8")
@pytest.mark.parametrize("token", ["", "x", "mpl_" + "A" * 49])
def test_link_that_never_was_is_told(provider: Provider, visitor: FlaskClient, token: str) -> None:
    """The page says how to get another."""
    an_account(provider.context)

    answer = visitor.get(f"/new-password?token={token}", follow_redirects=True)

    assert answer.status_code == 410
    assert "Ce lien ne fonctionne plus" in answer.text
    assert "/forgotten-password" in answer.text


@pytest.mark.rule("PWD-8")
def test_new_password_without_a_link_is_refused(provider: Provider, visitor: FlaskClient) -> None:
    """Nobody jumps to the form."""
    an_account(provider.context)

    answer = visitor.post("/new-password", data={"csrf_token": csrf_of(visitor), "password": OTHER_PASSWORD})

    assert answer.status_code == 410
    assert send(visitor, "/sign-in", RIGHT).status_code == 303


@pytest.mark.rule("PWD-8")
def test_late_or_used_link_is_told(provider: Provider, visitor: FlaskClient, clock: SettableClock) -> None:
    """Half an hour, once."""
    an_account(provider.context)
    ask(visitor)
    open_link(provider, visitor)
    send(visitor, "/new-password", {"password": OTHER_PASSWORD})
    used = open_link(provider, visitor)
    ask(visitor)
    clock.advance(minutes=30)
    late = open_link(provider, visitor)

    assert (used.status_code, late.status_code) == (410, 410)


@pytest.mark.rule("PWD-8")
def test_second_of_two_clicks_says_that_the_password_is_changed(
    provider: Provider, visitor: FlaskClient
) -> None:
    """The browser drops the answer to the first, with what it would have kept."""
    an_account(provider.context)
    ask(visitor)
    fields = {**form_of(open_link(provider, visitor)), "password": OTHER_PASSWORD}
    twin_of(visitor).post("/new-password", data=fields)

    answer = visitor.post("/new-password", data=fields)

    assert answer.status_code == 200
    assert "Votre mot de passe est changé" in answer.text


@pytest.mark.rule("PWD-1", "PWD-2", "PWD-3")
@pytest.mark.parametrize(
    "typed, told",
    [("", "au moins 8"), ("Vingt2.Trèmways", "« è »"), ("Zoe.Example1!x", "votre nom ou votre adresse")],
    ids=["empty", "a refused character", "the address"],
)
def test_wrong_new_password_is_told_and_the_link_still_works(
    provider: Provider, visitor: FlaskClient, typed: str, told: str
) -> None:
    """Every broken rule in words; then the same form again."""
    an_account(provider.context)
    ask(visitor)
    open_link(provider, visitor)

    refused = send(visitor, "/new-password", {"password": typed})
    done = send(visitor, "/new-password", {"password": OTHER_PASSWORD})

    assert refused.status_code == 422
    assert told in words_of(refused)
    assert done.status_code == 200


@pytest.mark.rule("PWD-7", "PWD-8")
def test_new_password_ends_every_session_and_signs_nobody_in(
    provider: Provider, visitor: FlaskClient
) -> None:
    """The browsers that were open are out; the owner signs in with the new password, and was told by mail."""
    an_account(provider.context)
    other = signed_in(provider)
    ask(visitor)
    open_link(provider, visitor)

    done = send(visitor, "/new-password", {"password": OTHER_PASSWORD})

    assert "Votre mot de passe est changé" in done.text
    assert other.get("/account/sessions").status_code == 303
    assert visitor.get("/account/sessions").status_code == 303
    assert last_mail(provider.context).event == "password_changed"
    assert send(visitor, "/sign-in", RIGHT).status_code == 422
    assert send(visitor, "/sign-in", {**RIGHT, "password": OTHER_PASSWORD}).status_code == 303


@pytest.mark.rule("PWD-8", "ACC-1")
def test_request_goes_on_after_a_new_password(provider: Provider, visitor: FlaskClient) -> None:
    """The link to sign in carries the request; the new password ends at the service."""
    an_account(provider.context)
    service = provider.a_client(name="Stationnement")
    asked = provider.authorize(visitor, service)
    pending = parse_qs(urlsplit(asked.location).query)["pending"][0]
    send(visitor, f"/forgotten-password?pending={pending}", {"email": "zoe@example.fr"})
    open_link(provider, visitor)

    done = send(visitor, "/new-password", {"password": OTHER_PASSWORD})
    answer = send(visitor, f"/sign-in?pending={pending}", {**RIGHT, "password": OTHER_PASSWORD})

    assert f"/sign-in?pending={pending}" in done.text
    assert "code" in answer_of(answer)


@pytest.mark.rule("PWD-9")
def test_change_asks_who_is_there(visitor: FlaskClient) -> None:
    """Nobody changes a password who is not signed in."""
    shown = visitor.get("/account/password")
    sent = visitor.post("/account/password", data={"csrf_token": csrf_of(visitor)})

    assert urlsplit(shown.location).path == "/sign-in"
    assert urlsplit(sent.location).path == "/sign-in"


@pytest.mark.rule("PWD-3", "PWD-9")
@pytest.mark.parametrize(
    "fields, told",
    [
        ({}, ["Saisissez votre mot de passe.", "au moins 8"]),
        ({"current_password": "", "password": OTHER_PASSWORD}, ["Saisissez votre mot de passe."]),
        (
            {"current_password": "Faux", "password": OTHER_PASSWORD},
            ["Ce n’est pas votre mot de passe actuel."],
        ),
        ({"current_password": PASSWORD, "password": "court"}, ["au moins 8", "Ajoutez un chiffre"]),
        ({"current_password": PASSWORD, "password": "Ab1!" * 40}, ["128 caractères au plus"]),
    ],
    ids=["nothing", "no current one", "a wrong current one", "a short new one", "a long new one"],
)
def test_wrong_change_is_told(
    provider: Provider, visitor: FlaskClient, fields: dict[str, str], told: list[str]
) -> None:
    """Each reason in words; the password stays."""
    an_account(provider.context)
    browser = signed_in(provider)

    answer = send(browser, "/account/password", fields)

    assert answer.status_code == 422
    assert all(text in words_of(answer) for text in told)
    assert OTHER_PASSWORD not in answer.text
    assert send(visitor, "/sign-in", RIGHT).status_code == 303


@pytest.mark.rule("PWD-9", "LOG-2")
def test_guessing_the_current_password_is_answered_by_429(provider: Provider, visitor: FlaskClient) -> None:
    """An open browser gives five guesses, as a stranger has."""
    del visitor
    an_account(provider.context)
    browser = signed_in(provider)
    fields = {"current_password": "Faux", "password": OTHER_PASSWORD}
    for _ in range(5):
        assert send(browser, "/account/password", fields).status_code == 422

    answer = send(browser, "/account/password", fields)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"


@pytest.mark.rule("PWD-9")
def test_change_keeps_this_browser_and_ends_the_others(provider: Provider, visitor: FlaskClient) -> None:
    """The page says how many ended, and a mail goes out."""
    an_account(provider.context)
    here, other = signed_in(provider), signed_in(provider)

    done = send(here, "/account/password", {"current_password": PASSWORD, "password": OTHER_PASSWORD})

    assert done.status_code == 200
    assert "1 autre appareil a été déconnecté" in done.text
    assert here.get("/account/sessions").status_code == 200
    assert other.get("/account/sessions").status_code == 303
    assert last_mail(provider.context).event == "password_changed"
    assert send(visitor, "/sign-in", RIGHT).status_code == 422


@pytest.mark.rule("PWD-7", "PWD-9")
def test_generated_password_is_not_asked_for(provider: Provider, visitor: FlaskClient) -> None:
    """The page sends to FranceConnect, or to the link by mail; a form sent all the same sets nothing."""
    del visitor
    account = an_account(provider.context, is_generated=True)
    browser = provider.signed_in(account)

    shown = browser.get("/account/password")
    sent = browser.post(
        "/account/password",
        data={"csrf_token": csrf_of(browser, "/sign-in?confirm=1"), "password": OTHER_PASSWORD},
    )

    assert "/forgotten-password" in shown.text
    assert 'name="current_password"' not in shown.text
    assert (sent.status_code, sent.location) == (303, "/account/password")


@pytest.mark.rule("PWD-3")
def test_page_carries_the_rules_that_the_server_checks(provider: Provider) -> None:
    """The live list is made from the one definition."""
    account = an_account(provider.context)

    shown = provider.signed_in(account).get("/account/password").text

    assert "data-rules=" in shown
    assert "&#34;min_length&#34;: 8" in shown or '"min_length": 8' in shown
    assert form_of(provider.client().get("/forgotten-password"))["csrf_token"]
