"""Laws of subject identifiers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.protocol.claims.subject import pairwise, public

KEYS = st.binary(min_size=32, max_size=64)
SECTORS = st.from_regex(r"[a-z0-9]([a-z0-9.\-]*[a-z0-9])?", fullmatch=True)
ACCOUNTS = st.uuids().map(str)


@pytest.mark.rule("CON-6")
@given(KEYS, SECTORS, ACCOUNTS)
def test_subject_is_stable_for_one_account_and_sector(key: bytes, sector: str, account: str) -> None:
    """A person is the same to a service at each visit, and nothing of the account shows."""
    subject = pairwise(key, sector, account)

    assert subject == pairwise(key, sector, account)
    assert len(subject) == 43
    assert account not in subject


@pytest.mark.rule("CON-6")
@given(KEYS, st.lists(st.tuples(SECTORS, ACCOUNTS), min_size=2, unique=True))
def test_subjects_of_different_people_or_sectors_differ(key: bytes, people: list[tuple[str, str]]) -> None:
    """No two people meet in a sector, and no person is found again in another one."""
    subjects = {pairwise(key, sector, account) for sector, account in people}
    shared = {public(key, account) for _, account in people}

    assert len(subjects) == len(people)
    assert not subjects & shared
