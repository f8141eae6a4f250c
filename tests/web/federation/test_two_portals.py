"""Both portals over HTTP: which one is offered, how a level is reached, and where a person is led next."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from sqlalchemy import func, select, update

from idp.storage.engine import open_database
from idp.storage.models import franceconnect_links
from tests.support.builders import PASSWORD, an_account
from tests.support.franceconnect_pages import both_portals_on
from tests.support.provider import SESSION_COOKIE, a_provider, answer_of, form_of, pending_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.testing import FlaskClient

    from tests.support.clock import SettableClock
    from tests.support.franceconnect_pages import Pages
    from tests.support.provider import Service

#: A test identity that was born on another day.
OTHER_LOGIN = "test_droits"
DEMAND = '{"id_token":{"acr":{"essential":true,"values":["%s"]}}}'


@pytest.fixture
def pages(sqlite_url: str, clock: SettableClock) -> Iterator[Pages]:
    """Both portals; what depends on the kind of database is proven in tests/services."""
    database = open_database(sqlite_url)
    with both_portals_on(database, clock) as both:
        yield both
    database.dispose()


def links(pages: Pages) -> list[tuple[str, str]]:
    """Tell the portal and the level of each link."""
    columns = franceconnect_links.c
    with pages.provider.context.database.read() as connection:
        found = connection.execute(
            select(columns.provider, columns.level)
            .where(columns.ended_at.is_(None))
            .order_by(columns.provider)
        )
        return [(row.provider, row.level) for row in found]


def demand(pages: Pages, browser: FlaskClient, level: str) -> tuple[Service, str]:
    """Have a service demand a level; gives the service and the address of the page that comes first."""
    service = pages.provider.a_client(claims=())
    asked = pages.provider.authorize(browser, service, claims=DEMAND % level)
    assert asked.status_code == 303, asked.text
    return service, str(asked.location)


def acr_of(pages: Pages, service: Service, code: str) -> str:
    """Read the level that the service is told."""
    token = pages.provider.redeem(service, code).json["id_token"]
    return str(jwt.decode(token, options={"verify_signature": False})["acr"])


# What is refused


@pytest.mark.rule("FC-6", "LOG-4")
def test_level_that_no_portal_reaches_is_refused_at_once(pages: Pages) -> None:
    """eidas3 was not registered: the service hears it before anybody signs in."""
    _, answer = demand(pages, pages.browser(), "eidas3")

    assert parse_qs(urlsplit(answer).query)["error"] == ["unmet_authentication_requirements"]


@pytest.mark.rule("FC-6", "LOG-4")
def test_eidas2_is_refused_at_once_with_the_ordinary_portal_alone(pages: Pages, clock: SettableClock) -> None:
    """It can't be reached: nobody signs in for nothing, and discovery does not list it."""
    alone = a_provider(
        pages.provider.context.database,
        clock,
        franceconnect={"enabled": True, "client_id": "a", "client_secret": "b"},
    )
    service = alone.a_client(claims=())

    answer = alone.authorize(alone.client(), service, claims=DEMAND % "eidas2")

    assert answer_of(answer)["error"] == "unmet_authentication_requirements"
    listed = {
        name: provider.client().get("/.well-known/openid-configuration").json["acr_values_supported"][1:]
        for name, provider in (("alone", alone), ("both", pages.provider))
    }
    assert listed == {"alone": ["eidas1"], "both": ["eidas1", "eidas2"]}


@pytest.mark.parametrize(
    "where",
    [
        "/franceconnect/login?provider=autre",
        "/franceconnect/login?provider=franceconnect&provider=franceconnect_plus",
        "/franceconnect/login?provider=",
    ],
)
def test_unknown_portal_is_refused(pages: Pages, where: str) -> None:
    """There are two."""
    assert pages.browser().get(where).status_code == 400


@pytest.mark.parametrize(
    "where", ["/franceconnect-plus/callback", "/franceconnect/login?provider=franceconnect_plus"]
)
def test_portal_that_is_off_has_no_pages(pages: Pages, clock: SettableClock, where: str) -> None:
    """Off means off, one by one."""
    alone = a_provider(
        pages.provider.context.database,
        clock,
        franceconnect={"enabled": True, "client_id": "a", "client_secret": "b"},
    )

    assert alone.client().get(where).status_code in {400, 404}
    assert a_provider(pages.provider.context.database, clock).client().get(where).status_code == 404


@pytest.mark.rule("FC-1")
def test_answer_of_one_portal_is_worth_nothing_at_the_callback_of_the_other(pages: Pages) -> None:
    """Crossed callbacks sign nobody in, both ways (RFC 9700 section 4.4)."""
    pages.sign_up(pages.browser())
    for provider, wrong in (("franceconnect", "-plus/callback"), ("franceconnect_plus", "/callback")):
        browser = pages.browser()
        right = pages.callback(browser, f"/franceconnect/login?provider={provider}")

        answer = browser.get(f"/franceconnect{wrong}?{urlsplit(right).query}")

        assert answer.status_code == 400
        assert browser.get_cookie(SESSION_COOKIE) is None


