"""Asking to end the link to FranceConnect, and what a manager's decision does, on both databases (FC-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from idp.domain.errors import ThrottledUntil
from idp.domain.events import UnlinkApproved
from idp.domain.unlinking import LONGEST_MESSAGE, RequestState
from idp.services.account import profile
from idp.services.account import unlinking as person
from idp.services.account.profile import Saved
from idp.services.account.unlinking import Asked, MessageTooLong
from idp.services.operations import accounts as operations
from idp.services.operations import unlinking as manager
from idp.services.operations.unlinking import AlreadyDecided, Approved, NotLinked, PasswordNeeded, Unknown
from idp.storage.models import outbox, unlink_requests
from idp.storage.repositories import accounts, attributes, franceconnect
from tests.support.builders import last_mail
from tests.support.certified import ANGELA, a_certified_account
from tests.support.unlinking import (
    MESSAGE,
    OPERATOR,
    a_request,
    by_franceconnect,
    events_of,
    history_of,
    links_of,
    told,
    without_password,
)

if TYPE_CHECKING:
    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("FC-5")


@pytest.fixture
def account(provider: Provider) -> Account:
    """Somebody whom FranceConnect certified."""
    return a_certified_account(provider)


def known(provider: Provider, account: Account) -> dict[str, tuple[str, str, int]]:
    """Read what is stored of a person: value, source, level."""
    with provider.context.database.read() as connection:
        stored = attributes.of_account(connection, account.account_id)
    return {name: (one.value, one.source, one.level) for name, one in stored.items()}


def requests(provider: Provider) -> list[Any]:
    """Read every request."""
    with provider.context.database.read() as connection:
        return list(connection.execute(select(unlink_requests)))


def approve(provider: Provider, request_id: str) -> object:
    """Approve, as the command does."""
    return manager.approve(provider.context, request_id, by=OPERATOR, reason="Vu au guichet.")


def refuse(provider: Provider, request_id: str) -> object:
    """Refuse, as the command does."""
    return manager.refuse(provider.context, request_id, by=OPERATOR, reason="Dossier en cours.")


# Asking


def test_account_without_a_link_can_ask_nothing(provider: Provider) -> None:
    """There is nothing to end."""
    account = provider.an_account()

    assert person.ask(provider.context, account, "") == person.NotLinked()
    assert requests(provider) == []


@pytest.mark.rule("PWD-7")
def test_account_without_a_known_password_is_sent_to_choose_one(provider: Provider, account: Account) -> None:
    """Without FranceConnect nobody could sign in to it."""
    without_password(provider, account)
    with provider.context.database.read() as connection:
        changed = accounts.by_id(connection, account.account_id)
    assert changed is not None

    assert person.ask(provider.context, changed, "") == person.PasswordNeeded()
    assert requests(provider) == []


def test_message_has_a_longest_length(provider: Provider, account: Account) -> None:
    """One character more is refused, and nothing is asked; letters count, not bytes."""
    assert person.ask(provider.context, account, "é" * (LONGEST_MESSAGE + 1)) == MessageTooLong()
    assert requests(provider) == []

    assert isinstance(person.ask(provider.context, account, "é" * LONGEST_MESSAGE), Asked)


def test_request_waits_once_whatever_is_sent(provider: Provider, account: Account) -> None:
    """A double click finds the request of the first one: one row, one mail, one line."""
    first = a_request(provider, account)
    second = a_request(provider, account, "autre chose")

    assert first == second
    assert first.message == MESSAGE
    assert [row.state for row in requests(provider)] == ["open"]
    assert told(provider) == ["unlink_requested"]
    assert [event.actor for event in events_of(provider, "unlink.requested")] == ["person"]


def test_request_is_withdrawn_once(provider: Provider, account: Account) -> None:
    """The person changes their mind; nothing else has changed, and the queue is free for another request."""
    before = known(provider, account)
    request = a_request(provider, account)

    assert person.withdraw(provider.context, account)
    assert not person.withdraw(provider.context, account)

    assert [(row.state, row.decided_by) for row in requests(provider)] == [("withdrawn", "person")]
    assert told(provider) == ["unlink_requested", "unlink_withdrawn"]
    assert known(provider, account) == before
    assert a_request(provider, account).request_id != request.request_id


def test_requests_of_a_day_are_bounded(provider: Provider, account: Account, clock: SettableClock) -> None:
    """Asking and withdrawing in turn neither floods the owner's mailbox nor the queue."""
    for _ in range(5):
        a_request(provider, account)
        person.withdraw(provider.context, account)
        clock.advance(minutes=1)

    with pytest.raises(ThrottledUntil):
        person.ask(provider.context, account, "")
    clock.advance(days=1)

    assert isinstance(person.ask(provider.context, account, ""), Asked)


