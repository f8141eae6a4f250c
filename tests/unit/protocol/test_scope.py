"""What a client may ask."""

from __future__ import annotations

import pytest

from idp.protocol.scope import SUPPORTED_SCOPES, allowed, parse, serialise
from tests.support.authorization_requests import a_client


@pytest.mark.rule("CON-1")
def test_allowed_drops_what_the_client_may_not_ask() -> None:
    """A scope outside of the contract is never given."""
    client = a_client(scopes=frozenset({"openid", "email"}))

    assert allowed(client, frozenset({"openid", "email", "phone"})) == {"openid", "email"}


def test_allowed_drops_offline_access_of_client_without_refresh_tokens() -> None:
    """Asking for what can't be given is ignored (OIDC Core 11)."""
    scopes = frozenset({"openid", "offline_access"})

    assert allowed(a_client(grant_types=frozenset({"authorization_code"})), scopes) == {"openid"}
    assert allowed(a_client(), scopes) == scopes


def test_serialise_then_parse_gives_the_same_scopes() -> None:
    """Writing and reading are inverse, whatever the order."""
    assert parse(serialise(frozenset(SUPPORTED_SCOPES))) == frozenset(SUPPORTED_SCOPES)
    assert serialise(frozenset({"phone", "email"})) == "email phone"
