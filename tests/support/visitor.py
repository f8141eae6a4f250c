"""A person in front of a browser: the pages of the demonstration, and the steps that journeys are made of.

Steps find things as people do, by what a button or a link says, and by the same steps with a mouse or with a
keyboard alone: the hands are an argument.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode, urlsplit

from playwright.sync_api import Error, Locator, Page, expect

from tests.support.browser import next_page
from tests.support.builders import PASSWORD
from tests.support.demonstration import Demonstration, new_address, new_family_name

# More stops than any page has: beyond, Tab goes round in circles.
MOST_STOPS = 120
#: Its day is its month: typing it does not depend on the language of the browser.
BIRTHDATE = "1990-03-03"
#: RFC 7636 appendix B.
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
PARKING_BUTTON = "Gérer mon droit et suivre mes demandes"
PARKING_SPACE = "Mon espace personnel"
IS_FOCUSED = "element => element === document.activeElement"
IS_GROUP_FOCUSED = "element => element.name === document.activeElement.name"
# More answers than any question has.
MOST_ANSWERS = 10


class Hands(Protocol):
    """How somebody uses a page."""

    def press(self, target: Locator) -> None:
        """Use a link or a button, and wait for the page that it leads to, if it does."""

    def write(self, target: Locator, text: str) -> None:
        """Replace what a field holds."""

    def tick(self, target: Locator) -> None:
        """Tick a box."""

    def choose(self, target: Locator) -> None:
        """Choose one of several answers."""


class Mouse:
    """Points and clicks."""

    def press(self, target: Locator) -> None:
        """Click."""
        with next_page(target):
            target.click()

    def write(self, target: Locator, text: str) -> None:
        """Fill the field at once, as a paste or a password manager does."""
        target.fill(text)

    def tick(self, target: Locator) -> None:
        """Click the box."""
        target.check()

    def choose(self, target: Locator) -> None:
        """Click the answer."""
        target.check()


class Keyboard:
    """Has no mouse: Tab, Enter, Space and letters only."""

    def press(self, target: Locator) -> None:
        """Go there, then Enter."""
        self._reach(target)
        with next_page(target):
            target.page.keyboard.press("Enter")

    def write(self, target: Locator, text: str) -> None:
        """Go there, then type over what is there."""
        self._reach(target)
        target.page.keyboard.press("Control+A")
        target.page.keyboard.type(_as_typed(text) if target.get_attribute("type") == "date" else text)

    def tick(self, target: Locator) -> None:
        """Go there, then Space."""
        self._reach(target)
        target.page.keyboard.press("Space")
        expect(target).to_be_checked()

    def choose(self, target: Locator) -> None:
        """Go to the answers, of which Tab reaches one alone, then from one to the next."""
        self._reach(target, IS_GROUP_FOCUSED)
        target.page.keyboard.press("Space")
        for _ in range(MOST_ANSWERS):
            if target.is_checked():
                return
            target.page.keyboard.press("ArrowDown")
        raise AssertionError(f"no arrow reaches {target}")

    def _reach(self, target: Locator, is_there: str = IS_FOCUSED) -> None:
        """Press Tab until the target has the focus.

        Raises:
            AssertionError: It never has.
        """
        expect(target).to_be_visible()
        for _ in range(MOST_STOPS):
            if target.evaluate(is_there):
                return
            target.page.keyboard.press("Tab")
        raise AssertionError(f"Tab never reaches {target}")


def _as_typed(day: str) -> str:
    """Write a date as the three boxes of a date field take it; day and month are equal, so that their order is.

    Args:
        day: As the field's value is written.
    """
    return "".join(reversed(day.split("-")))


#: A page that goes on by itself to another one of these is the longest way there is.
QUICKER_PAGES = 3
SIGNS_OF_A_QUICKER_PAGE = ("ERR_ABORTED", "is interrupted by another navigation")


@dataclass(frozen=True)
class Identity:
    """A civil identity that the simulator gives; the family name makes it one of its own."""

    given_name: str = "Angela Claire"
    family_name: str = field(default_factory=new_family_name)
    birthdate: str = "1962-08-24"
    birthplace: str = "75107"
    birthcountry: str = "99100"
    email: str = field(default_factory=lambda: new_address("angela"))


@dataclass
class Visitor:
    """Somebody in a tab.

    Attributes:
        page: The tab.
        demo: What is visited.
        hands: How.
    """

    page: Page
    demo: Demonstration
    hands: Hands = field(default_factory=Mouse)

    # What is there

    def field(self, name: str) -> Locator:
        """Find a field of our forms."""
        return self.page.locator(f"#field-{name}")

    def button(self, name: str) -> Locator:
        """Find a button by its whole text."""
        return self.page.get_by_role("button", name=name, exact=True)

    def link(self, name: str) -> Locator:
        """Find a link by its whole text."""
        return self.page.get_by_role("link", name=name, exact=True)

    def sees_title(self, title: str) -> None:
        """Wait for a page by its title, the only one of its level."""
        expect(self.page.locator("h1")).to_have_text(title)

    def sees(self, text: str) -> None:
        """Wait for words in the main part of the page."""
        expect(self.page.locator("main")).to_contain_text(text)

    def sees_error(self, name: str, text: str) -> None:
        """Wait for an error beside a field, told to screen readers, and in the summary that has the focus."""
        expect(self.page.locator(f"#error-{name}")).to_contain_text(text)
        expect(self.field(name)).to_have_attribute("aria-invalid", "true")
        expect(self.field(name)).to_have_attribute("aria-describedby", re.compile(rf"\berror-{name}\b"))
        summary = self.page.locator("#error-summary")
        expect(summary.get_by_role("link", name=text)).to_have_attribute("href", f"#field-{name}")
        expect(summary).to_be_focused()
        expect(self.page).to_have_title(re.compile(r"^Erreur\s: "))

    def is_at(self, origin: str, path: str) -> None:
        """Wait until the tab shows a page of an origin, whatever its query."""
        self.page.wait_for_url(lambda url: f"{origin}{path}" == url.partition("?")[0])

    @property
    def path(self) -> str:
        """Give the path of the page that is shown."""
        return urlsplit(self.page.url).path

    # Small gestures

    def opens(self, path: str) -> None:
        """Type an address of the provider."""
        self.goes_to(f"{self.demo.provider}{path}")

    def goes_to(self, address: str) -> None:
        """Type an address; again when pages that go on by themselves were quicker."""
        for _ in range(QUICKER_PAGES):
            try:
                self.page.goto(address)
            except Error as error:
                if all(sign not in error.message for sign in SIGNS_OF_A_QUICKER_PAGE):
                    raise
                self.page.wait_for_load_state()
            else:
                return
        self.page.goto(address)

    def presses(self, button: str) -> None:
        """Use a button."""
        self.hands.press(self.button(button))

    def follows(self, link: str) -> None:
        """Use a link."""
        self.hands.press(self.link(link))

    def writes(self, **fields: str) -> None:
        """Fill fields of a form of ours, in this order."""
        for name, text in fields.items():
            self.hands.write(self.field(name), text)

    def ticks(self, name: str) -> None:
        """Tick a box of a form of ours."""
        self.hands.tick(self.field(name))

    # The services

    def goes_to_parking(self) -> None:
        """Press parking's button, which asks for a login."""
        self.goes_to(f"{self.demo.parking}/")
        self.follows(PARKING_BUTTON)

    def goes_to_parking_for(self, scope: str) -> None:
        """Come with a request of parking that asks for less than its button; parking itself did not make it."""
        request = {
            "client_id": "stationnement",
            "redirect_uri": f"{self.demo.parking}/callback",
            "response_type": "code",
            "scope": scope,
            "state": "s-1",
            "nonce": "n-1",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        self.opens(f"/authorize?{urlencode(request)}")

    def is_in_parking(self) -> None:
        """Wait for parking's personal space."""
        self.is_at(self.demo.parking, "/espace")
        self.sees_title(PARKING_SPACE)

    def goes_to_explorateurs(self) -> None:
        """Press the panel's button, which asks for a login."""
        self.goes_to(f"{self.demo.explorateurs}/")
        self.follows("Rejoindre les Explorateurs")

    # Signing in

    def signs_in(self, email: str, password: str = PASSWORD) -> None:
        """Fill the sign-in page in."""
        self.sees_title("Se connecter")
        self.writes(email=email, password=password)
        self.hands.press(self.page.locator("main").get_by_role("button", name="Se connecter", exact=True))

    def signs_in_here(self, email: str, password: str = PASSWORD) -> None:
        """Sign in from the provider's own sign-in page."""
        self.opens("/sign-in")
        self.signs_in(email, password)
        self.is_at(self.demo.provider, "/")

    def signs_out_here(self) -> None:
        """Use the button that every page has."""
        self.hands.press(self.page.locator("header").get_by_role("button", name="Se déconnecter"))
        self.sees_title("Votre session est fermée")

    # Signing up

    def begins_sign_up(self, email: str) -> None:
        """Ask for an account, up to the page that waits for the code."""
        self.follows("Créer un compte Mon Paris")
        self.sees_title("Créer un compte Mon Paris")
        self.writes(email=email)
        self.presses("Recevoir mon code")
        self.sees_title("Saisissez le code reçu par e-mail")

    def types_code(self, email: str) -> None:
        """Type the code of the mail that came, whatever other mails did."""
        self.writes(code=self.demo.wait_for_code(email))
        self.presses("Continuer")

    def proves_address(self, email: str) -> None:
        """Ask for an account and prove the address, up to the page of the password and identity."""
        self.begins_sign_up(email)
        self.types_code(email)
        self.sees_title("Votre mot de passe et votre identité")

    def completes_account(self, password: str = PASSWORD) -> None:
        """Choose a password, say who one is, accept the terms."""
        self.writes(password=password, given_name="Zoé Claire", family_name="Œuvrard", birthdate=BIRTHDATE)
        self.ticks("terms")
        self.presses("Créer mon compte")

    # Consent

    def allows(self, *claims: str, purposes: str = "no") -> None:
        """Answer yes, and tick these optional claims.

        Args:
            claims: Their names.
            purposes: What is answered to each question that the service asks apart.
        """
        self.sees_title("Ce que ce service va recevoir")
        for name in claims:
            self.ticks(f"claim-{name}")
        self.answers_purposes(purposes)
        self.presses("Autoriser")

    def answers_purposes(self, answer: str = "no") -> None:
        """Answer each question that the consent page asks apart; none is answered beforehand (CON-3)."""
        # The button stands below the questions: before it is there, they may be still to come.
        expect(self.page.locator("button[value=allow]")).to_be_visible()
        questions = self.page.locator("fieldset.purpose")
        expect(questions.locator(":checked")).to_have_count(0)
        for question in questions.all():
            self.hands.choose(question.locator(f"input[value={answer}]"))

    # FranceConnect

    def goes_to_franceconnect(self) -> None:
        """Press the button of FranceConnect."""
        self.hands.press(self.page.locator("a.franceconnect"))

    def identifies(self, identity: Identity) -> None:
        """Give the simulator an identity, and let it go on."""
        self.sees_title("Choisir une identité")
        self.hands.press(self.page.locator("summary", has_text="Identité sur mesure"))
        for name in (
            "given_name",
            "family_name",
            "preferred_username",
            "birthdate",
            "birthplace",
            "birthcountry",
            "email",
        ):
            self.hands.write(self.page.locator(f"#custom-{name}"), getattr(identity, name, ""))
        self.presses("Continuer avec cette identité")
        self.lets_franceconnect_go_on()

    def lets_franceconnect_go_on(self) -> None:
        """Agree to what FranceConnect passes on."""
        expect(self.page.locator("h1")).to_contain_text("va recevoir")
        self.hands.press(self.page.locator("form[action$='/consent'] button"))

    def creates_account_with_franceconnect(self, identity: Identity) -> None:
        """Sign up with an identity that is not known yet."""
        self.goes_to_franceconnect()
        self.identifies(identity)
        self.sees_title("Avez-vous déjà un compte Mon Paris ?")
        self.presses("Non, créer mon compte")
        self.sees_title("Créer un compte avec FranceConnect")
        self.writes(email=identity.email)
        self.ticks("terms")
        self.presses("Recevoir mon code")
        self.sees_title("Saisissez le code reçu par e-mail")
        self.types_code(identity.email)
