"""Ending a link to FranceConnect while others do something: one decision, and nothing half-made (FC-5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.services.account import unlinking as person
from idp.services.account.unlinking import Asked
from idp.services.operations import unlinking as manager
from idp.services.operations.unlinking import AlreadyDecided, Approved
from idp.services.sign_in import federated
from idp.storage.engine import open_database
from idp.storage.repositories import accounts, attributes, franceconnect, sessions
from tests.support.certified import a_certified_account
from tests.support.journeys import Journeys, journeys_on
from tests.support.race import RACERS, race
from tests.support.unlinking import OPERATOR, a_request, events_of, told

if TYPE_CHECKING:
    from idp.domain.account import Account
    from tests.support.clock import SettableClock
    from tests.support.provider import Provider

pytestmark = pytest.mark.rule("FC-5")
ROUNDS = 10


class InstantPasswords:
    """Hashes at once: what is measured is not Argon2id."""

    def generate(self) -> str:
        """Give a hash that no password has."""
        return "x"


@pytest.mark.parametrize("others", ["approve", "refuse"])
def test_one_of_sixteen_managers_decides(crowded_provider: Provider, others: str) -> None:
    """Approvals against each other, and against refusals: one decision, one mail, one line of the trail."""
    for number in range(ROUNDS):
        account = a_certified_account(crowded_provider)
        request_id = a_request(crowded_provider, account).request_id

        def decide(racer: int, request_id: str = request_id) -> object:
            context = crowded_provider.context
            if others == "refuse" and racer % 2:
                return manager.refuse(context, request_id, by=f"{OPERATOR}{racer}", reason="Non.")
            return manager.approve(context, request_id, by=f"{OPERATOR}{racer}")

        outcomes = race(*[lambda racer=racer: decide(racer) for racer in range(RACERS)])  # type: ignore[misc]

        assert [type(one) for one in outcomes].count(AlreadyDecided) == RACERS - 1, outcomes
        decisions = ("unlink.approved", "unlink.refused")
        decided = [event for name in decisions for event in events_of(crowded_provider, name)]
        assert len(decided) == number + 1
        assert len(told(crowded_provider)) == 2 * (number + 1)


def test_one_of_sixteen_clicks_asks(crowded_provider: Provider) -> None:
    """The unique index decides; every click finds the one request."""
    for number in range(ROUNDS):
        account = a_certified_account(crowded_provider)

        outcomes = race(*[lambda: person.ask(crowded_provider.context, account, "")] * RACERS)  # noqa: B023 - run in this round

        assert all(isinstance(one, Asked) for one in outcomes)
        assert len({one.request.request_id for one in outcomes if isinstance(one, Asked)}) == 1
        assert told(crowded_provider) == ["unlink_requested"] * (number + 1)


def test_withdrawal_and_approval_never_both_happen(crowded_provider: Provider) -> None:
    """The person and a manager at the same instant: the state says which, and the link agrees with it."""
    for _ in range(ROUNDS * 2):
        account = a_certified_account(crowded_provider)
        request_id = a_request(crowded_provider, account).request_id

        withdrawn, approved = race(
            lambda: person.withdraw(crowded_provider.context, account),  # noqa: B023 - run in this round
            lambda: manager.approve(crowded_provider.context, request_id, by=OPERATOR),  # noqa: B023 - run in this round
        )

        assert withdrawn is not isinstance(approved, Approved)
        with crowded_provider.context.database.read() as connection:
            assert bool(franceconnect.links_of_account(connection, account.account_id)) is withdrawn


def test_login_that_refreshes_never_certifies_an_unlinked_account(
    database_url: str, clock: SettableClock
) -> None:
    """Logins that bring a changed name while the link ends: afterwards nothing is certified, and nobody is signed in.

    A login that was first is signed out by the approval; one that comes later finds no link, and is asked what to do.
    """
    database = open_database(database_url, pool_size=RACERS)
    journeys = journeys_on(database, clock, passwords=InstantPasswords())
    for number in range(ROUNDS):
        # So that the mail of this sign-up is the last one.
        clock.advance(seconds=1)
        claims = {"sub": f"{number:064x}v1", "family_name": "DUBOIS" + chr(65 + number)}
        account = with_a_password(journeys, journeys.person(f"angela{number}@example.fr", **claims))
        asked = person.ask(journeys.context, account, "")
        assert isinstance(asked, Asked)
        journeys.answers(**(claims | {"family_name": claims["family_name"] + "BIS"}))
        states = [journeys.leave() for _ in range(6)]

        outcomes = race(
            lambda: manager.approve(journeys.context, asked.request.request_id, by=OPERATOR),  # noqa: B023 - run in this round
            *[lambda state=state: journeys.come_back(state) for state in states],  # type: ignore[misc]
        )

        assert isinstance(outcomes[0], Approved)
        assert all(isinstance(one, federated.SignedIn | federated.FirstTime) for one in outcomes[1:]), (
            outcomes
        )
        assert levels(journeys, account) == {100}
        assert open_sessions(journeys, account) == 0
    database.dispose()


def with_a_password(journeys: Journeys, account: Account) -> Account:
    """Have somebody know the password of an account."""
    with journeys.context.database.write() as connection:
        accounts.set_password(connection, account.account_id, "x", journeys.context.clock())
        known = accounts.by_id(connection, account.account_id)
    assert known is not None
    return known


def levels(journeys: Journeys, account: Account) -> set[int]:
    """Read the levels of what is known of a person."""
    with journeys.context.database.read() as connection:
        return {one.level for one in attributes.read(connection, account.account_id).values()}


def open_sessions(journeys: Journeys, account: Account) -> int:
    """Count the signed-in browsers of an account."""
    with journeys.context.database.read() as connection:
        return len(sessions.of_account(connection, account.account_id))
