"""/api/subjects/<subject>/requests/<type>/<reference>: what services say of people's requests (PRO-6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from idp.domain.client import GrantType
from idp.domain.service_request import MOST_OF_A_PERSON
from idp.services.account import service_requests
from idp.services.authorization import consents
from idp.services.operations.housekeeping import Retention, purge
from idp.storage.repositories import accounts as stored_accounts
from tests.support.builders import CONFIRMED
from tests.support.provider import a_provider

if TYPE_CHECKING:
    from werkzeug.test import TestResponse

    from idp.domain.account import Account
    from idp.storage.engine import Database
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

pytestmark = pytest.mark.rule("PRO-6")

HOME = "https://parking.example.org/"


@dataclass(frozen=True)
class Writer:
    """A service that writes for one person, with its own token."""

    provider: Provider
    service: Service
    account: Account
    subject: str
    token: str

    def address(self, *, subject: str | None = None, key: str = "permit/DA-2026-1") -> str:
        """Name a request."""
        kind, _, reference = key.partition("/")
        return f"/api/subjects/{subject or self.subject}/requests/{kind}/{reference}"

    def put(
        self, *, key: str = "permit/DA-2026-1", subject: str | None = None, token: str = "", **members: Any
    ) -> TestResponse:
        """Say something of a request."""
        now = self.provider.context.clock()
        body = {"title": "Carte de stationnement", "status": "ongoing", "updated_at": now.isoformat()}
        return self.provider.back_channel.put(
            self.address(subject=subject, key=key),
            json=body | members,
            headers={"Authorization": f"Bearer {token or self.token}"},
        )

    def send(self, method: str, **headers: str) -> TestResponse:
        """Send a request without a body."""
        given = {"Authorization": f"Bearer {self.token}"} | headers
        return self.provider.back_channel.open(self.address(), method=method, headers=given)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """What the person sees: title and status."""
        listed = service_requests.of_account(self.provider.context, self.account.account_id)
        return [(one.update.title, one.update.status) for _, one in listed]


def a_writer(provider: Provider, **fields: Any) -> Writer:
    """Register a service that writes, and sign somebody in there."""
    scopes = frozenset({"openid", "email", "requests"})
    grants = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.CLIENT_CREDENTIALS})
    service = provider.a_client(**{"scopes": scopes, "grant_types": grants, "service_uri": HOME} | fields)
    account = provider.an_account()
    given = provider.tokens(provider.signed_in(account), service, scope="openid")
    subject = provider.userinfo(given["access_token"]).json["sub"]
    return Writer(provider, service, account, subject, own_token(provider, service))


def own_token(provider: Provider, service: Service, scope: str = "requests") -> str:
    """Get a token of the service's own."""
    answer = provider.post("/token", service, grant_type="client_credentials", scope=scope)
    return str(answer.json["access_token"])


@pytest.fixture
def writer(lasting_provider: Provider) -> Writer:
    """A service that writes for somebody."""
    return a_writer(lasting_provider)


@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_request_without_a_token_is_challenged(writer: Writer, method: str) -> None:
    """Nobody writes without proving who they are."""
    answer = writer.provider.back_channel.open(writer.address(), method=method, json={})

    assert (answer.status_code, answer.json) == (401, {})


def test_token_of_a_person_writes_nothing(writer: Writer) -> None:
    """What a person allows opens their own data, not this."""
    browser = writer.provider.signed_in(writer.account)
    given = writer.provider.tokens(browser, writer.service, scope="openid requests")

    answer = writer.put(token=given["access_token"])

    assert (answer.status_code, answer.json["error"]) == (403, "insufficient_scope")
    assert writer.shown == []


def test_token_without_the_scope_writes_nothing(writer: Writer) -> None:
    """A service that was not allowed to write can't ask for it."""
    other = writer.provider.a_client(
        scopes=frozenset({"openid", "other"}), grant_types=frozenset({GrantType.CLIENT_CREDENTIALS})
    )

    answer = writer.put(token=own_token(writer.provider, other, "other"))

    assert (answer.status_code, answer.json["error"]) == (403, "insufficient_scope")


