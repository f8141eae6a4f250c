"""FranceConnect's pages: the whole way with a browser and the simulator, and everything that may go wrong on it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from idp.storage.models import accounts, franceconnect_links, sessions
from tests.support.builders import PASSWORD, an_account, last_mail, mails
from tests.support.franceconnect import CLIENT_SECRET, LOGOUT_URI, parameters_of
from tests.support.provider import (
    BYE,
    ISSUER,
    SESSION_COOKIE,
    a_provider,
    answer_of,
    continue_url,
    form_of,
    pending_of,
)

if TYPE_CHECKING:
    from sqlalchemy import Table

    from tests.support.clock import SettableClock
    from tests.support.franceconnect_pages import Pages


def rows(pages: Pages, table: Table) -> int:
    """Count the rows of a table."""
    with pages.provider.context.database.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


# The way in


@pytest.mark.rule("ACC-2", "FC-1", "PWD-7")
def test_first_account_through_franceconnect(pages: Pages) -> None:
    """From the button to an open session: identity shown, address proven, terms ticked."""
    browser = pages.browser()
    first = pages.go(browser)
    assert urlsplit(first.location).path == "/franceconnect/first-time"
    assert "DUBOIS" in browser.get(first.location).text
    chosen = pages.post(browser, first.location, choice="create")
    asked = browser.get(chosen.location)
    assert "wossewodda-3728@yopmail.com" in asked.text
    assert "checked" not in asked.text

    coded = pages.post(browser, chosen.location, email="angela@example.fr", terms="yes")
    code = last_mail(pages.provider.context).variables["code"]
    opened = pages.post(browser, coded.location, code=code)

    assert opened.status_code == 303
    assert browser.get_cookie(SESSION_COOKIE) is not None
    assert rows(pages, accounts) == rows(pages, franceconnect_links) == 1
    assert "DUBOIS" in browser.get("/account/identity").text


@pytest.mark.rule("FC-1")
def test_second_visit_signs_in_at_once(pages: Pages) -> None:
    """Known by subject: no question is asked."""
    pages.sign_up(pages.browser())
    browser = pages.browser()

    back = pages.go(browser, "/franceconnect/login?next=/account/identity")

    assert back.location == "/account/identity"
    assert browser.get(back.location).status_code == 200


@pytest.mark.rule("ACC-2", "ACC-1")
def test_whole_way_inside_a_request_of_a_service(pages: Pages) -> None:
    """From the service's button to its callback, in the same tab."""
    service = pages.provider.a_client(claims=())
    browser = pages.browser()
    asked = pages.provider.authorize(browser, service)
    pending = parse_qs(urlsplit(asked.location).query)["pending"][0]
    first = pages.go(browser, f"/franceconnect/login?pending={pending}")
    assert f"pending={pending}" in first.location
    chosen = pages.post(browser, first.location, choice="create")
    coded = pages.post(browser, chosen.location, email="angela@example.fr", terms="yes")
    code = last_mail(pages.provider.context).variables["code"]

    answer = pages.post(browser, coded.location, code=code)

    assert answer_of(answer)["state"] == "s-1"
    assert "code" in answer_of(answer)


@pytest.mark.rule("FC-1")
def test_known_person_comes_back_to_the_service(pages: Pages) -> None:
    """A known person in the middle of a request: straight on to the service, at level eidas1."""
    pages.sign_up(pages.browser())
    service = pages.provider.a_client(claims=())
    browser = pages.browser()
    asked = pages.provider.authorize(browser, service)
    pending = parse_qs(urlsplit(asked.location).query)["pending"][0]

    answer = pages.go(browser, f"/franceconnect/login?pending={pending}")

    assert "code" in answer_of(answer)


@pytest.mark.rule("FC-4")
def test_existing_account_is_linked_by_its_password(pages: Pages) -> None:
    """The other button of the first-time page: proof of both sides, then in."""
    an_account(pages.provider.context)
    browser = pages.browser()
    first = pages.go(browser)
    chosen = pages.post(browser, first.location, choice="link")
    assert urlsplit(chosen.location).path == "/franceconnect/link-account"

    wrong = pages.post(browser, chosen.location, email="zoe@example.fr", password="Autre.chose1")
    empty = pages.post(browser, chosen.location, email="", password="")
    linked = pages.post(browser, chosen.location, email="zoe@example.fr", password=PASSWORD)

    assert (wrong.status_code, empty.status_code, linked.status_code) == (422, 422, 303)
    assert "Autre.chose1" not in wrong.text
    assert rows(pages, franceconnect_links) == 1


