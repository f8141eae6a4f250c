"""Always true: no sequence of calls of ours changes or lowers a value that FranceConnect certified (FC-2, FC-6)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from idp.domain.civil_identity import PIVOT, USAGE_NAME
from idp.services.account import profile
from idp.storage.engine import open_database
from idp.storage.repositories import attributes
from tests.support.journeys import journeys_on

if TYPE_CHECKING:
    from tests.support.clock import SettableClock

NAMES = st.sampled_from([*sorted(PIVOT), USAGE_NAME, "idp_birthdate", "email", "level"])
VALUES = st.one_of(
    st.sampled_from(["", "DUBOIS", "Dupont", "female", "male", "1962-08-24", "1990-01-01", "75107", "99100"]),
    st.text(max_size=20),
)
FORMS = st.lists(st.dictionaries(NAMES, VALUES, max_size=4), min_size=1, max_size=6)


@pytest.mark.rule("FC-2", "FC-6")
def test_no_sequence_of_forms_changes_a_certified_value(sqlite_url: str, clock: SettableClock) -> None:
    """Whatever is posted, in whatever order, the six stand; only FranceConnect changes them."""
    database = open_database(sqlite_url)
    journeys = journeys_on(database, clock)
    account = journeys.person()
    with database.read() as connection:
        before = attributes.read(connection, account.account_id)

    # One database for all examples: each one starts where the last one ended.
    @settings(max_examples=80, deadline=None)
    @given(forms=FORMS)
    def post(forms: list[dict[str, str]]) -> None:
        for form in forms:
            profile.declare(journeys.context, account.account_id, form)
        with database.read() as connection:
            after = attributes.read(connection, account.account_id)
        assert {name: after.get(name) for name in PIVOT} == {name: before.get(name) for name in PIVOT}
        assert after.keys() - before.keys() <= {USAGE_NAME}

    post()
    database.dispose()
