"""The page that hands everything out, to who has just proven who they are (PRI-1)."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from idp.storage.engine import open_database
from tests.support.builders import some_terms
from tests.support.provider import a_provider, form_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRI-1")
PAGE = "/account/export"


@pytest.fixture
def provider(sqlite_url: str, clock: SettableClock) -> Iterator[Provider]:
    """The application."""
    database = open_database(sqlite_url)
    yield a_provider(database, clock)
    database.dispose()


@pytest.fixture
def browser(provider: Provider) -> FlaskClient:
    """A browser in which somebody has just signed in."""
    return provider.signed_in(provider.an_account("zoe@example.org", given_name="Zoé"))


def test_export_needs_a_session_and_a_form_of_ours(provider: Provider, browser: FlaskClient) -> None:
    """Nobody else, and no other site's form, gets a file."""
    stranger = provider.client()

    assert "/sign-in" in stranger.get(PAGE).location
    assert stranger.post(PAGE).status_code in {303, 400}
    assert browser.post(PAGE).mimetype == "text/html"


def test_login_of_long_ago_is_proven_again_first(provider: Provider, browser: FlaskClient) -> None:
    """A page left open on a desk gives nothing away, neither by its address nor by its button (S-47)."""
    fields = form_of(browser.get(PAGE))
    provider.clock.advance(minutes=16)

    shown, pressed = browser.get(PAGE), browser.post(PAGE, data=fields)

    for answer in (shown, pressed):
        assert answer.status_code == 303
        assert "confirm=1" in answer.location
        assert "next=/account/export" in answer.location.replace("%2F", "/")


def test_file_is_ready_at_once_and_kept_by_no_cache(browser: FlaskClient) -> None:
    """The answer of the button is the file."""
    answer = browser.post(PAGE, data=form_of(browser.get(PAGE)))

    assert answer.status_code == 200
    assert answer.mimetype == "application/zip"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="mon-paris-2026-03-02.zip"'
    assert "no-store" in answer.headers["Cache-Control"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with zipfile.ZipFile(BytesIO(answer.data)) as archive:
        assert [name.rpartition("/")[2] for name in archive.namelist()] == [
            "index.html",
            "donnees.json",
            "schema.json",
            "README.txt",
        ]
        assert "Zoé" in archive.read("mon-paris-2026-03-02/index.html").decode()


def test_page_is_in_the_language_of_who_asks(browser: FlaskClient) -> None:
    """English for a browser that has chosen English."""
    fields = form_of(browser.get(f"{PAGE}?lang=en"))

    answer = browser.post(PAGE, data=fields)

    with zipfile.ZipFile(BytesIO(answer.data)) as archive:
        assert '<html lang="en">' in archive.read(archive.namelist()[0]).decode()


def test_export_again_and_again_has_to_wait(browser: FlaskClient) -> None:
    """The eleventh within an hour is told when."""
    fields = form_of(browser.get(PAGE))

    answers = [browser.post(PAGE, data=fields) for _ in range(11)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0


@pytest.mark.rule("CGU-2")
def test_export_is_a_way_out_for_who_does_not_accept_new_terms(
    provider: Provider, browser: FlaskClient
) -> None:
    """Terms that the person has not accepted keep nobody's own data."""
    some_terms(provider.context)

    answer = browser.post(PAGE, data=form_of(browser.get(PAGE)))

    assert answer.mimetype == "application/zip"


def test_account_page_leads_to_the_export(browser: FlaskClient) -> None:
    """One click from the profile, one from the services."""
    for path in ("/account", "/account/services"):
        assert f'href="{PAGE}"' in browser.get(path).text