@pytest.mark.rule("LOG-2", "UX-2")
def test_page_that_links_an_account_is_braked_and_says_until_when(pages: Pages) -> None:
    """As the sign-in page does; what was typed of the address is kept."""
    an_account(pages.provider.context)
    browser = pages.browser()
    where = pages.post(browser, pages.go(browser).location, choice="link").location

    answers = [pages.post(browser, where, email="zoe@example.fr", password="Autre.chose1") for _ in range(6)]

    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert 'value="zoe@example.fr"' in answers[-1].text


# Errors


@pytest.mark.rule("FC-7")
@pytest.mark.parametrize(
    "query",
    [
        "",
        "?state=undefined&error=server_error",
        "?code=x&state=y",
        "?error=access_denied",
        "?state=" + "0" * 64 + "&code=x&iss=https://autre.example",
        "?code=%00&state=x",
        "?code=a&code=b&state=x",
        "?state=%FF",
        "?error=%3Cscript%3E&state=x",
        "?code=" + "a" * 3_000,
    ],
)
def test_callback_from_nowhere_is_a_page_that_helps(pages: Pages, query: str) -> None:
    """No white page, no 500, no session, whatever comes (franceconnect.md 2.1)."""
    answer = pages.browser().get("/franceconnect/callback" + query)

    assert answer.status_code in {200, 400, 502, 503}
    assert "<h1" in answer.text
    assert "<script>" not in answer.text
    assert rows(pages, sessions) == 0


@pytest.mark.rule("FC-7")
def test_person_who_gives_up_is_offered_both_ways(pages: Pages) -> None:
    """`access_denied` is no error of anybody: try again, or use a password."""
    browser = pages.browser()
    left = browser.get("/franceconnect/login")
    back = pages.simulator.person_gives_up(left.location)

    answer = browser.get("/franceconnect/callback", query_string=back)

    assert answer.status_code == 200
    assert 'href="/franceconnect/login"' in answer.text
    assert 'href="/sign-in"' in answer.text


@pytest.mark.rule("FC-7")
def test_outage_is_told_at_the_button_and_password_login_works(pages: Pages) -> None:
    """FranceConnect is down: a clear page, and the other way in untouched."""
    an_account(pages.provider.context)
    browser = pages.browser()
    pages.simulator.misbehave(fault="down")

    answer = browser.get("/franceconnect/login")
    signed_in = pages.post(browser, "/sign-in", email="zoe@example.fr", password=PASSWORD)

    assert answer.status_code == 503
    assert "mot de passe" in answer.text
    assert signed_in.status_code == 303
    assert browser.get_cookie(SESSION_COOKIE) is not None


@pytest.mark.rule("FC-7")
def test_outage_on_the_way_back_leaves_nothing(pages: Pages) -> None:
    """Down between the browser's return and our question."""
    browser = pages.browser()
    callback = pages.callback(browser)
    pages.simulator.misbehave(fault="down")

    answer = browser.get(callback)

    assert answer.status_code == 503
    assert rows(pages, sessions) == rows(pages, accounts) == 0


@pytest.mark.rule("FC-1")
def test_tampered_answer_is_refused_with_a_number(pages: Pages) -> None:
    """A check failed: the page says so without details, with a number to quote."""
    browser = pages.browser()
    callback = pages.callback(browser)
    pages.simulator.misbehave(fault="wrong_key", on="userinfo")

    answer = browser.get(callback)

    assert answer.status_code == 502
    assert "signature" not in answer.text
    assert rows(pages, sessions) == 0


@pytest.mark.rule("FC-1")
def test_callback_in_another_browser_signs_nobody_in(pages: Pages) -> None:
    """A stolen callback address is worth nothing elsewhere (S-59)."""
    pages.sign_up(pages.browser())
    callback = pages.callback(pages.browser())
    thief = pages.browser()

    answer = thief.get(callback)

    assert answer.status_code == 400
    assert thief.get_cookie(SESSION_COOKIE) is None


@pytest.mark.rule("FC-1")
def test_doubled_callback_ends_where_the_first_one_did(pages: Pages) -> None:
    """A double click on the way back is not noticed."""
    pages.sign_up(pages.browser())
    browser = pages.browser()
    callback = pages.callback(browser, "/franceconnect/login?next=/account/identity")
    first = browser.get(callback)

    second = browser.get(callback)

    assert first.location == second.location == "/account/identity"