def test_service_writes_for_nobody_that_it_does_not_know(writer: Writer) -> None:
    """Another service's subject, and any other word, name nobody (CON-6)."""
    other = a_writer(writer.provider)

    assert writer.put(subject=other.subject).json["error"] == "unknown_subject"
    assert writer.put(subject="x").status_code == 404
    assert other.shown == writer.shown == []


def test_service_reads_and_removes_nothing_of_another(writer: Writer) -> None:
    """Each service has requests of its own, whatever their keys."""
    other = a_writer(writer.provider)
    writer.put()

    assert other.send("GET").json["error"] == "unknown_request"
    assert other.send("DELETE").status_code == 404
    assert len(writer.shown) == 1


@pytest.mark.parametrize(
    "key", ["Permit/1", "permit/-1", "permit/a b", f"permit/{'x' * 101}", f"{'x' * 51}/1"],
    ids=["capital", "hyphen first", "blank", "long reference", "long type"],
)  # fmt: skip
def test_malformed_address_is_refused(writer: Writer, key: str) -> None:
    """Types and identifiers have one form."""
    answer = writer.put(key=key)

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "body, content_type, status",
    [("{", "application/json", 400), ("[]", "application/json", 400), ('{"a": 1}', "text/plain", 415)],
    ids=["not JSON", "no object", "another type"],
)
def test_body_that_is_no_json_object_is_refused(
    writer: Writer, body: str, content_type: str, status: int
) -> None:
    """Nothing is guessed."""
    answer = writer.provider.back_channel.put(
        writer.address(),
        data=body,
        content_type=content_type,
        headers={"Authorization": f"Bearer {writer.token}"},
    )

    assert (answer.status_code, answer.json["error"]) == (status, "invalid_request")


def test_body_that_is_too_large_is_refused(writer: Writer) -> None:
    """Short texts and a link: a file has no business here."""
    assert writer.put(message="x" * 40_000).status_code == 413


def test_faults_are_named_by_member(writer: Writer) -> None:
    """The service's developer reads all of them at once, and nothing is kept."""
    answer = writer.put(title="", url="https://elsewhere.example/", html="<b>")

    assert answer.status_code == 400
    assert {(fault["member"], fault["problem"]) for fault in answer.json["faults"]} == {
        ("title", "empty"),
        ("url", "not_your_address"),
        ("html", "unknown"),
    }
    assert writer.shown == []


@pytest.mark.parametrize(
    "url", ["https://parking.example.org.evil.example/", "https://parking.example.org@evil.example/", "https://parking.example.org:8443/x"],
    ids=["longer host", "user", "port"],
)  # fmt: skip
def test_link_leads_to_the_service_alone(writer: Writer, url: str) -> None:
    """Nobody is led elsewhere in a service's name."""
    assert writer.put(url=url).json["faults"] == [{"member": "url", "problem": "not_your_address"}]


def test_request_is_created_then_changed(database: Database, clock: SettableClock) -> None:
    """201 the first time; what is said later stands out as unread again."""
    provider = a_provider(database, clock)
    writer = a_writer(provider)
    first = writer.put(status="to_pay", message="45 €", url=HOME + "pay", step=1, steps=2)
    service_requests.mark_read(provider.context, writer.account.account_id)
    clock.advance(timedelta(minutes=1))

    second = writer.put(status="paid")

    assert (first.status_code, second.status_code) == (201, 200)
    assert first.headers["Cache-Control"] == "no-store"
    assert second.json["status"] == "paid"
    assert "message" not in second.json
    ((_, kept),) = service_requests.of_account(provider.context, writer.account.account_id)
    assert (kept.is_unread, kept.closed_at) == (True, clock())


def test_same_word_twice_is_one(writer: Writer) -> None:
    """A service whose answer was lost says it again: kept once, and not unread anew."""
    account_id = writer.account.account_id
    at = writer.provider.context.clock().isoformat()
    assert writer.put(updated_at=at).status_code == 201
    service_requests.mark_read(writer.provider.context, account_id)

    again = writer.put(updated_at=at)

    assert again.status_code == 200
    ((_, kept),) = service_requests.of_account(writer.provider.context, account_id)
    assert not kept.is_unread


