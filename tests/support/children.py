"""A child below the age of a service, and the parent who is asked by mail (CON-7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from tests.support.pages import mailed_path, send
from tests.support.provider import answer_of

if TYPE_CHECKING:
    from datetime import datetime

    from flask.testing import FlaskClient
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from tests.support.provider import Provider, Service

PARENT = "parent@example.org"
MINIMUM_AGE = 15
_PARIS = ZoneInfo("Europe/Paris")


def born(years: int, now: datetime, *, days: int = 0) -> str:
    """Write the birth date of somebody who has been so old for so many days, in Paris; negative: will be."""
    today = now.astimezone(_PARIS).date()
    ordinal = today.toordinal() - days
    day = type(today).fromordinal(ordinal)
    return day.replace(year=day.year - years, day=min(day.day, 28)).isoformat()


@dataclass(frozen=True, slots=True)
class Child:
    """A person who is signed in, and where the parent reads mail.

    Attributes:
        provider: Where both are.
        service: That demands an age.
        account: The child's.
        browser: The child's.
        parents_browser: The parent's.
    """

    provider: Provider
    service: Service
    account: Account
    browser: FlaskClient
    parents_browser: FlaskClient

    def comes(self, **changes: str | None) -> TestResponse:
        """Come from the service."""
        return self.provider.authorize(self.browser, self.service, **changes)

    def asks(self, page: str | None = None, parent: str = PARENT) -> TestResponse:
        """Give the address of a parent, on the page that the request leads to."""
        return send(self.browser, page or self.comes().location, {"parent_email": parent})

    def parent_opens(self, to: str = PARENT) -> TestResponse:
        """Open the link of the latest mail to the parent."""
        return self.parents_browser.get(mailed_path(self.provider.context, to), follow_redirects=True)

    def parent_says(self, decision: str) -> TestResponse:
        """Answer, on the page that the link leads to."""
        self.parent_opens()
        return send(self.parents_browser, "/permission", {"decision": decision})

    def parent_withdraws(self) -> TestResponse:
        """Take the permission back by the same link, and confirm it."""
        self.parent_opens()
        asked = send(self.parents_browser, "/permission", {}, action="/permission/withdraw")
        assert asked.status_code == 200, asked.text
        return send(self.parents_browser, "/permission", {"confirmed": "yes"}, action="/permission/withdraw")

    def gets_in(self, **changes: str | None) -> dict[str, str]:
        """Come from the service, allow what it asks, and read the answer."""
        answer = self.comes(**changes)
        if "/consent" in answer.headers.get("Location", ""):
            answer = self.provider.consent(self.browser, answer.location)
        return answer_of(answer)


def a_child(provider: Provider, *, birthdate: str | None = None, **fields: object) -> Child:
    """Make a child of fourteen, signed in, and a service that demands fifteen and asks for consent.

    Args:
        provider: Where.
        birthdate: Another one.
        fields: Attributes of the client.
    """
    day = birthdate or born(14, provider.clock(), days=30)
    service = provider.a_client(**({"minimum_age": MINIMUM_AGE, "consent_required": True} | fields))
    account = provider.an_account(given_name="Zoé Claire", family_name="Martin", birthdate=day)
    return Child(provider, service, account, provider.signed_in(account), provider.client())