def test_nothing_personal_stands_in_the_trail(provider: Provider, account: Account) -> None:
    """Neither what the person wrote nor what the manager answered (PRI-3)."""
    refuse(provider, a_request(provider, account).request_id)
    approve(provider, a_request(provider, account).request_id)

    for name in ("unlink.requested", "unlink.refused", "unlink.approved"):
        for event in events_of(provider, name):
            assert "préfère" not in str(event.details)
            assert "Dossier" not in str(event.details)
            assert "DUBOIS" not in str(event.details)


# Approving


def test_approval_ends_the_link_and_leaves_the_values_declared(provider: Provider, account: Account) -> None:
    """One transaction: link, attributes with their history, decision, mail, line of the trail."""
    before = known(provider, account)
    request = a_request(provider, account)

    outcome = approve(provider, request.request_id)

    assert isinstance(outcome, Approved)
    assert {name: value for name, (value, _, _) in known(provider, account).items()} == ANGELA
    assert {(source, level) for _, source, level in known(provider, account).values()} == {("declared", 100)}
    (link,) = links_of(provider, account)
    assert (link.ended_at, link.ended_reason) == (provider.clock(), "unlinked")
    assert {(row.name, row.old_value, row.new_value) for row in history_of(provider, account)} == {
        (name, value, value) for name, (value, _, _) in before.items()
    }
    assert {(row.changed_by, row.level) for row in history_of(provider, account)} == {("administrator", 100)}
    (row,) = requests(provider)
    assert (row.state, row.decided_by, row.decision_reason) == ("approved", OPERATOR, "Vu au guichet.")
    assert row.decided_at == provider.clock()
    assert told(provider) == ["unlink_approved", "unlink_requested"]
    (event,) = events_of(provider, UnlinkApproved.name)
    assert (event.actor, event.account_id) == ("administrator", account.account_id)


def test_approval_ends_the_links_of_every_portal(provider: Provider, account: Account) -> None:
    """FranceConnect and FranceConnect+: one identity, one request."""
    now = provider.clock()
    with provider.context.database.write() as connection:
        link = franceconnect.Link("plus", account.account_id, "s-plus", b"p" * 32, "franceconnect_plus")
        assert franceconnect.create_link(connection, link, now, level="eidas2")

    assert isinstance(approve(provider, a_request(provider, account).request_id), Approved)

    assert {row.ended_reason for row in links_of(provider, account)} == {"unlinked"}


@pytest.mark.rule("PRO-3")
def test_approved_account_may_edit_its_identity(provider: Provider, account: Account) -> None:
    """What was locked is the person's own again."""
    typed = {"family_name": "Dubois-Martin", "given_name": "Angela"}
    assert isinstance(profile.declare(provider.context, account.account_id, typed), profile.Locked)

    approve(provider, a_request(provider, account).request_id)

    assert profile.declare(provider.context, account.account_id, typed) == Saved()
    assert known(provider, account)["family_name"] == ("Dubois-Martin", "declared", 100)


def test_approved_identity_can_be_linked_again(provider: Provider, account: Account) -> None:
    """The same subject and the same pivot, to the same account or to another one: ended links free both."""
    approve(provider, a_request(provider, account).request_id)
    (ended,) = links_of(provider, account)
    other = provider.an_account()

    with provider.context.database.write() as connection:
        link = franceconnect.Link("again", other.account_id, ended.upstream_subject, ended.pivot_hash)
        assert franceconnect.create_link(connection, link, provider.clock())


def test_approval_signs_out_what_came_through_franceconnect_only(
    provider: Provider, account: Account
) -> None:
    """A session rests on the link that it came by; services of it are told, and its tokens die."""
    service = provider.a_client(
        backchannel_logout_uri="https://parking.example.org/logout",
        scopes=frozenset({"openid", "offline_access"}),
    )
    by_password = provider.signed_in(account)
    through = by_franceconnect(provider, account)
    plus = by_franceconnect(provider, account, portal="franceconnect_plus")
    kept, lost = provider.tokens(by_password, service), provider.tokens(through, service)

    outcome = approve(provider, a_request(provider, account).request_id)

    assert isinstance(outcome, Approved)
    assert outcome.sessions_ended == 2
    assert by_password.get("/account").status_code == 200
    assert through.get("/account").status_code == 303
    assert plus.get("/account").status_code == 303
    assert provider.is_dead(service, lost)
    assert provider.userinfo(kept["access_token"]).status_code == 200
    with provider.context.database.read() as connection:
        count = select(func.count()).select_from(outbox).where(outbox.c.kind == "logout")
        assert connection.scalar(count) == 1


