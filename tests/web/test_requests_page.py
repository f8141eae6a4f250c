"""The page "Mes demandes": what services say of a person's requests (PRO-6)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from idp.services.account import service_requests
from tests.support.pages import words_of
from tests.support.provider import form_of
from tests.web.api.test_requests import HOME, Writer, a_writer

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("PRO-6")


@pytest.fixture
def writer(provider: Provider) -> Writer:
    """A service that writes for somebody."""
    return a_writer(provider)


@pytest.fixture
def browser(writer: Writer) -> FlaskClient:
    """Where that person is signed in."""
    return writer.provider.signed_in(writer.account)


def titles(browser: FlaskClient, **query: Any) -> list[str]:
    """Read which requests a page lists."""
    words = words_of(browser.get("/requests", query_string=query))
    return [title for title in ("Carte", "Terrasse", "Vélo") if f"<h3>{title}" in words]


def post(browser: FlaskClient, action: str, **fields: str) -> Any:
    """Press one of the page's buttons."""
    token = form_of(browser.get("/requests?view=all"))["csrf_token"]
    return browser.post(f"/requests/{action}", data={"csrf_token": token, **fields})


def test_page_asks_who_is_there(writer: Writer) -> None:
    """Requests are their person's own."""
    answer = writer.provider.app.test_client().get("/requests")

    assert (answer.status_code, "/sign-in" in answer.location) == (303, True)


def test_page_without_requests_says_what_it_is_for(browser: FlaskClient) -> None:
    """An empty page is no dead end."""
    words = words_of(browser.get("/requests"))

    assert "Vous n’avez pas encore de demande ici." in words
    assert "Rechercher" not in words


def test_nobody_sees_anothers_requests(writer: Writer) -> None:
    """Nor marks them."""
    writer.put(title="Carte verte")
    ((_, one),) = service_requests.of_account(writer.provider.context, writer.account.account_id)
    stranger = writer.provider.signed_in()

    assert titles(stranger, view="all") == []
    stranger_account = writer.provider.an_account()
    service_requests.mark_read(writer.provider.context, stranger_account.account_id, one.request_id)
    assert service_requests.of_account(writer.provider.context, writer.account.account_id)[0][1].is_unread


def test_request_is_shown_with_all_that_was_said(writer: Writer, browser: FlaskClient) -> None:
    """Title, status, message, date, steps, and the way on."""
    writer.put(
        title="Carte verte",
        status="to_pay",
        status_text="À régler en ligne",
        message="45 €\nMerci <b>",
        url=HOME + "pay?id=1",
        due_at="2026-12-01T08:00:00Z",
        step=2,
        steps=3,
    )

    page = browser.get("/requests")
    words = words_of(page)

    for text in (
        "Carte verte",
        "Non lue",
        "À régler en ligne",
        "À payer",
        "Étape 2 sur 3",
        "45 €",
        "Merci &lt;b&gt;",
    ):
        assert text in words
    assert "À faire avant le 1er décembre 2026 à 9" in words
    assert f'href="{HOME}pay?id=1"' in page.text


@pytest.mark.parametrize(
    "due_at, status, expected",
    [
        (
            "2026-03-02T22:59:00Z",
            "to_pay",
            "À faire au plus tard le 2 mars 2026 <strong>(aujourd’hui)</strong>",
        ),
        (
            "2026-03-02T23:30:00Z",
            "to_pay",
            "À faire avant le 3 mars 2026 à 0\u00a0h\u00a030 <strong>(demain)</strong>",
        ),
        ("2026-03-12T22:59:00Z", "to_complete", "À faire au plus tard le 12 mars 2026 (dans 10 jours)"),
        ("2027-03-12T22:59:00Z", "to_complete", "À faire au plus tard le 12 mars 2027</p>"),
        (
            "2026-03-05T13:00:00Z",
            "ongoing",
            "Date prévue\u00a0: 5 mars 2026 à 14\u00a0h\u00a000 (dans 3 jours)",
        ),
        ("2026-03-01T13:00:00Z", "ongoing", "Date prévue\u00a0: 1er mars 2026 à 14\u00a0h\u00a000</p>"),
        (
            "2026-03-01T22:59:00Z",
            "to_pay",
            "<strong>La date est passée.</strong> C’était à faire avant le 1er mars 2026",
        ),
    ],
    ids=["today", "after midnight", "in days", "far away", "appointment", "past appointment", "too late"],
)
def test_date_is_told_in_days_by_the_clock_of_paris(
    writer: Writer, browser: FlaskClient, due_at: str, status: str, expected: str
) -> None:
    """How long is left is what one wants to know; the last minute of a day is that day."""
    writer.put(status=status, due_at=due_at)

    assert expected in browser.get("/requests").text


