"""`RedirectTarget` can't be made by anybody else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from idp.protocol.authorization.redirect_uri import (
    FORBIDDEN_SCHEMES,
    RedirectTarget,
    match,
    match_post_logout,
    scheme,
)
from tests.support.authorization_requests import REDIRECT_URI, a_client


@pytest.mark.rule("OID-9")
def test_redirect_target_of_another_maker_is_refused() -> None:
    """An open redirect can't be written by mistake: only this module makes targets."""
    with pytest.raises(TypeError, match="match"):
        RedirectTarget("https://evil.example", object())


def test_redirect_target_changed_by_replace_is_refused() -> None:
    """A proven target can't be turned into another one."""
    target = match(a_client(), REDIRECT_URI)
    assert target is not None

    with pytest.raises((TypeError, ValueError)):
        replace(target, uri="https://evil.example")
    with pytest.raises(TypeError):
        replace(target, uri="https://evil.example", seal=None)


@pytest.mark.parametrize("name", sorted(FORBIDDEN_SCHEMES))
def test_registered_uri_of_forbidden_scheme_is_never_a_target(name: str) -> None:
    """What slipped into the registration is stopped again at use."""
    uri = f"{name.title()}:alert(1)//"
    client = a_client(redirect_uris=(uri,), post_logout_redirect_uris=(uri,))

    assert match(client, uri) is None
    assert match_post_logout(client, uri) is None


def test_post_logout_target_is_no_redirect_uri() -> None:
    """The two lists of a client do not mix."""
    client = a_client()

    assert match_post_logout(client, REDIRECT_URI) is None
    assert match(client, "https://parking.example.org/bye") is None
    assert match_post_logout(client, "https://parking.example.org/bye") is not None


@pytest.mark.parametrize(
    "uri, expected", [("HTTPS://x", "https"), ("no-scheme", ""), ("com.app:/x", "com.app")]
)
def test_scheme_is_read_in_lower_case(uri: str, expected: str) -> None:
    """Schemes do not depend on case (RFC 3986 section 3.1)."""
    assert scheme(uri) == expected
