"""/device: a code typed by hand or brought by an address, told apart from a trap, slowed down (RFC 8628; OID-7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.storage.engine import open_database
from idp.storage.repositories import pending_authorizations
from tests.support.pages import send, words_of
from tests.support.provider import ISSUER, a_provider, form_of, pending_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

PAGE = "/device"
TRIES_OF_ONE_BROWSER = 5
TRIES_OF_ONE_NETWORK = 20


@pytest.fixture
def provider(sqlite_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The application."""
    database = open_database(sqlite_url)
    yield a_provider(database, clock)
    database.dispose()


@pytest.fixture
def television(provider: Provider) -> Service:
    """A client without a secret and without a page."""
    return provider.a_client(is_public=True, name="Télévision de quartier", redirect_uris=())


def codes(provider: Provider, television: Service, **asked: str) -> dict[str, Any]:
    """Ask for codes, as the device does."""
    answer = provider.post("/device_authorization", television, **({"scope": "openid"} | asked))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json or {}
    return body


def type_code(browser: FlaskClient, code: str) -> TestResponse:
    """Type a code into the page."""
    return send(browser, PAGE, {"user_code": code})


@pytest.mark.rule("OID-7")
@pytest.mark.parametrize("form", ["{}", " {} ", "{0[0]}{0[1]}", "{0[0]} {0[1]}", "{0[0]}\N{EN DASH}{0[1]}"])
@pytest.mark.parametrize("case", ["upper", "lower"])
def test_code_is_taken_however_it_is_typed(
    provider: Provider, television: Service, form: str, case: str
) -> None:
    """Case, spaces and hyphens are the person's choice; the way goes on to sign in for that service."""
    shown = codes(provider, television)["user_code"]
    typed = form.format(shown if form.strip() == "{}" else shown.split("-"))
    browser = provider.client()

    answer = type_code(browser, getattr(typed, case)())

    assert answer.status_code == 303
    assert answer.location.startswith("/sign-in?pending=mpq_")
    assert "Télévision de quartier" in browser.get(answer.location).text


@pytest.mark.rule("OID-7")
def test_request_of_a_code_is_the_one_that_the_device_made(provider: Provider, television: Service) -> None:
    """Bound to the browser that typed it, ending with the codes, consent asked in any case."""
    browser = provider.client()
    answer = type_code(browser, codes(provider, television, scope="openid email")["user_code"])

    with provider.context.database.read() as connection:
        row = connection.exec_driver_sql("SELECT browser_hash FROM pending_authorizations").one()
        kept = pending_authorizations.find(
            connection, pending_of(answer.location), browser_hash=row.browser_hash
        )

    assert kept is not None
    assert kept.origin.device is not None
    assert kept.expires_at == provider.clock() + provider.context.token_lifetimes.device_code
    assert kept.parameters == {
        "client_id": television.client_id,
        "scope": "openid email",
        "redirect_uri": f"{ISSUER}/device/answer",
        "response_type": "code",
        "prompt": "consent",
    }
    assert provider.client().get(answer.location).status_code == 410


@pytest.mark.rule("OID-7")
@pytest.mark.parametrize(
    "typed,words",
    [
        ("", "Saisissez le code"),
        ("   ", "Saisissez le code"),
        ("BCDF", "8 lettres"),
        ("BCDF-GHJA", "8 lettres"),
        ("BCDF-GHJ1", "8 lettres"),
        ("BCDF-GHJK-L", "8 lettres"),
        ("BCDF-GHJK", "Aucun appareil"),
    ],
)
def test_code_that_is_none_comes_back_with_a_sentence(provider: Provider, typed: str, words: str) -> None:
    """What was typed stays in the field, and a screen reader hears what is wrong with it."""
    answer = type_code(provider.client(), typed)

    assert answer.status_code == 422
    assert words in words_of(answer)
    assert f'value="{typed}"' in answer.text
    assert 'aria-describedby="hint-user_code error-user_code"' in answer.text


