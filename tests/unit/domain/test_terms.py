"""What a person is told of the terms in their space (CGU-2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from idp.domain.terms import Announcement, TermsVersion, announcement

pytestmark = pytest.mark.rule("CGU-2")
NOW = datetime(2026, 4, 1, tzinfo=UTC)


def a_version(name: str, days: int, *, is_major: bool = True) -> TermsVersion:
    """A version that takes effect so many days from now."""
    at = NOW + timedelta(days=days)
    return TermsVersion(name, "fr", "Conditions", "Texte.", bytes(32), at, NOW, is_major)


FIRST = a_version("first", -90)
MINOR = a_version("minor", -9, is_major=False)
MINOR_AGAIN = a_version("minor again", -3, is_major=False)
MAJOR = a_version("major", 0)
COMING = a_version("coming", 30)
COMING_MINOR = a_version("coming minor", 9, is_major=False)


@pytest.mark.parametrize(
    "versions, accepted, put_away, told",
    [
        ((), "first", None, Announcement()),
        ((FIRST,), "first", None, Announcement()),
        ((FIRST,), "never published", None, Announcement(open=FIRST)),
        ((FIRST, MINOR), "first", None, Announcement(changed=MINOR)),
        ((FIRST, MINOR), "first", "minor", Announcement()),
        ((FIRST, MINOR, MINOR_AGAIN), "first", "minor", Announcement(changed=MINOR_AGAIN)),
        ((FIRST, MINOR), "minor", None, Announcement()),
        ((FIRST, MINOR, MAJOR), "first", "minor", Announcement(open=MAJOR)),
        ((FIRST, MINOR, MAJOR), "major", None, Announcement()),
        ((FIRST, COMING_MINOR), "first", None, Announcement()),
        ((COMING, FIRST, MINOR), "first", None, Announcement(changed=MINOR, coming=COMING)),
        ((COMING, FIRST, MINOR), "first", "minor", Announcement(coming=COMING)),
        ((COMING, FIRST, MAJOR), "first", None, Announcement(open=MAJOR, coming=COMING)),
    ],
    ids=[
        "nothing published",
        "accepted",
        "accepted something else",
        "minor",
        "minor put away",
        "another minor",
        "minor accepted",
        "major, this very second",
        "major accepted",
        "minor to come",
        "major to come",
        "major to come, minor put away",
        "major after major",
    ],
)
def test_person_is_told_what_concerns_them(
    versions: tuple[TermsVersion, ...], accepted: str, put_away: str | None, told: Announcement
) -> None:
    """What is to be accepted, what changed a little, what will have to be accepted."""
    found = announcement(versions, accepted, put_away, NOW)

    assert found == told
    assert bool(found) == (told != Announcement())


def test_words_of_an_acceptance_are_title_and_text() -> None:
    """Their hash is what the ledger keeps."""
    assert FIRST.words == "Conditions\nTexte."
