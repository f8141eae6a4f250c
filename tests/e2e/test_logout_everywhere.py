"""The end of a session reaches the services: by their frames, by our worker, by what their pages watch (OID-6)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import expect

from idp.domain.client import Client, ClientAuthenticationMethod
from idp.storage.repositories import clients
from tests.support.demonstration import wait_until
from tests.support.visitor import PARKING_SPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from playwright.sync_api import Page, Request, Route

    from tests.e2e.conftest import AVisitor
    from tests.support.visitor import Visitor

pytestmark = pytest.mark.rule("OID-6", "LOG-7")

FRAME = "/deconnexion/cadre"
#: A moment at which the clock of a page is stopped: it must not lie behind it.
LATER = "2099-01-01"
#: A page of a service that asks our frame, as Session Management 3.2 has it.
WATCHER = """<!doctype html><html lang="fr"><head><title>Service</title></head><body>
<iframe id="op" src="{frame}" title="op"></iframe><output></output>
<script>
window.addEventListener("message", function (event) {{
  if (event.origin === "{provider}") document.querySelector("output").textContent = event.data;
}});
function ask(message) {{
  document.querySelector("output").textContent = "";
  document.getElementById("op").contentWindow.postMessage(message, "{provider}");
}}
</script></body></html>"""


def is_in_parking(visitor: Visitor) -> str:
    """Sign somebody new in at parking; gives back their address."""
    email = visitor.demo.new_account()
    visitor.goes_to_parking()
    visitor.signs_in(email)
    visitor.allows()
    visitor.is_in_parking()
    return email


def is_in_the_panel(visitor: Visitor) -> str:
    """Sign somebody new in at Les Explorateurs; gives back their address."""
    email = visitor.demo.new_account()
    visitor.goes_to_explorateurs()
    visitor.signs_in(email)
    visitor.allows()
    visitor.is_at(visitor.demo.explorateurs, "/adhesion")
    return email


def holds_frames(page: Page) -> list[Route]:
    """Have parking's frame never answer; gives back the list that its requests will come to."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(f"**{FRAME}*", hold)
    return held


def is_out_of(page: Page, address: str) -> bool | None:
    """Tell whether a page of a service asks to sign in again."""
    answer = page.request.get(address, max_redirects=0)
    return True if answer.status == 303 and "/connexion" in answer.headers["location"] else None


@pytest.mark.spec("Front-Channel Logout", "3", "MUST")
def test_frame_ends_the_session_at_parking(any_visitor: Visitor) -> None:
    """Signing out on our pages opens parking's address with issuer and session, and stays to say that it is done."""
    visitor = any_visitor
    is_in_parking(visitor)
    frames: list[Request] = []
    visitor.page.on("request", lambda request: frames.append(request) if FRAME in request.url else None)
    visitor.opens("/account")

    visitor.signs_out_here()

    visitor.sees("Nous fermons aussi votre session dans les services que vous utilisiez.")
    wait_until(lambda: frames or None, "parking's frame")
    query = parse_qs(urlsplit(frames[0].url).query)
    assert query["iss"] == [visitor.demo.provider]
    assert len(query["sid"]) == 1
    wait_until(lambda: is_out_of(visitor.page, f"{visitor.demo.parking}/espace"), "the end at parking")


def test_page_goes_on_at_once_when_every_frame_has_loaded(visitor: Visitor) -> None:
    """Nobody waits two seconds for services that answer."""
    is_in_parking(visitor)
    # The two seconds never pass: it is the frames that the page waits for, however slow this machine is.
    visitor.page.clock.install()
    visitor.page.clock.pause_at(LATER)

    visitor.presses("Se déconnecter")

    visitor.is_at(visitor.demo.parking, "/deconnecte")


def test_frame_that_hangs_holds_the_person_up_for_two_seconds(visitor: Visitor) -> None:
    """Then the page goes on without it; the back channel reaches the service all the same."""
    is_in_parking(visitor)
    held = holds_frames(visitor.page)
    visitor.page.clock.install()
    visitor.page.clock.pause_at(LATER)

    visitor.presses("Se déconnecter")
    visitor.sees_title("Votre session est fermée")
    wait_until(lambda: held or None, "parking's frame")
    visitor.page.clock.run_for(1_900)
    expect(visitor.page).to_have_url(f"{visitor.demo.provider}/signed-out")
    visitor.page.clock.run_for(200)

    visitor.is_at(visitor.demo.parking, "/deconnecte")


def test_frame_that_hangs_leaves_a_button_without_javascript(a_visitor: AVisitor) -> None:
    """Browsers start no refresh before every frame has loaded: the person presses the button."""
    visitor = a_visitor(java_script_enabled=False)
    is_in_parking(visitor)
    holds_frames(visitor.page)
    visitor.page.locator("button", has_text="Se déconnecter").click(no_wait_after=True)
    visitor.sees_title("Votre session est fermée")
    expect(visitor.link("Continuer")).to_be_visible()

    visitor.follows("Continuer")

    visitor.is_at(visitor.demo.parking, "/deconnecte")


