"""Whatever ends a session tells its services, in the same transaction (OID-6, LOG-7)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select

from idp.domain.authentication import Authentication
from idp.outbound.http import NullHTTPClient
from idp.services.account import deletion, securing
from idp.services.operations import accounts
from idp.services.operations.housekeeping import Retention, purge
from idp.services.sign_in import endings, sessions
from idp.services.sign_in.endings import Ending
from idp.services.tools import Console
from idp.storage.models import outbox
from tests.support.queries import recorded_queries

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.testing import FlaskClient

    from idp.domain.account import Account
    from idp.domain.session import Session
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider, Service

TOLD = "https://parking.example.org/told"


def told(provider: Provider) -> list[Ending]:
    """Unseal every notice that waits."""
    with provider.context.database.read() as connection:
        rows = connection.execute(
            select(outbox.c.message_id, outbox.c.payload)
            .where(outbox.c.kind == "logout")
            .order_by(outbox.c.message_id)
        ).all()
    return [endings.opened(provider.context.sealer, row.message_id, row.payload) for row in rows]


def sessions_of(provider: Provider, person: Account) -> list[Session]:
    """List the live sessions of somebody, the latest seen first."""
    return [one.session for one in sessions.list_sessions(provider.context, person.account_id)]


def enter(provider: Provider, person: Account, replaces: Session | None = None) -> Session:
    """Sign somebody in, in a browser that may have had a session."""
    with provider.context.database.write() as connection:
        opened = sessions.open_session(
            provider.context,
            connection,
            person.account_id,
            Authentication.by_password(provider.clock()),
            browser="Firefox",
            replaces=replaces,
        )
    return opened.session


@pytest.fixture
def person(provider: Provider) -> Account:
    """Somebody."""
    return provider.an_account()


@pytest.fixture
def browser(provider: Provider, person: Account) -> FlaskClient:
    """Their browser, signed in."""
    return provider.signed_in(person)


@pytest.fixture
def service(provider: Provider, browser: FlaskClient) -> Service:
    """A service that they use in it, and that wants to be told."""
    made = provider.a_client(backchannel_logout_uri=TOLD)
    provider.code(browser, made)
    return made


def by_sign_out(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """The button of every page."""
    del provider, person
    token = browser.get("/contact").text.split('name="csrf_token" value="')[1].split('"')[0]
    assert browser.post("/sign-out", data={"csrf_token": token}).status_code == 303


def by_the_list(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """The list of devices."""
    del browser
    (session,) = sessions_of(provider, person)
    sessions.end(provider.context, person.account_id, session.session_id, reason="ended_by_person")


def with_the_others(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """All others at once."""
    del browser
    sessions.end_others(provider.context, person.account_id, but=None)


def by_a_new_password(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """What a change and a reset do."""
    del browser
    context = provider.context
    with context.database.write() as connection:
        securing.end_everything(
            context, connection, person.account_id, context.clock(), reason="password_changed"
        )


def by_a_lock(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """A lock by the provider itself."""
    del browser
    assert securing.lock(provider.context, person.account_id, "vol")


def by_deletion(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """The end of the account."""
    del browser
    assert deletion.delete(provider.context, person.account_id)


def by_the_administrators_lock(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """`idp accounts lock`, which has no web parts."""
    del browser
    assert accounts.lock(a_console(provider), person.account_id, "vol") is not None


def by_the_administrators_deletion(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """`idp accounts delete`."""
    del browser
    assert accounts.delete(a_console(provider), person.email) is not None


def by_another_person(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """Somebody else signs in over it."""
    del browser
    (session,) = sessions_of(provider, person)
    enter(provider, provider.an_account(), session)


def by_eviction(provider: Provider, browser: FlaskClient, person: Account) -> None:
    """The oldest of too many."""
    del browser
    provider.clock.advance(minutes=1)
    lifetimes = replace(provider.context.session_lifetimes, most_per_account=1)
    full = replace(provider.context, session_lifetimes=lifetimes)
    with full.database.write() as connection:
        sessions.open_session(
            full, connection, person.account_id, Authentication.by_password(full.clock()), browser="x"
        )


WAYS = (by_sign_out, by_the_list, with_the_others, by_a_new_password, by_a_lock, by_deletion,
        by_the_administrators_lock, by_the_administrators_deletion, by_another_person, by_eviction)  # fmt: skip


def a_console(provider: Provider) -> Console:
    """Make the tools of a command line."""
    context = provider.context
    return Console(context.database, context.clock, context.keys, NullHTTPClient, context.issuer)


@pytest.mark.rule("OID-6", "LOG-7")
@pytest.mark.spec("Back-Channel Logout", "2.3", "MUST")
@pytest.mark.parametrize("end", WAYS, ids=lambda way: str(way.__name__))
def test_end_of_a_session_is_told_to_its_services(
    provider: Provider,
    browser: FlaskClient,
    person: Account,
    service: Service,
    end: Callable[[Any, Any, Any], None],
) -> None:
    """Whatever ends it: one notice, with the session and the person as the service knows them."""
    (session,) = sessions_of(provider, person)
    id_token = provider.tokens(browser, service)["id_token"]
    assert told(provider) == []

    end(provider, browser, person)

    (notice,) = told(provider)
    assert (notice.client_id, notice.session_id) == (service.client_id, session.session_id)
    assert notice.subject == subject_in(id_token)


@pytest.mark.rule("OID-6")
def test_notices_outlive_the_account(provider: Provider, person: Account, service: Service) -> None:
    """What is left of a deleted person tells their services, and belongs to nobody."""
    deletion.delete(provider.context, person.account_id)

    assert [notice.client_id for notice in told(provider)] == [service.client_id]
    with provider.context.database.read() as connection:
        assert connection.scalar(select(outbox.c.account_id).where(outbox.c.kind == "logout")) is None


@pytest.mark.rule("OID-6")
def test_only_services_of_the_session_that_want_it_are_told(
    provider: Provider, browser: FlaskClient, person: Account, service: Service
) -> None:
    """Not one that registered no address, not one that was used in another session only."""
    (session,) = sessions_of(provider, person)
    provider.code(browser, provider.a_client())
    elsewhere = provider.a_client(backchannel_logout_uri=TOLD)
    provider.code(provider.signed_in(person), elsewhere)

    ended = sessions.end(provider.context, person.account_id, session.session_id)

    assert [notice.client_id for notice in told(provider)] == [service.client_id]
    assert len(ended.members) == 2


@pytest.mark.rule("OID-6")
def test_service_with_many_codes_of_a_session_is_told_once(
    provider: Provider, browser: FlaskClient, person: Account, service: Service
) -> None:
    """One notice for each service and session, however often they met."""
    for _ in range(3):
        provider.code(browser, service)

    by_the_list(provider, browser, person)

    assert len(told(provider)) == 1


@pytest.mark.rule("OID-6")
def test_service_whose_tokens_were_revoked_is_told_all_the_same(
    provider: Provider, browser: FlaskClient, person: Account, service: Service
) -> None:
    """Its own session may live without any token of ours."""
    tokens = provider.tokens(browser, service, scope="openid offline_access", prompt="consent")
    provider.post("/revoke", service, token=tokens["refresh_token"])

    by_the_list(provider, browser, person)

    assert [notice.client_id for notice in told(provider)] == [service.client_id]


@pytest.mark.rule("OID-6")
def test_session_that_is_renewed_is_not_told(
    provider: Provider, browser: FlaskClient, person: Account, service: Service
) -> None:
    """The same person who signs in again in the same browser has the same session."""
    del browser, service
    (session,) = sessions_of(provider, person)

    assert enter(provider, person, session).session_id == session.session_id

    assert told(provider) == []


@pytest.mark.rule("OID-6")
@pytest.mark.usefixtures("service")
def test_session_that_expires_by_itself_is_not_told(
    provider: Provider, person: Account, clock: SettableClock
) -> None:
    """Services have limits of their own."""
    clock.advance(hours=21)

    purge(provider.context, Retention(provider.context.session_lifetimes.idle), pause=lambda _: None)

    assert sessions_of(provider, person) == []
    assert told(provider) == []


@pytest.mark.rule("OID-6")
def test_end_that_is_undone_tells_nobody(provider: Provider, person: Account, service: Service) -> None:
    """The notices are in the transaction: there if and only if the session is gone."""
    context = provider.context

    def fail_afterwards() -> None:
        with context.database.write() as connection:
            securing.end_everything(context, connection, person.account_id, context.clock(), reason="locked")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_afterwards()

    assert service.client.backchannel_logout_uri == TOLD
    assert told(provider) == []
    assert len(sessions_of(provider, person)) == 1


@pytest.mark.rule("OID-6")
def test_session_that_ended_twice_is_told_once(provider: Provider, person: Account, service: Service) -> None:
    """The second of two clicks finds nothing to end."""
    (session,) = sessions_of(provider, person)

    first = sessions.end(provider.context, person.account_id, session.session_id)
    second = sessions.end(provider.context, person.account_id, session.session_id)

    assert [member.client.client_id for member in first.members] == [service.client_id]
    assert second.members == ()
    assert len(told(provider)) == 1


def test_telling_many_services_costs_two_statements(
    provider: Provider, browser: FlaskClient, person: Account
) -> None:
    """The clients of the session, and one INSERT, beside those of the trail: nobody waits for having used many."""
    for _ in range(5):
        provider.code(browser, provider.a_client(backchannel_logout_uri=TOLD))
    (session,) = sessions_of(provider, person)

    with recorded_queries(provider.context.database.writer) as recording:
        sessions.end(provider.context, person.account_id, session.session_id)

    assert len(recording) <= 7, recording
    assert len(told(provider)) == 5


def subject_in(id_token: str) -> str:
    """Read the subject of an ID token."""
    import jwt

    claims: dict[str, Any] = jwt.decode(id_token, options={"verify_signature": False})
    return str(claims["sub"])