@pytest.mark.rule("FC-7")
@pytest.mark.parametrize("reason", ["", "refused", "locked", "autre", "<script>"])
def test_page_of_who_is_turned_away_has_its_reasons_only(pages: Pages, reason: str) -> None:
    """A link from elsewhere can't make it say what it likes."""
    answer = pages.browser().get("/franceconnect/turned-away", query_string={"reason": reason})

    assert answer.status_code == 404


@pytest.mark.rule("FC-7")
def test_page_of_who_is_turned_away_repeats_nothing_from_its_address(pages: Pages) -> None:
    """Neither a portal nor a number that is none of ours."""
    where = "/franceconnect/turned-away"
    reason = {"reason": "other_portal"}

    invented = pages.browser().get(where, query_string=reason | {"provider": "invented"})
    answer = pages.browser().get(where, query_string=reason | {"incident": "INVENTED-9"})

    assert (invented.status_code, answer.status_code) == (404, 409)
    # Only the link to the other language carries the address along.
    assert answer.text.count("INVENTED") == answer.text.count("incident=INVENTED-9&amp;lang=")


# Which portal is offered


@pytest.mark.rule("FC-6")
def test_sign_in_page_offers_the_ordinary_portal(pages: Pages) -> None:
    """Unless the level that a service asks for needs the other one."""
    plain = pages.browser().get("/sign-in").text
    browser = pages.browser()
    _, low = demand(pages, browser, "eidas1")
    _, high = demand(pages, browser, "eidas2")

    assert "FranceConnect+" not in plain
    assert "FranceConnect+" not in browser.get(low).text
    offered = browser.get(high).text
    assert '<span class="franceconnect-brand">FranceConnect+</span>' in offered
    assert "https://franceconnect.gouv.fr/france-connect-plus" in offered


@pytest.mark.rule("FC-6")
def test_only_portal_is_offered_everywhere(pages: Pages, clock: SettableClock) -> None:
    """FranceConnect+ alone: its button, on sign-in and sign-up."""
    alone = a_provider(
        pages.provider.context.database,
        clock,
        franceconnect_plus={
            "enabled": True,
            "client_id": "a",
            "client_secret": "b",
            "encryption_algorithm": "ECDH-ES",
        },
    )

    for where in ("/sign-in", "/sign-up"):
        assert '<span class="franceconnect-brand">FranceConnect+</span>' in alone.client().get(where).text


@pytest.mark.rule("FC-6", "FC-1")
def test_demand_for_eidas2_is_met_at_franceconnect_plus(pages: Pages) -> None:
    """A known person of the ordinary portal: one more login, linked at once, and `acr` says what happened."""
    browser = pages.browser()
    pages.sign_up(browser)
    service, step_up = demand(pages, browser, "eidas2")
    assert urlsplit(step_up).path == "/step-up"
    assert "FranceConnect+" in browser.get(step_up).text

    answer = pages.go(browser, f"/franceconnect/login?pending={pending_of(step_up)}")

    assert acr_of(pages, service, answer_of(answer)["code"]) == "eidas2"
    assert links(pages) == [("franceconnect", "eidas1"), ("franceconnect_plus", "eidas2")]


@pytest.mark.rule("FC-6", "FC-4")
def test_demand_for_eidas2_from_a_password_session_is_compared_first(pages: Pages) -> None:
    """Never certified before: both sides proven, what changes is shown, then the request goes on."""
    browser = pages.provider.signed_in(an_account(pages.provider.context), browser=pages.browser())
    _, step_up = demand(pages, browser, "eidas2")
    back = pages.go(browser, f"/franceconnect/login?pending={pending_of(step_up)}")
    assert urlsplit(back.location).path == "/account/franceconnect"

    answer = pages.post(browser, back.location, decision="confirm")

    assert "code" in answer_of(answer)
    assert links(pages) == [("franceconnect_plus", "eidas2")]


@pytest.mark.rule("FC-6")
def test_session_of_the_higher_level_satisfies_the_lower_one(pages: Pages) -> None:
    """Who came by FranceConnect+ is not sent to FranceConnect for eidas1, and is told at what was asked."""
    browser = pages.browser()
    pages.sign_up(browser)
    _, step_up = demand(pages, browser, "eidas2")
    pages.go(browser, f"/franceconnect/login?pending={pending_of(step_up)}")

    service, answer = demand(pages, browser, "eidas1")

    assert acr_of(pages, service, parse_qs(urlsplit(answer).query)["code"][0]) == "eidas1"


# Where a person is led next


@pytest.mark.rule("FC-3", "FC-4")
def test_person_of_the_other_portal_is_led_to_it_and_linked(pages: Pages) -> None:
    """Not signed in: FranceConnect+'s session ends, a page says where to begin, and its button ends linked."""
    pages.sign_up(pages.browser())
    browser = pages.browser()
    came = pages.go(browser, "/franceconnect/login?provider=franceconnect_plus")

    led = browser.get(pages.through_logout(browser, came))
    assert led.status_code == 409
    assert links(pages) == [("franceconnect", "eidas1")]
    first = led.text.split('href="/franceconnect/login?provider=franceconnect&amp;')[1].split('"')[0]
    signed_in = pages.go(
        browser, f"/franceconnect/login?provider=franceconnect&{first.replace('&amp;', '&')}"
    )
    linked = pages.go(browser, signed_in.location)

    assert linked.status_code == 303
    assert links(pages) == [("franceconnect", "eidas1"), ("franceconnect_plus", "eidas2")]