def test_date_of_what_is_over_is_not_told(writer: Writer, browser: FlaskClient) -> None:
    """Nor its steps: there is nothing left to be done."""
    writer.put(status="closed", due_at="2026-03-05T13:00:00Z", step=2, steps=4)

    words = words_of(browser.get("/requests"))

    assert "Date prévue" not in words
    assert "Étape" not in words


@pytest.mark.rule("UX-2")
def test_steps_are_words_beside_a_bar(writer: Writer, browser: FlaskClient) -> None:
    """Whoever does not see the bar reads the same."""
    writer.put(step=2, steps=4)

    assert (
        '<progress value="2" max="4" aria-hidden="true"></progress> Étape 2 sur 4'
        in browser.get("/requests").text
    )


def test_requests_stand_under_what_is_to_be_done_with_them(writer: Writer, browser: FlaskClient) -> None:
    """What awaits the person, what goes on, what is over; each with the words of what one does there."""
    for number, status in enumerate(("closed", "ongoing", "to_pay", "to_complete", "canceled")):
        writer.put(key=f"a/{number}", title=f"Carte {number}", status=status)
        writer.provider.clock.advance(timedelta(seconds=1))

    words = words_of(browser.get("/requests?view=all"))

    places = [
        words.index(text)
        for text in (
            ">À faire</h2>",
            "Carte 3",
            "Carte 2",
            ">En cours</h2>",
            "Carte 1",
            ">Terminées</h2>",
            "Carte 4",
            "Carte 0",
        )
    ]
    assert places == sorted(places)
    assert [words.count(f">{text}<span") for text in ("Payer", "Compléter", "Voir la demande")] == [1, 1, 3]


def test_what_comes_while_the_person_reads_stays_unread(writer: Writer, browser: FlaskClient) -> None:
    """Nobody puts away what they have not seen."""
    writer.put(key="a/1", title="Carte verte")
    seen = form_of(browser.get("/requests"))["seen_at"]
    writer.provider.clock.advance(timedelta(seconds=1))
    writer.put(key="a/1", title="Carte verte", status="to_pay")
    writer.put(key="a/2", title="Terrasse")

    post(browser, "read", seen_at=seen)
    assert titles(browser, view="unread") == ["Carte", "Terrasse"]

    post(browser, "read", seen_at="9999-01-01T00:00")
    assert titles(browser, view="unread") == []


def test_many_requests_fill_pages_that_lead_to_each_other(writer: Writer, browser: FlaskClient) -> None:
    """No page grows beyond what a slow phone reads, and each request stands on one of them (UX-4)."""
    for number in range(45):
        writer.put(key=f"a/{number}", title=f"Carte {number:02}", message="Votre dossier est complet. " * 30)

    pages = [browser.get("/requests", query_string={"page": page}) for page in ("1", "2", "3")]
    lost = [
        browser.get("/requests", query_string={"page": page}).text.count("<h3>") for page in ("0", "99", "x")
    ]

    assert [page.text.count("<h3>") for page in pages] == [20, 20, 5]
    assert lost == [20, 5, 20]
    assert 'href="/requests?view=current&amp;page=2" rel="next"' in pages[0].text
    assert 'rel="prev"' not in pages[0].text
    assert 'href="/requests?view=current&amp;page=2" rel="prev"' in pages[2].text
    assert 'rel="next"' not in pages[2].text


def test_views_part_what_is_to_do_from_what_is_over(writer: Writer, browser: FlaskClient) -> None:
    """What is over leaves the first view once it was read; everything is found under "Toutes"."""
    writer.put(key="a/1", title="Carte verte", status="to_pay")
    writer.put(key="a/2", title="Terrasse", status="ongoing")
    writer.put(key="a/3", title="Vélo", status="closed")

    assert titles(browser) == ["Carte", "Terrasse", "Vélo"]
    assert post(browser, "read").status_code == 303
    assert titles(browser) == ["Carte", "Terrasse"]
    assert titles(browser, view="to_do") == ["Carte"]
    assert titles(browser, view="over") == ["Vélo"]
    assert titles(browser, view="unread") == []
    assert titles(browser, view="nonsense") == titles(browser, view="all") == ["Carte", "Terrasse", "Vélo"]


