"""The pages of the sign-up: every field wrong in every way, the same answer for everybody, the account at the end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from idp.storage.models import account_attributes, accounts, ledger_entries, signups
from tests.support.builders import (
    OTHER_PASSWORD,
    PASSWORD,
    TERMS_VERSION,
    an_account,
    last_mail,
    mails,
    some_terms,
)
from tests.support.pages import (
    csrf_of,
    mailed_code,
    mailed_path,
    mailed_token,
    send,
    twin_of,
    without_tokens,
    words_of,
)
from tests.support.provider import answer_of, form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

DETAILS = {
    "password": PASSWORD,
    "given_name": "Zoé Claire",
    "family_name": "Œuvré",
    "preferred_username": "",
    "gender": "female",
    "birthdate": "1990-02-03",
    "terms": "yes",
}
FORM = "application/x-www-form-urlencoded"


def begin(browser: FlaskClient, email: str = "zoe@example.fr") -> TestResponse:
    """Send the first page."""
    return send(browser, "/sign-up", {"email": email})


def prove(provider: Provider, browser: FlaskClient, email: str = "zoe@example.fr") -> None:
    """Go as far as the second page."""
    begin(browser, email)
    answer = send(browser, "/sign-up/code", {"code": mailed_code(provider.context, email)})
    assert urlsplit(answer.location).path == "/sign-up/details"


def accounts_in(provider: Provider) -> int:
    """Count the accounts."""
    with provider.context.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(accounts)) or 0


@pytest.mark.rule("ACC-1")
@pytest.mark.parametrize(
    "typed, told",
    [
        ("", "Saisissez votre adresse e-mail."),
        ("zoe", "Saisissez une adresse e-mail complète"),
        ("zoe@localhost", "Saisissez une adresse e-mail complète"),
        ("zoe@exa mple.fr", "Saisissez une adresse e-mail complète"),
        ("zoe@example.fr,max@example.fr", "Saisissez une adresse e-mail complète"),
        ('"zoe"@example.fr', "Saisissez une adresse e-mail complète"),
        ("z" * 300 + "@example.fr", "trop longue"),
    ],
    ids=["empty", "no at", "no dot", "a space", "two", "quoted", "too long"],
)
def test_address_that_is_none_is_told(visitor: FlaskClient, typed: str, told: str) -> None:
    """The page comes back with what was typed, and says what an address is like."""
    answer = begin(visitor, typed)

    assert answer.status_code == 422
    assert told in words_of(answer)


@pytest.mark.parametrize(
    "body",
    [
        b"email=a%40b.fr&email=c%40d.fr",
        b"email=zo%ff%40b.fr",
        b"email=zo%00%40b.fr",
        b"email=" + b"a" * 30_000,
    ],
    ids=["twice", "not UTF-8", "a null character", "30000 characters"],
)
@pytest.mark.parametrize(
    "path", ["/sign-up", "/sign-up/code", "/sign-up/code/resend", "/sign-up/link", "/sign-up/details"]
)
def test_unreadable_form_is_refused(visitor: FlaskClient, path: str, body: bytes) -> None:
    """A page that says so, with 400, on every step."""
    begin(visitor)
    token = csrf_of(visitor).encode()

    answer = visitor.post(path, data=body + b"&csrf_token=" + token, content_type=FORM)

    assert answer.status_code == 400
    assert answer.mimetype == "text/html"


@pytest.mark.rule("UX-4")
@pytest.mark.parametrize(
    "path", ["/sign-up", "/sign-up/code", "/sign-up/code/resend", "/sign-up/link", "/sign-up/details"]
)
def test_form_without_its_token_is_refused(visitor: FlaskClient, path: str) -> None:
    """No step is taken for a visitor by another site."""
    begin(visitor)

    assert visitor.post(path, data={}).status_code == 400


@pytest.mark.parametrize(
    "path, allowed",
    [
        ("/sign-up", "GET"),
        ("/sign-up/code", "GET"),
        ("/sign-up/code/resend", "POST"),
        ("/sign-up/link", "GET"),
        ("/sign-up/details", "GET"),
    ],
)
def test_other_methods_are_refused(visitor: FlaskClient, path: str, allowed: str) -> None:
    """Each step says how it is used."""
    answer = visitor.put(path, data={"csrf_token": csrf_of(visitor)})

    assert answer.status_code == 405
    assert allowed in answer.headers["Allow"]
    if allowed == "POST":
        assert visitor.get(path).status_code == 405


@pytest.mark.rule("ACC-4")
@pytest.mark.parametrize("path", ["/sign-up/code", "/sign-up/details"])
def test_step_without_a_sign_up_begins_at_the_address(visitor: FlaskClient, path: str) -> None:
    """Nobody jumps over the proof of the address."""
    reached = visitor.get(path, follow_redirects=True)
    sent = visitor.post(path, data={"csrf_token": csrf_of(visitor), "code": "123456", **DETAILS})

    assert reached.request.path == "/sign-up"
    assert (sent.status_code, sent.location) == (303, "/sign-up")


@pytest.mark.rule("ACC-4")
@pytest.mark.parametrize(
    "typed, told",
    [
        ("", "Saisissez le code à 6 chiffres"),
        ("12345", "Le code comporte 6 chiffres"),
        ("1234567", "Le code comporte 6 chiffres"),
        ("abcdef", "Le code comporte 6 chiffres"),
        ("١٢٣٤٥٦", "Le code comporte 6 chiffres"),
    ],
    ids=["empty", "five digits", "seven digits", "letters", "other digits"],
)
def test_code_that_is_none_costs_no_try(
    provider: Provider, visitor: FlaskClient, typed: str, told: str
) -> None:
    """Only six digits are compared, hence counted."""
    begin(visitor)

    answers = [send(visitor, "/sign-up/code", {"code": typed}) for _ in range(6)]

    assert {answer.status_code for answer in answers} == {422}
    assert told in answers[-1].text
    assert send(visitor, "/sign-up/code", {"code": mailed_code(provider.context)}).status_code == 303


@pytest.mark.rule("ACC-4")
def test_wrong_codes_say_how_many_tries_are_left(provider: Provider, visitor: FlaskClient) -> None:
    """Four, three, two, one; then another code must be asked for."""
    begin(visitor)
    wrong = f"{(int(mailed_code(provider.context)) + 1) % 1_000_000:06d}"

    answers = [send(visitor, "/sign-up/code", {"code": wrong}).text for _ in range(5)]

    assert "4 essais" in answers[0]
    assert "1 essai." in answers[3]
    assert "Trop d’essais avec ce code" in answers[4]


@pytest.mark.rule("ACC-4")
def test_code_is_taken_with_spaces_around_and_inside(provider: Provider, visitor: FlaskClient) -> None:
    """As it is pasted from a mail, or read aloud."""
    begin(visitor)
    code = mailed_code(provider.context)

    answer = send(visitor, "/sign-up/code", {"code": f" {code[:3]} {code[3:]} "})

    assert answer.location == "/sign-up/details"


@pytest.mark.rule("ACC-4")
def test_late_code_can_be_asked_for_again(
    provider: Provider, visitor: FlaskClient, clock: SettableClock
) -> None:
    """The page says that it is too old, sends another, and goes on."""
    begin(visitor)
    code = mailed_code(provider.context)
    clock.advance(minutes=10)

    late = send(visitor, "/sign-up/code", {"code": code})
    resent = send(visitor, "/sign-up/code", {}, action="/sign-up/code/resend")
    shown = visitor.get(resent.location)
    answer = send(visitor, "/sign-up/code", {"code": mailed_code(provider.context)})

    assert "Ce code n’est plus valable" in late.text
    assert "nouveau code" in shown.text
    assert answer.location == "/sign-up/details"


@pytest.mark.rule("ACC-4")
def test_sixth_mail_within_the_hour_is_refused_in_words(provider: Provider, visitor: FlaskClient) -> None:
    """The page says to wait; nothing more is sent."""
    begin(visitor)
    for _ in range(4):
        send(visitor, "/sign-up/code", {}, action="/sign-up/code/resend")

    answer = send(visitor, "/sign-up/code", {}, action="/sign-up/code/resend")

    assert answer.status_code == 422
    assert "Attendez quelques minutes" in answer.text
    assert len(mails(provider.context)) == 5


@pytest.mark.rule("LOG-2")
def test_twenty_first_sign_up_of_a_network_is_answered_by_429(visitor: FlaskClient) -> None:
    """The page says until when."""
    for number in range(20):
        assert begin(visitor, f"personne{number}@example.fr").status_code == 303

    answer = begin(visitor)

    assert answer.status_code == 429
    assert 590 <= int(answer.headers["Retry-After"]) <= 601


@pytest.mark.rule("ACC-4", "ACC-5")
def test_pages_are_the_same_for_a_known_address(provider: Provider) -> None:
    """Redirect, waiting page, wrong code, another mail: nothing differs but the address typed and tokens."""
    some_terms(provider.context)
    an_account(provider.context, "connue@example.fr")
    an_account(provider.context, "bloque@example.fr", is_locked=True)
    an_account(provider.context, "genere@example.fr", OTHER_PASSWORD, is_generated=True)

    ways = {
        seen(provider.client(), f"{name}@example.fr") for name in ("inconu", "connue", "bloque", "genere")
    }

    assert len(ways) == 1


def seen(browser: FlaskClient, email: str) -> tuple[object, ...]:
    """Gather what a visitor can see before the address is proven."""
    answers = [
        begin(browser, email),
        browser.get("/sign-up/code"),
        send(browser, "/sign-up/code", {"code": "000000"}),
        send(browser, "/sign-up/code", {}, action="/sign-up/code/resend"),
        browser.get("/sign-up/code?notice=resent"),
    ]
    return tuple(
        (
            answer.status_code,
            answer.headers.get("Location"),
            tuple(name for name, _ in answer.headers.items()),
            without_tokens(answer).replace(email, "…"),
        )
        for answer in answers
    )


@pytest.mark.rule("ACC-4")
def test_link_leaves_the_address_and_get_proves_nothing(provider: Provider, visitor: FlaskClient) -> None:
    """The token goes to a cookie at once; only the button proves."""
    begin(visitor)
    path, elsewhere = mailed_path(provider.context), provider.client()

    for _ in range(3):
        cleaned = elsewhere.get(path)
        elsewhere.head(path)
        shown = elsewhere.get(cleaned.location)

    assert (cleaned.status_code, cleaned.location) == (303, "/sign-up/link")
    assert shown.status_code == 200
    assert "zoe@example.fr" in shown.text
    assert shown.headers["Referrer-Policy"] == "same-origin"
    assert shown.headers["Cache-Control"] == "no-store"
    with provider.context.database.read() as connection:
        assert connection.scalar(select(signups.c.proven_at)) is None
    assert elsewhere.post("/sign-up/link", data=form_of(shown)).location == "/sign-up/details"


@pytest.mark.rule("ACC-4")
@pytest.mark.parametrize("token", ["", "x", "mpl_" + "A" * 49, "%00"])
def test_link_that_never_was_is_told(visitor: FlaskClient, token: str) -> None:
    """The page offers to begin again."""
    answer = visitor.get(f"/sign-up/link?token={token}", follow_redirects=True)

    assert answer.status_code in {400, 410}
    if answer.status_code == 410:
        assert "Ce lien ne fonctionne plus" in answer.text
        assert 'action="/sign-up"' in answer.text


@pytest.mark.rule("ACC-4")
def test_link_followed_twice_is_told(provider: Provider, visitor: FlaskClient) -> None:
    """The browser that was first goes on; any other begins again."""
    begin(visitor)
    path, token = mailed_path(provider.context), mailed_token(provider.context)
    first, second = provider.client(), provider.client()
    fields = {"token": token}
    first.get(path)
    assert first.post("/sign-up/link", data={**fields, "csrf_token": csrf_of(first)}).status_code == 303

    again = first.get(path, follow_redirects=True)
    late = second.post("/sign-up/link", data={**fields, "csrf_token": csrf_of(second)})

    assert again.request.path == "/sign-up/details"
    assert late.status_code == 410


@pytest.mark.rule("ACC-5")
def test_browser_that_began_is_left_behind_by_the_link(provider: Provider, visitor: FlaskClient) -> None:
    """Mallory types Zoé's address; Zoé follows the link and opens her account; Mallory's browser has nothing."""
    begin(visitor)
    owner = provider.client()
    shown = owner.get(mailed_path(provider.context), follow_redirects=True)
    owner.post("/sign-up/link", data=form_of(shown))

    behind = visitor.get("/sign-up/details", follow_redirects=True)
    done = send(owner, "/sign-up/details", DETAILS)

    assert behind.request.path == "/sign-up"
    assert done.status_code == 303
    assert owner.get("/account/sessions").status_code == 200
    assert visitor.get("/account/sessions").status_code == 303
    assert visitor.get("/sign-up/details", follow_redirects=True).request.path == "/sign-up"


@pytest.mark.rule("ACC-3")
def test_box_is_never_ticked_beforehand(provider: Provider, visitor: FlaskClient) -> None:
    """Neither at first nor when the form comes back."""
    prove(provider, visitor)

    first = visitor.get("/sign-up/details").text
    again = send(visitor, "/sign-up/details", DETAILS | {"given_name": "2"}).text

    assert 'name="terms" type="checkbox"' in first
    assert " checked" not in checkbox_in(first)
    assert " checked" not in checkbox_in(again)


def checkbox_in(text: str) -> str:
    """Cut the box of the terms out of a page."""
    start = text.index('name="terms" type="checkbox"')
    return text[start : text.index(">", start)]


@pytest.mark.rule("ACC-3")
@pytest.mark.parametrize("tick", [None, "", "no", "on"])
def test_without_the_tick_nothing_is_created(
    provider: Provider, visitor: FlaskClient, tick: str | None
) -> None:
    """The form comes back as it was typed, passwords aside, and says why."""
    prove(provider, visitor)
    fields = {name: value for name, value in DETAILS.items() if name != "terms"}

    answer = send(visitor, "/sign-up/details", fields if tick is None else {**fields, "terms": tick})

    assert answer.status_code == 422
    assert "Cochez la case" in answer.text
    for kept in ("Zoé Claire", "Œuvré", "1990-02-03"):
        assert f'value="{kept}"' in answer.text
    assert 'value="female" checked' in answer.text
    assert PASSWORD not in answer.text
    assert accounts_in(provider) == 0


WRONG_FIELDS = {
    "no password": ({"password": ""}, "au moins 8"),
    "a short password": ({"password": "Ab1!"}, "au moins 8"),
    "a long password": ({"password": "Ab1!" * 40}, "128 caractères au plus"),
    "no upper case": ({"password": "vingt2.tramways"}, "lettre majuscule"),
    "no lower case": ({"password": "VINGT2.TRAMWAYS"}, "lettre minuscule"),
    "no digit": ({"password": "Vingt.Tramways"}, "Ajoutez un chiffre"),
    "no special": ({"password": "Vingt2Tramways"}, "caractère spécial"),
    "a refused character": ({"password": "Vingt2.Trèmways"}, "« è »"),
    "a decomposed one": ({"password": "Vingt2.Tre\u0300mways"}, "« è »"),
    "two refused ones": ({"password": "Vingt2.Tr&mway<s"}, "« &amp; », « &lt; »"),
    "a typographic apostrophe": ({"password": "Vingt2.Tr’mways"}, "« ’ »"),
    "the name of the person": ({"password": "Zoe-Claire.1990"}, "votre nom ou votre adresse"),
    "the name of the service": ({"password": "Mon-MonParis.2026"}, "nom de ce service"),
    "a common password": ({"password": "Soleil2024!"}, "trop connu"),
    "a name with a digit": ({"family_name": "R2D2"}, "ni une lettre"),
    "markup in a name": ({"given_name": "<b>Zoé</b>"}, "ni une lettre"),
    "a very long name": ({"family_name": "é" * 300}, "trop long"),
    "an unknown gender": ({"gender": "robot"}, "réponses proposées"),
    "a date in words": ({"birthdate": "3 février 1990"}, "une date qui existe"),
    "a day that is none": ({"birthdate": "1990-02-30"}, "une date qui existe"),
    "a date to come": ({"birthdate": "2990-02-03"}, "dans le futur"),
    "a date of long ago": ({"birthdate": "1790-02-03"}, "Vérifiez l’année"),
}


@pytest.mark.rule("PWD-1", "PWD-2", "PWD-3", "PWD-6", "ACC-3")
@pytest.mark.parametrize("fields, told", WRONG_FIELDS.values(), ids=WRONG_FIELDS.keys())
def test_wrong_field_is_named_in_words(
    provider: Provider, visitor: FlaskClient, fields: dict[str, str], told: str
) -> None:
    """The page comes back with the reason beside the field; nothing is created."""
    prove(provider, visitor)

    answer = send(visitor, "/sign-up/details", DETAILS | fields)

    assert answer.status_code == 422
    assert told in words_of(answer)
    assert "<b>Zoé" not in answer.text
    assert accounts_in(provider) == 0


@pytest.mark.rule("PWD-3")
def test_every_fault_of_the_page_is_told_at_once(provider: Provider, visitor: FlaskClient) -> None:
    """One answer, all there is to correct."""
    prove(provider, visitor)

    answer = send(
        visitor,
        "/sign-up/details",
        {"password": "é", "given_name": "2", "family_name": "2", "gender": "x", "birthdate": "x"},
    )

    assert "11 points à corriger" in answer.text


@pytest.mark.rule("PWD-4")
def test_longest_password_is_taken_whole(provider: Provider, visitor: FlaskClient) -> None:
    """128 characters, and each of them counts at sign-in."""
    prove(provider, visitor)
    longest = "Ab1!" + "".join(chr(ord("a") + index * 7 % 26) for index in range(124))

    assert send(visitor, "/sign-up/details", DETAILS | {"password": longest}).status_code == 303

    elsewhere = provider.client()
    typed = {"email": "zoe@example.fr", "password": longest[:-1]}
    assert send(elsewhere, "/sign-in", typed).status_code == 422
    assert send(elsewhere, "/sign-in", typed | {"password": longest}).status_code == 303


@pytest.mark.rule("ACC-1")
def test_account_needs_no_identity(provider: Provider, visitor: FlaskClient) -> None:
    """An address, a password and the terms are enough: nothing else is kept of who says nothing else (S-429)."""
    prove(provider, visitor)

    answer = send(visitor, "/sign-up/details", {"password": DETAILS["password"], "terms": "yes"})

    assert (answer.status_code, answer.location) == (303, "/")
    assert accounts_in(provider) == 1
    with provider.context.database.read() as connection:
        assert connection.execute(select(account_attributes)).all() == []


@pytest.mark.rule("ACC-1", "ACC-3")
def test_account_is_opened_and_its_owner_signed_in(provider: Provider, visitor: FlaskClient) -> None:
    """Two pages and a code: then the home page, signed in, with the proof of the terms."""
    prove(provider, visitor)

    answer = send(visitor, "/sign-up/details", DETAILS)

    assert (answer.status_code, answer.location) == (303, "/")
    assert visitor.get("/account/sessions").status_code == 200
    assert visitor.get_cookie("__Host-mon_paris_signup") is None
    with provider.context.database.read() as connection:
        document = connection.scalar(select(ledger_entries.c.document))
    assert document["version"] == TERMS_VERSION


@pytest.mark.rule("ACC-1")
def test_second_click_on_the_last_page_goes_on(provider: Provider, visitor: FlaskClient) -> None:
    """One account, and no error."""
    prove(provider, visitor)
    fields = {**form_of(visitor.get("/sign-up/details")), **DETAILS}
    visitor.post("/sign-up/details", data=fields)

    again = visitor.post("/sign-up/details", data=fields)

    assert (again.status_code, again.location) == (303, "/")
    assert accounts_in(provider) == 1


@pytest.mark.rule("ACC-1")
def test_second_click_whose_first_was_answered_in_vain_leads_to_the_account(
    provider: Provider, visitor: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the one is at work, the other opens the account, and the browser has dropped its answer."""
    prove(provider, visitor)
    fields = {**form_of(visitor.get("/sign-up/details")), **DETAILS}
    first, hash_once = twin_of(visitor), provider.context.passwords.hash

    def hash_meanwhile(password: str) -> str:
        monkeypatch.undo()
        # In a thread of its own: Flask shares what it knows of a request with one that is sent within it.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(first.post, "/sign-up/details", data=fields).result()
        return hash_once(password)

    monkeypatch.setattr(provider.context.passwords, "hash", hash_meanwhile)

    answer = visitor.post("/sign-up/details", data=fields)

    assert (answer.status_code, answer.location) == (303, "/sign-in?notice=account_ready")
    assert accounts_in(provider) == 1