@pytest.mark.rule("FC-1")
def test_doubled_first_time_asks_the_same_question(pages: Pages) -> None:
    """An unknown person whose callback comes twice is asked once more, not turned away."""
    browser = pages.browser()
    callback = pages.callback(browser)
    first = browser.get(callback)

    second = browser.get(callback)

    assert first.location == second.location
    assert browser.get(second.location).status_code == 200


@pytest.mark.rule("ACC-3")
def test_signup_without_the_box_comes_back_with_what_was_typed(pages: Pages) -> None:
    """The box is required; the form comes back with the address and an error; no mail goes out."""
    browser = pages.browser()
    chosen = pages.post(browser, pages.go(browser).location, choice="create")

    answer = pages.post(browser, chosen.location, email="angela@example.fr")
    malformed = pages.post(browser, chosen.location, email="angela", terms="yes")

    assert (answer.status_code, malformed.status_code) == (422, 422)
    assert "angela@example.fr" in answer.text
    assert mails(pages.provider.context) == []


@pytest.mark.rule("ACC-5")
def test_known_address_gets_the_same_page(pages: Pages) -> None:
    """Nothing on the screen tells whether an address has an account."""
    an_account(pages.provider.context, "connue@example.fr")
    answers = []
    for email in ("connue@example.fr", "inconnue@example.fr"):
        browser = pages.browser()
        chosen = pages.post(browser, pages.go(browser).location, choice="create")
        coded = pages.post(browser, chosen.location, email=email, terms="yes")
        answers.append((coded.status_code, urlsplit(coded.location).path, browser.get(coded.location).text))

    (first, second) = (
        (status, path, without_tokens(text, email))
        for (status, path, text), email in zip(
            answers, ("connue@example.fr", "inconnue@example.fr"), strict=True
        )
    )
    assert first == second
    assert "email_existing_franceconnect" in {mail.event for mail in mails(pages.provider.context)}


def without_tokens(text: str, email: str) -> list[str]:
    """Leave out what differs at each render: the form's token and the address itself."""
    lines = text.replace(email, "EMAIL").splitlines()
    return [line for line in lines if "csrf_token" not in line]


@pytest.mark.rule("FC-3")
@pytest.mark.parametrize(
    "where", ["/franceconnect/first-time", "/franceconnect/link-account", "/sign-up/franceconnect"]
)
def test_page_without_an_identity_says_to_begin_again(pages: Pages, where: str) -> None:
    """Expired, or opened from a bookmark: a page with a next step."""
    answer = pages.browser().get(where)

    assert answer.status_code == 400
    assert 'href="/franceconnect/login"' in answer.text


@pytest.mark.parametrize(
    "where",
    [
        "/franceconnect/login?intent=autre",
        "/franceconnect/login?next=%00",
        "/franceconnect/login?intent=link&intent=link",
    ],
)
def test_malformed_departure_is_refused(pages: Pages, where: str) -> None:
    """Nothing unknown is passed on."""
    assert pages.browser().get(where).status_code == 400


def test_departure_does_not_lead_to_another_site(pages: Pages) -> None:
    """`next` is a path of ours, or nothing (S-281)."""
    pages.sign_up(pages.browser())
    browser = pages.browser()

    back = pages.go(browser, "/franceconnect/login?next=https://autre.example/")

    assert back.location == "/"


@pytest.mark.parametrize(
    "where", ["/franceconnect/login", "/franceconnect/callback", "/sign-up/franceconnect"]
)
def test_pages_are_absent_while_franceconnect_is_off(pages: Pages, clock: SettableClock, where: str) -> None:
    """Off means off."""
    off = a_provider(pages.provider.context.database, clock)

    assert off.client().get(where).status_code == 404


@pytest.mark.parametrize("choice", ["", "autre"])
def test_unknown_choice_is_refused(pages: Pages, choice: str) -> None:
    """The page has two buttons."""
    browser = pages.browser()
    first = pages.go(browser)

    assert pages.post(browser, first.location, choice=choice).status_code == 400


# Secrets


@pytest.mark.rule("PRI-3")
def test_no_token_of_franceconnect_reaches_the_browser(pages: Pages) -> None:
    """Neither its tokens nor our secret stand in a page or an address of ours (S-58)."""
    browser = pages.browser()
    first = pages.go(browser)
    texts = [first.location, browser.get(first.location).text]
    opened = pages.sign_up(pages.browser())
    texts.append(opened.text)

    assert not any("eyJ" in text or CLIENT_SECRET in text for text in texts)


# Linking from the identity page


