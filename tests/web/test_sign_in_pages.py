"""The sign-in page: what it refuses, that it tells nothing, where it leads."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from idp.services.sign_in import sessions
from tests.support.builders import OTHER_PASSWORD, PASSWORD, an_account, mails, some_terms
from tests.support.pages import csrf_of, send, without_tokens
from tests.support.provider import BROWSER_COOKIE, SESSION_COOKIE, answer_of, form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

DEVICE_COOKIE = "__Host-mon_paris_device"
RIGHT = {"email": "zoe@example.fr", "password": PASSWORD}
WRONG = {"email": "zoe@example.fr", "password": "Autre.Chose.88"}


def sign_in(browser: FlaskClient, fields: dict[str, str], page: str = "/sign-in") -> TestResponse:
    """Fill in the page and send it."""
    return send(browser, page, fields)


def is_signed_in(browser: FlaskClient) -> bool:
    """Tell whether the account's pages open."""
    return browser.get("/account/sessions").status_code == 200


@pytest.mark.rule("LOG-1")
@pytest.mark.parametrize(
    "fields, told",
    [
        ({"email": "", "password": PASSWORD}, "Saisissez votre adresse e-mail."),
        ({"email": "   ", "password": PASSWORD}, "Saisissez votre adresse e-mail."),
        ({"email": "zoe@example.fr", "password": ""}, "Saisissez votre mot de passe."),
    ],
    ids=["no address", "a blank address", "no password"],
)
def test_missing_field_is_named(
    provider: Provider, visitor: FlaskClient, fields: dict[str, str], told: str
) -> None:
    """The page comes back, says what to type, and keeps the address."""
    an_account(provider.context)

    answer = sign_in(visitor, fields)

    assert answer.status_code == 422
    assert told in answer.text
    assert "<title>Erreur\N{NO-BREAK SPACE}: " in answer.text
    assert fields["email"].strip() in answer.text
    assert not is_signed_in(visitor)


@pytest.mark.rule("LOG-1")
@pytest.mark.parametrize("missing", ["email", "password"])
def test_absent_field_is_as_an_empty_one(visitor: FlaskClient, missing: str) -> None:
    """A form cut by whatever sent it is answered by the page, not by an error."""
    fields = {name: value for name, value in RIGHT.items() if name != missing}

    answer = visitor.post("/sign-in", data={"csrf_token": csrf_of(visitor), **fields})

    assert answer.status_code == 422


BAD_BODIES = {
    "a field twice": b"email=a%40b.fr&email=c%40d.fr&password=x",
    "a password twice": b"email=a%40b.fr&password=x&password=y",
    "a field of 30000 characters": b"password=x&email=" + b"a" * 30_000,
    "a null character": b"email=zoe%00%40example.fr&password=x",
    "an escape character": b"email=zoe%40example.fr&password=x%1b",
    "bytes that are not UTF-8": b"email=zo%ff%fe%40example.fr&password=x",
}


