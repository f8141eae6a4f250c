"""An identity saved in many tabs at once, on both databases (PRO-3)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from idp.services.account import profile
from idp.services.account.profile import Outdated, Saved
from tests.support.race import RACERS, race

if TYPE_CHECKING:
    from tests.support.provider import Provider

ROUNDS = 10
NAMES = [f"Lys-{chr(65 + number)}" for number in range(RACERS)]


@pytest.mark.rule("PRO-3")
def test_identity_that_sixteen_tabs_save_at_once_is_that_of_one(crowded_provider: Provider) -> None:
    """The others are told that something changed: nobody writes over what they have not seen."""
    context = crowded_provider.context

    for _ in range(ROUNDS):
        account_id = crowded_provider.an_account(given_name="Zoé", family_name="Œuvré").account_id
        seen = profile.known_identity(context, account_id).edition
        save = partial(profile.declare, context, account_id, edition=seen)

        outcomes = race(*(partial(save, {"given_name": "Zoé", "family_name": name}) for name in NAMES))

        saved = [name for name, outcome in zip(NAMES, outcomes, strict=True) if isinstance(outcome, Saved)]
        assert sum(isinstance(outcome, Outdated) for outcome in outcomes) == RACERS - 1
        kept = profile.known_identity(context, account_id).attributes
        assert saved == [kept["family_name"].value]