@pytest.mark.rule("FC-4", "PRO-3")
def test_link_from_the_identity_page_with_comparison(pages: Pages) -> None:
    """Ours beside FranceConnect's, then confirmed: linked, and the session certified."""
    context = pages.provider.context
    account = an_account(context)
    browser = pages.provider.signed_in(account, browser=pages.browser())
    back = pages.go(browser, "/franceconnect/login?intent=link")
    assert back.location == "/account/franceconnect"
    assert "DUBOIS" in browser.get(back.location).text
    assert rows(pages, franceconnect_links) == 0

    linked = pages.post(browser, back.location, decision="confirm")

    assert linked.location == "/account/identity?notice=linked"
    assert rows(pages, franceconnect_links) == 1
    assert 'name="family_name"' not in browser.get(linked.location).text


@pytest.mark.rule("FC-4")
def test_cancelled_link_changes_nothing(pages: Pages) -> None:
    """Cancelled: said, and nothing done."""
    browser = pages.provider.signed_in(an_account(pages.provider.context), browser=pages.browser())
    back = pages.go(browser, "/franceconnect/login?intent=link")

    cancelled = pages.post(browser, back.location, decision="cancel")

    assert pages.through_logout(browser, cancelled) == "/account/identity?notice=link_cancelled"
    assert browser.get("/account/franceconnect").status_code == 400
    assert rows(pages, franceconnect_links) == 0


@pytest.mark.rule("FC-4")
def test_link_asks_for_a_recent_login(pages: Pages, clock: SettableClock) -> None:
    """A session left open on a shared terminal can't be linked by whoever sits down (S-47)."""
    browser = pages.provider.signed_in(an_account(pages.provider.context), browser=pages.browser())
    clock.advance(minutes=16)

    answer = browser.get("/franceconnect/login?intent=link")

    assert answer.location.startswith("/sign-in?")
    assert "confirm=1" in answer.location


@pytest.mark.rule("FC-4")
def test_stranger_can_link_nothing(pages: Pages) -> None:
    """Without a session there is nothing to link: sign in first."""
    browser = pages.browser()

    for where in ("/franceconnect/login?intent=link", "/account/franceconnect"):
        assert browser.get(where).location.startswith("/sign-in?")


@pytest.mark.rule("ACC-6")
def test_identity_of_another_account_is_refused_on_a_page(pages: Pages) -> None:
    """One identity, one account."""
    pages.sign_up(pages.browser())
    browser = pages.provider.signed_in(an_account(pages.provider.context), browser=pages.browser())

    came = pages.go(browser, "/franceconnect/login?intent=link")
    answer = browser.get(pages.through_logout(browser, came))

    assert answer.status_code == 409
    assert "déjà associée" in answer.text
    assert "Revenir à mon compte" in answer.text


# Setting a password


@pytest.mark.rule("PWD-9")
def test_fresh_proof_leads_to_the_password_page(pages: Pages, clock: SettableClock) -> None:
    """Where nobody knows the password, FranceConnect stands in for it."""
    browser = pages.browser()
    pages.sign_up(browser)
    clock.advance(minutes=20)

    back = pages.go(browser, "/franceconnect/login?intent=password")

    assert back.location == "/account/password"


# Signing out


@pytest.mark.rule("LOG-7")
def test_sign_out_ends_both_sessions(pages: Pages) -> None:
    """Ours first, then FranceConnect's, then the page that says so."""
    browser = pages.browser()
    pages.sign_up(browser)
    token = form_of(browser.get("/account/identity"))

    out = browser.post("/sign-out", data={"csrf_token": token["csrf_token"]})

    assert browser.get_cookie(SESSION_COOKIE) is None
    assert rows(pages, sessions) == 0
    left = browser.get(continue_url(out).removeprefix(ISSUER))
    assert left.location.startswith(pages.simulator.issuer + "/session/end?")
    asked = parameters_of(left.location)
    assert asked["post_logout_redirect_uri"] == LOGOUT_URI
    path = pages.simulator.person_signs_out(left.location).removeprefix(ISSUER)
    assert browser.get(path).location == "/signed-out?franceconnect=1"