@pytest.mark.rule("OID-9")
@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES.keys())
def test_unreadable_form_is_refused(provider: Provider, visitor: FlaskClient, body: bytes) -> None:
    """A page that says so, with 400; nobody is signed in and nothing breaks."""
    an_account(provider.context)
    token = csrf_of(visitor).encode()

    answer = visitor.post(
        "/sign-in",
        data=body + b"&csrf_token=" + token,
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code == 400
    assert answer.mimetype == "text/html"
    assert not is_signed_in(visitor)


@pytest.mark.rule("UX-4")
@pytest.mark.parametrize("token", [None, "", "AAAA", "é"], ids=["absent", "empty", "altered", "not ASCII"])
def test_form_without_its_token_is_refused(
    provider: Provider, visitor: FlaskClient, token: str | None
) -> None:
    """Another site can't sign a visitor in to an account of its choice."""
    an_account(provider.context)
    visitor.get("/sign-in")

    answer = visitor.post("/sign-in", data=RIGHT if token is None else {**RIGHT, "csrf_token": token})

    assert answer.status_code == 400
    assert not is_signed_in(visitor)


@pytest.mark.rule("UX-4")
def test_token_of_another_browser_is_refused(provider: Provider, visitor: FlaskClient) -> None:
    """A form given to one browser is worth nothing in another."""
    an_account(provider.context)
    token = csrf_of(provider.client())
    visitor.get("/sign-in")

    assert visitor.post("/sign-in", data={**RIGHT, "csrf_token": token}).status_code == 400


@pytest.mark.rule("UX-4")
def test_form_sent_from_another_site_is_refused(provider: Provider, visitor: FlaskClient) -> None:
    """Whatever token it carries: browsers say where a form comes from."""
    an_account(provider.context)

    answer = send(visitor, "/sign-in", RIGHT, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
@pytest.mark.parametrize("path", ["/sign-in", "/select-account", "/accept-terms", "/sign-out"])
def test_other_methods_are_refused(visitor: FlaskClient, path: str, method: str) -> None:
    """Each page says how it is used."""
    answer = getattr(visitor, method)(path, data={"csrf_token": csrf_of(visitor)})

    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


@pytest.mark.rule("LOG-2", "LOG-6")
def test_page_tells_nobody_who_has_an_account(provider: Provider, visitor: FlaskClient) -> None:
    """Wrong, unknown, locked, generated: one body but for tokens and the address typed, one set of headers."""
    an_account(provider.context, "connue@example.fr")
    an_account(provider.context, "bloque@example.fr", is_locked=True)
    an_account(provider.context, "genere@example.fr", OTHER_PASSWORD, is_generated=True)
    tries = {
        "inconu@example.fr": WRONG["password"],
        "connue@example.fr": WRONG["password"],
        "bloque@example.fr": PASSWORD,
        "genere@example.fr": WRONG["password"],
    }

    answers = [
        (email, sign_in(visitor, {"email": email, "password": typed})) for email, typed in tries.items()
    ]

    bodies = {without_tokens(answer).replace(email, "…") for email, answer in answers}
    heads = {(answer.status_code, tuple(name for name, _ in answer.headers.items())) for _, answer in answers}
    assert len(bodies) == 1
    assert heads == {(422, next(iter(heads))[1])}
    assert "L’adresse e-mail ou le mot de passe n’est pas le bon." in answers[0][1].text


@pytest.mark.rule("LOG-2")
def test_sixth_wrong_password_is_answered_by_429(provider: Provider, visitor: FlaskClient) -> None:
    """The page says until when, to people and to programs."""
    an_account(provider.context)
    for _ in range(5):
        assert sign_in(visitor, WRONG).status_code == 422

    answer = sign_in(visitor, RIGHT)

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "Trop d’essais" in answer.text
    assert not is_signed_in(visitor)


@pytest.mark.rule("LOG-2")
def test_password_never_comes_back_in_a_page(provider: Provider, visitor: FlaskClient) -> None:
    """What was typed wrong may be the password of something else."""
    an_account(provider.context)

    answer = sign_in(visitor, WRONG)

    assert WRONG["password"] not in answer.text


@pytest.mark.parametrize(
    "next_path",
    ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil", "/a\n/b"],
)
def test_sign_in_leads_to_no_other_site(provider: Provider, visitor: FlaskClient, next_path: str) -> None:
    """Where to go on is a path of ours, or nothing."""
    an_account(provider.context)

    answer = visitor.post("/sign-in", data={**RIGHT, "next": next_path, "csrf_token": csrf_of(visitor)})

    assert (answer.status_code, answer.headers.get("Location")) in {(303, "/"), (400, None)}


@pytest.mark.rule("OID-9")
@pytest.mark.parametrize("pending", ["x", "mpq_" + "A" * 49, "é"])
def test_unknown_request_is_answered_by_a_page(visitor: FlaskClient, pending: str) -> None:
    """A request that is not this browser's, or is over, is no dead end."""
    answer = visitor.get("/sign-in", query_string={"pending": pending})

    assert answer.status_code == 410
    assert "Cette demande a expiré" in answer.text


@pytest.mark.rule("LOG-1", "LOG-3")
def test_right_password_opens_the_page_that_was_asked_for(provider: Provider, visitor: FlaskClient) -> None:
    """A guarded page asks who is there, then shows itself."""
    an_account(provider.context, terms_version="2026-01-01")
    asked = visitor.get("/account/sessions")

    answer = sign_in(visitor, RIGHT, asked.location)

    assert (answer.status_code, answer.location) == (303, "/account/sessions")
    assert is_signed_in(visitor)


@pytest.mark.rule("LOG-3")
def test_session_cookie_is_host_bound_and_new_at_each_sign_in(
    provider: Provider, visitor: FlaskClient
) -> None:
    """`__Host-`, secure, not for scripts, and another value each time: the old one opens nothing."""
    an_account(provider.context)

    first = sign_in(visitor, RIGHT)
    cookie = visitor.get_cookie(SESSION_COOKIE)
    second = sign_in(visitor, RIGHT, "/sign-in?confirm=1")

    line = next(value for value in first.headers.getlist("Set-Cookie") if SESSION_COOKIE in value)
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= {part.strip() for part in line.split(";")}
    assert "Domain" not in line
    assert second.status_code == 303
    assert cookie is not None
    assert sessions.find(provider.context, cookie.value) is None
    assert is_signed_in(visitor)


@pytest.mark.rule("LOG-5")
def test_known_browser_is_not_told_by_mail_twice(provider: Provider, visitor: FlaskClient) -> None:
    """The device cookie outlives the session."""
    an_account(provider.context)
    sign_in(visitor, RIGHT)
    assert visitor.get_cookie(DEVICE_COOKIE) is not None
    visitor.post("/sign-out", data={"csrf_token": csrf_of(visitor, "/sign-in?confirm=1")})
    assert not is_signed_in(visitor)

    sign_in(visitor, RIGHT)

    assert [mail.event for mail in mails(provider.context)] == ["new_device"]


@pytest.mark.rule("LOG-4")
def test_request_for_a_fresh_login_asks_again_and_then_goes_on(
    provider: Provider, visitor: FlaskClient
) -> None:
    """`prompt=login` shows the page to who is signed in, with their address, and is satisfied once."""
    an_account(provider.context)
    service = provider.a_client()
    sign_in(visitor, RIGHT)
    provider.clock.advance(minutes=5)

    asked = provider.authorize(visitor, service, prompt="login")
    shown = visitor.get(asked.location)
    answer = visitor.post("/sign-in", data={**form_of(shown), **RIGHT})

    assert "Confirmez que c’est vous" in shown.text
    assert answer.status_code == 200
    assert "code" in answer_of(answer)


@pytest.mark.rule("LOG-4")
def test_login_hint_fills_the_address_in(provider: Provider, visitor: FlaskClient) -> None:
    """What the service knows is not typed again."""
    service = provider.a_client()

    asked = provider.authorize(visitor, service, login_hint="zoe@example.fr")

    assert 'value="zoe@example.fr"' in visitor.get(asked.location).text


@pytest.mark.rule("ACC-1", "LOG-1")
def test_sign_in_within_a_request_ends_at_the_service(provider: Provider, visitor: FlaskClient) -> None:
    """The page names the service, and the code comes in the same tab."""
    an_account(provider.context)
    service = provider.a_client(name="Stationnement")

    asked = provider.authorize(visitor, service)
    shown = visitor.get(asked.location)
    answer = visitor.post("/sign-in", data={**form_of(shown), **RIGHT})

    assert "Stationnement" in shown.text
    assert "code" in answer_of(answer)


@pytest.mark.rule("LOG-3")
def test_signed_in_person_is_not_asked_again(provider: Provider) -> None:
    """The page sends who is signed in on."""
    some_terms(provider.context)
    browser = provider.signed_in()

    answer = browser.get("/sign-in", query_string={"next": "/account"})

    assert (answer.status_code, answer.location) == (303, "/account")


@pytest.mark.rule("LOG-4")
@pytest.mark.parametrize("choice", [None, "", "neither"])
def test_account_choice_that_is_none_is_refused(provider: Provider, choice: str | None) -> None:
    """Nothing is taken for an answer."""
    browser = provider.signed_in()
    service = provider.a_client()
    location = provider.authorize(browser, service, prompt="select_account").location
    fields = form_of(browser.get(location))

    answer = browser.post("/select-account", data=fields if choice is None else {**fields, "choice": choice})

    assert answer.status_code == 400


@pytest.mark.rule("LOG-4")
def test_chosen_account_goes_on(provider: Provider) -> None:
    """`prompt=select_account` shows the account, and is satisfied by a click."""
    some_terms(provider.context, "v1")
    browser = provider.signed_in(provider.an_account("zoe@example.fr"))
    service = provider.a_client()
    location = provider.authorize(browser, service, prompt="select_account").location
    shown = browser.get(location)

    answer = browser.post("/select-account", data={**form_of(shown), "choice": "continue"})

    assert urlsplit(location).path == "/select-account"
    assert "zoe@example.fr" in shown.text
    assert "code" in answer_of(answer)


@pytest.mark.rule("LOG-4")
def test_other_account_ends_the_session_first(provider: Provider) -> None:
    """Who wants another account signs in, with the request still there."""
    browser = provider.signed_in()
    service = provider.a_client()
    location = provider.authorize(browser, service, prompt="select_account").location

    answer = browser.post("/select-account", data={**form_of(browser.get(location)), "choice": "other"})

    assert urlsplit(answer.location).path == "/sign-in"
    assert parse_qs(urlsplit(answer.location).query)["pending"]
    assert not is_signed_in(browser)


@pytest.mark.rule("CGU-2")
def test_new_terms_are_asked_for_after_sign_in(
    provider: Provider, visitor: FlaskClient, clock: SettableClock
) -> None:
    """A version that took effect since is read and ticked before going on; without the tick, the page comes back."""
    account = an_account(provider.context)
    some_terms(provider.context, "2026-04-01", effective_at=datetime(2026, 4, 1, tzinfo=UTC))
    clock.set(datetime(2026, 4, 2, tzinfo=UTC))

    answer = sign_in(visitor, RIGHT)
    refused = send(visitor, "/accept-terms", {})
    accepted = send(visitor, "/accept-terms", {"terms": "yes"})

    assert answer.location == "/accept-terms"
    assert refused.status_code == 422
    assert "Cochez la case" in refused.text
    assert (accepted.status_code, accepted.location) == (303, "/")
    assert visitor.get("/accept-terms").status_code == 303
    cookie = visitor.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    found = sessions.find(provider.context, cookie.value)
    assert found is not None
    assert (found.account.account_id, found.account.terms_version) == (account.account_id, "2026-04-01")


@pytest.mark.rule("LOG-3")
def test_sign_out_is_one_click(provider: Provider, visitor: FlaskClient) -> None:
    """The button stands on every page and ends the session; the cookie opens nothing afterwards."""
    an_account(provider.context)
    sign_in(visitor, RIGHT)
    cookie = visitor.get_cookie(SESSION_COOKIE)
    assert 'action="/sign-out"' in visitor.get("/account/sessions").text

    visitor.post("/sign-out", data={"csrf_token": csrf_of(visitor, "/sign-in?confirm=1")})

    assert cookie is not None
    assert sessions.find(provider.context, cookie.value) is None
    assert visitor.get_cookie(SESSION_COOKIE) is None
    assert visitor.get_cookie(BROWSER_COOKIE) is not None
