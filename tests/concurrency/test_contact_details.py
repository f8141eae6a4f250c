"""Contact details saved in many tabs at once, on both databases (PRO-2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.services.account import contact_details
from idp.services.account.profile import Outdated, Saved
from tests.support.race import RACERS, race

if TYPE_CHECKING:
    from tests.support.provider import Provider

ROUNDS = 10


@pytest.mark.rule("PRO-2")
def test_details_that_sixteen_tabs_save_at_once_are_those_of_one(crowded_provider: Provider) -> None:
    """The others are told that something changed: nobody writes over what they have not seen."""
    context = crowded_provider.context

    for _ in range(ROUNDS):
        account_id = crowded_provider.an_account().account_id
        seen = contact_details.known_contact_details(context, account_id).edition

        def save(number: int, account_id: str = account_id, seen: str = seen) -> object:
            typed = {"phone_number": f"01 42 76 40 {number:02d}"}
            return contact_details.declare(context, account_id, typed, edition=seen)

        outcomes = race(*[lambda number=number: save(number) for number in range(RACERS)])  # type: ignore[misc]

        assert sum(isinstance(outcome, Saved) for outcome in outcomes) == 1
        assert sum(isinstance(outcome, Outdated) for outcome in outcomes) == RACERS - 1
        winner = next(number for number, outcome in enumerate(outcomes) if isinstance(outcome, Saved))
        kept = contact_details.known_contact_details(context, account_id)
        assert kept.phone_number == f"+331427640{winner:02d}"