@pytest.mark.rule("LOG-7", "OID-6")
def test_logout_of_a_service_goes_through_frames_then_franceconnect_then_back(pages: Pages) -> None:
    """Ours ends first, the services' frames come next, then FranceConnect, and the service at last."""
    browser = pages.browser()
    pages.sign_up(browser)
    service = pages.provider.a_client(frontchannel_logout_uri="https://parking.example.org/out")
    hint = pages.provider.tokens(browser, service)["id_token"]
    query = {"id_token_hint": hint, "post_logout_redirect_uri": BYE, "state": "s"}

    page = browser.get("/logout", query_string=query)

    assert browser.get_cookie(SESSION_COOKIE) is None
    assert '<iframe hidden src="https://parking.example.org/out"' in page.text
    departure = continue_url(page)
    assert departure.startswith(f"{ISSUER}/franceconnect/logout?state=")
    left = browser.get(departure.removeprefix(ISSUER))
    assert left.location.startswith(pages.simulator.issuer + "/session/end?")
    back = pages.simulator.person_signs_out(left.location)
    assert browser.get(back.removeprefix(ISSUER)).location == f"{BYE}?state=s"


@pytest.mark.rule("LOG-7")
@pytest.mark.parametrize("query", ["", "?state=autre", "?state=" + "0" * 64])
def test_logout_callback_with_a_wrong_state_shows_the_page_too(pages: Pages, query: str) -> None:
    """Whatever comes back, the person is told that they are signed out."""
    browser = pages.browser()

    assert browser.get("/franceconnect/logout/callback" + query).location == "/signed-out"
    assert browser.get("/franceconnect/logout" + query).location == "/signed-out"


# Steps up

ESSENTIAL = '{"id_token":{"acr":{"essential":true,"values":["eidas1"]}}}'


@pytest.mark.rule("FC-6", "LOG-4")
def test_service_that_asks_for_eidas1_sends_a_password_session_to_link(pages: Pages) -> None:
    """The level comes from FranceConnect or not at all: both sides are proven, then the request goes on."""
    service = pages.provider.a_client(claims=())
    browser = pages.provider.signed_in(an_account(pages.provider.context), browser=pages.browser())
    asked = pages.provider.authorize(browser, service, claims=ESSENTIAL)
    assert urlsplit(asked.location).path == "/step-up"
    assert "Continuer sans FranceConnect" not in browser.get(asked.location).text
    back = pages.go(browser, f"/franceconnect/login?pending={pending_of(asked.location)}")

    answer = pages.post(browser, back.location, decision="confirm")

    assert "code" in answer_of(answer)


@pytest.mark.rule("FC-6", "LOG-4")
@pytest.mark.parametrize(
    "wish, choice, expected",
    [
        ({"acr_values": "eidas1"}, "without", "code"),
        ({"acr_values": "eidas1"}, "refuse", "access_denied"),
        ({"claims": ESSENTIAL}, "refuse", "access_denied"),
        ({"claims": ESSENTIAL}, "without", "access_denied"),
    ],
    ids=["wished, without", "wished, refused", "demanded, refused", "demanded, without"],
)
def test_person_may_go_on_without_a_level_that_is_only_wished(
    pages: Pages, wish: dict[str, str], choice: str, expected: str
) -> None:
    """A wish can be declined; a demand ends with a no for the service, never with a level that was not reached."""
    service = pages.provider.a_client(claims=())
    browser = pages.provider.signed_in(an_account(pages.provider.context), browser=pages.browser())
    asked = pages.provider.authorize(browser, service, **wish)

    found = answer_of(pages.post(browser, asked.location, choice=choice))

    assert expected in {*found, found.get("error")}


@pytest.mark.rule("LOG-6")
@pytest.mark.parametrize("language,words", [("fr", "Ce compte est bloqué"), ("en", "This account is locked")])
def test_locked_account_is_told_whom_to_call(pages: Pages, language: str, words: str) -> None:
    """FranceConnect opens no locked account, and the page names the city's number."""
    pages.sign_up(pages.browser())
    with pages.provider.context.database.write() as connection:
        connection.execute(accounts.update().values(state="locked"))
    browser = pages.browser()
    callback = pages.callback(browser)

    answer = browser.get(callback, headers={"Accept-Language": language})

    assert answer.status_code == 403
    assert words in answer.text
    assert "3975" in answer.text


@pytest.mark.rule("FC-8")
@pytest.mark.parametrize(
    "login", ["étranger_présumé_né_jour_et_mois", "naissance_Algérie", "genre_indéfini", "carac_speciaux"]
)
def test_unusual_identities_are_shown_and_certified(pages: Pages, login: str) -> None:
    """Presumed birth, born abroad, third gender, ligatures: through the pages to a certified account."""
    browser = pages.browser()

    opened = pages.sign_up(browser, login=login)

    assert opened.status_code == 303
    page = browser.get("/account/identity")
    assert page.status_code == 200
    assert "Identité certifiée par FranceConnect" in page.text
