"""A token for so many registrations registers so many, however many come at once, on both databases (OID-7)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from idp.crypto.opaque import digest
from idp.services.clients import initial_access
from idp.storage.repositories import registrations
from tests.support.race import RACERS, ROUNDS, race

if TYPE_CHECKING:
    from tests.support.provider import Provider


@pytest.mark.rule("OID-7")
@pytest.mark.spec("RFC 7591", "3", "OPTIONAL")
def test_token_that_sixteen_use_at_once_serves_as_many_as_it_was_made_for(crowded_provider: Provider) -> None:
    """One UPDATE decides, whatever the number of nodes."""
    context, uses = crowded_provider.context, 3

    for number in range(ROUNDS):
        made = initial_access.make(context, f"Essai {number}", uses=uses, lifetime=timedelta(days=1))
        token_hash = digest(made.token)

        def use(token_hash: bytes = token_hash) -> bool:
            with context.database.write() as connection:
                return registrations.use_initial_token(connection, token_hash, context.clock()) is not None

        assert race(*[use] * RACERS).count(True) == uses
