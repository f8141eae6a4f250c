"""Answers to a purpose at the same instant, and while the consent ends, on both databases (CON-3)."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.services.authorization import consents, purposes
from idp.storage.models import event_deliveries
from tests.support.builders import CONFIRMED
from tests.support.purposes import EVENTS, a_session, proofs
from tests.support.race import RACERS, race

if TYPE_CHECKING:
    from tests.support.provider import Provider
    from tests.support.purposes import Session

pytestmark = pytest.mark.rule("CON-3")

ROUNDS = 10


def of_account(session: Session) -> list[str]:
    """List what the ledger has of a person, in order."""
    found = proofs(session.provider.context)
    return [entry.act for entry in found if entry.account_id == session.account.account_id]


def answers(session: Session) -> list[bool]:
    """Give the answers that stand."""
    listed = purposes.of_service(session.provider.context, session.account.account_id, session.service.client)
    return [one.choice.is_allowed for one in listed if one.choice is not None]


def test_same_answer_sixteen_times_at_once_is_one(crowded_provider: Provider) -> None:
    """One of them changes something: one proof, one event."""
    for _ in range(ROUNDS):
        session = a_session(crowded_provider, events_uri=EVENTS)
        told = select(func.count()).where(event_deliveries.c.client_id == session.service.client_id)

        race(*[lambda session=session: session.answer(mobile_providers=True)] * RACERS)  # type: ignore[misc]

        assert of_account(session) == ["given"]
        with crowded_provider.context.database.read() as connection:
            assert connection.scalar(told) == 1


def test_answers_that_differ_are_proven_in_the_order_in_which_they_stand(crowded_provider: Provider) -> None:
    """The last line of the ledger is the answer that holds."""
    for _ in range(ROUNDS):
        session = a_session(crowded_provider)

        race(
            *[
                lambda session=session, yes=yes: session.answer(mobile_providers=yes)
                for yes in (True, False)
                for _ in range(RACERS // 2)
            ]  # type: ignore[misc]
        )

        acts = of_account(session)
        assert answers(session) == [acts[-1] == "given"]
        assert all(one != other for one, other in pairwise(acts))


def test_answer_brought_while_the_consent_ends_does_not_outlive_it(crowded_provider: Provider) -> None:
    """Either it was before, and is withdrawn, or its token is dead: nothing stands afterwards."""
    context = crowded_provider.context
    for _ in range(ROUNDS):
        session = a_session(crowded_provider, consent_required=True)
        whom = (session.account.account_id, session.service.client_id)

        statuses = race(
            *[lambda session=session: session.put().status_code] * (RACERS - 1),  # type: ignore[misc]
            lambda whom=whom: int(consents.withdraw(context, *whom, CONFIRMED)),  # type: ignore[misc]
        )

        assert set(statuses[:-1]) <= {200, 401}
        assert answers(session) == []
        assert of_account(session) in ([], ["given", "withdrawn"])
