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
    """

    version: str
    language: str
    title: str
    body: str
    text_hash: bytes
    effective_at: datetime
    published_at: datetime
