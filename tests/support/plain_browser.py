"""A browser without a screen: cookies, redirections, forms, over real HTTP and without a script."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPMessage, HTTPResponse
from http.cookiejar import CookieJar
from typing import IO
from urllib.error import HTTPError
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, OpenerDirector, Request, build_opener

from tests.support.builders import PASSWORD

# More pages than any journey has: beyond, it goes round in circles.
MOST_STEPS = 20
PATIENCE_SECONDS = 30
#: What a person answers to each form of ours that stands between a request and its answer.
ANSWERS: dict[str, dict[str, str]] = {
    "/select-account": {"choice": "continue"},
    "/consent": {"decision": "allow"},
    "/device": {},
    "/logout/confirm": {"decision": "sign_out"},
}


@dataclass
class Form:
    """A form of a page.

    Attributes:
        action: Where it goes.
        fields: What it holds before anybody types: hidden fields, texts, ticked boxes.
        boxes: The boxes that can be ticked: their name and value.
    """

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)
    boxes: list[tuple[str, str]] = field(default_factory=list)


class Reader(HTMLParser):
    """Reads forms and what goes on by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.goes_on: str | None = None
        self.frames: list[str] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take a form, a field, a frame or a refreshment."""
        values = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self.forms.append(Form(values.get("action", "")))
                self._inside = True
            case "input" if self._inside:
                self._take_field(values)
            case "iframe":
                self.frames.append(values.get("src", ""))
            case "meta" if values.get("http-equiv") == "refresh":
                self.goes_on = values["content"].partition("url=")[2]
            case _:
                pass

    def handle_endtag(self, tag: str) -> None:
        """Leave a form."""
        self._inside = self._inside and tag != "form"

    def _take_field(self, values: dict[str, str]) -> None:
        pair = (values.get("name", ""), values.get("value", ""))
        if values.get("type") != "checkbox":
            self.forms[-1].fields.append(pair)
            return
        self.forms[-1].boxes.append(pair)
        if "checked" in values:
            self.forms[-1].fields.append(pair)


@dataclass(frozen=True)
class Page:
    """What the browser shows.

    Attributes:
        address: Of the page.
        status: Of its answer.
        text: Its HTML.
        sent: What was posted to it, when the browser has left us by a form.
    """

    address: str
    status: int
    text: str
    sent: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        """Its path."""
        return urlsplit(self.address).path

    @property
    def answer(self) -> dict[str, str]:
        """What an authorization response carries, whatever the mode."""
        parts = urlsplit(self.address)
        return dict(self.sent) or dict(parse_qsl(parts.fragment or parts.query, keep_blank_values=True))

    def read(self) -> Reader:
        """Read its forms and where it goes on to."""
        reader = Reader()
        reader.feed(self.text)
        return reader

    def form(self, action: str) -> Form:
        """Find the form that goes to a path.

        Args:
            action: Its path.

        Raises:
            LookupError: There is none; with the page.
        """
        for found in self.read().forms:
            if urlsplit(found.action).path == action:
                return found
        raise LookupError(f"no form to {action} at {self.address}:\n{self.text}")


class _Stays(HTTPRedirectHandler):
    """Follows nothing: the browser below does, and stops where it leaves us."""

    def redirect_request(  # noqa: PLR0917 - the library's
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        """Answer no request."""


class PlainBrowser:
    """A browser of one person.

    Args:
        origin: Of the provider: every other origin is a service, whose pages nobody serves here.
    """

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.cookies = CookieJar()
        self._opener: OpenerDirector = build_opener(_Stays, HTTPCookieProcessor(self.cookies))

    def open(self, address: str) -> Page:
        """Go to an address, and where it leads, until a page of ours shows or the browser leaves us."""
        return self._go(urljoin(self.origin, address), None)

    def send(self, page: Page, action: str, *ticked: str, **typed: str) -> Page:
        """Fill a form of a page in, and send it.

        Args:
            page: The page.
            action: The path that the form goes to.
            ticked: Values of boxes.
            typed: What is typed, or the name and value of the button.
        """
        form = page.form(action)
        kept = [(name, value) for name, value in form.fields if name not in typed]
        boxes = [(name, value) for name, value in form.boxes if value in ticked]
        return self._go(urljoin(page.address, form.action), [*kept, *boxes, *typed.items()])

    def go_through(self, address: str, email: str, *ticked: str, password: str = PASSWORD) -> Page:
        """Do what a request asks of its person: sign in, choose the account, allow, confirm.

        Args:
            address: Of the request.
            email: Of the account.
            ticked: Optional claims that the person gives.
            password: Of the account.

        Returns:
            Where the browser left us, or the page that asks for nothing of this.
        """
        page = self.open(address)
        for _ in range(MOST_STEPS):
            actions = [urlsplit(form.action).path for form in page.read().forms]
            if not page.address.startswith(self.origin):
                return page
            if "/sign-in" in actions:
                page = self.send(page, "/sign-in", email=email, password=password)
                continue
            asked = next((action for action in actions if action in ANSWERS), None)
            if asked is None:
                return page
            page = self.send(page, asked, *ticked, **ANSWERS[asked])
        raise LookupError(f"the journey never ends: {page.address}\n{page.text}")

    def _go(self, address: str, form: list[tuple[str, str]] | None) -> Page:
        for _ in range(MOST_STEPS):
            if not address.startswith((f"{self.origin}/", f"{self.origin}?")) and address != self.origin:
                return Page(address, 0, "", tuple(form or ()))
            page, location = self._fetch(address, form)
            form = None
            if location is not None:
                address = urljoin(address, location)
                continue
            reader = page.read()
            leaving = next((one for one in reader.forms if "data-form-post" in page.text), None)
            if reader.goes_on is not None:
                address = urljoin(address, reader.goes_on)
            elif leaving is not None and not leaving.action.startswith("/"):
                address, form = leaving.action, leaving.fields
            else:
                return page
        raise LookupError(f"the browser is sent round in circles: {address}")

    def _fetch(self, address: str, form: list[tuple[str, str]] | None) -> tuple[Page, str | None]:
        """Ask once; gives the page, and where it redirects to."""
        data = None if form is None else urlencode(form).encode()
        # What a browser says of a form: the provider refuses those of other origins.
        headers = {} if form is None else {"Origin": self.origin, "Sec-Fetch-Site": "same-origin"}
        request = Request(address.partition("#")[0], data, headers)  # noqa: S310 - http, ours
        try:
            answer: HTTPResponse | HTTPError = self._opener.open(request, timeout=PATIENCE_SECONDS)
        except HTTPError as error:
            answer = error
        with answer:
            page = Page(address, answer.status or 0, answer.read().decode())
            return page, answer.headers.get("Location")
