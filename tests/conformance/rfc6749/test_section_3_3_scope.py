"""RFC 6749 section 3.3: the syntax of scope."""

from __future__ import annotations

import pytest

from idp.protocol.scope import parse


@pytest.mark.spec("RFC 6749", "3.3", "REQUIRED")
@pytest.mark.parametrize(
    "raw",
    ["", " ", " openid", "openid ", 'a"b', "a\\b", "a\tb", "a\nb", "openid\n", "é", "a\x7f", "a\x00"],
    ids=repr,
)
def test_scope_outside_of_the_alphabet_is_refused(raw: str) -> None:
    """A scope token is of %x21 / %x23-5B / %x5D-7E."""
    assert parse(raw) is None


@pytest.mark.spec("RFC 6749", "3.3", "REQUIRED")
@pytest.mark.parametrize(
    "raw, scopes",
    [
        ("openid", {"openid"}),
        ("openid email", {"openid", "email"}),
        ("email openid", {"openid", "email"}),
        ("a  a b", {"a", "b"}),
        ("!#[]~:/", {"!#[]~:/"}),
    ],
)
def test_scope_is_a_list_whose_order_does_not_matter(raw: str, scopes: set[str]) -> None:
    """Tokens are separated by spaces."""
    assert parse(raw) == scopes


@pytest.mark.spec("RFC 6749", "3.3", "MUST")
def test_scope_is_case_sensitive() -> None:
    """OPENID is not openid."""
    assert parse("OPENID") == {"OPENID"}