@pytest.mark.rule("OID-7")
@pytest.mark.parametrize("why", ["expired", "answered"])
def test_code_that_is_over_says_no_more_than_one_that_never_was(
    provider: Provider, television: Service, why: str
) -> None:
    """A guess learns nothing of what has been."""
    code = codes(provider, television)["user_code"]
    if why == "expired":
        provider.clock.advance(provider.context.token_lifetimes.device_code)
    else:
        with provider.context.database.write() as connection:
            connection.exec_driver_sql("UPDATE device_authorizations SET state = 'refused'")

    over, never = type_code(provider.client(), code), type_code(provider.client(), "BCDF-GHJK")

    assert over.status_code == never.status_code == 422
    assert "Aucun appareil" in over.text


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "5.1", "SHOULD")
def test_codes_tried_in_one_browser_are_slowed_down(provider: Provider, television: Service) -> None:
    """Past the limit even the right code waits; the answer says until when."""
    browser = provider.client()
    for _ in range(TRIES_OF_ONE_BROWSER):
        type_code(browser, "BCDF-GHJK")

    answer = type_code(browser, codes(provider, television)["user_code"])

    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "60"
    assert "Trop d’essais" in answer.text
    provider.clock.advance(minutes=1)
    assert type_code(browser, codes(provider, television)["user_code"]).status_code == 303


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "5.1", "SHOULD")
def test_codes_tried_from_one_network_are_slowed_down_whatever_the_browser(provider: Provider) -> None:
    """Taking new cookies is no way around it."""
    for _ in range(TRIES_OF_ONE_NETWORK):
        assert type_code(provider.client(), "BCDF-GHJK").status_code == 422

    assert type_code(provider.client(), "BCDF-GHJK").status_code == 429


@pytest.mark.rule("OID-7")
def test_right_codes_do_not_brake_a_shared_network(provider: Provider, television: Service) -> None:
    """A library where everybody connects a device waits for nobody."""
    for _ in range(TRIES_OF_ONE_NETWORK + 1):
        assert type_code(provider.client(), codes(provider, television)["user_code"]).status_code == 303


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 8628", "5.4", "SHOULD")
def test_code_of_an_address_is_compared_before_it_does_anything(
    provider: Provider, television: Service
) -> None:
    """Whoever follows a link is shown the code, warned, and asked; until then nothing is looked up."""
    address = codes(provider, television)["verification_uri_complete"]
    browser = provider.client()

    page = browser.get(address.removeprefix(ISSUER))

    code = address.partition("user_code=")[2]
    assert f'<span aria-hidden="true">{code}</span>' in page.text
    assert ", ".join(code.replace("-", "")) in page.text
    assert "devant l’appareil" in page.text
    assert "Télévision" not in page.text
    with provider.context.database.read() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM pending_authorizations").scalar() == 0
    assert browser.post(PAGE, data=form_of(page)).status_code == 303


def test_code_of_an_address_that_is_none_leaves_the_field_empty(provider: Provider) -> None:
    """Nothing of the address is put into the page."""
    page = provider.client().get(f"{PAGE}?user_code=%22%3E%3Cscript%3E")

    assert page.status_code == 200
    assert "<script>" not in page.text
    assert 'name="user_code" type="text" value=""' in page.text


def test_page_takes_no_form_of_another_site(provider: Provider, television: Service) -> None:
    """Nobody types a code in somebody else's browser."""
    code = codes(provider, television)["user_code"]

    assert provider.client().post(PAGE, data={"user_code": code}).status_code == 400


@pytest.mark.rule("UX-2")
def test_field_of_the_code_helps_to_type_it(provider: Provider) -> None:
    """Capitals on a phone's keyboard, no spelling, nothing remembered."""
    text = provider.client().get(PAGE).text

    for attribute in ('autocapitalize="characters"', 'autocomplete="one-time-code"', 'spellcheck="false"'):
        assert attribute in text


@pytest.mark.rule("OID-7", "UX-1")
@pytest.mark.parametrize(
    "query,french,english",
    [
        ("", "Vous pouvez retourner à votre appareil", "You can go back to your device"),
        ("error=access_denied", "Vous avez refusé", "You refused"),
        ("error=expired_token", "Ce code n’est plus valable", "This code is no longer valid"),
        ("error=server_error", "L’appareil n’est pas connecté", "The device is not connected"),
    ],
)
def test_answer_page_says_how_it_ended(provider: Provider, query: str, french: str, english: str) -> None:
    """In both languages; it reads nothing but the address."""
    assert french in provider.client().get(f"/device/answer?{query}").text
    assert english in provider.client().get(f"/device/answer?{query}&lang=en").text
