"""A browser that goes to a forged FranceConnect and back, at the level of the use cases."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from idp.domain.email_address import parse
from idp.federation.upstream import UpstreamCallback
from idp.services.account import franceconnect_link, signup
from idp.services.authorization import terms
from idp.services.sign_in import federated
from idp.services.sign_in.arrival import Arrived, Visit
from idp.services.sign_in.federated import Departure, FirstTime, Purpose, Way
from idp.services.sign_in.portals import FRANCECONNECT
from tests.support.builders import HOME, a_context, last_mail, some_terms
from tests.support.franceconnect import ForgedFranceConnect, parameters_of

if TYPE_CHECKING:
    from idp.domain.account import Account
    from idp.services.context import Context
    from idp.services.sign_in.federated import Outcome, Refused
    from idp.services.sign_in.portals import Choice
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock

BROWSER = bytes(32)
OTHER_BROWSER = b"\x01" * 32


@dataclass
class Journeys:
    """The use cases, a FranceConnect that answers what the test says, a browser.

    Attributes:
        context: The parts.
        forged: FranceConnect.
        visit: The browser.
        plus: FranceConnect+; off unless the test wants both.
    """

    context: Context
    forged: ForgedFranceConnect
    visit: Visit = field(default_factory=lambda: Visit("Firefox sur Windows"))
    plus: ForgedFranceConnect | None = None

    def leave(
        self,
        purpose: Purpose = Purpose.SIGN_IN,
        account: Account | None = None,
        *,
        browser: bytes = BROWSER,
        way: Way | None = None,
        portal: Choice | None = None,
    ) -> str:
        """Set out, and give the state; FranceConnect will answer with the nonce of this journey.

        Args:
            purpose: What for.
            account: Who is signed in.
            browser: Which browser.
            way: What the person was doing.
            portal: Where to; the ordinary portal by default.
        """
        account_id = None if account is None else account.account_id
        departure = federated.begin(
            self.context,
            purpose=purpose,
            browser_hash=browser,
            account_id=account_id,
            way=way or Way(),
            portal=portal,
        )
        assert isinstance(departure, Departure), departure
        sent = parameters_of(departure.url)
        self.at(portal).nonces["code-" + sent["state"]] = sent["nonce"]
        return sent["state"]

    def come_back(
        self,
        state: str,
        *,
        error: str | None = None,
        account: Account | None = None,
        browser: bytes = BROWSER,
        portal: Choice | None = None,
    ) -> Outcome:
        """Bring a code, or an error.

        Args:
            state: As given by `leave`, or anything.
            error: An OAuth error; None for a code.
            account: Who is signed in.
            browser: Which browser.
            portal: Whose callback it comes to.
        """
        code = "code-" + state if error is None else None
        return federated.callback(
            self.context,
            state,
            UpstreamCallback(code, error, self.at(portal).issuer),
            browser_hash=browser,
            present=account,
            visit=self.visit,
            portal=FRANCECONNECT if portal is None else portal.name,
        )

    def go(
        self,
        purpose: Purpose = Purpose.SIGN_IN,
        account: Account | None = None,
        *,
        browser: bytes = BROWSER,
        portal: Choice | None = None,
    ) -> Outcome:
        """Go there and back."""
        state = self.leave(purpose, account, browser=browser, portal=portal)
        return self.come_back(state, account=account, browser=browser, portal=portal)

    def at(self, portal: Choice | None) -> ForgedFranceConnect:
        """Give the portal that a journey goes to."""
        if portal is None or portal.name == FRANCECONNECT:
            return self.forged
        assert self.plus is not None
        return self.plus

    def waiting_signup(self, email: str, *, browser: bytes = BROWSER) -> str:
        """Come for the first time, give an address and prove it; gives back the handle of the sign-up."""
        outcome = self.go(browser=browser)
        assert isinstance(outcome, FirstTime), outcome
        begun = self.begin_signup(email, browser=browser)
        assert isinstance(begun, signup.Begun), begun
        code = last_mail(self.context).variables["code"]
        proven = signup.prove_by_code(self.context, begun.handle, browser, code)
        assert isinstance(proven, signup.Proven), proven
        return begun.handle

    def begin_signup(
        self, email: str, *, browser: bytes = BROWSER
    ) -> signup.Begun | signup.Throttled | signup.Gone:
        """Give an address, the box ticked."""
        address = parse(email)
        assert address is not None
        return franceconnect_link.begin_signup(
            self.context,
            address,
            terms.in_force(self.context, "fr"),
            browser_hash=browser,
            address=HOME,
            language="fr",
            pending_id=None,
            service_name=None,
        )

    def finish(
        self, handle: str, *, browser: bytes = BROWSER
    ) -> Arrived | signup.AddressTaken | Refused | signup.Gone:
        """Open the account of a sign-up."""
        return franceconnect_link.finish_signup(self.context, handle, browser, visit=self.visit)

    def person(self, email: str = "angela@example.fr", **claims: Any) -> Account:
        """Open an account through FranceConnect, and give it.

        Args:
            email: Its address.
            claims: Of userinfo, and `sub`, where they differ.
        """
        self.answers(**claims)
        arrived = self.finish(self.waiting_signup(email))
        assert isinstance(arrived, Arrived), arrived
        return arrived.account

    def answers(self, **claims: Any) -> None:
        """Say who FranceConnect will send from now on."""
        self.forged.userinfo = dict(claims)
        self.forged.id_token = {"sub": claims["sub"]} if "sub" in claims else {}


def journeys_on(database: Database, clock: SettableClock, **others: Any) -> Journeys:
    """Put the use cases together with a forged FranceConnect, terms in force."""
    forged = ForgedFranceConnect(clock)
    context = a_context(database, clock, franceconnect=forged.client(), **others)
    some_terms(context)
    return Journeys(context, forged)