def test_address_bar_keeps_no_id_token(visitor: Visitor) -> None:
    """The page with frames takes a plain address: a reload signs nobody out anew."""
    is_in_parking(visitor)
    visitor.page.route("**/deconnecte*", lambda route: route.abort("aborted"))

    visitor.presses("Se déconnecter")

    visitor.sees_title("Votre session est fermée")
    visitor.is_at(visitor.demo.provider, "/signed-out")
    assert "id_token_hint" not in visitor.page.url


@pytest.mark.spec("Back-Channel Logout", "2.5", "MUST")
def test_worker_ends_the_session_at_the_panel(visitor: Visitor) -> None:
    """Les Explorateurs have no frame: they hear of it from our worker, in a moment."""
    is_in_the_panel(visitor)
    visitor.opens("/account")

    visitor.signs_out_here()

    wait_until(lambda: is_out_of(visitor.page, f"{visitor.demo.explorateurs}/panel"), "the end at the panel")


def test_session_ended_from_another_device_ends_at_its_services_too(
    visitor: Visitor, a_visitor: AVisitor
) -> None:
    """Nobody is in front of that browser: the back channel alone can tell."""
    email = is_in_the_panel(visitor)
    elsewhere = a_visitor()
    elsewhere.signs_in_here(email)
    elsewhere.opens("/account/sessions")

    elsewhere.hands.press(elsewhere.page.locator("form[action='/account/sessions/end'] button"))
    elsewhere.sees("L’appareil est déconnecté.")

    wait_until(lambda: is_out_of(visitor.page, f"{visitor.demo.explorateurs}/panel"), "the end at the panel")


def test_lock_by_the_administrator_ends_the_services_sessions(visitor: Visitor) -> None:
    """A command line seals what the worker unseals."""
    email = is_in_the_panel(visitor)

    visitor.demo.idp("accounts", "lock", email, "--reason", "test")

    wait_until(lambda: is_out_of(visitor.page, f"{visitor.demo.explorateurs}/panel"), "the end at the panel")


@pytest.mark.spec("Session Management", "3.2", "MUST")
def test_page_of_a_service_learns_that_the_session_has_changed(
    visitor: Visitor, serve: Callable[[WSGIApplication], str]
) -> None:
    """With the `session_state` of a real answer, from the origin of the service; another origin learns nothing."""
    demo, page = visitor.demo, visitor.page
    watcher = WATCHER.format(frame=f"{demo.provider}/check-session", provider=demo.provider).encode()

    def service(_: WSGIEnvironment, start: StartResponse) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [watcher]

    origin, elsewhere = serve(service), serve(service)
    client = Client("a watcher", "Guet", redirect_uris=(f"{origin}/callback",),
                    authentication_method=ClientAuthenticationMethod.NONE)  # fmt: skip
    with demo.database.write() as connection:
        clients.create(connection, replace(client, created_at=datetime.now(UTC)))  # noqa: TID251 - the demonstration's
    email = demo.new_account()
    visitor.signs_in_here(email)
    request = {"client_id": client.client_id, "redirect_uri": f"{origin}/callback", "response_type": "code",
               "scope": "openid", "code_challenge": "a" * 43, "code_challenge_method": "S256"}  # fmt: skip
    visitor.opens(f"/authorize?{urlencode(request)}")
    visitor.allows()
    visitor.is_at(origin, "/callback")
    (state,) = parse_qs(urlsplit(page.url).query)["session_state"]

    def told(message: object) -> str:
        page.evaluate("message => ask(message)", message)
        expect(page.locator("output")).not_to_be_empty()
        return page.locator("output").inner_text()

    assert told(f"a watcher {state}") == "unchanged"
    assert told(f"another {state}") == "changed"
    assert told(f"a watcher {'0' * 64}.{state.partition('.')[2]}") == "changed"
    for malformed in ("", "a watcher", f"a watcher {state[:30]}", {"a": 1}):
        assert told(malformed) == "error"
    visitor.goes_to(f"{elsewhere}/")
    assert told(f"a watcher {state}") == "changed"

    visitor.opens("/account")
    visitor.signs_out_here()
    visitor.goes_to(f"{origin}/")
    assert told(f"a watcher {state}") == "changed"

    visitor.signs_in_here(email)
    visitor.goes_to(f"{origin}/")
    assert told(f"a watcher {state}") == "changed"


@pytest.mark.spec("OIDC Core", "4", "MUST")
def test_service_is_opened_already_signed_in(any_visitor: Visitor) -> None:
    """From our home page to parking's space, with no button in between."""
    visitor = any_visitor
    is_in_parking(visitor)
    visitor.page.context.clear_cookies(name="stationnement_session")
    visitor.opens("/")

    visitor.hands.press(visitor.page.locator("a.service-link[href='/services/stationnement/open']"))

    visitor.is_at(visitor.demo.parking, "/espace")
    visitor.sees_title(PARKING_SPACE)
