"""Favourite services and rubriques (PRO-4, PRO-5)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from idp.services.account import space
from idp.services.clients import registry
from tests.support.pages import words_of
from tests.support.provider import form_of
from tests.support.race import RACERS, ROUNDS, race
from tests.web.api.test_requests import HOME, a_writer

if TYPE_CHECKING:
    from flask.testing import FlaskClient

    from idp.domain.account import Account
    from tests.support.provider import Provider

PAGE = "/account/favourites"


@pytest.fixture
def person(provider: Provider) -> Account:
    """Somebody."""
    return provider.an_account()


@pytest.fixture
def browser(provider: Provider, person: Account) -> FlaskClient:
    """Where they are signed in."""
    return provider.signed_in(person)


def services(provider: Provider, count: int, **fields: Any) -> list[str]:
    """Register open services."""
    made = [provider.a_client(**{"service_uri": HOME} | fields) for _ in range(count)]
    return [service.client_id for service in made]


def post(browser: FlaskClient, action: str, path: str = PAGE, **fields: Any) -> Any:
    """Send a form of the page."""
    token = form_of(browser.get(path))["csrf_token"]
    target = f"{path}/{action}" if action else path
    return browser.post(target, data={"csrf_token": token, **fields})


def order(provider: Provider, person: Account) -> list[str]:
    """Read the list as it is kept."""
    return [one.client_id for one in space.favourites_of(provider.context, person.account_id)]


@pytest.mark.rule("PRO-4")
def test_pages_ask_who_is_there(provider: Provider) -> None:
    """Favourites are their person's own."""
    for path in (PAGE, "/account/rubriques", "/rubriques/deplacements"):
        answer = provider.app.test_client().get(path)
        assert (answer.status_code, "/sign-in" in answer.location) == (303, True)


@pytest.mark.rule("PRO-4")
def test_service_that_nobody_can_go_to_is_not_added(
    provider: Provider, browser: FlaskClient, person: Account
) -> None:
    """Unknown, closed, without a page, or registered by itself."""
    services(provider, 1)
    closed, unverified = services(provider, 1)[0], services(provider, 1, is_verified=False)[0]
    without_page = services(provider, 1, service_uri=None)[0]
    registry.disable(provider.context, closed)

    for client_id in ("nobody", closed, unverified, without_page):
        assert post(browser, "add", client_id=client_id).location == f"{PAGE}?notice=not_added"
    assert order(provider, person) == []


@pytest.mark.rule("PRO-4")
def test_services_are_added_moved_and_removed(
    provider: Provider, browser: FlaskClient, person: Account
) -> None:
    """By buttons, which a keyboard presses as well as a mouse."""
    first, second, third = services(provider, 3)
    for client_id in (first, second, third, first):
        assert post(browser, "add", client_id=client_id).status_code == 303

    post(browser, "move", client_id=third, direction="up")
    after_move = order(provider, person)
    post(browser, "order", order=[third, first, second])
    after_drag = order(provider, person)
    post(browser, "remove", client_id=first)

    assert after_move == [first, third, second]
    assert after_drag == [third, first, second]
    assert order(provider, person) == [third, second]


