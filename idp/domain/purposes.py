"""Purposes that need a yes or no of their own (CON-3)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from idp.domain.errors import DomainError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The wire name of a purpose.
NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,49}")
#: The language that every purpose is worded in.
_SOURCE_LANGUAGE: Final = "fr"


class UnknownPurpose(DomainError):
    """A service does not ask this, or not of this version.

    Args:
        name: Of the purpose, as it came.
    """

    def __init__(self, name: str) -> None:
        super().__init__(f"CON-3: {name}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a service asks a yes or no for, beside the data that it needs.

    Attributes:
        name: Its wire name, such as "mobile_providers".
        version: Raised when the wording changes what is agreed to: the answer to another version is asked anew.
        title: A few words, by language code.
        yes: The sentence that a yes agrees to, by language code; with what follows from it.
        no: The sentence of a no, the same way.
        recipients: To whom the data go.
    """

    name: str
    version: str
    title: dict[str, str]
    yes: dict[str, str]
    no: dict[str, str]
    recipients: tuple[str, ...] = field(default_factory=tuple)

    def language(self, wished: str) -> str:
        """Say in which language it is worded for whoever wishes one: French, where it is not."""
        return wished if self.title.get(wished) else _SOURCE_LANGUAGE

    def words(self, language: str) -> tuple[str, str, str]:
        """Give the title, the sentence of a yes and that of a no, in the language or, without it, in French."""
        return _in(self.title, language), _in(self.yes, language), _in(self.no, language)


@dataclass(frozen=True, slots=True)
class Choice:
    """What a person answered to a purpose.

    Attributes:
        name: Of the purpose.
        version: Of the wording that was answered.
        is_allowed: Yes or no.
        changed_at: When.
    """

    name: str
    version: str
    is_allowed: bool
    changed_at: datetime

    def answers(self, purpose: Purpose) -> bool:
        """Tell whether this answers the purpose as it is worded today."""
        return self.name == purpose.name and self.version == purpose.version

    def says(self, purpose: Purpose, *, is_allowed: bool) -> bool:
        """Tell whether this is that very answer already."""
        return self.answers(purpose) and self.is_allowed is is_allowed


def answer_to(purpose: Purpose, choices: Iterable[Choice]) -> Choice | None:
    """Find the answer to a purpose in its present wording; None is neither yes nor no."""
    return next((choice for choice in choices if choice.answers(purpose)), None)


def unanswered(purposes: tuple[Purpose, ...], choices: tuple[Choice, ...]) -> tuple[Purpose, ...]:
    """List the purposes that were not answered in their present wording."""
    return tuple(one for one in purposes if answer_to(one, choices) is None)


def _in(texts: dict[str, str], language: str) -> str:
    return texts.get(language) or texts.get(_SOURCE_LANGUAGE, "")
