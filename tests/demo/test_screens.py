"""The demonstration's pages in a real browser: axe finds nothing, nothing overflows at 320 px."""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlencode

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Locator, Page

from idp.demo import explorateurs, franceconnect_simulator, mail_catcher, parking
from idp.demo.franceconnect_simulator import FranceConnectClient, FranceConnectSettings
from idp.demo.serve import serve
from tests.demo.provider import CLIENT_ID, CLIENT_SECRET, FakeProvider
from tests.support.browser import next_page
from tests.support.server import free_port

pytestmark = pytest.mark.rule("CON-9", "UX-2")

WIDTHS = (320, 1100)
# The dark theme changes nothing but colours.
SCHEMES = {"light": {}, "dark": {"runOnly": ["color-contrast"]}}


@dataclass(frozen=True)
class Addresses:
    """Where the programs of the demonstration are."""

    franceconnect: str
    parking: str
    explorateurs: str
    mail: str


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Addresses]:
    """Every program of the demonstration, and a provider that signs in at once."""
    with ExitStack() as servers:

        def run(app: Flask, port: int) -> str:
            servers.callback(serve(app, "127.0.0.1", port).shutdown)
            return f"http://localhost:{port}"

        provider = FakeProvider(f"http://localhost:{free_port()}", now=datetime.now(UTC))  # noqa: TID251 - Browsers have a clock.
        provider.person = {
            "given_name": "Zoé Claire Louise",
            "family_name": "Œuvrard",
            "email": "zoe.oeuvrard@example.org",
            "gender": "female",
            "birthdate": "1990-02-03",
        }
        run(provider.app, int(provider.issuer.rpartition(":")[2]))
        ports = [free_port() for _ in range(5)]
        common = {
            "issuer": provider.issuer,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "data_dir": tmp_path,
            "mon_paris_account_url": f"{provider.issuer}/compte",
        }
        origins = [f"http://localhost:{port}" for port in ports]
        simulated = FranceConnectSettings(
            f"{origins[0]}/api/v2",
            (FranceConnectClient("mon-paris", "s" * 64, ("http://localhost/callback",)),),
        )
        caught = mail_catcher.MailCatcherSettings()
        smtp = mail_catcher.start_smtp(caught, "127.0.0.1", ports[4])
        servers.callback(smtp.stop)
        _send_a_mail(ports[4])
        yield Addresses(
            run(franceconnect_simulator.create_app(simulated), ports[0]),
            run(
                parking.create_app(parking.ParkingSettings(base_url=origins[1], **common)),
                ports[1],
            ),
            run(
                explorateurs.create_app(
                    explorateurs.ExplorateursSettings(base_url=origins[2], **common),
                ),
                ports[2],
            ),
            run(mail_catcher.create_app(caught), ports[3]),
        )


def _send_a_mail(port: int) -> None:
    message = EmailMessage()
    message["From"], message["To"] = "mon-paris@example.org", "zoe@example.org"
    message["Subject"] = "Votre code"
    message.set_content("Votre code : 482915\n\nhttp://localhost:8000/x?jeton=" + "a" * 90)
    message.add_alternative("<html lang=fr><title>x</title><p>482915</p></html>", subtype="html")
    with smtplib.SMTP("127.0.0.1", port, timeout=60) as smtp:
        smtp.send_message(message)


def check(page: Page) -> None:
    """Assert that a page is accessible, readable in the dark theme too, and fits."""
    for scheme, options in SCHEMES.items():
        page.emulate_media(color_scheme=scheme)
        results = Axe().run(page, options={"iframes": False, **options})
        assert results.violations_count == 0, results.generate_report()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def goes(target: Locator) -> None:
    """Use what leads to another page, and wait until that one is read: a click returns before it is there."""
    with next_page(target):
        target.click()