@pytest.mark.rule("PRO-4")
def test_direction_of_no_kind_is_refused(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """Nothing is guessed, nothing is lost."""
    (one,) = services(provider, 1)
    post(browser, "add", client_id=one)

    assert post(browser, "move", client_id=one, direction="sideways").status_code == 400
    assert order(provider, person) == [one]


@pytest.mark.rule("PRO-4")
def test_first_four_stand_in_the_menu_of_every_page(
    provider: Provider, browser: FlaskClient, person: Account
) -> None:
    """The fifth is on the home page's list alone."""
    for client_id in services(provider, 5):
        space.add(provider.context, person.account_id, client_id)

    menu = (
        browser.get("/account/sessions").text.partition('class="favourite-links"')[2].partition("</nav>")[0]
    )

    assert menu.count("<a ") == 4
    assert "favourite-links" not in provider.app.test_client().get("/").text


@pytest.mark.rule("PRO-4")
def test_service_that_closed_leaves_the_list_until_it_opens_again(
    provider: Provider, person: Account
) -> None:
    """What the person chose is kept."""
    first, second = services(provider, 2)
    for client_id in (first, second):
        space.add(provider.context, person.account_id, client_id)
    registry.disable(provider.context, first)

    assert order(provider, person) == [second]
    registry.enable(provider.context, first)
    assert order(provider, person) == [first, second]


@pytest.mark.rule("PRO-4")
def test_changes_at_once_lose_nothing(provider: Provider, person: Account) -> None:
    """Two tabs, one list: each added service is there, once."""
    for _ in range(ROUNDS // 5):
        made = services(provider, min(RACERS, 8))
        race(*(partial(space.add, provider.context, person.account_id, one) for one in made))

        assert sorted(order(provider, person)) == sorted(made)
        for one in made:
            space.remove(provider.context, person.account_id, one)


@pytest.mark.rule("PRO-5")
def test_rubriques_are_chosen_for_the_menu(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """Those that there are, and no others; none is a choice too."""
    services(provider, 1, rubrique="deplacements")
    services(provider, 1, rubrique="culture")

    saved = post(browser, "", "/account/rubriques", rubriques=["deplacements", "nowhere"])
    menu = browser.get("/account").text
    post(browser, "", "/account/rubriques", shown=["deplacements"])

    assert saved.location == "/account/rubriques?notice=saved"
    assert 'href="/rubriques/deplacements"' in menu
    assert "/rubriques/culture" not in menu
    assert space.rubriques_of(provider.context, person.account_id) == frozenset()


@pytest.mark.rule("PRO-5")
def test_rubrique_that_another_tab_chose_stays(
    provider: Provider, browser: FlaskClient, person: Account
) -> None:
    """A page says what it showed: only what its person ticked or unticked changes."""
    for name in ("culture", "deplacements", "sport"):
        services(provider, 1, rubrique=name)
    post(browser, "", "/account/rubriques", rubriques=["culture"])
    shown = browser.get("/account/rubriques").text.count('name="shown" value="culture"')
    post(browser, "", "/account/rubriques", rubriques=["culture", "sport"], shown=["culture"])

    post(browser, "", "/account/rubriques", rubriques=["deplacements"], shown=["culture"])

    assert shown == 1
    assert space.rubriques_of(provider.context, person.account_id) == {"deplacements", "sport"}


@pytest.mark.rule("PRO-5")
def test_choices_of_many_tabs_at_once_lose_nothing(provider: Provider, person: Account) -> None:
    """Each ticks one box of a page that showed none: all of them are ticked in the end."""
    names = [f"rubrique-{number}" for number in range(8)]
    for name in names:
        services(provider, 1, rubrique=name)
    choose = partial(space.choose_rubriques, provider.context, person.account_id)
    for _ in range(ROUNDS // 2):
        race(*(partial(choose, [name], shown=[]) for name in names))

        assert space.rubriques_of(provider.context, person.account_id) == set(names)
        choose([], shown=names)


@pytest.mark.rule("PRO-4")
def test_order_of_an_old_page_keeps_what_another_tab_added_and_removed(
    provider: Provider, browser: FlaskClient, person: Account
) -> None:
    """What the page did not know stays behind what it put in order; what is gone does not come back."""
    first, second, third = services(provider, 3)
    for client_id in (first, second):
        post(browser, "add", client_id=client_id)
    post(browser, "add", client_id=third)
    post(browser, "remove", client_id=first)

    post(browser, "order", order=[second, first])

    assert order(provider, person) == [second, third]


@pytest.mark.rule("PRO-5")
def test_rubrique_filters_and_hides_nothing_elsewhere(provider: Provider) -> None:
    """Its page shows its requests and services; "Mes demandes" shows all of them, chosen or not."""
    writer = a_writer(provider, rubrique="deplacements")
    writer.put(title="Carte verte")
    services(provider, 1, rubrique="culture")
    browser = provider.signed_in(writer.account)

    here, elsewhere = (
        words_of(browser.get("/rubriques/deplacements")),
        words_of(browser.get("/rubriques/culture")),
    )

    assert "Carte verte" in here
    assert "Carte verte" not in elsewhere
    assert "Carte verte" in words_of(browser.get("/requests"))
    assert browser.get("/rubriques/nowhere").status_code == 404
