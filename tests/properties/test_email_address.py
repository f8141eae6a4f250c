"""Laws of addresses (ACC-5)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp.domain.email_address import canonical, parse

# The first table of characters takes seconds on a busy machine.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=40)
LETTERS = st.text(st.characters(categories=("L", "M", "Nd")), min_size=1, max_size=12)
ADDRESSES = st.builds("{}@{}.fr".format, LETTERS, LETTERS)


@pytest.mark.rule("ACC-5")
@PATIENT
@given(st.one_of(ANY_TEXT, ADDRESSES, st.emails()))
def test_canonical_form_of_any_text_is_its_own(text: str) -> None:
    """Whatever is typed, there is an answer, and it is stable."""
    found_by = canonical(text)

    assert canonical(found_by) == found_by


@pytest.mark.rule("ACC-5")
@PATIENT
@given(st.one_of(ANY_TEXT, ADDRESSES, st.emails()))
def test_address_that_is_accepted_is_found_again(text: str) -> None:
    """Sign-up and sign-in agree; what is stored holds no space and no control character."""
    address = parse(text)

    if address is not None:
        assert address.canonical == canonical(text) == canonical(address.typed)
        assert parse(address.canonical) is not None
        assert not any(unicodedata.category(c)[0] in "ZC" for c in address.typed)


@pytest.mark.rule("ACC-5")
@PATIENT
@given(ADDRESSES, ADDRESSES)
def test_addresses_found_by_one_form_differ_by_case_and_composition_only(one: str, other: str) -> None:
    """No two mailboxes are joined."""
    left, right = parse(one), parse(other)

    if left is not None and right is not None and left.canonical == right.canonical:
        assert unicodedata.normalize("NFC", one).lower() == unicodedata.normalize("NFC", other).lower()