def authorize(demo: Addresses) -> str:
    """Return the address of an authorization request at the simulator."""
    asked = {
        "response_type": "code",
        "client_id": "mon-paris",
        "redirect_uri": "http://localhost/callback",
        "scope": "openid identite_pivot email",
        "state": "s" * 64,
        "nonce": "n" * 64,
        "acr_values": "eidas1",
    }
    return f"{demo.franceconnect}/api/v2/authorize?{urlencode(asked)}"


def test_franceconnect_screens_are_accessible(demo: Addresses, page: Page) -> None:
    """The list of identities, an error, the information page, and the switchboard of the faults."""
    page.goto(demo.franceconnect)
    check(page)

    goes(page.get_by_role("link", name="Provoquer une panne"))
    check(page)
    page.select_option("#fault", "identity_error")
    page.fill("#times", "1")
    goes(page.get_by_role("button", name="Provoquer"))
    assert "code" in page.inner_text("[role=alert]")
    check(page)
    page.fill("#detail", "Y010008")
    goes(page.get_by_role("button", name="Provoquer"))
    check(page)
    goes(page.get_by_role("button", name="Retirer : page"))
    assert "Aucune panne" in page.inner_text("main")

    page.goto(authorize(demo))
    page.evaluate("for (const group of document.querySelectorAll('details')) group.open = true")
    check(page)

    page.fill("#login", "sans_mail")
    goes(page.get_by_role("button", name="Se connecter"))
    check(page)

    page.goto(authorize(demo))
    goes(page.get_by_role("button", name="Se connecter"))
    assert "va recevoir" in page.inner_text("h1")
    check(page)


def test_parking_screens_are_accessible(demo: Addresses, page: Page) -> None:
    """From the home page to the personal space, its forms and logout, in one tab."""
    page.goto(demo.parking)
    check(page)

    goes(page.get_by_role("link", name="Gérer mon droit et suivre mes demandes"))
    assert page.url == f"{demo.parking}/espace"
    check(page)

    goes(page.get_by_role("button", name="Valider mon choix"))
    check(page)
    page.get_by_role("radio", name="Je n’autorise pas").check()
    goes(page.get_by_role("button", name="Valider mon choix"))
    assert page.get_by_role("status").inner_text().startswith("Votre choix est enregistré")

    for name in ("Changer de véhicule", "Changer d’adresse (10", "Renouvellement", "Payer", "Voir"):
        page.goto(f"{demo.parking}/espace")
        goes(page.locator(".links").get_by_text(name).first)
        check(page)

    page.goto(f"{demo.parking}/demande")
    page.fill("#plate", "x")
    page.fill("#address", "x")
    goes(page.get_by_role("button", name="Enregistrer"))
    check(page)


def test_explorateurs_screens_are_accessible(demo: Addresses, page: Page) -> None:
    """Joining, answering and leaving."""
    page.goto(demo.explorateurs)
    check(page)

    goes(page.get_by_role("link", name="Rejoindre les Explorateurs"))
    page.fill("#pseudonym", "Zoé")
    goes(page.get_by_role("button", name="Rejoindre le panel"))
    check(page)
    page.fill("#pseudonym", "Colibri")
    page.check("#rules")
    goes(page.get_by_role("button", name="Rejoindre le panel"))
    check(page)

    goes(page.get_by_role("link", name="Répondre").first)
    goes(page.get_by_role("button", name="Envoyer"))
    check(page)

    page.goto(f"{demo.explorateurs}/depart")
    check(page)
    goes(page.get_by_role("button", name="Quitter le panel"))
    check(page)


def test_mail_screens_are_accessible(demo: Addresses, page: Page) -> None:
    """The list and a message."""
    page.goto(demo.mail)
    check(page)

    goes(page.get_by_role("link", name="Votre code"))
    check(page)


def test_error_pages_are_accessible(demo: Addresses, page: Page) -> None:
    """A page that does not exist, a login that expired, a signed-out person."""
    for path in ("/nowhere", "/callback?state=x", "/deconnecte"):
        page.goto(demo.parking + path)
        check(page)
