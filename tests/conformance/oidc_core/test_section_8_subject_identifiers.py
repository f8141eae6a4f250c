"""OIDC Core 2 and 8: subject identifiers."""

from __future__ import annotations

import pytest

from idp.domain.client import SubjectType
from idp.protocol.claims.subject import subject_of
from tests.support.authorization_requests import a_client

KEY = b"k" * 32


@pytest.mark.rule("CON-6")
@pytest.mark.spec("OIDC Core", "8.1", "MUST")
def test_pairwise_subjects_of_two_sectors_are_unrelated() -> None:
    """Two services can't find out that they have the same person."""
    explorers = a_client(client_id="explorers", redirect_uris=("https://explorers.example/cb",))

    assert subject_of(a_client(), "account-1", KEY) != subject_of(explorers, "account-1", KEY)


@pytest.mark.spec("OIDC Core", "8.1", "MUST")
def test_pairwise_subjects_of_one_sector_are_the_same() -> None:
    """Services of one sector see one person."""
    one = a_client(client_id="one", sector_identifier="city.example")
    two = a_client(client_id="two", sector_identifier="city.example")

    assert subject_of(one, "account-1", KEY) == subject_of(two, "account-1", KEY)


@pytest.mark.spec("OIDC Core", "2", "MUST NOT")
@pytest.mark.parametrize("subject_type", list(SubjectType))
def test_subject_is_short_ascii(subject_type: SubjectType) -> None:
    """At most 255 ASCII characters, and nothing of the account shows."""
    subject = subject_of(a_client(subject_type=subject_type), "account-1", KEY)

    assert len(subject) <= 255
    assert subject.isascii()
    assert "account" not in subject
