"""/api/newsletters/<name>/subscribers: services read the lists that they own (PRO-7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from idp.domain.client import GrantType
from idp.domain.newsletters import MOST_OF_A_PAGE, NAME
from idp.storage.repositories import disclosures
from tests.services.test_newsletters import NEWS, subscribed
from tests.web.api.test_requests import own_token

if TYPE_CHECKING:
    from tests.support.provider import Provider, Service

pytestmark = pytest.mark.rule("PRO-7")


@dataclass(frozen=True)
class Owner:
    """A service that reads a list, with its own token."""

    provider: Provider
    service: Service
    token: str

    def read(self, name: str = "news", *, token: str | None = None, **asked: Any) -> Any:
        """Read a page."""
        given = {"Authorization": f"Bearer {self.token if token is None else token}"}
        address = f"/api/newsletters/{name}/subscribers"
        return self.provider.back_channel.get(address, query_string=asked, headers=given)

    def subscribe(self, count: int = 1) -> list[str]:
        """Subscribe new people; gives their addresses."""
        people = [self.provider.an_account() for _ in range(count)]
        for person in people:
            subscribed(self.provider.context, person, self.service.client)
        return [person.email for person in people]


def an_owner(provider: Provider) -> Owner:
    """Register a service with a list."""
    service = provider.a_client(
        newsletters=(NEWS,),
        scopes=frozenset({"openid", "newsletters"}),
        grant_types=frozenset({GrantType.AUTHORIZATION_CODE, GrantType.CLIENT_CREDENTIALS}),
    )
    return Owner(provider, service, own_token(provider, service, "newsletters"))


@pytest.fixture
def owner(lasting_provider: Provider) -> Owner:
    """A service with a list."""
    return an_owner(lasting_provider)


def test_list_without_a_token_is_challenged(owner: Owner) -> None:
    """Nobody reads without proving who they are."""
    answer = owner.provider.back_channel.get("/api/newsletters/news/subscribers")

    assert (answer.status_code, answer.json) == (401, {})


def test_token_of_a_person_or_without_the_scope_reads_nothing(owner: Owner) -> None:
    """What a person allows opens their own data; a scope is given by an administrator."""
    other = owner.provider.a_client(
        scopes=frozenset({"openid", "other"}), grant_types=frozenset({GrantType.CLIENT_CREDENTIALS})
    )
    of_person = owner.provider.tokens(owner.provider.signed_in(), owner.service, scope="openid newsletters")[
        "access_token"
    ]

    for token in (of_person, own_token(owner.provider, other, "other")):
        answer = owner.read(token=token)
        assert (answer.status_code, answer.json["error"]) == (403, "insufficient_scope")


@pytest.mark.parametrize("name", ["other", "NEWS", "x" * 300])
def test_list_of_nobody_is_unknown(owner: Owner, name: str) -> None:
    """A list of another service's is not told apart."""
    answer = owner.read(name)

    assert (answer.status_code, answer.json["error"]) == (404, "unknown_newsletter")


@pytest.mark.parametrize(
    "asked",
    [
        {"limit": "0"},
        {"limit": "501"},
        {"limit": "1000"},
        {"limit": "-1"},
        {"limit": "x"},
        {"limit": "²"},
        {"limit": ""},
        {"after": "x"},
        {"after": "A" * 64},
        {"after": "0" * 63},
        {"after": ""},
        {"after": "x", "limit": "0"},
        {"offset": "2"},
    ],
)
def test_page_that_there_can_not_be_is_refused(owner: Owner, asked: dict[str, str]) -> None:
    """Each parameter that is wrong is named, one that there is not too."""
    answer = owner.read(**asked)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")
    assert [fault["member"] for fault in answer.json["faults"]] == list(asked)


@pytest.mark.rule("CON-6", "PRI-2")
@pytest.mark.spec("RFC 8058", "3.1", "MUST")
def test_service_reads_subject_address_and_the_headers_of_its_letters(owner: Owner) -> None:
    """The subject is the one that it knows by a login; what it is told is in the log; the address ends it."""
    provider = owner.provider
    person = provider.an_account()
    given = provider.tokens(provider.signed_in(person), owner.service, scope="openid")
    subscribed(provider.context, person, owner.service.client)

    (told,) = owner.read().json["subscribers"]
    provider.context.disclosures.flush(provider.context.database)

    assert told["sub"] == provider.userinfo(given["access_token"]).json["sub"]
    assert (told["email"], told["language"]) == (person.email, "fr")
    assert told["list_unsubscribe_post"] == "List-Unsubscribe=One-Click"
    address = urlsplit(told["list_unsubscribe"].strip("<>"))
    posted = provider.app.test_client(use_cookies=False).post(
        f"{address.path}?{address.query}", data={"List-Unsubscribe": "One-Click"}
    )
    assert (posted.status_code, owner.read().json) == (200, {"subscribers": [], "next": None})
    with provider.context.database.read() as connection:
        noted = disclosures.of_account(connection, person.account_id)
    assert ("email", "language") in {one.claims for one in noted}


def test_pages_follow_each_other(owner: Owner) -> None:
    """Each subscriber once."""
    emails = owner.subscribe(3)

    first = owner.read(limit=2).json
    second = owner.read(limit=2, after=first["next"]).json

    assert sorted(one["email"] for page in (first, second) for one in page["subscribers"]) == sorted(emails)
    assert second["next"] is None


def test_description_says_what_is_checked(owner: Owner) -> None:
    """Limits and members come from one place."""
    owner.subscribe()
    document = owner.provider.back_channel.get("/api/openapi.json").json
    described = document["paths"]["/api/newsletters/{name}/subscribers"]["get"]
    limit = described["parameters"][1]["schema"]
    members = document["components"]["schemas"]["Subscriber"]["properties"]

    assert (limit["maximum"], limit["default"]) == (MOST_OF_A_PAGE, MOST_OF_A_PAGE)
    assert document["components"]["parameters"]["newsletter"]["schema"]["pattern"] == f"^{NAME.pattern}$"
    assert set(owner.read().json["subscribers"][0]) == set(members)