@pytest.mark.rule("PWD-7")
def test_generated_password_stops_an_approval(provider: Provider, account: Account) -> None:
    """It may have been asked for before; nothing is written, and the request still waits."""
    request = a_request(provider, account)
    without_password(provider, account)
    before = known(provider, account)

    assert approve(provider, request.request_id) == PasswordNeeded()

    assert [row.state for row in requests(provider)] == ["open"]
    assert known(provider, account) == before
    assert [row.ended_at for row in links_of(provider, account)] == [None]
    assert told(provider) == ["unlink_requested"]


def test_link_that_ended_meanwhile_stops_an_approval(provider: Provider, account: Account) -> None:
    """There is nothing to end: the manager is told, and may refuse."""
    request = a_request(provider, account)
    with provider.context.database.write() as connection:
        (link,) = franceconnect.links_of_account(connection, account.account_id)
        franceconnect.end_link(connection, link.link_id, "subject_changed", provider.clock())

    assert approve(provider, request.request_id) == NotLinked()
    assert isinstance(refuse(provider, request.request_id), manager.Refused)


def test_account_deleted_meanwhile_takes_its_request_along(provider: Provider, account: Account) -> None:
    """Nothing of the person is left to decide upon (LIF-4)."""
    request = a_request(provider, account)
    operations.delete(provider.context, account.account_id)

    assert approve(provider, request.request_id) == Unknown()
    assert refuse(provider, request.request_id) == Unknown()
    assert manager.show(provider.context, request.request_id, by=OPERATOR) is None
    assert manager.listed(provider.context, by=OPERATOR, open_only=False) == []


# Refusing


def test_refusal_changes_nothing_but_the_request(provider: Provider, account: Account) -> None:
    """The link stays, and the person reads why."""
    before = known(provider, account)

    refuse(provider, a_request(provider, account).request_id)

    assert known(provider, account) == before
    assert [row.ended_at for row in links_of(provider, account)] == [None]
    assert history_of(provider, account) == []
    assert last_mail(provider.context).variables["reason"] == "Dossier en cours."
    refused = person.standing(provider.context, account.account_id).refused_request
    assert refused is not None
    assert refused.decision_reason == "Dossier en cours."


@pytest.mark.parametrize("first", ["approve", "refuse", "withdraw"])
@pytest.mark.parametrize("second", ["approve", "refuse"])
def test_decision_is_taken_once(provider: Provider, account: Account, first: str, second: str) -> None:
    """Whatever comes second is told what was decided, and changes nothing."""
    request = a_request(provider, account)
    acts = {"approve": approve, "refuse": refuse}
    if first == "withdraw":
        person.withdraw(provider.context, account)
    else:
        acts[first](provider, request.request_id)
    (before,) = requests(provider)
    mailed = told(provider)

    outcome = acts[second](provider, request.request_id)

    assert isinstance(outcome, AlreadyDecided)
    assert outcome.request.state is RequestState(before.state)
    assert requests(provider) == [before]
    assert told(provider) == mailed


@pytest.mark.parametrize("request_id", ["", "nothing", "x" * 500])
def test_unknown_request_is_unknown(provider: Provider, request_id: str) -> None:
    """Nothing is guessed."""
    assert approve(provider, request_id) == Unknown()
    assert refuse(provider, request_id) == Unknown()
    assert manager.show(provider.context, request_id, by=OPERATOR) is None


def test_queue_shows_the_oldest_first(provider: Provider, clock: SettableClock) -> None:
    """Those that wait, or all of them."""
    people = [a_certified_account(provider) for _ in range(3)]
    ids = []
    for one in people:
        ids.append(a_request(provider, one).request_id)
        clock.advance(minutes=1)
    refuse(provider, ids[1])

    waiting = manager.listed(provider.context, by=OPERATOR)
    every = manager.listed(provider.context, by=OPERATOR, open_only=False)

    assert [one.request.request_id for one in waiting] == [ids[0], ids[2]]
    assert [one.request.request_id for one in every] == ids
    assert [one.email for one in every] == [one.email for one in people]