@pytest.mark.rule("ACC-1")
def test_sign_up_within_a_request_ends_at_the_service(provider: Provider, visitor: FlaskClient) -> None:
    """From the service's button to its page, in the same tab; the mail names the service."""
    service = provider.a_client(name="Stationnement")
    asked = provider.authorize(visitor, service)
    pending = parse_qs(urlsplit(asked.location).query)["pending"][0]

    first = send(visitor, f"/sign-up?pending={pending}", {"email": "zoe@example.fr"})
    second = send(visitor, first.location, {"code": mailed_code(provider.context)})
    answer = send(visitor, second.location, DETAILS)

    assert last_mail(provider.context).variables["service_name"] == "Stationnement"
    assert answer.status_code == 200
    assert "code" in answer_of(answer)


@pytest.mark.rule("ACC-1")
def test_link_in_the_same_browser_goes_on_to_the_service(provider: Provider, visitor: FlaskClient) -> None:
    """The link does what the code does."""
    service = provider.a_client(name="Stationnement")
    asked = provider.authorize(visitor, service)
    pending = parse_qs(urlsplit(asked.location).query)["pending"][0]
    send(visitor, f"/sign-up?pending={pending}", {"email": "zoe@example.fr"})

    shown = visitor.get(mailed_path(provider.context), follow_redirects=True)
    proven = visitor.post("/sign-up/link", data=form_of(shown))
    answer = send(visitor, proven.location, DETAILS)

    assert "code" in answer_of(answer)


@pytest.mark.rule("ACC-5")
def test_address_that_got_an_account_meanwhile_leads_to_sign_in(
    provider: Provider, visitor: FlaskClient
) -> None:
    """Who proved the address is told that the account is there."""
    prove(provider, visitor)
    an_account(provider.context)

    answer = send(visitor, "/sign-up/details", DETAILS)

    assert (answer.status_code, answer.location) == (303, "/sign-in?notice=account_ready")
    assert accounts_in(provider) == 1


@pytest.mark.rule("UX-1")
def test_pages_and_mail_are_in_english_for_who_asks(provider: Provider, visitor: FlaskClient) -> None:
    """The language chosen on the first page goes along."""
    send(visitor, "/sign-up?lang=en", {"email": "zoe@example.fr"})

    assert last_mail(provider.context).language == "en"
    assert '<html lang="en">' in visitor.get("/sign-up/code").text


@pytest.mark.rule("ACC-3", "CGU-1")
def test_sign_up_before_any_terms_hold_says_to_come_back(provider: Provider) -> None:
    """Nothing is begun that could not be ended: no mail, and an answer of 503."""
    browser = provider.client()

    answer = begin(browser)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert mails(provider.context) == []
