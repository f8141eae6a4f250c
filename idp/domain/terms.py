"""Versions of the terms of use and who accepted which (CGU-1, CGU-3)."""

from __future__ import annotations

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