@pytest.mark.parametrize(
    "search, expected",
    [
        ("velo", ["Vélo"]), ("VÉLO", ["Vélo"]), ("da-2", ["Terrasse"]), ("vélo carte", []),
        ("", ["Carte", "Terrasse", "Vélo"]),
    ],
    ids=["without accents", "capitals", "reference", "two words of two", "nothing"],
)  # fmt: skip
def test_search_finds_words_anywhere(
    writer: Writer, browser: FlaskClient, search: str, expected: list[str]
) -> None:
    """In titles, texts and references, whatever the accents and the case."""
    writer.put(key="a/DA-1", title="Carte verte")
    writer.put(key="a/DA-2", title="Terrasse")
    writer.put(key="a/DA-3", title="Vélo", message="Abri couvert")

    assert titles(browser, search=search, view="all") == expected


def test_search_that_finds_something_in_another_list_leads_there(
    writer: Writer, browser: FlaskClient
) -> None:
    """Who looks for what is over does not have to know that it is."""
    writer.put(key="a/1", title="Vélo", status="closed")
    writer.put(key="a/2", title="Carte verte")
    post(browser, "read")

    page = browser.get("/requests", query_string={"search": "vélo"})

    assert "mais 1 dans une autre" in words_of(page)
    assert 'href="/requests?view=all&amp;search=v%C3%A9lo"' in page.text
    assert titles(browser, view="all", search="vélo") == ["Vélo"]
    assert "Essayez d’autres mots" in words_of(browser.get("/requests?search=x"))


def test_mark_is_taken_back(writer: Writer, browser: FlaskClient) -> None:
    """What was put away can stand out again, and the page returns to where it was."""
    writer.put(title="Carte verte")
    ((_, one),) = service_requests.of_account(writer.provider.context, writer.account.account_id)

    read = post(browser, "read", request_id=one.request_id, view="all", search="carte")
    again = post(browser, "read", request_id=one.request_id)
    unread = post(browser, "unread", request_id=one.request_id)

    assert read.location == "/requests?notice=read&view=all&search=carte"
    assert again.status_code == unread.status_code == 303
    assert titles(browser, view="unread") == ["Carte"]


def test_request_of_another_person_is_not_marked(writer: Writer, clock: SettableClock) -> None:
    """An identifier that is not theirs changes nothing."""
    writer.put(title="Carte verte")
    ((_, one),) = service_requests.of_account(writer.provider.context, writer.account.account_id)
    other = a_writer(writer.provider)
    other.put(title="Terrasse")
    clock.advance(timedelta(seconds=1))

    post(writer.provider.signed_in(other.account), "read", request_id=one.request_id)

    assert service_requests.of_account(writer.provider.context, writer.account.account_id)[0][1].is_unread


def test_link_to_an_address_that_the_service_lost_leads_home(writer: Writer, browser: FlaskClient) -> None:
    """A registration that changed since does not lead anybody elsewhere."""
    writer.put(title="Carte verte", url="https://parking.example.org/pay")
    writer.provider.change(
        writer.service,
        service_uri="https://new.example.org/",
        redirect_uris=("https://new.example.org/callback",),
    )

    page = browser.get("/requests")

    assert "https://parking.example.org/pay" not in page.text
    assert 'href="https://new.example.org/"' in page.text


def test_page_is_english_too(writer: Writer, browser: FlaskClient) -> None:
    """Our words follow the language; the service's are its own."""
    writer.put(title="Carte verte", status="to_complete")
    browser.get("/requests?lang=en")

    words = words_of(browser.get("/requests"))

    assert "My requests" in words
    assert "To complete" in words
    assert "Carte verte" in words


def test_home_page_sums_requests_up(writer: Writer, browser: FlaskClient) -> None:
    """What awaits the person first, three at most, and how many are new; nothing when there are none."""
    assert "Voir toutes mes demandes" not in words_of(browser.get("/"))
    for number in range(4):
        writer.put(key=f"a/{number}", title=f"Terrasse {number}")
        writer.provider.clock.advance(timedelta(seconds=1))
    writer.put(key="a/9", title="Carte verte", status="to_pay")

    words = words_of(browser.get("/"))

    assert "1 demande attend quelque chose de vous." in words
    assert "5 nouveautés à lire." in words
    assert words.index("Carte verte") < words.index("Terrasse 3")
    assert words.count("Terrasse ") == 4, "two of them, each by its title and in its link"
