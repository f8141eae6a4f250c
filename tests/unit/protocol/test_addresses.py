"""Registered addresses with parameters of ours."""

from __future__ import annotations

import pytest

from idp.protocol.addresses import with_query
from idp.protocol.authorization.third_party_login import initiation
from tests.support.authorization_requests import a_client

ISSUER = "https://compte.example.org"


@pytest.mark.parametrize(
    "registered, expected",
    [
        ("https://rp.example/x", "https://rp.example/x?a=b+c"),
        ("https://rp.example/x?", "https://rp.example/x?a=b+c"),
        ("https://rp.example/x?y=%20z", "https://rp.example/x?y=%20z&a=b+c"),
        ("https://rp.example", "https://rp.example?a=b+c"),
    ],
)
def test_parameters_come_after_the_query_that_was_registered(registered: str, expected: str) -> None:
    """Which stays as it was written."""
    assert with_query(registered, {"a": "b c"}) == expected


def test_nothing_to_add_changes_nothing() -> None:
    """The address stays as it was registered."""
    assert with_query("https://rp.example/x?y=1", {}) == "https://rp.example/x?y=1"


def test_service_that_begins_no_login_has_no_address_for_it() -> None:
    """Its own page is all there is."""
    assert initiation(a_client(service_uri="https://rp.example/"), issuer=ISSUER) is None


@pytest.mark.spec("OIDC Core", "4", "OPTIONAL")
@pytest.mark.parametrize("page", [None, "https://rp.example/"])
def test_target_is_given_when_the_service_has_a_page(page: str | None) -> None:
    """The issuer always, the page when there is one."""
    client = a_client(initiate_login_uri="https://rp.example/begin", service_uri=page)

    address = initiation(client, issuer=ISSUER)

    assert address is not None
    assert "iss=https%3A%2F%2Fcompte.example.org" in address
    assert ("target_link_uri=" in address) is (page is not None)
