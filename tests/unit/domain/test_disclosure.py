"""Names of what was told, in one form (PRI-2)."""

from __future__ import annotations

import pytest

from idp.domain.disclosure import told_claims


@pytest.mark.rule("PRI-2")
@pytest.mark.parametrize(
    "names, verified, kept",
    [
        ((), (), ()),
        (("sub",), (), ()),
        (("sub", "email", "address"), (), ("address", "email")),
        (("verified_claims",), ("gender", "gender"), ("verified_claims.gender",)),
        (("verified_claims", "gender"), ("gender",), ("gender", "verified_claims.gender")),
    ],
    ids=["nothing", "identifier only", "sorted", "several elements", "plain and verified"],
)
def test_names_are_kept_in_one_form(
    names: tuple[str, ...], verified: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    """The same claims in another order are the same line, and what is verified is told apart."""
    assert told_claims(names, verified) == kept
    assert told_claims(names[::-1], verified) == kept
