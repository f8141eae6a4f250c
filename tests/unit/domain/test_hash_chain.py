"""The chain of hashes: what it binds together, and what an erasure may take away (CON-5, ADM-3)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.domain.hash_chain import GENESIS, canonical, link, personal_hash

PUBLIC = {"name": "account.created", "at": datetime(2026, 11, 22, tzinfo=UTC)}
OTHER = {"name": "account.locked", "at": datetime(2026, 11, 22, tzinfo=UTC)}
#: Computed once: SHA-256 over the previous link, eight bytes of place, the hash of the JSON, and 32 zero bytes.
EXPECTED = "8ab09de134b2a1cf0976cfa10d2d9399303087addda3bb95d39baca7c6685de9"
PERSONAL = personal_hash(bytes(16), {"account_id": "zoe"})


@pytest.mark.rule("CON-5", "ADM-3")
@pytest.mark.parametrize(
    "altered",
    [
        (b"\1" * 32, 2, PUBLIC, PERSONAL),
        (GENESIS, 3, PUBLIC, PERSONAL),
        (GENESIS, 2, OTHER, PERSONAL),
        (GENESIS, 2, PUBLIC, personal_hash(bytes(16), {"account_id": "max"})),
        (GENESIS, 2, PUBLIC, personal_hash(b"\1" * 16, {"account_id": "zoe"})),
    ],
    ids=["another line before", "another place", "another act", "another person", "another salt"],
)
def test_link_differs_when_anything_does(altered: tuple[bytes, int, dict[str, object], bytes]) -> None:
    """Whatever is changed of a line, its link is another one."""
    assert link(*altered) != link(GENESIS, 2, PUBLIC, PERSONAL)


def test_link_never_changes_with_the_program() -> None:
    """What was hashed when a line was written has to be what is hashed years later."""
    made = link(GENESIS, 1, {"at": datetime(2026, 1, 2, 3, 4, 5, 6, UTC), "name": "é"}, bytes(32))

    assert made.hex() == EXPECTED


def test_moment_hashes_alike_in_every_zone() -> None:
    """A moment is a moment, wherever its clock stood."""
    paris = timezone(timedelta(hours=1))
    noon = datetime(2026, 1, 2, 12, tzinfo=UTC)

    assert canonical({"at": noon}) == canonical({"at": noon.astimezone(paris)})


def test_value_that_has_no_one_form_is_refused() -> None:
    """Nothing is hashed that could be read back as something else."""
    with pytest.raises(TypeError):
        canonical({"names": {"a", "b"}})


@given(st.dictionaries(st.text(), st.none() | st.booleans() | st.integers() | st.text()))
def test_order_of_names_does_not_count(values: dict[str, object]) -> None:
    """A database gives columns in an order of its own."""
    assert canonical(values) == canonical(dict(reversed(values.items())))
