"""Subjects: stable for one sector, strangers across sectors."""

from __future__ import annotations

import pytest

from idp.domain.client import Client, SubjectType
from idp.protocol.claims.subject import pairwise, public, redirect_hosts, sector_of, subject_of
from tests.support.authorization_requests import a_client

KEY = bytes(range(32))
LOCAL = ("http://localhost:8002/cb", "http://127.0.0.1:8002/cb", "http://[::1]:8002/cb")


def test_pairwise_subject_is_the_keyed_hash_it_always_was() -> None:
    """A change of this value would make every resident a stranger to every service."""
    assert pairwise(KEY, "parking.example.org", "account-1") == (
        "g8REvL-OX4ysbrHDF2SA76LkXDbRqzuc-JuYTHCElI0"
    )
    assert public(KEY, "account-1") == "9fpBZZgWYB2GTSuVNwNH8hfMVwvEP73wRFIjymGBK-M"


@pytest.mark.rule("CON-6")
def test_subject_differs_by_sector_account_key_and_kind() -> None:
    """Nothing that a service sees can be joined with what another sees."""
    subjects = {
        pairwise(KEY, "a.example", "account-1"),
        pairwise(KEY, "b.example", "account-1"),
        pairwise(KEY, "a.example", "account-2"),
        pairwise(KEY[::-1], "a.example", "account-1"),
        public(KEY, "account-1"),
        pairwise(KEY, "public", "account-1"),
        pairwise(KEY, "a", "b\x00c"),
        pairwise(KEY, "a.exampleaccount-1", ""),
    }

    assert len(subjects) == 8


@pytest.mark.rule("CON-6")
def test_subject_of_a_client_follows_its_type() -> None:
    """Pairwise by default, public when an administrator said so."""
    other = a_client(client_id="other", redirect_uris=("https://other.example.org/cb",))

    assert subject_of(a_client(), "account-1", KEY) != subject_of(other, "account-1", KEY)
    assert subject_of(a_client(subject_type=SubjectType.PUBLIC), "account-1", KEY) == public(KEY, "account-1")


@pytest.mark.parametrize(
    "client, sector",
    [
        (a_client(), "parking.example.org"),
        (a_client(redirect_uris=("https://A.example/1", "https://a.example:8/2")), "a.example"),
        (a_client(sector_identifier="city.example"), "city.example"),
        *((a_client(redirect_uris=(uri,)), "parking") for uri in LOCAL),
        (a_client(redirect_uris=LOCAL), "parking"),
        (a_client(redirect_uris=("com.example.app:/cb",)), "parking"),
        (a_client(redirect_uris=("https://a.example/", "https://b.example/")), "parking"),
        (a_client(redirect_uris=()), "parking"),
    ],
)
def test_sector_is_the_host_where_a_host_means_something(client: Client, sector: str) -> None:
    """Services that only share this machine, or nothing, are each a sector of their own."""
    assert sector_of(client) == sector


def test_redirect_hosts_leave_out_what_has_no_host() -> None:
    """An app's own scheme names no host."""
    assert redirect_hosts(("com.example.app://x/cb", "https:///cb", "https://a.example/cb")) == {"a.example"}
