"""The question about mobile providers, which Mon Paris keeps: its words, and what the person answered (CON-3).

The words are Mon Paris's own copy of what this service declared, so that what is shown here is what is proven there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

PURPOSE = "mobile_providers"


@dataclass(frozen=True)
class Question:
    """What is asked, in French.

    Attributes:
        version: Of these words; the answer names it.
        title: A few words.
        yes: What a yes agrees to.
        no: What a no means.
    """

    version: str
    title: str
    yes: str
    no: str


@dataclass(frozen=True)
class MobileChoice:
    """What the person last answered, and when."""

    allowed: bool
    updated_at: datetime


def question_of(purposes: Iterable[Mapping[str, Any]]) -> Question | None:
    """Find the question among those of this service; None when it is not declared."""
    for one in purposes:
        words = [one.get(name) for name in ("title", "yes", "no")]
        if one.get("name") == PURPOSE and all(isinstance(texts, dict) for texts in words):
            title, yes, no = (str(texts.get("fr", "")) for texts in words if isinstance(texts, dict))
            return Question(str(one.get("version", "")), title, yes, no)
    return None


def choice_of(userinfo: Mapping[str, Any]) -> MobileChoice | None:
    """Read the answer in the `purposes` claim; None when there is none, which is no yes."""
    purposes = userinfo.get("purposes")
    answer = purposes.get(PURPOSE) if isinstance(purposes, dict) else None
    if not isinstance(answer, dict) or not isinstance(answer.get("answer"), bool):
        return None
    at = answer.get("updated_at")
    if isinstance(at, bool) or not isinstance(at, int | float):
        return None
    return MobileChoice(answer["answer"], datetime.fromtimestamp(at, UTC))