def test_older_word_changes_nothing(database: Database, clock: SettableClock) -> None:
    """Two messages that overtake each other end as the newer one says."""
    provider = a_provider(database, clock)
    writer = a_writer(provider)
    before = clock().isoformat()
    clock.advance(timedelta(minutes=1))
    writer.put(status="closed")

    late = writer.put(status="ongoing", updated_at=before)

    assert (late.status_code, late.json["error"]) == (409, "outdated_update")
    assert [status for _, status in writer.shown] == ["closed"]


def test_request_is_read_back_and_removed(writer: Writer) -> None:
    """What was said by mistake can be taken back."""
    writer.put(title="Erreur")

    assert writer.send("GET").json["title"] == "Erreur"
    assert writer.send("DELETE").status_code == 204
    assert writer.send("DELETE").status_code == 404
    assert writer.shown == []


def test_withdrawn_consent_ends_the_right_to_write(database: Database, clock: SettableClock) -> None:
    """The service knows nobody by that subject any more; what it wrote stays with the person (CON-4)."""
    provider = a_provider(database, clock)
    writer = a_writer(provider)
    writer.put()

    consents.withdraw(provider.context, writer.account.account_id, writer.service.client_id, CONFIRMED)

    assert writer.put(status="closed").json["error"] == "unknown_subject"
    assert writer.send("GET").status_code == 404
    assert [status for _, status in writer.shown] == ["ongoing"]


def test_request_of_a_withdrawn_consent_goes_after_three_months(
    database: Database, clock: SettableClock
) -> None:
    """Nothing would ever close it; a service that is allowed again says anew what is going on."""
    provider = a_provider(database, clock)
    writer, other = a_writer(provider), a_writer(provider)
    retention = Retention(session_idle=timedelta(hours=20))
    for one in (writer, other):
        one.put()
    consents.withdraw(provider.context, writer.account.account_id, writer.service.client_id, CONFIRMED)

    clock.advance(timedelta(days=89))
    purge(provider.context, retention, lambda _: None)
    kept = len(writer.shown)
    clock.advance(timedelta(days=2))
    purge(provider.context, retention, lambda _: None)

    assert (kept, len(writer.shown), len(other.shown)) == (1, 0, 1)


def test_deleted_person_takes_their_requests_along(database: Database, clock: SettableClock) -> None:
    """Nothing that was written stays behind (LIF-4)."""
    provider = a_provider(database, clock)
    writer = a_writer(provider)
    writer.put()

    with provider.context.database.write() as connection:
        stored_accounts.remove(connection, writer.account.account_id)

    assert writer.shown == []
    assert writer.put().json["error"] == "unknown_subject"


def test_request_that_is_over_goes_after_three_months(database: Database, clock: SettableClock) -> None:
    """Those that go on stay as long as they do."""
    provider = a_provider(database, clock)
    writer = a_writer(provider)
    writer.put(key="permit/over", status="closed")
    writer.put(key="permit/open", status="to_pay")
    kept = Retention(session_idle=timedelta(hours=20))

    clock.advance(timedelta(days=89))
    purge(provider.context, kept, lambda _: None)
    before = len(writer.shown)
    clock.advance(timedelta(days=2))
    purge(provider.context, kept, lambda _: None)

    assert before == 2
    assert [status for _, status in writer.shown] == ["to_pay"]


def test_service_that_writes_without_end_is_stopped(writer: Writer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that goes wrong at a service fills nobody's page."""
    assert MOST_OF_A_PERSON > 100
    monkeypatch.setattr(service_requests, "MOST_OF_A_PERSON", 2)
    for number in range(2):
        assert writer.put(key=f"permit/{number}").status_code == 201

    refused = writer.put(key="permit/2")

    assert (refused.status_code, refused.json["error"]) == (409, "too_many_requests")
    assert writer.put(key="permit/1", title="Toujours possible").status_code in {200, 409}