@pytest.mark.rule("FC-3")
def test_changed_subject_is_led_to_the_password_then_compared(pages: Pages) -> None:
    """The page explains; after a password login the new identity is compared, and the old link is history."""
    account = an_account(pages.provider.context)
    browser = pages.provider.signed_in(account, browser=pages.browser())
    back = pages.go(browser, "/franceconnect/login?intent=link")
    pages.post(browser, back.location, decision="confirm")
    with pages.provider.context.database.write() as connection:
        connection.execute(update(franceconnect_links).values(upstream_subject="0" * 64 + "v1"))
    stranger = pages.browser()

    page = stranger.get(pages.through_logout(stranger, pages.go(stranger)))
    assert page.status_code == 409
    onward = page.text.split('href="/sign-in?')[1].split('"')[0].replace("&amp;", "&")
    signed_in = pages.post(stranger, f"/sign-in?{onward}", email="zoe@example.fr", password=PASSWORD)
    compared = pages.go(stranger, signed_in.location)
    assert urlsplit(compared.location).path == "/account/franceconnect"
    done = pages.post(stranger, compared.location, decision="confirm")

    assert done.status_code == 303
    with pages.provider.context.database.read() as connection:
        ended = connection.scalars(select(franceconnect_links.c.ended_reason)).all()
    assert sorted(ended, key=str) == [None, "subject_changed"]


@pytest.mark.rule("FC-3")
@pytest.mark.parametrize("language, words", [("fr", "Contactez la Ville"), ("en", "Contact the City")])
def test_other_birth_data_end_on_a_page_that_says_whom_to_ask(
    pages: Pages, clock: SettableClock, caplog: pytest.LogCaptureFixture, language: str, words: str
) -> None:
    """FranceConnect's session ends, nothing changes, operators are alerted, and the city can be asked."""
    pages.sign_up(pages.browser(), "leo@example.fr", OTHER_LOGIN)
    subject = franceconnect_links.c.upstream_subject
    with pages.provider.context.database.write() as connection:
        theirs = connection.scalar(select(subject))
        connection.execute(update(franceconnect_links).values(ended_at=clock(), ended_reason="unlinked"))
    pages.sign_up(pages.browser())
    with pages.provider.context.database.write() as connection:
        live = franceconnect_links.c.ended_at.is_(None)
        connection.execute(update(franceconnect_links).where(live).values(upstream_subject=theirs))
    browser = pages.browser()

    left = pages.go(browser, login=OTHER_LOGIN)
    answer = browser.get(pages.through_logout(browser, left), headers={"Accept-Language": language})

    assert answer.status_code == 409
    assert words in answer.text
    assert browser.get_cookie(SESSION_COOKIE) is None
    alerts = [(one.levelname, str(one.__dict__)) for one in caplog.records if one.name == "idp.franceconnect"]
    assert [level for level, _ in alerts] == ["ERROR"]
    assert "franceconnect_birth_data_changed" in alerts[0][1]
    assert not any(value in alerts[0][1] for value in ("1962", "DUBOIS", "leo@example.fr"))


@pytest.mark.rule("LOG-7")
def test_sign_out_ends_the_session_at_the_portal_that_it_came_from(pages: Pages) -> None:
    """By FranceConnect+: its own logout, its own callback."""
    browser = pages.browser()
    pages.sign_up(browser)
    _, step_up = demand(pages, browser, "eidas2")
    pages.go(browser, f"/franceconnect/login?pending={pending_of(step_up)}")
    token = form_of(browser.get("/account/identity"))["csrf_token"]

    out = browser.post("/sign-out", data={"csrf_token": token})

    assert pages.through_logout(browser, out) == "/signed-out?franceconnect=1"
    assert browser.get_cookie(SESSION_COOKIE) is None


@pytest.mark.rule("FC-7")
def test_outage_of_one_portal_leaves_the_other(pages: Pages) -> None:
    """Each has a breaker of its own."""
    assert pages.plus is not None
    pages.plus.misbehave(fault="down")

    down = pages.browser().get("/franceconnect/login?provider=franceconnect_plus")
    up = pages.browser().get("/franceconnect/login")

    assert (down.status_code, up.status_code) == (503, 303)


@pytest.mark.rule("FC-3")
def test_list_of_devices_names_the_portal(pages: Pages) -> None:
    """A session by FranceConnect+ is told as such."""
    browser = pages.browser()
    pages.sign_up(browser)
    pages.go(browser, "/franceconnect/login?intent=link&provider=franceconnect_plus")

    assert "FranceConnect+" in browser.get("/account/sessions").text
    with pages.provider.context.database.read() as connection:
        assert connection.scalar(select(func.count()).select_from(franceconnect_links)) == 2
