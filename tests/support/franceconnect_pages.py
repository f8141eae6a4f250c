"""A browser on our pages and a person at the simulator: the whole way through FranceConnect, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from tests.support.builders import last_mail, some_terms
from tests.support.franceconnect import CLIENT_ID, CLIENT_SECRET, running_simulator
from tests.support.provider import ISSUER, a_provider, continue_url, form_of

if TYPE_CHECKING:
    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.franceconnect import RunningSimulator
    from tests.support.provider import Provider


@dataclass
class Pages:
    """Our application, a simulator, and words for what people do with both.

    Attributes:
        provider: Ours.
        simulator: FranceConnect's.
        plus: FranceConnect+'s; off unless the test wants both.
    """

    provider: Provider
    simulator: RunningSimulator
    plus: RunningSimulator | None = None

    def browser(self) -> FlaskClient:
        """Open a browser; it has come to a page of ours, so it has a name."""
        browser = self.provider.client()
        browser.get("/sign-in")
        return browser

    def callback(self, browser: FlaskClient, where: str = "/franceconnect/login", login: str = "test") -> str:
        """Go to FranceConnect and through it; gives the address of the callback.

        Args:
            browser: Of the person.
            where: The link that is clicked.
            login: The test identity.
        """
        left = browser.get(where)
        assert left.status_code == 303, left.text
        portal, path = self._portal_of(left.location)
        return f"{path}/callback?{urlencode(portal.person_goes(left.location, login))}"

    def go(
        self, browser: FlaskClient, where: str = "/franceconnect/login", login: str = "test"
    ) -> TestResponse:
        """Go to FranceConnect and come back."""
        return browser.get(self.callback(browser, where, login))

    def through_logout(self, browser: FlaskClient, left: TestResponse) -> str:
        """Go on through a portal's logout; gives the path of the page of ours at its end.

        Args:
            browser: Of the person.
            left: Our answer that sends them there, by a redirection or by a page that goes on by itself.
        """
        ours = left.location if left.status_code == 303 else continue_url(left)
        there = browser.get(ours.removeprefix(ISSUER))
        portal, path = self._portal_of(there.location)
        assert there.location.startswith(f"{portal.issuer}/session/end?"), there.location
        back = portal.person_signs_out(there.location).removeprefix(ISSUER)
        assert back.startswith(f"{path}/logout/callback?"), back
        return str(browser.get(back).location)

    def _portal_of(self, address: str) -> tuple[RunningSimulator, str]:
        """Tell whose address it is, and where its callbacks are here."""
        if self.plus is not None and address.startswith(self.plus.issuer):
            return self.plus, "/franceconnect-plus"
        assert address.startswith(self.simulator.issuer), address
        return self.simulator, "/franceconnect"

    def post(self, browser: FlaskClient, where: str, **fields: str) -> TestResponse:
        """Fill in the form of a page, and send it to the path of that page."""
        hidden = form_of(browser.get(where))
        return browser.post(urlsplit(where).path, data={**hidden, **fields})

    def sign_up(
        self, browser: FlaskClient, email: str = "angela@example.fr", login: str = "test"
    ) -> TestResponse:
        """Open an account through FranceConnect; gives the answer to the code."""
        return self.finish_sign_up(browser, self.go(browser, login=login), email)

    def finish_sign_up(self, browser: FlaskClient, first: TestResponse, email: str) -> TestResponse:
        """Open an account for who has just come back from FranceConnect; gives the answer to the code."""
        chosen = self.post(browser, first.location, choice="create")
        coded = self.post(browser, chosen.location, email=email, terms="yes")
        code = last_mail(self.provider.context, email).variables["code"]
        return self.post(browser, coded.location, code=code)


@contextmanager
def pages_on(database: Database, clock: SettableClock) -> Iterator[Pages]:
    """Run a simulator, and build our application in front of it.

    Args:
        database: Migrated.
        clock: The time, for both.

    Yields:
        Both.
    """
    with running_simulator(clock) as simulator:
        provider = a_provider(
            database,
            clock,
            franceconnect=_registered(simulator),
            outbound={"allow_private_networks": True},
        )
        some_terms(provider.context)
        yield Pages(provider, simulator)


@contextmanager
def both_portals_on(database: Database, clock: SettableClock) -> Iterator[Pages]:
    """Run both simulators, and build our application in front of them.

    Args:
        database: Migrated.
        clock: The time, for all.

    Yields:
        All of them.
    """
    path = f"{ISSUER}/franceconnect-plus"
    with (
        running_simulator(clock) as simulator,
        running_simulator(
            clock,
            redirect_uri=f"{path}/callback",
            logout_uri=f"{path}/logout/callback",
            plus=True,
            encryption_algorithm="ECDH-ES",
        ) as plus,
    ):
        provider = a_provider(
            database,
            clock,
            franceconnect=_registered(simulator),
            franceconnect_plus=_registered(plus) | {"encryption_algorithm": "ECDH-ES"},
            outbound={"allow_private_networks": True},
        )
        # As it fetches them from the address that was registered.
        plus.published = lambda: provider.client().get("/jwks.json").json
        some_terms(provider.context)
        yield Pages(provider, simulator, plus)


def _registered(simulator: RunningSimulator) -> dict[str, object]:
    """Say in our settings how we are registered there."""
    return {
        "enabled": True,
        "issuer": simulator.issuer,
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        # A busy machine is no outage.
        "timeout_seconds": 60,
    }
