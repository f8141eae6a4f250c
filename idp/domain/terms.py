"""Versions of the terms of use: who accepted which, which must be accepted anew (CGU-1, CGU-2, CGU-3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class TermsVersion:
    """One published version, in one language.

    Attributes:
        version: Its name, such as "2026-11-01".
        language: "fr" or "en".
        title: Its title.
        body: Its text, in Markdown of headings, paragraphs, lists, emphasis and links.
        text_hash: SHA-256 of title and body, recorded with each acceptance (CGU-3).
        effective_at: From when it holds.
        published_at: When the administrator published it.
        is_major: It must be accepted anew; a minor one is announced (CGU-2).
        summary: What changes, in a few sentences; None when nothing was said.
    """

    version: str
    language: str
    title: str
    body: str
    text_hash: bytes
    effective_at: datetime
    published_at: datetime
    is_major: bool = True
    summary: str | None = None

    @property
    def words(self) -> str:
        """The exact words that an acceptance is the proof of: `text_hash` is their SHA-256."""
        return f"{self.title}\n{self.body}"

    @property
    def place(self) -> tuple[datetime, str]:
        """Where it stands in the order of the versions: by its date of effect."""
        return self.effective_at, self.version


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a person is told of the terms in their space (CGU-2).

    Attributes:
        open: The version that holds, which they have not accepted; None for none.
        changed: A minor version that has taken effect since the one they accepted; None for none, or once put away.
        coming: The next major version, which they will be asked to accept; None for none.
    """

    open: TermsVersion | None = None
    changed: TermsVersion | None = None
    coming: TermsVersion | None = None

    def __bool__(self) -> bool:
        """Tell whether there is anything to say."""
        return any(one is not None for one in (self.open, self.changed, self.coming))


def announcement(
    versions: Iterable[TermsVersion], accepted: str, put_away: str | None, now: datetime
) -> Announcement:
    """Say what a person should be told of the terms.

    Args:
        versions: Every version, each in one language.
        accepted: The version that the person accepted last.
        put_away: The minor version whose notice they have put away.
        now: The present moment.
    """
    ordered = sorted(versions, key=lambda one: one.place)
    holding = [one for one in ordered if one.effective_at <= now]
    coming = next((one for one in ordered if one.effective_at > now and one.is_major), None)
    since = [one.version for one in holding]
    # Who accepted a version that was never published has accepted none of these.
    newer = holding[since.index(accepted) + 1 :] if accepted in since else holding
    if any(one.is_major for one in newer):
        return Announcement(open=newer[-1], coming=coming)
    if not newer or newer[-1].version == put_away:
        return Announcement(coming=coming)
    return Announcement(changed=newer[-1], coming=coming)
