"""New terms accepted in many tabs at the same instant, on both databases (CGU-3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import func, select

from idp.services.authorization import terms
from idp.storage.models import accounts, ledger_entries
from tests.support.builders import TERMS_VERSION, some_terms
from tests.support.race import RACERS, race

if TYPE_CHECKING:
    from tests.support.provider import Provider


@pytest.mark.rule("CGU-3")
def test_terms_accepted_in_sixteen_tabs_at_once_are_one_entry(crowded_provider: Provider) -> None:
    """Every tab goes on, and one acceptance is in the ledger."""
    context = crowded_provider.context
    some_terms(context)
    many = select(func.count()).select_from(ledger_entries)

    for number in range(1, 11):
        person = crowded_provider.an_account()
        accepted = race(
            *[
                lambda person=person: terms.accept(
                    context, person.account_id, TERMS_VERSION, "fr", channel="sign_in"
                )
            ]
            * RACERS
        )

        assert all(one is not None for one in accepted)
        with context.database.read() as connection:
            assert connection.scalar(many) == number
            assert (
                connection.scalar(
                    select(accounts.c.terms_version).where(accounts.c.account_id == person.account_id)
                )
                == TERMS_VERSION
            )
