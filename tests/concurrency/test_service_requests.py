"""What a service says of one request in many messages at once, on both databases (PRO-6)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from idp.services.account import service_requests
from idp.services.account.service_requests import Key, Refused, Written
from tests.support.race import RACERS, race
from tests.web.api.test_requests import a_writer

if TYPE_CHECKING:
    from tests.support.provider import Provider
    from tests.web.api.test_requests import Writer

pytestmark = pytest.mark.rule("PRO-6")

ROUNDS = 10


def says(writer: Writer, reference: str, number: int) -> Written | Refused:
    """Say something that became true so many seconds after another word."""
    context = writer.provider.context
    body: dict[str, Any] = {
        "title": f"Carte {number}",
        "status": "ongoing",
        "updated_at": (context.clock() - timedelta(minutes=5) + timedelta(seconds=number)).isoformat(),
    }
    outcome = service_requests.put(
        context, writer.service.client, Key(writer.subject, "permit", reference), body
    )
    assert isinstance(outcome, (Written, Refused))
    return outcome


def test_newest_of_sixteen_words_stands_and_one_was_the_first(crowded_provider: Provider) -> None:
    """Whichever comes first: who is told 201 made the request, and who is told 409 was overtaken."""
    writer = a_writer(crowded_provider)

    for round_number in range(ROUNDS):
        reference = f"r{round_number}"
        outcomes = race(*[partial(says, writer, reference, number) for number in range(RACERS)])

        written = [outcome for outcome in outcomes if isinstance(outcome, Written)]
        assert sum(outcome.is_new for outcome in written) == 1
        assert len(written) + outcomes.count(Refused.OUTDATED) == RACERS
        last = service_requests.find(
            crowded_provider.context, writer.service.client, Key(writer.subject, "permit", reference)
        )
        assert last is not None
        assert last.update.title == f"Carte {RACERS - 1}"


def test_one_word_that_is_sent_sixteen_times_is_kept_once(crowded_provider: Provider) -> None:
    """A service that lost sixteen answers is told the same by each, and one is told that it is new."""
    writer = a_writer(crowded_provider)

    for round_number in range(ROUNDS):
        reference = f"r{round_number}"
        outcomes = race(*[partial(says, writer, reference, 1)] * RACERS)

        assert [isinstance(outcome, Written) for outcome in outcomes] == [True] * RACERS
        assert sum(outcome.is_new for outcome in outcomes if isinstance(outcome, Written)) == 1
